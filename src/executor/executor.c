/* SPDX-License-Identifier: MIT
 *
 * executor/executor.c: between the corridor, the core and the rows.
 *
 *     message ──> event ──> core ──> effects ──┬─> TASK_START, TASK_STOP
 *                                              └─> records ──> rows, at the end of the turn
 *     wish ──> rows ──(committed)──> answer, event ──> core
 *
 * What must stay true:
 *
 *   - the core hears of a cancellation or a rerun only once it is committed;
 *   - an answer at the door is given only for what is committed, or at once
 *     when the wish cannot be granted;
 *   - a version is held as long as the core or a record points into it.
 *
 * The core's time is CLOCK_BOOTTIME, rows say wall time: both come with the
 * turn, and their difference now translates between them. */
#include "executor/executor.h"

#include "executor/core.h"
#include "executor/record.h"
#include "executor.sql.h"

#include <stdio.h>

enum wish_stage { WISH_ASKED, WISH_GRANTED };

/* A cancellation, or a rerun with the rows it will begin from. */
struct pending {
    enum wish_stage stage;
    bool is_retry;
    uint64_t ticket;
    int64_t run;
    ms_t at;
    struct run_record *record; /* a rerun's, not among the records before it is granted */
    struct task_row *rows;
    bool *cleared;
};

struct executor {
    struct corridor *corridor;
    struct store *store;
    struct versions *versions;
    struct door *door;
    struct executor_core *core;
    struct exec_effects effects;
    struct records records;
    struct pending *pending;
    size_t pending_count, pending_cap;
};

/* ---- the core and its effects ---- */

static ms_t shift(const struct executor *x)
{
    return x->corridor->now - x->corridor->steady;
}

static void apply(struct executor *x, const struct exec_effect *f, ms_t at)
{
    struct run_record *r;
    struct msg m = {0};
    switch (f->kind) {
    case EXEC_SET_TASK:
        r = record_find(&x->records, f->task.run);
        ASSERT(r);
        record_task(&x->records, r, f->task.task, &f->task.row, x->corridor->now, at, shift(x));
        break;
    case EXEC_SET_RUN:
        r = record_find(&x->records, f->run.id);
        ASSERT(r);
        record_run(&x->records, r, f->run.state, f->run.degraded, x->corridor->now);
        break;
    case EXEC_START:
        r = record_find(&x->records, f->attempt.run);
        ASSERT(r);
        m.kind = MSG_TASK_START;
        m.start.attempt = f->attempt;
        m.start.version = r->version_id;
        corridor_post(x->corridor, m);
        break;
    case EXEC_STOP:
        m.kind = MSG_TASK_STOP;
        m.stop.attempt = f->stop.attempt;
        m.stop.cause = f->stop.cause;
        corridor_post(x->corridor, m);
        break;
    }
}

/* `at`: wall time of what happened, for rows. */
static void step(struct executor *x, struct exec_event ev, ms_t at)
{
    enum { KEEP = 4096 };
    ev.now = x->corridor->steady;
    executor_core_step(x->core, &ev, &x->effects);
    for (size_t i = 0; i < x->effects.count; i++)
        apply(x, &x->effects.at[i], at);
    x->effects.count = 0;
    if (x->effects.cap > KEEP) {
        free(x->effects.at);
        x->effects = (struct exec_effects){0};
    }
}

/* ---- from rows ---- */

static void row_load(struct executor *x, const struct tasks_of_run_row *row, struct task_row *out)
{
    bool known = task_state_parse(row->state, &out->state);
    ASSERT(known);
    if (row->reason.len && !reason_parse(row->reason, &out->reason))
        out->reason = REASON_NONE;
    out->handed = out->state == TASK_QUEUED && !row->waits;
    out->wait = out->state == TASK_RETRYING ? WAIT_RETRY : row->waits ? WAIT_SLOTS : WAIT_NONE;
    out->attempts = (uint32_t)row->attempt;
    out->charged = (uint32_t)row->charged;
    out->has_exit_code = row->exit_code != DB_NULL;
    out->exit_code = out->has_exit_code ? (int32_t)row->exit_code : 0;
    if (out->state == TASK_RETRYING)
        out->since = row->due_at - shift(x);
    else if (out->state == TASK_QUEUED)
        out->since = row->queued_at - shift(x);
}

