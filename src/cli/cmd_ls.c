/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_ls.c: all workflows, a line each: how the last run went, when the
 * next one is due, how the last ten ended. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/look.h"

enum { TREND = 10, COLUMNS = 8 };

static bool has_tag(const json_t *w, const char *tag)
{
    size_t i;
    json_t *t;
    json_array_foreach(json_object_get(w, "tags"), i,
                       t) if (strcmp(json_string_value(t), tag) == 0) return true;
    return false;
}

static bool wanted(const json_t *w, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        bool tag = strncmp(argv[i], "tag:", 4) == 0;
        if (tag ? !has_tag(w, argv[i] + 4) : !strcasestr(j_text(w, "name"), argv[i]))
            return false;
    }
    return true;
}

static void trend_cell(struct table *t, const struct look *l, const json_t *runs)
{
    struct buf b = {0};
    size_t n = MIN(json_array_size(runs), (size_t)TREND);
    for (size_t i = n; i-- > 0;) {
        const char *state = j_text(json_array_get(runs, i), "state");
        if (l->cli->out.tty)
            sign_add(&l->cli->out, &b, sign_of_word(str_of(state)));
        else
            buf_printf(&b, "%s%s", i + 1 == n ? "" : ",", state);
    }
    table_cell(t, TONE_NONE, (struct str){b.at, b.len});
    buf_free(&b);
}

static void last_cells(struct table *t, const struct look *l, const json_t *run)
{
    struct buf b = {0};
    const char *state = j_text(run, "state");
    ms_t at = j_time(run, "started_at");
    if (run) {
        times_when(&l->times, at, &b);
        if (l->cli->out.tty)
            buf_printf(&b, "  %s", strcmp(state, "success") ? state : "ok");
    }
    table_cell(t, TONE_NONE, (struct str){b.at, b.len});
    buf_free(&b);
    int64_t took = j_int(run, "duration_ms", -1);
    cell_span(t, l, took < 0 && at ? l->times.now - at : took);
}

static void next_cell(struct table *t, const struct look *l, const json_t *w)
{
    const json_t *who = json_object_get(w, "switched");
    struct buf b = {0};
    if (strcmp(j_text(w, "state"), "gone") == 0) {
        buf_puts(&b, "file is gone");
    } else if (!j_true(w, "enabled")) {
        buf_puts(&b, "paused");
        if (j_text(who, "actor"))
            buf_printf(&b, " by %s", j_text(who, "actor"));
    } else {
        times_when(&l->times, j_time(w, "next_at"), &b);
    }
    table_cell(t, TONE_NONE, (struct str){b.at, b.len});
    buf_free(&b);
}

static void note_cell(struct table *t, const json_t *w, const json_t *run)
{
    char text[160];
    size_t problems = json_array_size(json_object_get(w, "problems"));
    const char *cause = j_text(run, "cause");
    if (problems) {
        snprintf(text, sizeof text, "version %lld still in use; the edited file has %zu problem%s",
                 (long long)j_int(w, "version", 0), problems, problems == 1 ? "" : "s");
        table_cell(t, TONE_WARN, str_of(text));
    } else if (cause) {
        table_cell(t, TONE_DIM, str_of(cause));
    } else if (!j_true(w, "enabled")) {
        table_cell(t, TONE_DIM, str_of(j_text(json_object_get(w, "switched"), "reason")));
    } else {
        table_text(t, "");
    }
}

static void workflow_row(struct table *t, const struct look *l, const json_t *w)
{
    const json_t *runs = json_object_get(w, "last_runs"), *run = json_array_get(runs, 0);
    const struct paint *p = &l->cli->out;
    if (p->tty && !j_true(w, "enabled"))
        table_cell(t, sign_paused.tone, str_of(p->ascii ? sign_paused.ascii : sign_paused.utf8));
    else if (run)
        cell_state(t, l, run);
    else
        table_text(t, "");
    table_cell(t, TONE_BOLD, str_of(j_text(w, "name")));
    last_cells(t, l, run);
    cell_span(t, l, j_int(w, "usual_ms", -1));
    next_cell(t, l, w);
    trend_cell(t, l, runs);
    note_cell(t, w, run);
}

static void broken_row(struct table *t, const struct look *l, const json_t *b)
{
    char text[200];
    size_t n = json_array_size(json_object_get(b, "problems"));
    const struct paint *p = &l->cli->out;
    const char *reason = j_text(b, "reason");
    table_cell(t, sign_warning.tone,
               str_of(!p->tty    ? j_text(b, "state")
                      : p->ascii ? sign_warning.ascii
                                 : sign_warning.utf8));
    table_cell(t, TONE_BOLD, str_of(j_text(b, "path")));
    for (int i = 0; i < COLUMNS - 3; i++)
        table_text(t, "");
    snprintf(text, sizeof text, "not loaded: %zu problem%s", n, n == 1 ? "" : "s");
    table_cell(t, TONE_WARN, str_of(n || !reason ? text : reason));
}

static void print_table(struct look *l, const json_t *doc, int argc, char **argv)
{
    static const char *const heads[COLUMNS] = {"",      "WORKFLOW", "LAST",  "TOOK",
                                               "USUAL", "NEXT",     "TREND", ""};
    struct table t;
    struct buf out = {0};
    size_t i, shown = 0;
    json_t *w;

    table_init(&t, &l->cli->out, COLUMNS, 1u << 3 | 1u << 4);
    head_cells(&t, heads, COLUMNS);
    json_array_foreach(json_object_get(doc, "items"), i, w) if (wanted(w, argc, argv))
    {
        workflow_row(&t, l, w);
        shown++;
    }
    if (!argc)
        json_array_foreach(json_object_get(doc, "broken"), i, w)
        {
            broken_row(&t, l, w);
            shown++;
        }
    if (shown)
        table_print(&t, &out);
    else if (!l->cli->quiet)
        fputs(argc ? "no workflow fits\n" : "no workflows yet\n", stderr);
    table_free(&t);
    out_flush(&out);
    buf_free(&out);
}

static int ls_run(struct cli *c, const void *opts, int argc, char **argv)
{
    struct look l CLEANUP(look_close) = {0};
    struct err e = {0};
    (void)opts;

    if (!look_open(&l, c, &e) || !view_workflows(&l.view, &l.doc, &e))
        return fail_err(c, &cmd_ls, &e);
    if (c->json)
        return look_answer(&l);
    json_t *doc = look_parse(&l, &e);
    if (!doc)
        return fail_err(c, &cmd_ls, &e);
    print_table(&l, doc, argc, argv);
    json_decref(doc);
    return EXIT_DONE;
}

const struct command cmd_ls = {
    .name = "ls",
    .group = GROUP_LOOK,
    .args = "[FILTER...]",
    .help = "List workflows with their last result and next fire",
    .more = "A filter is a part of the name or tag:NAME. Files that do not load come last,\n"
            "with a warning sign. In a pipe, tab separated: state, name, last start, duration\n"
            "in ms, usual duration in ms, next fire, states of the last ten runs, note.",
    .examples = {"gowtf ls", "gowtf ls tag:backup"},
    .json = true,
    .arg_max = -1,
    .run = ls_run,
};
