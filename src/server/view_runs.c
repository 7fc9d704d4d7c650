/* SPDX-License-Identifier: MIT
 *
 * server/view_runs.c: runs, one or many.
 *
 * A list is found in two steps: the ids along the index that fits the filter,
 * then each run by its id. So a page of fifty costs the same with ten runs in
 * the history as with ten million. */
#include "server/event_view.h"
#include "server/view_parts.h"
#include "server/words.h"
#include "read.sql.h"

/* ---- one run ---- */

static void cause_words(const struct run_row *r, struct buf *out)
{
    size_t start = out->len;
    if (!r->failed_name.at)
        return;
    buf_printf(out, "%.*s: ", STR_ARG(r->failed_name));
    size_t head = out->len;
    words_ending(out, &(struct ending){.state = S("failed"),
                                       .reason = r->failed_reason,
                                       .exit_code = r->failed_exit,
                                       .signal = r->failed_signal,
                                       .timeout_ms = r->failed_timeout_ms,
                                       .attempts = r->failed_try,
                                       .message = r->failed_message});
    if (r->failed_excerpt.len)
        buf_printf(out, "%s%.*s", out->len > head ? " \xc2\xb7 " : "", STR_ARG(r->failed_excerpt));
    if (out->len == head)
        out->len = start;
}

static void write_failed_task(const struct run_row *r, struct json *j)
{
    if (r->failed_task == DB_NULL) {
        json_none(j, "failed_task");
        return;
    }
    json_open(j, "failed_task");
    json_int(j, "task", r->failed_task);
    json_str(j, "name", r->failed_name);
    view_nint(j, "attempt", r->failed_try);
    view_nint(j, "first_error_line", r->failed_line);
    json_close(j);
}

static void write_words(const struct run_row *r, struct json *j)
{
    CLEANUP(buf_free)
    struct buf cause = {0};
    CLEANUP(buf_free)
    struct buf wait = {0};
    cause_words(r, &cause);
    if (str_is(r->state, "queued"))
        words_run_waiting(&wait, r->ahead == DB_NULL ? 0 : r->ahead);
    view_text(j, "cause", &cause);
    view_text(j, "wait", &wait);
}

static void write_times(const struct run_row *r, ms_t now, struct json *j)
{
    view_time(j, "slot_at", r->slot_at);
    json_time(j, "created_at", r->created_at);
    view_time(j, "started_at", r->started_at);
    view_time(j, "finished_at", r->finished_at);
    view_duration(j, "duration_ms", r->started_at, r->finished_at, now);
    view_nint(j, "usual_ms", r->usual_ms);
    view_time(j, "cancel_at", r->cancel_at);
    json_str(j, "cancel_actor", r->cancel_actor);
}

static void write_run(const struct run_row *r, ms_t now, struct json *j)
{
    json_int(j, "id", r->id);
    json_str(j, "key", r->key);
    json_str(j, "workflow", r->workflow);
    json_int(j, "version", r->version);
    json_str(j, "state", r->state);
    json_str(j, "reason", r->reason);
    json_bool(j, "degraded", r->degraded != 0);
    json_str(j, "trigger", r->trigger);
    json_str(j, "actor", r->actor);
    json_raw(j, "params", r->params);
    json_str(j, "entry", r->entry);
    write_times(r, now, j);
    json_int(j, "retried", r->retried);
    json_int(j, "tasks_total", r->tasks_total);
    json_int(j, "tasks_done", r->tasks_done);
    json_int(j, "tasks_failed", r->tasks_failed);
    json_int(j, "tasks_running", r->tasks_running);
    write_failed_task(r, j);
    write_words(r, j);
}

bool view_run_object(const struct view *v, int64_t id, view_more_fn *more, struct json *j,
                     bool *found, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct run_row r;
    if (!sql_run(v->db, id, &rows, e))
        return false;
    *found = sql_run_next(&rows, &r);
    if (!*found)
        return db_rows_end(&rows, e);
    json_open(j, NULL);
    write_run(&r, v->now, j);
    if (more && !more(v, id, j, e))
        return false;
    json_close(j);
    return db_rows_end(&rows, e);
}

bool view_run_cause(const struct view *v, int64_t id, struct buf *out, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct run_row r;
    if (!sql_run(v->db, id, &rows, e))
        return false;
    if (sql_run_next(&rows, &r))
        cause_words(&r, out);
    return db_rows_end(&rows, e);
}

static bool add_seq(const struct view *v, int64_t run, struct json *j, struct err *e)
{
    int64_t seq;
    (void)run;
    if (!view_seq(v, &seq, e))
        return false;
    json_int(j, "seq", seq);
    return true;
}

