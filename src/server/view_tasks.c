/* SPDX-License-Identifier: MIT
 *
 * server/view_tasks.c: the tasks of a run.
 *
 * What a task waits for is another task, so the whole run is read first and
 * written afterwards. Everything read lives in one arena.
 *
 * A run may have thousands of tasks, and the browser asks for all of them: each
 * table is read once along its key, and what belongs together is put together
 * here. Four seeks a row cost more than the rest. */
#include "server/view_parts.h"
#include "server/words.h"
#include "store/versions.h"
#include "read.sql.h"

#include <stdlib.h>

/* What the version says of a task. */
struct defined {
    struct str name, condition;
    int64_t retries, timeout_ms;
};

struct usual {
    struct str task;
    int64_t p50_ms;
};

/* An instance and its last attempt. */
struct row {
    struct run_instances_row of;
    struct run_attempts_row last; /* {.signal = DB_NULL, ..} if there was none */
    const struct defined *def;
    int64_t usual_ms;
};

struct whole {
    struct arena arena;
    struct row *rows;
    size_t count, cap;
    bool all;             /* `rows` are all of the run */
    struct defined *defs; /* by task */
    struct usual *usual;  /* sorted by name */
    size_t usual_count, usual_cap;
    /* The graph of the version: parents of task i are up[first[i]..first[i + 1]). */
    uint32_t *first, *up;
    size_t task_count, up_cap;
    const char **states; /* by task: the word of the state, NULL: not read */
    int64_t *queue;      /* since when others wait, sorted */
    size_t queue_count, queue_cap;
    struct view_slots_use use;
};

static void whole_free(struct whole *w)
{
    arena_free(&w->arena);
    free(w->rows);
    free(w->first);
    free(w->up);
    free(w->states);
    free(w->defs);
    free(w->usual);
    free(w->queue);
}

static void keep_instance(struct whole *w, struct run_instances_row i)
{
    enum task_state state;
    if (w->count == w->cap)
        w->rows = mem_grow(w->rows, &w->cap, w->count + 1, sizeof *w->rows);
    if (task_state_parse(i.state, &state))
        i.state = str_of(task_state_word(state));
    else
        i.state = arena_str(&w->arena, i.state);
    i.reason = arena_str(&w->arena, i.reason);
    i.wait_code = arena_str(&w->arena, i.wait_code);
    w->rows[w->count++] = (struct row){
        .of = i,
        .last = {.signal = DB_NULL, .last_output_at = DB_NULL, .first_error_line = DB_NULL},
        .def = &w->defs[i.task],
        .usual_ms = DB_NULL};
}

static bool read_instances(const struct view *v, int64_t run, int64_t low, int64_t high,
                           struct whole *w, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_run_instances(v->db, run, low, high, &rows, e))
        return false;
    for (struct run_instances_row i; sql_run_instances_next(&rows, &i);)
        if ((size_t)i.task < w->task_count)
            keep_instance(w, i);
    return db_rows_end(&rows, e);
}

static bool is_before(const struct run_instances_row *i, const struct run_attempts_row *a)
{
    return i->task != a->task ? i->task < a->task : i->item < a->item;
}

/* Both come in the same order. */
static bool read_attempts(const struct view *v, int64_t run, int64_t low, int64_t high,
                          struct whole *w, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct row *r = w->rows, *end = w->rows + w->count;
    if (!sql_run_attempts(v->db, run, low, high, &rows, e))
        return false;
    for (struct run_attempts_row a; sql_run_attempts_next(&rows, &a);) {
        while (r < end && is_before(&r->of, &a))
            r++;
        if (r == end || r->of.task != a.task || r->of.item != a.item || r->of.attempt != a.attempt)
            continue;
        a.message = arena_str(&w->arena, a.message);
        a.error_excerpt = arena_str(&w->arena, a.error_excerpt);
        r->last = a;
    }
    return db_rows_end(&rows, e);
}

static int compare_usual(const void *name, const void *usual)
{
    const struct str *a = name, *b = &((const struct usual *)usual)->task;
    int order = memcmp(a->at, b->at, MIN(a->len, b->len));
    return order ? order : a->len < b->len ? -1 : a->len > b->len;
}

