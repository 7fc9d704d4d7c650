/* SPDX-License-Identifier: MIT
 *
 * tests/sim/oracle.c: what must be true, said slowly. The language's rules are
 * written a second time here, from the point of view of somebody who looks at
 * a finished run and at what its attempts did, and knows of no order of events. */
#include "sim.h"

static const struct hand *hand_of(const struct sim *s, int64_t run, uint32_t task, uint32_t try)
{
    return keeper_hand(s, (struct attempt){.run = run, .task = task, .try = try});
}

static uint32_t lives_of(const struct sim *s, int64_t run, uint32_t task)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s->keeper.hand_count; i++) {
        const struct hand *h = &s->keeper.hands[i];
        n += h->live && h->attempt.run == run && (task == UINT32_MAX || h->attempt.task == task);
    }
    return n;
}

void check_start(const struct sim *s, struct attempt a)
{
    const struct sim_run *r = &s->runs[a.run];
    const struct workflow *w = run_workflow(s, a.run);
    const struct task *t = &w->tasks[a.task];
    /* I10; what was sent before may be read after, and is told to stop in the next letter */
    ASSERT(s->keeper.reads_late || (r->exists && !r->cancel && !run_is_over(r->state)));
    ASSERT(lives_of(s, a.run, a.task) == 0); /* I3, I20 */
    ASSERT(s->keeper.live < s->slots);       /* I9 */
    ASSERT(!w->max_parallel || lives_of(s, a.run, UINT32_MAX) < w->max_parallel);
    for (uint32_t i = 0; i < t->up_count; i++)
        ASSERT(lives_of(s, a.run, t->up[i]) == 0); /* I7 */
    if (a.try <= 1)
        return;
    const struct hand *former = hand_of(s, a.run, a.task, a.try - 1);
    ASSERT(former); /* I4 */
    if (a.try > r->base[a.task] + 1 && !former->vanished)
        ASSERT(s->world.now >= former->end_at + t->retry_delay - t->retry_delay / 10); /* I10 */
}

static void check_waits(const struct sim *s, int64_t id)
{
    const struct sim_run *r = &s->runs[id];
    const struct workflow *w = run_workflow(s, id);
    bool all_over = true;
    for (uint32_t i = 0; i < w->task_count; i++) {
        all_over = all_over && task_is_over(r->rows[i].state);
        bool parents_over = true;
        for (uint32_t u = 0; u < w->tasks[i].up_count; u++)
            parents_over = parents_over && task_is_over(r->rows[w->tasks[i].up[u]].state);
        if (r->state == RUN_RUNNING && !r->cancel && parents_over && !s->late)
            ASSERT(r->rows[i].state != TASK_PENDING); /* what is decidable is decided */
    }
    ASSERT(!all_over || lives_of(s, id, UINT32_MAX) > 0 || run_is_over(r->state)); /* I6 */
    ASSERT(!run_is_over(r->state) || all_over);
}

void check_rows(const struct sim *s)
{
    uint32_t running[SIM_WORKFLOWS] = {0};
    for (int64_t id = 1; id <= s->run_count; id++) {
        if (!s->runs[id].exists)
            continue;
        running[s->runs[id].workflow] += s->runs[id].state == RUN_RUNNING && !s->runs[id].cancel;
        check_waits(s, id);
    }
    /* A loss decided twice may let the next run in before the former is over. */
    for (uint32_t i = 0; i < s->workflow_count && !s->faults.vanish; i++)
        ASSERT(running[i] <= 1);
}

/* What lives and is not wanted has been told to stop. */
static void check_unwanted(const struct sim *s)
{
    for (size_t i = 0; i < s->keeper.hand_count; i++) {
        const struct hand *h = &s->keeper.hands[i];
        if (!h->live || !h->started || h->begun_entry >= s->daemon.heard)
            continue;
        const struct sim_run *r = &s->runs[h->attempt.run];
        bool wanted =
            !r->cancel && !run_is_over(r->state) && !task_is_over(r->rows[h->attempt.task].state);
        ASSERT(wanted || h->stopped);
    }
}