bool view_run(const struct view *v, int64_t run, struct buf *out, struct err *e)
{
    struct json j = json_to(out);
    bool found;
    if (!view_run_object(v, run, add_seq, &j, &found, e))
        return false;
    return found || err_set(e, ERR_NOT_FOUND, "there is no run #%lld", (long long)run);
}

/* ---- many ---- */

static bool state_known(struct str word)
{
    enum run_state ignored;
    return run_state_parse(word, &ignored);
}

/* ",failed,cancelled," from "failed,cancelled", as the statements want it. */
static bool states_list(struct str states, struct buf *out, struct err *e)
{
    for (size_t at = 0; at < states.len;) {
        size_t n = 0;
        while (at + n < states.len && states.at[at + n] != ',')
            n++;
        struct str word = {states.at + at, n};
        if (!state_known(word))
            return err_set(e, ERR_INVALID, "'%.*s' is not a state of a run", STR_ARG(word));
        buf_puts(out, out->len ? "" : ",");
        buf_str(out, word);
        buf_putc(out, ',');
        at += n + 1;
    }
    return true;
}

struct page {
    int64_t workflow; /* DB_NULL: all */
    int64_t before, since, until, most;
    struct str states; /* as states_list() makes it; absent: all */
};

static bool only_live(struct str states)
{
    return states.at && !memmem(states.at, states.len, ",success,", 9) &&
           !memmem(states.at, states.len, ",failed,", 8) &&
           !memmem(states.at, states.len, ",cancelled,", 11);
}

/* The ids of one page. The four rows have one column of one type. */
static bool page_ids(struct db *db, const struct page *p, struct db_rows *rows, struct err *e)
{
    if (only_live(p->states))
        return sql_runs_live(db, p->workflow, p->before, p->since, p->until, p->states, p->most,
                             rows, e);
    if (str_is(p->states, ",failed,"))
        return sql_runs_failed(db, p->workflow, p->before, p->since, p->until, p->most, rows, e);
    if (p->workflow != DB_NULL)
        return sql_runs_of(db, p->workflow, p->before, p->since, p->until, p->states, p->most, rows,
                           e);
    return sql_runs_any(db, p->before, p->since, p->until, p->states, p->most, rows, e);
}

static bool page_of(const struct view *v, const struct run_filter *f, struct buf *states,
                    struct page *out, struct err *e)
{
    *out = (struct page){.workflow = DB_NULL,
                         .before = f->before > 0 ? f->before : INT64_MAX,
                         .since = f->since,
                         .until = f->until > 0 ? f->until : INT64_MAX,
                         .most = f->limit > 0 ? MIN(f->limit, VIEW_ROWS_MAX) : VIEW_ROWS};
    if (f->workflow.at && !view_workflow_find(v, f->workflow, &out->workflow, NULL, e))
        return false;
    if (!states_list(f->states, states, e))
        return false;
    if (states->len)
        out->states = (struct str){states->at, states->len};
    return true;
}

bool view_runs(const struct view *v, const struct run_filter *f, struct buf *out, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    CLEANUP(buf_free)
    struct buf states = {0};
    struct json j = json_to(out);
    struct page p;
    struct runs_any_row r;
    int64_t count = 0, last = 0;
    bool found;
    if (!page_of(v, f, &states, &p, e))
        return false;
    json_open(&j, NULL);
    if (!view_head(v, "gowtf.runs/1", &j, e) || !page_ids(v->db, &p, &rows, e))
        return false;
    json_list(&j, "items");
    for (; sql_runs_any_next(&rows, &r); count++, last = r.id)
        if (!view_run_object(v, r.id, NULL, &j, &found, e))
            return false;
    json_list_end(&j);
    view_nint(&j, "next_before", count == p.most ? last : DB_NULL);
    json_close(&j);
    return db_rows_end(&rows, e);
}

bool view_run_events(const struct view *v, int64_t run, struct buf *out, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    CLEANUP(db_rows_close)
    struct db_rows brief = {0};
    struct run_brief_row r;
    struct json j = json_to(out);
    if (!sql_run_brief(v->db, run, &brief, e))
        return false;
    if (!sql_run_brief_next(&brief, &r))
        return err_set(e, ERR_NOT_FOUND, "there is no run #%lld", (long long)run);
    if (!sql_run_events(v->db, run, 0, INT64_MAX, &rows, e))
        return false;
    json_open(&j, NULL);
    json_list(&j, "items");
    for (struct run_events_row ev; sql_run_events_next(&rows, &ev);) {
        json_open(&j, NULL);
        json_int(&j, "seq", ev.seq);
        json_time(&j, "at", ev.at);
        json_str(&j, "kind", ev.kind);
        json_str(&j, "actor", ev.actor);
        json_open(&j, "data");
        event_members(ev.kind, ev.data, &j);
        json_close(&j);
        json_close(&j);
    }
    json_list_end(&j);
    json_close(&j);
    return db_rows_end(&rows, e);
}