static bool read_usual(const struct view *v, int64_t workflow, struct whole *w, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_usual_of_tasks(v->db, workflow, &rows, e))
        return false;
    for (struct usual_of_tasks_row u; sql_usual_of_tasks_next(&rows, &u);) {
        if (w->usual_count == w->usual_cap)
            w->usual = mem_grow(w->usual, &w->usual_cap, w->usual_count + 1, sizeof *w->usual);
        w->usual[w->usual_count++] = (struct usual){arena_str(&w->arena, u.task), u.p50_ms};
    }
    for (size_t i = 0; i < w->count && w->usual_count; i++) {
        const struct usual *u = bsearch(&w->rows[i].def->name, w->usual, w->usual_count,
                                        sizeof *w->usual, compare_usual);
        w->rows[i].usual_ms = u ? u->p50_ms : DB_NULL;
    }
    return db_rows_end(&rows, e);
}

static bool read_defined(const struct view *v, int64_t version, struct whole *w, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    w->defs = mem_new((w->task_count + 1) * sizeof *w->defs);
    for (size_t i = 0; i < w->task_count; i++)
        w->defs[i].name = S("");
    if (!sql_version_defined(v->db, version, &rows, e))
        return false;
    for (struct version_defined_row t; sql_version_defined_next(&rows, &t);)
        if ((size_t)t.task < w->task_count)
            w->defs[t.task] = (struct defined){.name = arena_str(&w->arena, t.name),
                                               .condition = arena_str(&w->arena, t.condition),
                                               .retries = t.retries,
                                               .timeout_ms = t.timeout_ms};
    return db_rows_end(&rows, e);
}

/* The states of all tasks, of which `rows` may be a part. */
static bool read_states(const struct view *v, int64_t run, struct whole *w, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows states = {0};
    w->states = mem_new((w->task_count + 1) * sizeof *w->states);
    for (size_t i = 0; i < w->count && w->all; i++)
        w->states[w->rows[i].of.task] = w->rows[i].of.state.at;
    if (w->all)
        return true;
    if (!sql_run_states(v->db, run, &states, e))
        return false;
    for (struct run_states_row s; sql_run_states_next(&states, &s);) {
        enum task_state state;
        if ((size_t)s.task < w->task_count && task_state_parse(s.state, &state))
            w->states[s.task] = task_state_word(state);
    }
    return db_rows_end(&states, e);
}

static bool read_graph(const struct view *v, int64_t version, struct whole *w, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    size_t n = 0, task = 0;
    w->first = mem_new((w->task_count + 1) * sizeof *w->first);
    if (!sql_version_edges(v->db, version, &rows, e))
        return false;
    for (struct version_edges_row r; sql_version_edges_next(&rows, &r);) {
        if ((size_t)r.task >= w->task_count || (size_t)r.upstream >= w->task_count)
            continue;
        if (n == w->up_cap)
            w->up = mem_grow(w->up, &w->up_cap, n + 1, sizeof *w->up);
        while (task < (size_t)r.task)
            w->first[++task] = (uint32_t)n;
        w->up[n++] = (uint32_t)r.upstream;
    }
    while (task < w->task_count)
        w->first[++task] = (uint32_t)n;
    return db_rows_end(&rows, e);
}

/* Only when somebody of us waits for a slot. */
static bool read_queue(const struct view *v, struct whole *w, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    bool waits = false;
    for (size_t i = 0; i < w->count && !waits; i++)
        waits = str_is(w->rows[i].of.state, "queued");
    if (!waits)
        return true;
    if (!view_slots_now(v, &w->use, e) || !sql_queue(v->db, &rows, e))
        return false;
    for (struct queue_row q; sql_queue_next(&rows, &q);) {
        if (w->queue_count == w->queue_cap)
            w->queue = mem_grow(w->queue, &w->queue_cap, w->queue_count + 1, sizeof *w->queue);
        w->queue[w->queue_count++] = q.at;
    }
    return db_rows_end(&rows, e);
}

static int64_t place_in_line(const struct whole *w, int64_t at)
{
    size_t low = 0, high = w->queue_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (w->queue[mid] < at)
            low = mid + 1;
        else
            high = mid;
    }
    return (int64_t)low + 1;
}