/* L1: nobody who could run is left waiting while there is room. */
void check_progress(const struct sim *s)
{
    check_unwanted(s);
    bool slot_free = executor_core_live(s->daemon.executor) < s->slots;
    bool busy[SIM_WORKFLOWS] = {0};
    for (int64_t id = 1; id <= s->run_count; id++)
        busy[s->runs[id].workflow] |= s->runs[id].exists && s->runs[id].state == RUN_RUNNING;
    for (int64_t id = 1; id <= s->run_count; id++) {
        const struct sim_run *r = &s->runs[id];
        const struct workflow *w = run_workflow(s, id);
        if (!r->exists || run_is_over(r->state) || r->cancel)
            continue;
        ASSERT(r->state == RUN_RUNNING || busy[r->workflow] || s->keeper.live > 0);
        uint32_t handed = 0, waiting = 0;
        for (uint32_t i = 0; i < w->task_count; i++) {
            const struct task_row *row = &r->rows[i];
            handed += row->state == TASK_RUNNING || (row->state == TASK_QUEUED && row->handed);
            waiting += row->state == TASK_QUEUED && !row->handed;
        }
        ASSERT(s->late || !slot_free || !waiting || (w->max_parallel && handed >= w->max_parallel));
    }
}

/* ---- the language, from the other end ---- */

struct expected {
    enum task_state state;
    enum reason reason;
    uint32_t attempts;
};

static bool did_succeed(const struct task *t, const struct hand *h)
{
    return h->how == END_EXIT && h->cause == CAUSE_SELF &&
           (h->code == 0 ||
            (t->success_exit_codes.count > 1 && h->code == t->success_exit_codes.at[1]));
}

static enum reason why_failed(const struct hand *h)
{
    if (h->cause == CAUSE_TIMEOUT || h->cause == CAUSE_STALLED)
        return h->cause == CAUSE_TIMEOUT ? REASON_TIMEOUT : REASON_STALLED;
    if (h->oom)
        return REASON_OOM;
    return h->how == END_EXIT     ? REASON_EXIT
           : h->how == END_SIGNAL ? REASON_SIGNAL
           : h->how == END_LAUNCH ? REASON_LAUNCH
                                  : REASON_LOST;
}

/* What its attempts made of a task that was allowed to run. */
static struct expected of_attempts(const struct sim *s, int64_t id, uint32_t task)
{
    const struct task *t = &run_workflow(s, id)->tasks[task];
    uint32_t failures = 0;
    for (uint32_t try = s->runs[id].base[task] + 1;; try++) {
        const struct hand *h = hand_of(s, id, task, try);
        ASSERT(h && !h->live); /* it must have been tried, and be over */
        if (h->how == END_REFUSED && h->cause == CAUSE_SELF)
            continue;
        if (did_succeed(t, h))
            return (struct expected){TASK_SUCCESS, REASON_NONE, try};
        ASSERT(h->cause != CAUSE_STOPPED); /* nobody asked for that */
        if (++failures > t->retries)
            return (struct expected){TASK_FAILED, why_failed(h), try};
    }
}

static uint32_t count_parents(const struct sim *s, int64_t id, const struct task *t,
                              unsigned states)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->up_count; i++)
        n += states >> s->runs[id].rows[t->up[i]].state & 1u;
    return n;
}

/* Its condition: 1 holds, 0 does not, -1 has no value. */
static int holds(const struct sim *s, int64_t id, const struct task *t)
{
    enum { F = 1u << TASK_FAILED, U = 1u << TASK_UPSTREAM_FAILED, C = 1u << TASK_CANCELLED };
    const struct task_row *first = t->up_count ? &s->runs[id].rows[t->up[0]] : NULL;
    switch (make_cond(t)) {
    case COND_ALWAYS: return 1;
    case COND_NEVER: return 0;
    case COND_ALL_SUCCESS: return count_parents(s, id, t, 1u << TASK_SUCCESS) == t->up_count;
    case COND_ANY_FAILED: return count_parents(s, id, t, F) > 0;
    case COND_ANY_BROKEN: return count_parents(s, id, t, F | U | C) > 0;
    case COND_NONE_FAILED: return count_parents(s, id, t, F) == 0;
    case COND_FIRST_FAILED: return first && first->state == TASK_FAILED;
    case COND_FIRST_SKIPPED: return first && first->state == TASK_SKIPPED;
    case COND_FIRST_CODE_1: {
        const struct hand *h =
            first && first->attempts ? hand_of(s, id, t->up[0], first->attempts) : NULL;
        bool ran = h && first->attempts > s->runs[id].base[t->up[0]] && h->how == END_EXIT;
        return ran ? h->code == 1 : -1;
    }
    case COND_NONE:
    case COND_KINDS: break;
    }
    ASSERT(!"a condition");
    return -1;
}

