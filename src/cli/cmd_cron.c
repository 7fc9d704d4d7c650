/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_cron.c: what a cron expression means and when it fires. Needs no
 * engine and no workflow. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/times.h"
#include "model/cron.h"

struct cron_opts {
    int64_t count;
    const char *from;
};

static const struct opt cron_table[] = {
#define AT(member) offsetof(struct cron_opts, member)
    {"count", 'n', OPT_COUNT, AT(count), "N", "5", "how many fires to list"},
    {"from", 0, OPT_TEXT, AT(from), "TIME", NULL, "list fires after this time instead of now"},
#undef AT
};

struct job {
    const struct cli *cli;
    const struct cron_opts *opts;
    struct times times;
    struct str text;
    struct cron cron;
    const struct tz *zone;
    struct str zone_name;
    ms_t from;
};

/* The sentence, the expression and a line of carets below it. */
static int complain(const struct job *j, const struct cron_error *where)
{
    struct buf out = {0};
    paint_puts(&j->cli->err, &out, TONE_BAD, "error");
    buf_printf(&out, ": %s\n  %.*s\n  ", where->text, STR_ARG(j->text));
    for (size_t i = 0; i < where->at; i++)
        buf_putc(&out, ' ');
    for (size_t i = 0; i < MAX(where->len, 1); i++)
        buf_putc(&out, '^');
    if (where->field)
        buf_printf(&out, " %s", where->field);
    buf_puts(&out, "\n  read on: gowtf cron -h\n");
    fputs(out.at, stderr);
    buf_free(&out);
    return EXIT_BAD;
}

static bool next_fire(const struct job *j, ms_t *at, struct cron_fire *f)
{
    cron_fire_next(&j->cron, j->zone, *at, f);
    *at = f->at;
    return f->at != MS_NEVER;
}

static void print_json(const struct job *j, struct buf *out)
{
    struct json w = json_to(out);
    struct buf words = {0};
    struct cron_fire f;
    char wall[TZ_TEXT_MAX];
    ms_t at = j->from;

    cron_words(&j->cron, &words);
    json_open(&w, NULL);
    json_str(&w, "schema", S("gowtf.cron/1"));
    json_str(&w, "expression", j->text);
    json_str(&w, "words", (struct str){words.at, words.len});
    json_str(&w, "timezone", j->zone_name);
    json_str(&w, "hint", str_of(j->cron.hint));
    json_list(&w, "items");
    for (int64_t i = 0; i < j->opts->count && next_fire(j, &at, &f); i++) {
        json_open(&w, NULL);
        json_time(&w, "at", f.at);
        json_str(&w, "wall", str_of(wall_format(f.wall, wall)));
        json_bool(&w, "shifted_gap", f.shifted_gap);
        json_bool(&w, "second_pass", f.second_pass);
        json_close(&w);
    }
    json_list_end(&w);
    json_close(&w);
    buf_putc(out, '\n');
    buf_free(&words);
}

static void fire_cells(const struct job *j, const struct cron_fire *f, struct table *t)
{
    char text[TZ_TEXT_MAX];
    struct buf in = {0};
    if (j->times.relative) {
        table_text(t, tz_format(j->zone, f->at, text));
        times_about(f->at - j->times.now, &in);
    } else {
        times_full(&j->times, f->at, &in);
        table_cell(t, TONE_NONE, (struct str){in.at, in.len});
        buf_clear(&in);
        buf_puts(&in, wall_format(f->wall, text));
    }
    table_cell(t, TONE_DIM, (struct str){in.at, in.len});
    buf_free(&in);
    buf_puts(&in, wall_format(f->wall, text));
    if (f->shifted_gap)
        buf_puts(&in, " does not exist that day: the clock jumps over it");
    else
        buf_clear(&in);
    if (f->second_pass)
        buf_puts(&in, "second pass of an hour the clock repeats");
    table_cell(t, TONE_WARN, (struct str){in.at ? in.at : "", in.len});
    buf_free(&in);
}

static void print_text(const struct job *j, struct buf *out)
{
    struct table t;
    struct cron_fire f;
    ms_t at = j->from;

    if (j->times.relative) {
        cron_words(&j->cron, out);
        buf_printf(out, "   (%.*s)\n", STR_ARG(j->zone_name));
    }
    if (j->cron.hint && !j->cli->quiet)
        fprintf(stderr, "note: %s\n", j->cron.hint);
    table_init(&t, &j->cli->out, 3, 2);
    for (int64_t i = 0; i < j->opts->count && next_fire(j, &at, &f); i++)
        fire_cells(j, &f, &t);
    table_print(&t, out);
    table_free(&t);
}

static bool settle(struct job *j, struct err *e)
{
    j->zone = j->times.zone;
    j->zone_name = j->times.zone_name;
    if (j->cron.zone.len && !j->cli->timezone) {
        j->zone_name = j->cron.zone;
        if (!zones_get(j->times.zones, j->cron.zone, &j->zone, e))
            return false;
    }
    j->from = j->times.now;
    return !j->opts->from || tz_read_time(str_of(j->opts->from), j->zone, &j->from, e);
}

static int cron_run(struct cli *c, const void *opts, int argc, char **argv)
{
    struct job j = {.cli = c, .opts = opts};
    struct buf text CLEANUP(buf_free) = {0}, out CLEANUP(buf_free) = {0};
    struct cron_error where = {0};
    struct err e = {0};

    for (int i = 0; i < argc; i++) /* five words without quotes are fine too */
        buf_printf(&text, "%s%s", i ? " " : "", argv[i]);
    j.text = (struct str){text.at, text.len};
    if (!cron_parse(j.text, &j.cron, &where))
        return complain(&j, &where);
    if (!times_open(&j.times, c, &e))
        return fail_err(c, &cmd_cron, &e);
    bool fine = settle(&j, &e);
    if (fine && c->json)
        print_json(&j, &out);
    else if (fine)
        print_text(&j, &out);
    times_close(&j.times);
    out_flush(&out);
    return fine ? EXIT_DONE : fail_err(c, &cmd_cron, &e);
}

const struct command cmd_cron = {
    .name = "cron",
    .group = GROUP_HELP,
    .args = "EXPR",
    .help = "Explain a cron expression and list when it fires",
    .more = "Says in words what the expression means and lists the next fires, with notes\n"
            "where the clock is changed: a time that does not exist that day, or the second\n"
            "pass of an hour that comes twice. Quote the expression, or the shell expands *.\n"
            "A zone in front works too: 'CRON_TZ=Europe/Berlin 0 3 * * *'. See gowtf-cron(7).",
    .examples = {"gowtf cron '0 3 * * mon-fri' --tz Europe/Berlin",
                 "gowtf cron '30 2 * * *' --tz Europe/Berlin --from 2027-03-27 -n 2"},
    .opts = cron_table,
    .opt_count = countof(cron_table),
    .size = sizeof(struct cron_opts),
    .json = true,
    .arg_min = 1,
    .arg_max = 6,
    .run = cron_run,
};