static bool read_whole(const struct view *v, int64_t run, int64_t low, int64_t high,
                       struct whole *w, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct run_brief_row r;
    if (!sql_run_brief(v->db, run, &rows, e))
        return false;
    if (!sql_run_brief_next(&rows, &r))
        return err_set(e, ERR_NOT_FOUND, "there is no run #%lld", (long long)run);
    w->all = low == 0 && high == INT64_MAX;
    w->task_count = (size_t)MAX(r.tasks_total, 0);
    struct version_text_row text;
    CLEANUP(db_rows_close)
    struct db_rows version = {0};
    if (!sql_version_text(v->db, r.version_id, &version, e))
        return false;
    if (sql_version_text_next(&version, &text))
        w->task_count = (size_t)text.task_count;
    return read_defined(v, r.version_id, w, e) && read_instances(v, run, low, high, w, e) &&
           read_attempts(v, run, low, high, w, e) && read_usual(v, r.workflow_id, w, e) &&
           read_states(v, run, w, e) && read_graph(v, r.version_id, w, e) && read_queue(v, w, e);
}

/* ---- writing ---- */

static bool is_over(const char *state)
{
    enum task_state s;
    return state && task_state_parse(str_of(state), &s) && task_is_over(s);
}

enum { PARENTS_NAMED = 4 };

static void write_wait(const struct view *v, const struct whole *w, const struct row *r,
                       struct json *j)
{
    CLEANUP(buf_free)
    struct buf text = {0};
    struct str parents[PARENTS_NAMED];
    struct waiting wait = {.state = r->of.state,
                           .wait_code = view_wait_code(r->of.wait_code, &w->use),
                           .since = r->of.queued_at == DB_NULL ? 0 : r->of.queued_at,
                           .now = v->now,
                           .due_at = r->of.due_at == DB_NULL ? 0 : r->of.due_at,
                           .attempt = r->of.attempt,
                           .retries = r->def->retries,
                           .slots_used = w->use.used,
                           .slots_total = w->use.total,
                           .parents = parents};
    for (uint32_t i = w->first[r->of.task]; i < w->first[r->of.task + 1]; i++)
        if (!is_over(w->states[w->up[i]])) {
            if (wait.parent_count < PARENTS_NAMED)
                parents[wait.parent_count] = w->defs[w->up[i]].name;
            wait.parent_count++;
        }
    if (w->queue_count && r->of.queued_at != DB_NULL)
        wait.place = place_in_line(w, r->of.queued_at);
    words_waiting(&text, &wait);
    view_text(j, "wait", &text);
}

static void write_cause(const struct row *r, struct json *j)
{
    CLEANUP(buf_free)
    struct buf text = {0};
    words_ending(&text, &(struct ending){.state = r->of.state,
                                         .reason = r->of.reason,
                                         .exit_code = r->of.exit_code,
                                         .signal = r->last.signal,
                                         .timeout_ms = r->def->timeout_ms,
                                         .attempts = r->of.attempt,
                                         .message = r->last.message});
    view_text(j, "cause", &text);
}

static void write_task(const struct view *v, const struct whole *w, const struct row *r,
                       struct json *j)
{
    json_int(j, "task", r->of.task);
    json_str(j, "name", r->def->name);
    json_int(j, "item", r->of.item);
    json_str(j, "state", r->of.state);
    json_str(j, "reason", r->of.reason);
    json_int(j, "attempt", r->of.attempt);
    view_nint(j, "exit_code", r->of.exit_code);
    view_nint(j, "signal", r->last.signal);
    view_time(j, "queued_at", r->of.queued_at);
    view_time(j, "started_at", r->of.started_at);
    view_time(j, "finished_at", r->of.finished_at);
    view_duration(j, "duration_ms", r->of.started_at, r->of.finished_at, v->now);
    write_wait(v, w, r, j);
    write_cause(r, j);
    json_str(j, "error_excerpt", r->last.error_excerpt);
    view_nint(j, "first_error_line", r->last.first_error_line);
    view_nint(j, "usual_ms", r->usual_ms);
    json_int(j, "cpu_ms", (r->last.user_us + r->last.sys_us) / 1000);
    json_int(j, "max_rss_bytes", r->last.max_rss_kib * 1024);
    json_int(j, "out_bytes", r->last.out_bytes);
    json_int(j, "err_bytes", r->last.err_bytes);
    view_time(j, "last_output_at", r->last.last_output_at);
    json_str(j, "condition", r->def->condition);
    json_int(j, "retries", r->def->retries);
    json_list(j, "depends_on");
    for (uint32_t i = w->first[r->of.task]; i < w->first[r->of.task + 1]; i++)
        json_int(j, NULL, w->up[i]);
    json_list_end(j);
}