/* The tasks of a run as stored; `rows` has one place a task. */
static bool rows_load(struct executor *x, struct run_record *r, struct task_row *rows,
                      struct err *e)
{
    CLEANUP(db_rows_close) struct db_rows q = {0};
    struct tasks_of_run_row row;
    int64_t count = 0;
    if (!sql_tasks_of_run(&x->store->db, r->id, &q, e))
        return false;
    for (; sql_tasks_of_run_next(&q, &row); count++) {
        if (row.task != count || row.task >= r->workflow->task_count)
            return err_set(e, ERR_SYSTEM, "run %lld: its tasks are not those of its version",
                           (long long)r->id);
        row_load(x, &row, &rows[row.task]);
        record_init_task(r, (uint32_t)row.task, rows[row.task].state, row.started_at);
    }
    if (!db_rows_end(&q, e))
        return false;
    return count == r->workflow->task_count ||
           err_set(e, ERR_SYSTEM, "run %lld has %lld tasks, its version %u", (long long)r->id,
                   (long long)count, r->workflow->task_count);
}

static void tell_core(struct executor *x, const struct run_record *r, const struct task_row *rows)
{
    step(x,
         (struct exec_event){.kind = EXEC_RUN_CREATED,
                             .created = {.run = r->id,
                                         .workflow_id = r->workflow_id,
                                         .workflow = r->workflow,
                                         .state = r->state,
                                         .cancelled = r->cancel,
                                         .rows = rows}},
         x->corridor->now);
}

static void drop(void *ctx, struct run_record *r)
{
    struct executor *x = ctx;
    versions_drop(x->versions, r->version_id);
    record_free(r);
}

static void record_from(struct run_record *r, const struct runs_active_row *row)
{
    bool known = run_state_parse(row->state, &r->state);
    ASSERT(known);
    r->written = r->state;
    r->cancel = row->cancelled;
    r->started_at = row->started_at;
    r->failed_task = row->failed_task == DB_NULL ? -1 : row->failed_task;
}

static bool take_up(struct executor *x, const struct runs_active_row *row, struct err *e)
{
    const struct workflow *w;
    CLEANUP(mem_free_at) struct task_row *rows = NULL;
    if (!versions_hold(x->versions, row->version_id, &w, e))
        return false;
    struct run_record *r = record_add(&x->records, row->id, row->workflow_id, row->version_id, w);
    record_from(r, row);
    if (!row->fresh) {
        rows = mem_new(w->task_count * sizeof *rows);
        if (!rows_load(x, r, rows, e)) {
            map_take(&x->records.runs, r->id);
            drop(x, r);
            return false;
        }
    }
    tell_core(x, r, rows);
    return true;
}

/* One run that cannot be read is no reason not to go on with the others. */
static void take_up_or_say(struct executor *x, const struct runs_active_row *row)
{
    struct err e = {0};
    if (!take_up(x, row, &e))
        fprintf(stderr, "gowtf: run %lld cannot go on: %s\n", (long long)row->id, e.text);
}

/* A copy of the list first: taking up a run asks the database again. */
static bool take_up_all(struct executor *x, struct err *e)
{
    CLEANUP(db_rows_close) struct db_rows q = {0};
    CLEANUP(arena_free) struct arena a = {0};
    struct runs_active_row row, *all = NULL;
    size_t count = 0, cap = 0;
    if (!sql_runs_active(&x->store->db, &q, e))
        return false;
    while (sql_runs_active_next(&q, &row)) {
        row.state = arena_str(&a, row.state);
        all = mem_grow(all, &cap, count + 1, sizeof *all);
        all[count++] = row;
    }
    bool ok = db_rows_end(&q, e);
    for (size_t i = 0; ok && i < count; i++)
        take_up_or_say(x, &all[i]);
    free(all);
    return ok;
}