static struct expected of_join(const struct sim *s, int64_t id, uint32_t task)
{
    const struct workflow *w = run_workflow(s, id);
    const struct task *t = &w->tasks[task];
    enum { F = 1u << TASK_FAILED, U = 1u << TASK_UPSTREAM_FAILED, C = 1u << TASK_CANCELLED };
    uint32_t allowed = 0;
    for (uint32_t i = 0; i < t->up_count; i++)
        allowed += s->runs[id].rows[t->up[i]].state == TASK_FAILED &&
                   w->tasks[t->up[i]].allow_failure == ALLOW_YES;
    if (count_parents(s, id, t, F | U | C) > allowed)
        return (struct expected){TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED, 0};
    if (t->up_count > allowed && count_parents(s, id, t, 1u << TASK_SUCCESS) == 0)
        return (struct expected){TASK_SKIPPED, REASON_UPSTREAM_SKIPPED, 0};
    return of_attempts(s, id, task);
}

static struct expected expect(const struct sim *s, int64_t id, uint32_t task)
{
    const struct task *t = &run_workflow(s, id)->tasks[task];
    if (make_cond(t) == COND_NONE)
        return of_join(s, id, task);
    switch (holds(s, id, t)) {
    case 1: return of_attempts(s, id, task);
    case 0: return (struct expected){TASK_SKIPPED, REASON_CONDITION, 0};
    default: return (struct expected){TASK_FAILED, REASON_EXPRESSION, 0};
    }
}

static void check_task(const struct sim *s, int64_t id, uint32_t task)
{
    const struct sim_run *r = &s->runs[id];
    const struct task_row *row = &r->rows[task];
    ASSERT(task_is_over(row->state) && lives_of(s, id, task) == 0);
    if (row->state == TASK_CANCELLED) {
        const struct hand *last =
            row->attempts > r->base[task] ? hand_of(s, id, task, row->attempts) : NULL;
        ASSERT(r->cancel && row->reason == REASON_CANCELLED);
        ASSERT(!last || !did_succeed(&run_workflow(s, id)->tasks[task], last));
        return;
    }
    struct expected want = expect(s, id, task);
    if (row->state != want.state || row->reason != want.reason)
        printf("# run %lld task %u: is %s (%s), should be %s (%s)\n", (long long)id, task,
               task_state_word(row->state), reason_word(row->reason), task_state_word(want.state),
               reason_word(want.reason));
    ASSERT(row->state == want.state && row->reason == want.reason);
    ASSERT(row->attempts == MAX(want.attempts, r->base[task]));
}

static bool is_handled(const struct sim *s, int64_t id, uint32_t task)
{
    const struct workflow *w = run_workflow(s, id);
    bool asked = false;
    for (uint32_t i = 0; i < w->task_count; i++) {
        const struct task *c = &w->tasks[i];
        enum cond cond = make_cond(c);
        for (uint32_t u = 0; u < c->up_count; u++)
            if (c->up[u] == task && s->runs[id].rows[i].state == TASK_SUCCESS)
                asked |= cond == COND_ANY_FAILED || cond == COND_ANY_BROKEN ||
                         (cond == COND_FIRST_FAILED && u == 0);
    }
    enum allow_failure allow = w->tasks[task].allow_failure;
    return allow == ALLOW_YES || (allow == ALLOW_UNSAID && asked);
}

void check_verdict(const struct sim *s, int64_t id)
{
    const struct sim_run *r = &s->runs[id];
    uint32_t failed = 0, handled = 0, cancelled = 0;
    for (uint32_t i = 0; i < run_workflow(s, id)->task_count; i++) {
        check_task(s, id, i);
        cancelled += r->rows[i].state == TASK_CANCELLED;
        if (r->rows[i].state != TASK_FAILED)
            continue;
        failed++;
        handled += is_handled(s, id, i);
    }
    enum run_state want = cancelled ? RUN_CANCELLED : handled < failed ? RUN_FAILED : RUN_SUCCESS;
    ASSERT(r->state == want);
    ASSERT(r->degraded == (want == RUN_SUCCESS && failed > 0));
}
