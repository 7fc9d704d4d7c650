/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_show.c: everything about one workflow, one run or one task. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/look.h"

static void fact(struct look *l, struct buf *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    if (l->cli->out.tty) {
        buf_puts(out, "  ");
        char left[32];
        snprintf(left, sizeof left, "%-12s", name);
        paint_puts(&l->cli->out, out, TONE_DIM, left);
        buf_printf(out, " %s\n", value);
    } else {
        buf_printf(out, "%s\t%s\n", name, value);
    }
}

static void fact_time(struct look *l, struct buf *out, const char *name, const json_t *o,
                      const char *key)
{
    struct buf b = {0};
    times_full(&l->times, j_time(o, key), &b);
    fact(l, out, name, b.at);
    buf_free(&b);
}

static void fact_span(struct look *l, struct buf *out, const char *name, int64_t span)
{
    struct buf b = {0};
    times_span(&l->times, span, &b);
    fact(l, out, name, b.at);
    buf_free(&b);
}

static void fact_int(struct look *l, struct buf *out, const char *name, const json_t *o,
                     const char *key)
{
    char text[24];
    if (!json_is_integer(json_object_get(o, key)))
        return;
    snprintf(text, sizeof text, "%lld", (long long)j_int(o, key, 0));
    fact(l, out, name, text);
}

static void fact_size(struct look *l, struct buf *out, const char *name, int64_t bytes)
{
    struct buf b = {0};
    if (bytes <= 0)
        return;
    if (l->cli->out.tty)
        size_text(bytes, &b);
    else
        buf_printf(&b, "%lld", (long long)bytes);
    fact(l, out, name, b.at);
    buf_free(&b);
}

static void title(struct look *l, struct buf *out, const json_t *o, const char *text)
{
    if (!l->cli->out.tty)
        return;
    if (j_text(o, "state")) {
        sign_add(&l->cli->out, out, sign_of_word(str_of(j_text(o, "state"))));
        buf_putc(out, ' ');
    }
    paint_puts(&l->cli->out, out, TONE_BOLD, text);
    buf_putc(out, '\n');
}

static const char *first_line(const char *text, char line[200])
{
    if (!text)
        return NULL;
    snprintf(line, 200, "%.*s", (int)MIN(strcspn(text, "\n"), (size_t)190), text);
    return line;
}

static void workflow_tasks(struct look *l, struct buf *out, const json_t *w)
{
    struct table t;
    size_t i, k;
    json_t *task, *up, *tasks = json_object_get(w, "tasks");
    table_init(&t, &l->cli->out, 3, 0);
    json_array_foreach(tasks, i, task)
    {
        struct buf after = {0};
        json_array_foreach(json_object_get(task, "depends_on"), k, up)
            buf_printf(&after, "%s%s", k ? ", " : "after ",
                       j_text(json_array_get(tasks, (size_t)json_integer_value(up)), "name"));
        table_text(&t, j_text(task, "name"));
        table_cell(&t, TONE_DIM, (struct str){after.at, after.len});
        buf_clear(&after);
        if (j_text(task, "condition"))
            buf_printf(&after, "if %s", j_text(task, "condition"));
        table_cell(&t, TONE_WARN, (struct str){after.at, after.len});
        buf_free(&after);
    }
    buf_putc(out, '\n');
    table_print(&t, out);
    table_free(&t);
}

