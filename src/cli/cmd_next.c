/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_next.c: what will fire, and when. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/look.h"
#include "model/duration.h"

struct next_opts {
    int64_t count;
    const char *until;
};

static const struct opt next_table[] = {
#define AT(member) offsetof(struct next_opts, member)
    {"count", 'n', OPT_COUNT, AT(count), "N", "10", "how many fires to list"},
    {"until", 0, OPT_TEXT, AT(until), "TIME", NULL, "only those before: 2h (from now) or a time"},
#undef AT
};

enum { COLUMNS = 5 };

static void fire_row(struct table *t, const struct look *l, const json_t *f)
{
    struct buf b = {0};
    ms_t at = j_time(f, "at");
    times_when(&l->times, at, &b);
    if (l->cli->out.tty)
        buf_printf(&b, " %s", j_text(f, "timezone") ? j_text(f, "timezone") : "");
    table_cell(t, TONE_NONE, (struct str){b.at, b.len});
    buf_clear(&b);
    if (l->cli->out.tty)
        times_about(at - l->times.now, &b);
    else
        buf_puts(&b, j_text(f, "local") ? j_text(f, "local") : "");
    table_cell(t, TONE_DIM, (struct str){b.at, b.len});
    buf_free(&b);
    table_cell(t, TONE_BOLD, str_of(j_text(f, "workflow")));
    table_text(t, j_text(f, "entry"));
    if (j_true(f, "enabled"))
        cell_span(t, l, j_int(f, "usual_ms", -1));
    else
        table_cell(t, TONE_WARN, S("paused"));
}

static void print_table(struct look *l, const json_t *doc, const char *workflow, int64_t most)
{
    static const char *const heads[COLUMNS] = {"WHEN", "IN", "WORKFLOW", "ENTRY", "USUALLY"};
    struct table t;
    struct buf out = {0};
    size_t i;
    json_t *f;

    table_init(&t, &l->cli->out, COLUMNS, 1u << 1);
    head_cells(&t, heads, COLUMNS);
    json_array_foreach(json_object_get(doc, "items"), i,
                       f) if (most > 0 &&
                              (!workflow || strcmp(workflow, j_text(f, "workflow")) == 0))
    {
        fire_row(&t, l, f);
        most--;
    }
    table_print(&t, &out);
    table_free(&t);
    out_flush(&out);
    buf_free(&out);
}

static bool read_until(struct look *l, const char *text, ms_t *out, struct err *e)
{
    ms_t ahead;
    *out = 0;
    if (!text)
        return true;
    if (duration_parse(str_of(text), &ahead)) {
        *out = l->times.now + ahead;
        return true;
    }
    return tz_read_time(str_of(text), l->times.zone, out, e);
}

static int next_run(struct cli *c, const void *opts, int argc, char **argv)
{
    const struct next_opts *o = opts;
    struct look l CLEANUP(look_close) = {0};
    struct err e = {0};
    int64_t id;
    ms_t until;

    if (!look_open(&l, c, &e) || !read_until(&l, o->until, &until, &e) ||
        (argc && !look_workflow(&l, argv[0], &id, &e)) ||
        !view_schedule(&l.view, argc ? VIEW_ROWS_MAX : o->count, until, &l.doc, &e))
        return fail_err(c, &cmd_next, &e);
    if (c->json)
        return look_answer(&l);
    json_t *doc = look_parse(&l, &e);
    if (!doc)
        return fail_err(c, &cmd_next, &e);
    print_table(&l, doc, argc ? argv[0] : NULL, o->count);
    json_decref(doc);
    return EXIT_DONE;
}

const struct command cmd_next = {
    .name = "next",
    .group = GROUP_LOOK,
    .args = "[WORKFLOW]",
    .help = "List coming fires of the schedules",
    .more = "In a pipe, tab separated: instant, local time, workflow, entry, usual duration in\n"
            "ms. A paused workflow is listed as such: it would fire then.",
    .examples = {"gowtf next -n 20", "gowtf next nightly-backup --until 7d"},
    .opts = next_table,
    .opt_count = countof(next_table),
    .size = sizeof(struct next_opts),
    .json = true,
    .arg_max = 1,
    .run = next_run,
};