bool view_run_tasks(const struct view *v, int64_t run, struct buf *out, struct err *e)
{
    CLEANUP(whole_free)
    struct whole w = {0};
    struct json j = json_to(out);
    if (!read_whole(v, run, 0, INT64_MAX, &w, e))
        return false;
    json_open(&j, NULL);
    if (!view_head(v, "gowtf.tasks/1", &j, e))
        return false;
    json_list(&j, "items");
    for (size_t i = 0; i < w.count; i++) {
        json_open(&j, NULL);
        write_task(v, &w, &w.rows[i], &j);
        json_close(&j);
    }
    json_list_end(&j);
    json_close(&j);
    return true;
}

/* ---- one task ---- */

static bool write_attempts(const struct view *v, int64_t run, const struct row *t, struct json *j,
                           struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_attempts_of(v->db, run, t->of.task, t->of.item, &rows, e))
        return false;
    json_list(j, "attempts");
    for (struct attempts_of_row a; sql_attempts_of_next(&rows, &a);) {
        CLEANUP(buf_free)
        struct buf cause = {0};
        words_ending(&cause, &(struct ending){.state = a.state,
                                              .exit_code = a.exit_code,
                                              .signal = a.signal,
                                              .timeout_ms = t->def->timeout_ms,
                                              .message = a.message});
        json_open(j, NULL);
        json_int(j, "attempt", a.attempt);
        json_str(j, "state", a.state);
        view_nint(j, "pid", a.pid);
        view_time(j, "started_at", a.started_at);
        view_time(j, "finished_at", a.finished_at);
        view_duration(j, "duration_ms", a.started_at, a.finished_at, v->now);
        view_nint(j, "exit_code", a.exit_code);
        view_nint(j, "signal", a.signal);
        json_bool(j, "needed_kill", a.needed_kill != 0);
        json_str(j, "message", a.message);
        view_text(j, "cause", &cause);
        json_int(j, "cpu_ms", (a.user_us + a.sys_us) / 1000);
        json_int(j, "user_ms", a.user_us / 1000);
        json_int(j, "sys_ms", a.sys_us / 1000);
        json_int(j, "max_rss_bytes", a.max_rss_kib * 1024);
        json_int(j, "out_bytes", a.out_bytes);
        json_int(j, "err_bytes", a.err_bytes);
        json_int(j, "dropped_bytes", a.dropped_bytes);
        view_time(j, "last_output_at", a.last_output_at);
        json_str(j, "error_excerpt", a.error_excerpt);
        view_nint(j, "first_error_line", a.first_error_line);
        json_close(j);
    }
    json_list_end(j);
    return db_rows_end(&rows, e);
}

static bool env_has(const struct pairs *env, struct str name)
{
    for (uint32_t i = 0; i < env->count; i++)
        if (str_eq(env->at[i].name, name))
            return true;
    return false;
}

static void write_env(const struct workflow *wf, const struct task *t, struct json *j)
{
    const struct {
        const struct pairs *env;
        struct str origin;
    } sources[] = {
        {&wf->env, S("workflow")},
        {&t->env, S("task")},
    };
    json_list(j, "env");
    for (size_t s = 0; s < countof(sources); s++)
        for (uint32_t i = 0; i < sources[s].env->count; i++) {
            const struct pair *p = &sources[s].env->at[i];
            if (s == 0 && env_has(&t->env, p->name))
                continue;
            json_open(j, NULL);
            json_str(j, "name", p->name);
            json_str(j, "value", p->value);
            json_str(j, "origin", sources[s].origin);
            json_close(j);
        }
    json_list_end(j);
}

static void write_command(const struct task *t, struct json *j)
{
    CLEANUP(buf_free)
    struct buf text = {0};
    if (t->script.at) {
        json_str(j, "command", t->script);
        json_str(j, "shell", t->shell.at ? t->shell : S("/bin/sh -e"));
        return;
    }
    for (uint32_t i = 0; i < t->command.count; i++) {
        buf_puts(&text, i ? " " : "");
        buf_str(&text, t->command.at[i]);
    }
    view_text(j, "command", &text);
    json_none(j, "shell");
}