static void show_workflow(struct look *l, struct buf *out, const json_t *w)
{
    size_t i;
    json_t *s;
    char line[200];
    const json_t *who = json_object_get(w, "switched");

    if (l->cli->out.tty) {
        paint_puts(&l->cli->out, out, TONE_BOLD, j_text(w, "name"));
        buf_putc(out, '\n');
    } else {
        fact(l, out, "name", j_text(w, "name"));
    }
    fact(l, out, "about", first_line(j_text(w, "description"), line));
    fact(l, out, "owner", j_text(w, "owner"));
    fact(l, out, "file", j_text(w, "path"));
    fact_int(l, out, "version", w, "version");
    json_array_foreach(json_object_get(w, "schedules"), i, s)
    {
        snprintf(line, sizeof line, "%s   %s", j_text(s, "entry"),
                 j_text(s, "words") ? j_text(s, "words") : "");
        fact(l, out, "schedule", line);
    }
    if (!j_true(w, "enabled")) {
        snprintf(line, sizeof line, "since %s by %s: %s",
                 j_text(who, "at") ? j_text(who, "at") : "the first load",
                 j_text(who, "actor") ? j_text(who, "actor") : "the file",
                 j_text(who, "reason") ? j_text(who, "reason") : "no reason given");
        fact(l, out, "paused", line);
    }
    fact_time(l, out, "next", w, "next_at");
    fact_span(l, out, "usually", j_int(w, "usual_ms", -1));
    fact_int(l, out, "runs", w, "run_count");
    json_array_foreach(json_object_get(w, "params"), i, s)
    {
        snprintf(line, sizeof line, "%s=%s", j_text(s, "name"),
                 j_text(s, "default") ? j_text(s, "default") : "");
        fact(l, out, "param", line);
    }
    workflow_tasks(l, out, w);
}

static void task_row(struct table *t, struct look *l, const json_t *task)
{
    const char *note = j_text(task, "cause") ? j_text(task, "cause") : j_text(task, "wait");
    char text[48] = "";
    int64_t tries = j_int(task, "attempt", 0);
    cell_state(t, l, task);
    table_text(t, j_text(task, "name"));
    cell_when(t, l, j_time(task, "started_at"));
    cell_span(t, l, j_int(task, "duration_ms", -1));
    if (tries > 1 || !l->cli->out.tty)
        snprintf(text, sizeof text, l->cli->out.tty ? "%lld attempts" : "%lld", (long long)tries);
    table_cell(t, TONE_DIM, str_of(text));
    table_cell(t, TONE_DIM, str_of(note));
}

static void run_params(struct look *l, struct buf *out, json_t *params)
{
    struct buf b = {0};
    const char *key;
    json_t *v;
    json_object_foreach(params, key, v)
        buf_printf(&b, "%s%s=%s", b.len ? " " : "", key, json_string_value(v));
    fact(l, out, "params", b.at);
    buf_free(&b);
}

static bool show_run(struct look *l, struct buf *out, const json_t *r, struct err *e)
{
    struct table t;
    char head[200];
    size_t i;
    json_t *task, *doc;
    int64_t id = j_int(r, "id", 0);

    snprintf(head, sizeof head, "%s #%lld %s%s", j_text(r, "workflow"), (long long)id,
             j_text(r, "state"), j_true(r, "degraded") ? " (degraded)" : "");
    title(l, out, r, head);
    if (!l->cli->out.tty)
        fact(l, out, "run", head);
    fact(l, out, "cause", j_text(r, "cause"));
    fact(l, out, "waits", j_text(r, "wait"));
    fact_int(l, out, "version", r, "version");
    fact(l, out, "trigger", j_text(r, "trigger"));
    fact(l, out, "by", j_text(r, "actor"));
    run_params(l, out, json_object_get(r, "params"));
    fact_time(l, out, "started", r, "started_at");
    fact_span(l, out, "took", j_int(r, "duration_ms", -1));
    fact_span(l, out, "usually", j_int(r, "usual_ms", -1));
    buf_clear(&l->doc);
    if (!view_run_tasks(&l->view, id, &l->doc, e) || !(doc = look_parse(l, e)))
        return false;
    table_init(&t, &l->cli->out, 6, 1u << 3);
    json_array_foreach(json_object_get(doc, "items"), i, task) task_row(&t, l, task);
    buf_putc(out, '\n');
    table_print(&t, out);
    table_free(&t);
    json_decref(doc);
    return true;
}

