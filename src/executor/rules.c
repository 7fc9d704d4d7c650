/* SPDX-License-Identifier: MIT */
#include "executor/rules.h"

#include "model/expr.h"

static void look(const void *ctx, uint32_t task, struct task_outcome *out)
{
    const struct node *n = (const struct node *)ctx + task;
    ASSERT(task_is_over(n->state));
    *out = (struct task_outcome)
    {
        .state = n->state, .reason = n->reason, .has_exit_code = n->has_exit_code,
        .exit_code = n->exit_code, .attempts = n->tried ? n->
        try : n
            ->try - 1,
    };
}

static struct ruling by_condition(const struct task *t, const struct node *nodes)
{
    static const struct ruling table[] = {
        [EXPR_TRUE] = {TASK_QUEUED, REASON_NONE},
        [EXPR_FALSE] = {TASK_SKIPPED, REASON_CONDITION},
        [EXPR_ERROR] = {TASK_FAILED, REASON_EXPRESSION},
    };
    enum expr_result result = expr_eval(t->condition, t, look, nodes);
    ASSERT((size_t)result < countof(table));
    return table[result];
}

static struct ruling by_parents(const struct workflow *w, const struct node *nodes,
                                const struct task *t)
{
    bool any_success = false, any_skipped = false;
    for (uint32_t i = 0; i < t->up_count; i++) {
        enum task_state s = nodes[t->up[i]].state;
        ASSERT(task_is_over(s));
        if (s == TASK_FAILED && w->tasks[t->up[i]].allow_failure == ALLOW_YES)
            continue;
        if (task_is_broken(s))
            return (struct ruling){TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED};
        any_success |= s == TASK_SUCCESS;
        any_skipped |= s == TASK_SKIPPED;
    }
    if (any_skipped && !any_success)
        return (struct ruling){TASK_SKIPPED, REASON_UPSTREAM_SKIPPED};
    return (struct ruling){TASK_QUEUED, REASON_NONE};
}

struct ruling rule_join(const struct workflow *w, const struct node *nodes, uint32_t task)
{
    const struct task *t = &w->tasks[task];
    return t->condition ? by_condition(t, nodes) : by_parents(w, nodes, t);
}

static bool is_success_code(const struct task *t, int32_t code)
{
    for (uint32_t i = 0; i < t->success_exit_codes.count; i++)
        if (t->success_exit_codes.at[i] == code)
            return true;
    return t->success_exit_codes.count == 0 && code == 0;
}

static enum reason reason_of(const struct exec_ended *end)
{
    if (end->cause == CAUSE_TIMEOUT)
        return REASON_TIMEOUT;
    if (end->cause == CAUSE_STALLED)
        return REASON_STALLED;
    if (end->oom)
        return REASON_OOM;
    static const enum reason table[] = {
        [END_EXIT] = REASON_EXIT,    [END_SIGNAL] = REASON_SIGNAL,  [END_LAUNCH] = REASON_LAUNCH,
        [END_UNKNOWN] = REASON_LOST, [END_REFUSED] = REASON_LAUNCH,
    };
    ASSERT((size_t)end->how < countof(table));
    return table[end->how];
}

struct ruling rule_end(const struct task *t, const struct exec_ended *end, bool run_cancelled)
{
    /* What succeeded by itself has succeeded, even if a stop was on its way. */
    if (end->how == END_EXIT && end->cause == CAUSE_SELF && is_success_code(t, end->code))
        return (struct ruling){TASK_SUCCESS, REASON_NONE};
    if (run_cancelled)
        return (struct ruling){TASK_CANCELLED, REASON_CANCELLED};
    if (end->cause == CAUSE_SHUTDOWN)
        return (struct ruling){TASK_CANCELLED, REASON_SHUTDOWN};
    if (end->cause == CAUSE_STOPPED)
        return (struct ruling){TASK_CANCELLED, REASON_MANUAL};
    return (struct ruling){TASK_FAILED, reason_of(end)};
}

/* Source: the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable
 * pseudorandom number generators"). */
static uint64_t mix(uint64_t z)
{
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

ms_t rule_jitter(struct attempt a, ms_t delay)
{
    ms_t tenth = delay / 10;
    if (tenth <= 0)
        return delay;
    uint64_t h = mix(mix(mix((uint64_t)a.run) ^ a.task) ^ ((uint64_t)a.item << 32 | a.try));
    return delay - tenth + (ms_t)(h % (2 * (uint64_t)tenth + 1));
}

/* A failure is handled when the task says it does not matter, or when it says
 * nothing and a child that asks for this failure ran and succeeded. */
static bool is_handled(const struct task *t, const struct node *nodes)
{
    if (t->allow_failure != ALLOW_UNSAID)
        return t->allow_failure == ALLOW_YES;
    for (uint32_t i = 0; i < t->down_count; i++)
        if (t->down_handles[i] && nodes[t->down[i]].state == TASK_SUCCESS)
            return true;
    return false;
}

enum run_state rule_verdict(const struct workflow *w, const struct node *nodes, bool *degraded)
{
    bool any_cancelled = false, any_handled = false, any_failed = false;
    for (uint32_t i = 0; i < w->task_count; i++) {
        ASSERT(task_is_over(nodes[i].state));
        any_cancelled |= nodes[i].state == TASK_CANCELLED;
        if (nodes[i].state != TASK_FAILED)
            continue;
        bool handled = is_handled(&w->tasks[i], nodes);
        any_handled |= handled;
        any_failed |= !handled;
    }
    enum run_state verdict = any_cancelled ? RUN_CANCELLED : any_failed ? RUN_FAILED : RUN_SUCCESS;
    *degraded = verdict == RUN_SUCCESS && any_handled;
    return verdict;
}

static bool is_to_clear(enum task_state s)
{
    return s == TASK_FAILED || s == TASK_UPSTREAM_FAILED || s == TASK_CANCELLED;
}

/* Files may name a parent after its child, so the downward closure walks a
 * worklist; a task enters it once, when it is marked. */
uint32_t executor_clear(const struct workflow *w, struct task_row *rows, bool *cleared)
{
    uint32_t *todo = mem_new(w->task_count * sizeof *todo);
    uint32_t count = 0;
    memset(cleared, 0, w->task_count * sizeof *cleared);
    for (uint32_t i = 0; i < w->task_count; i++)
        if (is_to_clear(rows[i].state)) {
            cleared[i] = true;
            todo[count++] = i;
        }
    for (uint32_t done = 0; done < count; done++) {
        const struct task *t = &w->tasks[todo[done]];
        for (uint32_t i = 0; i < t->down_count; i++)
            if (!cleared[t->down[i]]) {
                cleared[t->down[i]] = true;
                todo[count++] = t->down[i];
            }
    }
    for (uint32_t i = 0; i < count; i++) {
        struct task_row *row = &rows[todo[i]];
        ASSERT(task_may_move(row->state, TASK_PENDING, true));
        *row = (struct task_row){.state = TASK_PENDING, .attempts = row->attempts};
    }
    free(todo);
    return count;
}
