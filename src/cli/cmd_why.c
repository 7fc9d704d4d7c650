/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_why.c: why it waits, was skipped, failed, or did not fire.
 *
 * The sentences come from the same words the API and the web UI use. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/look.h"

static void sentence(struct buf *out, const char *name, const char *what)
{
    buf_printf(out, "  %-24s %s\n", name, what);
}

static const char *task_reason(const json_t *t)
{
    const char *why = j_text(t, "cause") ? j_text(t, "cause") : j_text(t, "wait");
    return why ? why : j_text(t, "state");
}

static bool says_something(const json_t *t)
{
    const char *state = j_text(t, "state");
    return strcmp(state, "success") != 0 && strcmp(state, "running") != 0;
}

enum { LINES_MAX = 40 };

static void why_tasks(struct buf *out, const json_t *tasks)
{
    size_t i, shown = 0, more = 0;
    json_t *t;
    json_array_foreach(tasks, i, t)
    {
        if (!says_something(t))
            continue;
        if (shown++ < LINES_MAX)
            sentence(out, j_text(t, "name"), task_reason(t));
        else
            more++;
    }
    if (more)
        buf_printf(out, "  and %zu more: gowtf show\n", more);
}

static bool why_run(struct look *l, int64_t run, struct buf *out, struct err *e)
{
    if (!view_run(&l->view, run, &l->doc, e))
        return false;
    json_t *r = look_parse(l, e);
    if (!r)
        return false;
    const char *cause = j_text(r, "cause") ? j_text(r, "cause") : j_text(r, "wait");
    buf_printf(out, "%s #%lld %s%s%s\n", j_text(r, "workflow"), (long long)run, j_text(r, "state"),
               cause ? ": " : "", cause ? cause : "");
    json_decref(r);
    buf_clear(&l->doc);
    if (!view_run_tasks(&l->view, run, &l->doc, e) || !(r = look_parse(l, e)))
        return false;
    why_tasks(out, json_object_get(r, "items"));
    json_decref(r);
    return true;
}

static bool why_task(struct look *l, int64_t run, struct str name, struct buf *out, struct err *e)
{
    size_t i;
    json_t *up, *doc, *tasks;
    if (!view_run_task(&l->view, run, name, &l->doc, e) || !(doc = look_parse(l, e)))
        return false;
    buf_printf(out, "%s #%lld/%s %s: %s\n", j_text(doc, "workflow"), (long long)run,
               j_text(doc, "name"), j_text(doc, "state"), task_reason(doc));
    if (j_text(doc, "condition"))
        sentence(out, "its condition", j_text(doc, "condition"));
    if (j_text(doc, "error_excerpt"))
        sentence(out, "it said", j_text(doc, "error_excerpt"));
    buf_clear(&l->doc);
    if (!view_run_tasks(&l->view, run, &l->doc, e) || !(tasks = look_parse(l, e))) {
        json_decref(doc);
        return false;
    }
    json_array_foreach(json_object_get(doc, "depends_on"), i, up)
    {
        const json_t *t =
            json_array_get(json_object_get(tasks, "items"), (size_t)json_integer_value(up));
        const char *why = task_reason(t);
        char line[400];
        snprintf(line, sizeof line, "%s%s%s", j_text(t, "state"),
                 strcmp(why, j_text(t, "state")) ? ": " : "",
                 strcmp(why, j_text(t, "state")) ? why : "");
        char left[160];
        snprintf(left, sizeof left, "after %s", j_text(t, "name"));
        sentence(out, left, line);
    }
    json_decref(tasks);
    json_decref(doc);
    return true;
}

static bool why_slots(struct look *l, struct str name, struct buf *out, struct err *e)
{
    size_t i, shown = 0;
    json_t *s, *doc;
    buf_clear(&l->doc);
    if (!view_slots(&l->view, &(struct slot_filter){.workflow = name, .limit = 200}, &l->doc, e) ||
        !(doc = look_parse(l, e)))
        return false;
    json_array_foreach(json_object_get(doc, "items"), i, s)
    {
        struct buf when = {0};
        if (strcmp(j_text(s, "outcome"), "fired") == 0 || shown++ >= 5)
            continue;
        times_full(&l->times, j_time(s, "slot_at"), &when);
        buf_printf(out, "  %s %s: %s\n", when.at ? when.at : "", j_text(s, "outcome"),
                   j_text(s, "reason") ? j_text(s, "reason") : "");
        buf_free(&when);
    }
    json_decref(doc);
    return true;
}

static bool why_workflow(struct look *l, struct str name, struct buf *out, struct err *e)
{
    struct buf when CLEANUP(buf_free) = {0};
    json_t *w;
    if (!view_workflow(&l->view, name, &l->doc, e) || !(w = look_parse(l, e)))
        return false;
    const json_t *who = json_object_get(w, "switched");
    times_full(&l->times, j_time(w, "next_at"), &when);
    buf_printf(out, "%.*s ", STR_ARG(name));
    if (strcmp(j_text(w, "state"), "gone") == 0)
        buf_puts(out, "does not fire: its file is gone\n");
    else if (!j_true(w, "enabled"))
        buf_printf(out, "does not fire: paused by %s%s%s\n",
                   j_text(who, "actor") ? j_text(who, "actor") : "its file",
                   j_text(who, "reason") ? ", " : "",
                   j_text(who, "reason") ? j_text(who, "reason") : "");
    else if (!when.len)
        buf_puts(out, "does not fire: it has no schedule\n");
    else
        buf_printf(out, "fires next at %s\n", when.at);
    size_t n = json_array_size(json_object_get(w, "problems"));
    if (n)
        buf_printf(out, "  its edited file has %zu problem%s; version %lld is in use\n", n,
                   n == 1 ? "" : "s", (long long)j_int(w, "version", 0));
    json_decref(w);
    return why_slots(l, name, out, e);
}

