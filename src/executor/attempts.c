/* SPDX-License-Identifier: MIT
 *
 * executor/attempts.c: attempts begin and end, and other tries come due. News
 * of them may be late, repeated or strange; none of it is an error. */
#include "executor/inside.h"

enum { REFUSED_DELAY_MS = 1000 }; /* a keeper that refuses is given time to recover */

/* Another try, not before `due`. */
static void try_again(struct executor_core *x, struct run *r, uint32_t task, enum reason reason,
                      ms_t due, struct exec_effects *fx)
{
    struct node *n = &r->nodes[task];
    exec_move(r, task, (struct ruling){TASK_RETRYING, reason});
    n->wait = WAIT_RETRY;
    n->since = due;
    n->try++;
    n->tried = false;
    exec_emit_task(r, task, fx);
    heap_push(&x->retries, (struct heap_item){.task = task, .when = due, .run = r->id});
}

static void fail(struct executor_core *x, struct run *r, uint32_t task, enum reason reason, ms_t at,
                 ms_t now, struct exec_effects *fx)
{
    const struct task *t = &r->workflow->tasks[task];
    r->nodes[task].charged++;
    if (r->nodes[task].charged > t->retries)
        exec_settle(x, r, task, (struct ruling){TASK_FAILED, reason}, now, fx);
    else
        try_again(x, r, task, reason, at + rule_jitter(exec_current(r, task), t->retry_delay), fx);
}

/* Where an attempt belongs: the run, if the attempt is its task's current one. */
static struct run *find(struct executor_core *x, struct attempt a)
{
    struct run *r = map_get(&x->runs, a.run);
    if (!r || a.item != 0 || a.task >= r->workflow->task_count)
        return NULL;
    return r->nodes[a.task].try == a.try ? r : NULL;
}

/* A keeper knows the try after the one we take for current: then it was handed
 * out, which happens only once the former is over. That it was lost is the one
 * thing a journal does not repeat. */
static void catch_up(struct executor_core *x, struct attempt a, ms_t now, struct exec_effects *fx)
{
    struct attempt former = a;
    former.try--;
    struct run *r = find(x, former);
    if (!r || !r->admitted || r->swept)
        return;
    struct node *n = &r->nodes[a.task];
    if (!n->tried || task_is_over(n->state))
        return;
    exec_release(x, r, n);
    n->has_exit_code = false;
    fail(x, r, a.task, REASON_LOST, now, now, fx);
    exec_finish_if_over(x, r, fx);
}

/* The run in which the attempt is its task's current one, ready to hear of it;
 * NULL: nobody waits for this attempt. */
static struct run *expect(struct executor_core *x, struct attempt a, ms_t now,
                          struct exec_effects *fx)
{
    catch_up(x, a, now, fx);
    struct run *r = find(x, a);
    if (r && !r->admitted && !r->cancelled)
        exec_admit(x, r, now, fx); /* it had begun before a crash */
    return r;
}

/* Its end was heard before: whatever is told of it now is a repetition. */
static bool has_ended(const struct executor_core *x, struct attempt a)
{
    const struct run *r = map_get(&x->runs, a.run);
    if (!r || a.item != 0 || a.task >= r->workflow->task_count)
        return false;
    const struct node *n = &r->nodes[a.task];
    return a.try < n->try || (a.try == n->try && n->tried && task_is_over(n->state) && !n->live);
}

void exec_on_started(struct executor_core *x, struct attempt a, ms_t now, struct exec_effects *fx)
{
    if (has_ended(x, a))
        return;
    struct run *r = expect(x, a, now, fx);
    if (!r) {
        exec_stray_add(x, a);
        exec_emit_stop(a, CAUSE_STOPPED, fx);
        return;
    }
    struct node *n = &r->nodes[a.task];
    if (n->state == TASK_RUNNING)
        return;
    exec_hold(x, r, n);
    if (!task_is_over(n->state))
        exec_move(r, a.task, (struct ruling){TASK_RUNNING, REASON_NONE});
    exec_emit_task(r, a.task, fx); /* one that is over learns that its number is taken */
    if (task_is_over(n->state) || r->cancelled)
        exec_emit_stop(a, CAUSE_STOPPED, fx);
}

/* What an attempt's end means for its task, which is not over. */
static void apply_end(struct executor_core *x, struct run *r, const struct exec_ended *end,
                      ms_t now, struct exec_effects *fx)
{
    uint32_t task = end->attempt.task;
    struct node *n = &r->nodes[task];
    n->has_exit_code = end->how == END_EXIT;
    n->exit_code = n->has_exit_code ? end->code : 0;
    if (n->state == TASK_RETRYING)
        exec_move(r, task, (struct ruling){TASK_QUEUED, REASON_NONE});
    /* Before it is swept, a run's journal tells of the time before it was
     * cancelled too: then a failure may have led to another try. */
    bool by_cancel = r->swept || (r->cancelled && end->cause == CAUSE_STOPPED);
    struct ruling how = rule_end(&r->workflow->tasks[task], end, by_cancel);
    if (how.state == TASK_FAILED && end->how == END_REFUSED)
        try_again(x, r, task, how.reason, now + REFUSED_DELAY_MS, fx);
    else if (how.state == TASK_FAILED)
        fail(x, r, task, how.reason, MIN(end->at, now), now, fx);
    else
        exec_settle(x, r, task, how, now, fx);
}

void exec_on_ended(struct executor_core *x, const struct exec_ended *end, ms_t now,
                   struct exec_effects *fx)
{
    exec_stray_take(x, end->attempt);
    if (has_ended(x, end->attempt))
        return;
    struct run *r = expect(x, end->attempt, now, fx);
    if (!r)
        return;
    struct node *n = &r->nodes[end->attempt.task];
    bool known = n->tried;
    n->tried = true;
    exec_release(x, r, n);
    if (!task_is_over(n->state))
        apply_end(x, r, end, now, fx);
    else if (!known)
        exec_emit_task(r, end->attempt.task, fx);
    exec_finish_if_over(x, r, fx);
}

void exec_on_stalled(struct executor_core *x, struct attempt a, struct exec_effects *fx)
{
    struct run *r = find(x, a);
    if (r && r->nodes[a.task].live && r->nodes[a.task].state == TASK_RUNNING)
        exec_emit_stop(a, CAUSE_STALLED, fx);
}

static bool is_retry(const struct executor_core *x, const struct heap_item *item)
{
    const struct run *r = map_get(&x->runs, item->run);
    if (!r || r->cancelled || item->task >= r->workflow->task_count)
        return false;
    const struct node *n = &r->nodes[item->task];
    return n->state == TASK_RETRYING && n->since == item->when;
}

void exec_on_tick(struct executor_core *x, ms_t now)
{
    while (x->retries.count && x->retries.at[0].when <= now) {
        struct heap_item item = heap_pop(&x->retries);
        if (is_retry(x, &item))
            exec_queue_task(x, map_get(&x->runs, item.run), item.task, item.when);
    }
}

void exec_trim_retries(struct executor_core *x)
{
    while (x->retries.count && !is_retry(x, &x->retries.at[0]))
        heap_pop(&x->retries);
}