struct executor *executor_new(const struct executor_opts *o, struct corridor *c, struct store *s,
                              struct versions *v, struct door *d, struct err *e)
{
    struct executor *x = mem_new(sizeof *x);
    x->corridor = c;
    x->store = s;
    x->versions = v;
    x->door = d;
    x->core = executor_core_new(o->run_limit);
    if (!take_up_all(x, e)) {
        executor_free(x);
        err_wrap(e, "cannot take up what was running");
        return NULL;
    }
    return x;
}

static void pending_done(struct executor *x, struct pending *p)
{
    if (p->record) {
        versions_drop(x->versions, p->record->version_id);
        record_free(p->record);
    }
    free(p->rows);
    free(p->cleared);
    *p = (struct pending){0};
}

void executor_free(struct executor *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->pending_count; i++)
        pending_done(x, &x->pending[i]);
    executor_core_free(x->core);
    for (struct map_slot *s = NULL; (s = map_each(&x->records.runs, s));)
        versions_drop(x->versions, ((struct run_record *)s->value)->version_id);
    records_done(&x->records);
    free(x->effects.at);
    free(x->pending);
    free(x);
}

/* ---- wishes ---- */

static void answer(struct executor *x, uint64_t ticket, int64_t run, const struct err *why)
{
    struct answer a = {.id = run};
    if (why) {
        a.kind = why->kind;
        snprintf(a.text, sizeof a.text, "%s", why->text);
    }
    door_answer(x->door, ticket, &a);
}

static struct pending *pend(struct executor *x, const struct msg *m)
{
    x->pending = mem_grow(x->pending, &x->pending_cap, x->pending_count + 1, sizeof *x->pending);
    struct pending *p = &x->pending[x->pending_count++];
    *p = (struct pending){
        .ticket = m->request.ticket, .run = m->request.target, .at = x->corridor->now};
    return p;
}

/* Why a wish about a run that is not going on cannot be granted. */
static bool refuse_absent(struct executor *x, int64_t run, struct err *e)
{
    struct run_facts_row facts;
    bool found;
    if (!sql_run_facts_one(&x->store->db, run, &facts, &found, e))
        return false;
    if (!found)
        return err_set(e, ERR_NOT_FOUND, "there is no run %lld", (long long)run);
    if (!facts.over)
        return err_set(e, ERR_SYSTEM, "run %lld could not be taken up", (long long)run);
    return err_set(e, ERR_CONFLICT, "run %lld is over", (long long)run);
}

static bool want_cancel(struct executor *x, const struct msg *m, struct err *e)
{
    struct run_record *r = record_find(&x->records, m->request.target);
    if (!r || r->is_over)
        return r ? err_set(e, ERR_CONFLICT, "run %lld is over", (long long)r->id)
                 : refuse_absent(x, m->request.target, e);
    r->cancel = true; /* a second wish is granted like the first */
    pend(x, m);
    return true;
}

/* Attempts that lived unwanted after the run was over have taken their numbers. */
static bool count_attempts(struct executor *x, const struct run_record *r, struct task_row *rows,
                           struct err *e)
{
    CLEANUP(db_rows_close) struct db_rows q = {0};
    struct attempts_of_run_row row;
    if (!sql_attempts_of_run(&x->store->db, r->id, &q, e))
        return false;
    while (sql_attempts_of_run_next(&q, &row))
        if (row.task < r->workflow->task_count)
            rows[row.task].attempts = MAX(rows[row.task].attempts, (uint32_t)row.attempt);
    return db_rows_end(&q, e);
}

static bool is_asked(const struct executor *x, int64_t run)
{
    for (size_t i = 0; i < x->pending_count; i++)
        if (x->pending[i].run == run && x->pending[i].is_retry)
            return true;
    return false;
}