static void attempt_row(struct table *t, struct look *l, const json_t *a)
{
    char text[24];
    const char *state = j_text(a, "state");
    snprintf(text, sizeof text, "%lld", (long long)j_int(a, "attempt", 0));
    table_text(t, text);
    table_text(t, state);
    cell_when(t, l, j_time(a, "started_at"));
    cell_span(t, l, j_int(a, "duration_ms", -1));
    struct buf b = {0};
    size_text(j_int(a, "out_bytes", 0) + j_int(a, "err_bytes", 0), &b);
    table_text(t, b.at);
    buf_free(&b);
    table_cell(t, TONE_DIM, str_of(j_text(a, "cause")));
}

static void show_task(struct look *l, struct buf *out, const json_t *task)
{
    struct table t;
    char head[300];
    size_t i;
    json_t *a;
    snprintf(head, sizeof head, "%s #%lld/%s %s", j_text(task, "workflow"),
             (long long)j_int(task, "run", 0), j_text(task, "name"), j_text(task, "state"));
    title(l, out, task, head);
    if (!l->cli->out.tty)
        fact(l, out, "task", head);
    fact(l, out, "cause", j_text(task, "cause"));
    fact(l, out, "waits", j_text(task, "wait"));
    fact(l, out, "condition", j_text(task, "condition"));
    fact(l, out, "last line", j_text(task, "error_excerpt"));
    fact_time(l, out, "queued", task, "queued_at");
    fact_time(l, out, "started", task, "started_at");
    fact_span(l, out, "took", j_int(task, "duration_ms", -1));
    fact_span(l, out, "processor", j_int(task, "cpu_ms", -1));
    fact_size(l, out, "memory", j_int(task, "max_rss_bytes", 0));
    fact(l, out, "directory", j_text(task, "workdir"));
    fact(l, out, "shell", j_text(task, "shell"));
    fact(l, out, "command", first_line(j_text(task, "command"), head));
    table_init(&t, &l->cli->out, 6, 1u << 3 | 1u << 4);
    json_array_foreach(json_object_get(task, "attempts"), i, a) attempt_row(&t, l, a);
    if (i) {
        buf_putc(out, '\n');
        table_print(&t, out);
    }
    table_free(&t);
}

/* What the argument names, into l->doc. */
static bool fetch(struct look *l, const struct target *t, struct err *e)
{
    int64_t id;
    if (t->workflow.at && !t->run && !t->pick.at && !t->task.at &&
        target_workflow(t, &l->db, &id, &(struct err){0}))
        return view_workflow(&l->view, t->workflow, &l->doc, e);
    if (!target_run(t, &l->db, &id, e))
        return false;
    if (t->task.at)
        return view_run_task(&l->view, id, t->task, &l->doc, e);
    return view_run(&l->view, id, &l->doc, e);
}

static int show_run_command(struct cli *c, const void *opts, int argc, char **argv)
{
    struct look l CLEANUP(look_close) = {0};
    struct buf out CLEANUP(buf_free) = {0};
    struct target t;
    struct err e = {0};
    (void)opts, (void)argc;

    if (!target_parse(str_of(argv[0]), &t, &e) || !look_open(&l, c, &e) || !fetch(&l, &t, &e))
        return fail_err(c, &cmd_show, &e);
    if (c->json)
        return look_answer(&l);
    json_t *doc = look_parse(&l, &e);
    bool fine = doc != NULL;
    if (doc && json_object_get(doc, "attempts"))
        show_task(&l, &out, doc);
    else if (doc && json_object_get(doc, "run_count"))
        show_workflow(&l, &out, doc);
    else if (doc)
        fine = show_run(&l, &out, doc, &e);
    json_decref(doc);
    out_flush(&out);
    return fine ? EXIT_DONE : fail_err(c, &cmd_show, &e);
}

const struct command cmd_show = {
    .name = "show",
    .group = GROUP_LOOK,
    .args = "WORKFLOW|RUN[/TASK]",
    .help = "Show everything about one workflow, run or task",
    .more = "A bare name is a workflow; add @last for its newest run. See `gowtf help targets`.",
    .examples = {"gowtf show payroll@last", "gowtf show 1182/transform --json"},
    .json = true,
    .arg_min = 1,
    .arg_max = 1,
    .run = show_run_command,
};