static bool answer(struct look *l, const char *arg, struct buf *out, struct err *e)
{
    struct target t;
    int64_t id;
    if (!target_parse(str_of(arg), &t, e))
        return false;
    if (t.workflow.at && !t.run && !t.pick.at && !t.task.at &&
        target_workflow(&t, &l->db, &id, &(struct err){0}))
        return why_workflow(l, t.workflow, out, e);
    if (!target_run(&t, &l->db, &id, e))
        return false;
    return t.task.at ? why_task(l, id, t.task, out, e) : why_run(l, id, out, e);
}

/* ---- the same for a script ---- */

static void why_item(struct json *j, const json_t *t)
{
    const char *why = j_text(t, "cause") ? j_text(t, "cause") : j_text(t, "wait");
    json_open(j, NULL);
    json_int(j, "task", j_int(t, "task", 0));
    json_str(j, "name", str_of(j_text(t, "name")));
    json_str(j, "state", str_of(j_text(t, "state")));
    json_str(j, "why", why ? str_of(why) : STR_NONE);
    json_close(j);
}

/* All tasks, or one and those before it. */
static bool json_tasks(struct look *l, int64_t run, int64_t task, struct json *j, struct err *e)
{
    size_t i;
    json_t *up, *doc;
    buf_clear(&l->doc);
    if (!view_run_tasks(&l->view, run, &l->doc, e) || !(doc = look_parse(l, e)))
        return false;
    const json_t *items = json_object_get(doc, "items");
    json_list(j, "items");
    if (task < 0)
        json_array_foreach(items, i, up) why_item(j, up);
    else {
        const json_t *mine = json_array_get(items, (size_t)task);
        why_item(j, mine);
        json_array_foreach(json_object_get(mine, "depends_on"), i, up)
            why_item(j, json_array_get(items, (size_t)json_integer_value(up)));
    }
    json_list_end(j);
    json_decref(doc);
    return true;
}

static bool json_run(struct look *l, const struct target *t, int64_t run, struct json *j,
                     struct err *e)
{
    json_t *r;
    int64_t task = -1, item, attempt;
    if (t->task.at && !look_task(l, t, run, &task, &item, &attempt, e))
        return false;
    if (!view_run(&l->view, run, &l->doc, e) || !(r = look_parse(l, e)))
        return false;
    const char *why = j_text(r, "cause") ? j_text(r, "cause") : j_text(r, "wait");
    json_str(j, "workflow", str_of(j_text(r, "workflow")));
    json_int(j, "run", run);
    json_str(j, "state", str_of(j_text(r, "state")));
    json_str(j, "why", why ? str_of(why) : STR_NONE);
    json_decref(r);
    return json_tasks(l, run, task, j, e);
}

/* A workflow as the API tells it, and what its instants became. */
static bool json_workflow(struct look *l, struct str name, struct json *j, struct err *e)
{
    const struct slot_filter filter = {.workflow = name, .limit = 200};
    if (!view_workflow(&l->view, name, &l->doc, e))
        return false;
    json_raw(j, "workflow", (struct str){l->doc.at, l->doc.len});
    buf_clear(&l->doc);
    if (!view_slots(&l->view, &filter, &l->doc, e))
        return false;
    json_raw(j, "slots", (struct str){l->doc.at, l->doc.len});
    return true;
}

static bool answer_document(struct look *l, const char *arg, struct buf *out, struct err *e)
{
    struct json j = json_to(out);
    struct target t;
    int64_t id;
    bool fine;
    if (!target_parse(str_of(arg), &t, e))
        return false;
    json_open(&j, NULL);
    json_str(&j, "schema", S("gowtf.why/1"));
    if (t.workflow.at && !t.run && !t.pick.at && !t.task.at &&
        target_workflow(&t, &l->db, &id, &(struct err){0}))
        fine = json_workflow(l, t.workflow, &j, e);
    else
        fine = target_run(&t, &l->db, &id, e) && json_run(l, &t, id, &j, e);
    json_close(&j);
    return fine;
}

static int why_command(struct cli *c, const void *opts, int argc, char **argv)
{
    struct look l CLEANUP(look_close) = {0};
    struct buf out CLEANUP(buf_free) = {0};
    struct err e = {0};
    (void)opts, (void)argc;
    if (!look_open(&l, c, &e) || !(c->json ? answer_document : answer)(&l, argv[0], &out, &e))
        return fail_err(c, &cmd_why, &e);
    if (c->json)
        return answer_json(c, &out);
    out_flush(&out);
    return EXIT_DONE;
}

const struct command cmd_why = {
    .name = "why",
    .group = GROUP_LOOK,
    .args = "RUN[/TASK]|WORKFLOW",
    .help = "Say why it waits, was skipped, failed or did not fire",
    .examples = {"gowtf why 1182/publish", "gowtf why nightly-backup"},
    .json = true,
    .arg_min = 1,
    .arg_max = 1,
    .run = why_command,
};