/* What the version of the run says about the task. A text that no longer loads
 * is not a reason to show nothing else. */
static bool write_definition(const struct view *v, int64_t version, struct str dir, int64_t task,
                             struct json *j)
{
    struct versions *versions = versions_new(v->db, 0);
    const struct workflow *wf;
    struct err ignored;
    bool there = versions_get(versions, version, &wf, &ignored) && task < wf->task_count;
    if (there) {
        const struct task *t = &wf->tasks[task];
        write_command(t, j);
        json_str(j, "workdir", t->workdir.at ? t->workdir : dir);
        write_env(wf, t, j);
    } else {
        json_none(j, "command");
        json_none(j, "shell");
        json_str(j, "workdir", dir);
        json_list(j, "env");
        json_list_end(j);
    }
    versions_free(versions);
    return true;
}

bool view_run_task(const struct view *v, int64_t run, struct str task, struct buf *out,
                   struct err *e)
{
    CLEANUP(whole_free)
    struct whole w = {0};
    CLEANUP(db_rows_close)
    struct db_rows brief = {0};
    CLEANUP(db_rows_close)
    struct db_rows flow = {0};
    struct run_brief_row r;
    struct workflow_row wf;
    struct json j = json_to(out);
    int64_t index, item;
    size_t i = 0;
    if (!view_task_find(v, run, task, &index, &item, e) ||
        !read_whole(v, run, index, index, &w, e) || !sql_run_brief(v->db, run, &brief, e))
        return false;
    while (i < w.count && w.rows[i].of.item != item)
        i++;
    if (i == w.count || !sql_run_brief_next(&brief, &r) ||
        !sql_workflow(v->db, r.workflow_id, &flow, e) || !sql_workflow_next(&flow, &wf))
        return err_set(e, ERR_NOT_FOUND, "run #%lld has no task '%.*s'", (long long)run,
                       STR_ARG(task));
    json_open(&j, NULL);
    json_int(&j, "run", run);
    json_str(&j, "workflow", r.workflow);
    write_task(v, &w, &w.rows[i], &j);
    if (!write_definition(v, r.version_id, wf.dir, index, &j) ||
        !write_attempts(v, run, &w.rows[i], &j, e))
        return false;
    json_close(&j);
    return true;
}

/* ---- finding one ---- */

static int nearest(const struct whole *w, struct str text)
{
    struct str *names = mem_new((w->task_count + 1) * sizeof *names);
    for (size_t i = 0; i < w->task_count; i++)
        names[i] = w->defs[i].name;
    int near = str_nearest(text, names, w->task_count, 2);
    free(names);
    return near;
}

static bool suggest(const struct view *v, int64_t run, int64_t version, struct str text,
                    struct err *e)
{
    CLEANUP(whole_free)
    struct whole w = {0};
    struct version_text_row row;
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    bool known = sql_version_text(v->db, version, &rows, e) && sql_version_text_next(&rows, &row);
    w.task_count = known ? (size_t)row.task_count : 0;
    int near = known && read_defined(v, version, &w, e) ? nearest(&w, text) : -1;
    if (near >= 0)
        err_set(e, ERR_NOT_FOUND, "run #%lld has no task '%.*s', did you mean '%.*s'?",
                (long long)run, STR_ARG(text), STR_ARG(w.defs[near].name));
    else
        err_set(e, ERR_NOT_FOUND, "run #%lld has no task '%.*s'", (long long)run, STR_ARG(text));
    return false;
}

bool view_task_find(const struct view *v, int64_t run, struct str text, int64_t *task,
                    int64_t *item, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows brief = {0};
    struct run_brief_row r;
    struct version_task_find_row row;
    bool found;
    if (!sql_run_brief(v->db, run, &brief, e))
        return false;
    if (!sql_run_brief_next(&brief, &r))
        return err_set(e, ERR_NOT_FOUND, "there is no run #%lld", (long long)run);
    if (!sql_version_task_find_one(v->db, r.version_id, text, &row, &found, e))
        return false;
    *item = 0;
    if (!found && (!str_to_i64(text, &row.task) || row.task < 0 || row.task >= r.tasks_total))
        return suggest(v, run, r.version_id, text, e);
    *task = row.task;
    return true;
}