/* Lay out in `p` what a rerun begins from; `rs` are not those of the room. */
static bool prepare_retry(struct executor *x, struct pending *p, struct records *rs, struct err *e)
{
    struct run_facts_row facts;
    const struct workflow *w;
    bool found;
    if (!sql_run_facts_one(&x->store->db, p->run, &facts, &found, e))
        return false;
    if (!found)
        return err_set(e, ERR_NOT_FOUND, "there is no run %lld", (long long)p->run);
    if (!versions_hold(x->versions, facts.version_id, &w, e))
        return err_wrap(e, "run %lld", (long long)p->run);
    p->record = record_add(rs, p->run, facts.workflow_id, facts.version_id, w);
    p->rows = mem_new(w->task_count * sizeof *p->rows);
    p->cleared = mem_new(w->task_count * sizeof *p->cleared);
    if (!rows_load(x, p->record, p->rows, e) || !count_attempts(x, p->record, p->rows, e))
        return false;
    for (uint32_t i = 0; i < w->task_count; i++)
        if (!task_is_over(p->rows[i].state))
            return err_set(e, ERR_CONFLICT, "run %lld is not over", (long long)p->run);
    if (!executor_clear(w, p->rows, p->cleared))
        return err_set(e, ERR_CONFLICT, "run %lld: nothing in it failed or was cancelled",
                       (long long)p->run);
    return true;
}

static bool want_retry(struct executor *x, const struct msg *m, struct err *e)
{
    int64_t run = m->request.target;
    if (record_find(&x->records, run) || is_asked(x, run))
        return err_set(e, ERR_CONFLICT, "run %lld is not over", (long long)run);
    struct records rs = {0};
    struct pending *p = pend(x, m);
    p->is_retry = true;
    bool ok = prepare_retry(x, p, &rs, e);
    map_free(&rs.runs); /* the record itself is the pending's */
    if (!ok) {
        pending_done(x, p);
        x->pending_count--;
    }
    return ok;
}

static void hear_wish(struct executor *x, const struct msg *m)
{
    struct err e = {0};
    bool ok = m->kind == MSG_RUN_CANCEL ? want_cancel(x, m, &e) : want_retry(x, m, &e);
    if (!ok)
        answer(x, m->request.ticket, 0, &e);
}

/* ---- hearing ---- */

static void hear_created(struct executor *x, const struct msg *m)
{
    const struct workflow *w;
    struct err e = {0};
    if (record_find(&x->records, m->run.id))
        return;
    if (!versions_hold(x->versions, m->run.version, &w, &e)) {
        fprintf(stderr, "gowtf: run %lld cannot begin: %s\n", (long long)m->run.id, e.text);
        return;
    }
    tell_core(x, record_add(&x->records, m->run.id, m->run.workflow, m->run.version, w), NULL);
}

static void hear_ended(struct executor *x, const struct msg *m)
{
    ms_t at = m->ended.at ? MIN(m->ended.at, x->corridor->now) : x->corridor->now;
    step(x,
         (struct exec_event){.kind = EXEC_TASK_ENDED,
                             .ended = {.attempt = m->ended.attempt,
                                       .code = m->ended.code,
                                       .how = m->ended.how,
                                       .cause = m->ended.cause,
                                       .oom = m->ended.oom,
                                       .at = at - shift(x)}},
         at);
}

static void hear_lost(struct executor *x, struct attempt a)
{
    step(
        x,
        (struct exec_event){.kind = EXEC_TASK_ENDED,
                            .ended = {.attempt = a, .how = END_UNKNOWN, .at = x->corridor->steady}},
        x->corridor->now);
}

void executor_hear(struct executor *x, const struct msg *m)
{
    ms_t now = x->corridor->now;
    switch (m->kind) {
    case MSG_RUN_CREATED: hear_created(x, m); break;
    case MSG_RUN_CANCEL:
    case MSG_RUN_RETRY: hear_wish(x, m); break;
    case MSG_TASK_STARTED:
        step(x, (struct exec_event){.kind = EXEC_TASK_STARTED, .attempt = m->started.attempt},
             m->started.at ? MIN(m->started.at, now) : now);
        break;
    case MSG_TASK_ENDED: hear_ended(x, m); break;
    case MSG_TASK_LOST: hear_lost(x, m->attempt); break;
    case MSG_TASK_STALLED:
        step(x, (struct exec_event){.kind = EXEC_TASK_STALLED, .attempt = m->attempt}, now);
        break;
    case MSG_SLOTS:
        step(x, (struct exec_event){.kind = EXEC_SLOTS, .slots = m->slots.count}, now);
        break;
    default: ASSERT(!"a message for the executor");
    }
}

void executor_tick(struct executor *x)
{
    step(x, (struct exec_event){.kind = EXEC_TICK}, x->corridor->now);
}

