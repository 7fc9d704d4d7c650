/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_runs.c: runs, newest first. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/look.h"

enum { COLUMNS = 8 };

struct runs_opts {
    int64_t count, before;
    const char *since, *until, *state;
};

static const struct opt runs_table[] = {
#define AT(member) offsetof(struct runs_opts, member)
    {"count", 'n', OPT_COUNT, AT(count), "N", "20", "how many to list, at most 1000"},
    {"state", 0, OPT_TEXT, AT(state), "STATES", NULL, "only these, as in failed,cancelled"},
    {"since", 0, OPT_TEXT, AT(since), "TIME", NULL, "created since: 2h, today, 2026-11-23"},
    {"until", 0, OPT_TEXT, AT(until), "TIME", NULL, "created before"},
    {"before", 0, OPT_COUNT, AT(before), "RUN", NULL, "older than this run: the next page"},
#undef AT
};

static bool check_states(struct str states, struct err *e)
{
    while (states.len) {
        const char *comma = memchr(states.at, ',', states.len);
        struct str word = {states.at, comma ? (size_t)(comma - states.at) : states.len};
        enum run_state s;
        if (!run_state_parse(word, &s))
            return err_set(e, ERR_INVALID,
                           "'%.*s' is no state of a run: queued, running, success, failed or "
                           "cancelled",
                           STR_ARG(word));
        size_t used = word.len + (comma ? 1 : 0);
        states = (struct str){states.at + used, states.len - used};
    }
    return true;
}

static bool read_filter(struct look *l, const struct runs_opts *o, int argc, char **argv,
                        struct run_filter *f, struct err *e)
{
    int64_t id;
    *f = (struct run_filter){
        .before = o->before, .limit = MIN(o->count, VIEW_ROWS_MAX), .states = str_of(o->state)};
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "state:", 6) == 0)
            f->states = str_of(argv[i] + 6);
        else if (f->workflow.at)
            return err_set(e, ERR_INVALID, "one workflow at a time");
        else
            f->workflow = str_of(argv[i]);
    }
    if (str_is(f->states, "active"))
        f->states = S("queued,running");
    if (f->workflow.at && !look_workflow(l, f->workflow.at, &id, e))
        return false;
    return check_states(f->states, e) &&
           (!o->since || times_since(&l->times, o->since, &f->since, e)) &&
           (!o->until || times_since(&l->times, o->until, &f->until, e));
}

static void run_row(struct table *t, const struct look *l, const json_t *r)
{
    const char *note = j_text(r, "cause") ? j_text(r, "cause") : j_text(r, "wait");
    char text[200];
    int64_t took = j_int(r, "duration_ms", -1), done = j_int(r, "tasks_done", 0);
    bool over = j_time(r, "finished_at") != 0;
    ms_t began = j_time(r, "started_at");

    cell_state(t, l, r);
    cell_int(t, j_int(r, "id", 0));
    table_cell(t, TONE_BOLD, str_of(j_text(r, "workflow")));
    cell_when(t, l, j_time(r, "created_at"));
    cell_span(t, l, took < 0 && began && !over ? l->times.now - began : took);
    table_cell(t, TONE_DIM, str_of(j_text(r, "trigger")));
    snprintf(text, sizeof text, "%lld/%lld", (long long)done,
             (long long)j_int(r, "tasks_total", 0));
    table_text(t, text);
    table_cell(t, TONE_DIM, str_of(note));
}

static void print_table(struct look *l, const json_t *doc)
{
    static const char *const heads[COLUMNS] = {"",     "RUN", "WORKFLOW", "CREATED",
                                               "TOOK", "BY",  "TASKS",    ""};
    struct table t;
    struct buf out = {0};
    size_t i;
    json_t *r, *items = json_object_get(doc, "items");

    table_init(&t, &l->cli->out, COLUMNS, 1u << 1 | 1u << 4 | 1u << 6);
    head_cells(&t, heads, COLUMNS);
    json_array_foreach(items, i, r) run_row(&t, l, r);
    if (json_array_size(items))
        table_print(&t, &out);
    else if (!l->cli->quiet)
        fputs("no runs\n", stderr);
    table_free(&t);
    out_flush(&out);
    buf_free(&out);
}

static int runs_run(struct cli *c, const void *opts, int argc, char **argv)
{
    struct look l CLEANUP(look_close) = {0};
    struct run_filter f;
    struct err e = {0};

    if (!look_open(&l, c, &e) || !read_filter(&l, opts, argc, argv, &f, &e) ||
        !view_runs(&l.view, &f, &l.doc, &e))
        return fail_err(c, &cmd_runs, &e);
    if (c->json)
        return look_answer(&l);
    json_t *doc = look_parse(&l, &e);
    if (!doc)
        return fail_err(c, &cmd_runs, &e);
    print_table(&l, doc);
    json_decref(doc);
    return EXIT_DONE;
}

const struct command cmd_runs = {
    .name = "runs",
    .group = GROUP_LOOK,
    .args = "[WORKFLOW] [state:S]",
    .help = "List runs, newest first",
    .more = "state:active is queued or running; several states are separated by commas. In a\n"
            "pipe, tab separated: state, number, workflow, creation, duration in ms, trigger,\n"
            "tasks over of all, cause. See `gowtf help filters`.",
    .examples = {"gowtf runs payroll -n 5", "gowtf runs state:failed --since 2d --json=id,cause"},
    .opts = runs_table,
    .opt_count = countof(runs_table),
    .size = sizeof(struct runs_opts),
    .json = true,
    .arg_max = 2,
    .run = runs_run,
};
