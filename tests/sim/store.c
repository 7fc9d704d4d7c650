/* SPDX-License-Identifier: MIT
 *
 * tests/sim/store.c: rows. A turn's effects and wishes become true together or
 * not at all, and no row may do what rows must not. */
#include "sim.h"

const char *task_name(const struct sim *s, struct attempt a)
{
    if (a.run < 1 || a.run > s->run_count || a.task >= run_workflow(s, a.run)->task_count)
        return "stranger";
    return run_workflow(s, a.run)->tasks[a.task].name.at;
}

static bool needs_reason(enum task_state state)
{
    return state == TASK_FAILED || state == TASK_SKIPPED || state == TASK_UPSTREAM_FAILED ||
           state == TASK_CANCELLED || state == TASK_RETRYING;
}

static void write_task(struct sim *s, int64_t id, uint32_t task, const struct task_row *to)
{
    struct sim_run *r = &s->runs[id];
    struct task_row *row = &r->rows[task];
    struct attempt a = {.run = id, .task = task, .try = to->attempts};
    ASSERT(r->exists && task < run_workflow(s, id)->task_count);
    ASSERT(!run_is_over(r->state));
    ASSERT(row->state == to->state || task_may_move(row->state, to->state, false)); /* I1, I2 */
    ASSERT((to->reason != REASON_NONE) == needs_reason(to->state));                 /* I8 */
    ASSERT(to->attempts >= row->attempts && to->attempts <= row->attempts + 1);     /* I4 */
    ASSERT((to->wait != WAIT_NONE) ==
           (to->state == TASK_RETRYING || (to->state == TASK_QUEUED && !to->handed)));
    if (to->state == TASK_QUEUED && s->late && chance(&s->world, 700))
        return;
    if (row->state != to->state)
        note(s, NOTE_TASK_STATE, a, to->reason, task_state_word(to->state));
    *row = *to;
}

static void check_counts(const struct sim *s, int64_t id, const struct exec_effect *f)
{
    uint32_t counts[TASK_STATE_COUNT] = {0};
    for (uint32_t i = 0; i < run_workflow(s, id)->task_count; i++)
        counts[s->runs[id].rows[i].state]++;
    ASSERT(memcmp(counts, f->run.counts, sizeof counts) == 0);
}

static void write_run(struct sim *s, const struct exec_effect *f)
{
    struct sim_run *r = &s->runs[f->run.id];
    ASSERT(r->exists && !run_is_over(r->state) && f->run.state > r->state);
    r->state = f->run.state;
    r->degraded = f->run.degraded;
    if (run_is_over(r->state)) {
        check_counts(s, f->run.id, f);
        check_verdict(s, f->run.id);
    }
    note(s, NOTE_RUN_STATE, (struct attempt){.run = f->run.id}, r->degraded,
         r->degraded               ? "a degraded success"
         : r->state == RUN_SUCCESS ? "a success"
                                   : run_state_word(r->state));
}

/* The table of attempts knows all that was ever acknowledged, also what lived
 * unwanted after its run was over. */
static void count_attempts(struct sim *s, int64_t id)
{
    for (size_t i = 0; i < s->keeper.acked; i++) {
        struct attempt a = s->keeper.journal[i].attempt;
        if (a.run == id)
            s->runs[id].rows[a.task].attempts = MAX(s->runs[id].rows[a.task].attempts, a.try);
    }
}

static void clear(struct sim *s, int64_t id)
{
    struct sim_run *r = &s->runs[id];
    bool cleared[SIM_TASKS];
    count_attempts(s, id);
    if (!executor_clear(run_workflow(s, id), r->rows, cleared))
        return;
    for (uint32_t i = 0; i < run_workflow(s, id)->task_count; i++)
        if (cleared[i])
            r->base[i] = r->rows[i].attempts;
    r->state = RUN_QUEUED;
    r->cancel = r->degraded = false;
}

/* Whether the wish came true. */
static bool write_wish(struct sim *s, const struct sim_wish *wish)
{
    struct sim_run *r = &s->runs[wish->run];
    bool over = run_is_over(r->state);
    switch (wish->kind) {
    case SIM_CREATE: r->exists = true; return true;
    case SIM_CANCEL:
        if (over || r->cancel)
            return false;
        r->cancel = true;
        return true;
    case SIM_CLEAR:
        if (!over)
            return false;
        clear(s, wish->run);
        return r->state == RUN_QUEUED;
    }
    return false;
}

void store_commit(struct sim *s)
{
    struct sim_daemon *d = &s->daemon;
    for (size_t i = 0; i < d->fx.count; i++) {
        const struct exec_effect *f = &d->fx.at[i];
        if (f->kind == EXEC_SET_TASK)
            write_task(s, f->task.run, f->task.task, &f->task.row);
        else if (f->kind == EXEC_SET_RUN)
            write_run(s, f);
    }
    for (size_t i = 0; i < d->asked_count; i++) {
        if (!write_wish(s, &d->asked[i]))
            continue;
        daemon_grant(s, d->asked[i]);
    }
    d->asked_count = 0;
    schedule_commit(s);
    check_rows(s);
}