/* What was asked for is committed: now it happens. */
static void begin_granted(struct executor *x, struct pending *p)
{
    if (!p->is_retry) {
        step(x, (struct exec_event){.kind = EXEC_RUN_CANCEL, .run = p->run}, x->corridor->now);
        return;
    }
    struct run_record *r = p->record;
    p->record = NULL;
    map_put(&x->records.runs, r->id, r);
    tell_core(x, r, p->rows);
}

static bool is_granted(const struct executor *x)
{
    return x->pending_count > 0 && x->pending[0].stage == WISH_GRANTED;
}

void executor_dispatch(struct executor *x)
{
    size_t granted = 0;
    while (granted < x->pending_count && x->pending[granted].stage == WISH_GRANTED) {
        begin_granted(x, &x->pending[granted]);
        pending_done(x, &x->pending[granted++]);
    }
    if (granted) {
        x->pending_count -= granted;
        memmove(x->pending, x->pending + granted, x->pending_count * sizeof *x->pending);
    }
    step(x, (struct exec_event){.kind = EXEC_DISPATCH}, x->corridor->now);
    if (!x->corridor->count) /* the end of the turn's thinking */
        records_ripen(&x->records, x->core, x->corridor->steady, x->corridor->now, shift(x));
}

ms_t executor_deadline(const struct executor *x)
{
    if (is_granted(x))
        return x->corridor->steady;
    return MIN(executor_core_deadline(x->core), records_deadline(&x->records));
}

/* ---- writing ---- */

static bool write_retry(struct executor *x, struct pending *p, struct str actor, struct err *e)
{
    struct run_record *r = p->record;
    uint32_t done = 0;
    for (uint32_t i = 0; i < r->workflow->task_count; i++) {
        done += !p->cleared[i];
        if (p->cleared[i] && !sql_task_clear(&x->store->db, p->run, i, p->rows[i].attempts, e))
            return false;
    }
    struct buf json = {0};
    buf_puts(&json, "{\"from\":null,\"to\":\"queued\",\"reason\":\"manual\",\"tasks\":[");
    for (uint32_t i = 0, n = 0; i < r->workflow->task_count; i++)
        if (p->cleared[i])
            buf_printf(&json, "%s[%u,0,\"%s\",\"pending\",%u,\"manual\",null]", n++ ? "," : "", i,
                       task_state_word(r->states[i]), p->rows[i].attempts);
    buf_puts(&json, "]}");
    bool ok = sql_run_clear(&x->store->db, p->run, done, e) &&
              event_add(x->store, p->at, "run", r->workflow_id, p->run, actor,
                        (struct str){json.at, json.len}, e);
    buf_free(&json);
    return ok;
}

static bool write_pending(struct executor *x, struct pending *p, struct err *e)
{
    if (p->stage == WISH_GRANTED)
        return true;
    struct str actor = door_wish(x->door, p->ticket)->actor;
    return p->is_retry ? write_retry(x, p, actor, e)
                       : sql_run_cancel(&x->store->db, p->run, p->at, actor, e);
}

bool executor_write(struct executor *x, struct err *e)
{
    for (size_t i = 0; i < x->pending_count; i++)
        if (!write_pending(x, &x->pending[i], e))
            return false;
    return records_write(&x->records, x->store, x->corridor->now, e);
}

/* The record of a rerun is now as the rows are. */
static void grant(struct executor *x, struct pending *p)
{
    p->stage = WISH_GRANTED;
    answer(x, p->ticket, p->run, NULL);
    if (!p->is_retry)
        return;
    for (uint32_t i = 0; i < p->record->workflow->task_count; i++)
        if (p->cleared[i])
            record_init_task(p->record, i, TASK_PENDING, 0);
}

void executor_committed(struct executor *x)
{
    for (size_t i = 0; i < x->pending_count; i++)
        if (x->pending[i].stage == WISH_ASKED)
            grant(x, &x->pending[i]);
    records_committed(&x->records, drop, x);
}

bool executor_dirty(const struct executor *x)
{
    return x->records.dirty_count > 0 || x->records.sample_count > 0 ||
           (x->pending_count > 0 && x->pending[x->pending_count - 1].stage == WISH_ASKED);
}
