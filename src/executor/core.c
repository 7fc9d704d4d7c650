/* SPDX-License-Identifier: MIT
 *
 * executor/core.c: one event, and what follows from it.
 *
 * A run is an array of nodes, one a task, and each node counts its parents
 * that are not over: an end costs its out-degree and nothing is searched.
 *
 *     pending ──rule_join()──> ready heap of the run ──> offers ──> handed out
 *        ^                          ^                                   |
 *        |                     retries, by due time <──a failure────────|
 *        └────── settle.c: children whose last parent is over <── end ──┘
 *
 * What must stay true:
 *
 *   - a slot is a live node or a stray; `live` counts exactly those, and only
 *     slots.c changes it;
 *   - a state moves only along task_may_move();
 *   - heaps hold hints. Whether a task is ready or a retry is due is said by
 *     its node alone, so a heap may be late but cannot be wrong;
 *   - a run is forgotten only when all its tasks are over and none is live.
 *
 * Tested by tests/unit/executor and lived through by tests/sim. */
#include "executor/inside.h"

struct executor_core *executor_core_new(uint32_t limit)
{
    ASSERT(limit > 0);
    struct executor_core *x = mem_new(sizeof *x);
    x->limit = limit;
    return x;
}

void executor_core_free(struct executor_core *x)
{
    if (!x)
        return;
    for (struct map_slot *s = NULL; (s = map_each(&x->runs, s));)
        exec_run_free(s->value);
    for (struct map_slot *s = NULL; (s = map_each(&x->lanes, s));) {
        heap_done(&((struct lane *)s->value)->queue);
        free(s->value);
    }
    map_free(&x->runs);
    map_free(&x->lanes);
    heap_done(&x->offers);
    heap_done(&x->retries);
    free(x->lanes_due);
    free(x->fresh);
    free(x->strays);
    free(x);
}

void executor_core_step(struct executor_core *x, const struct exec_event *ev,
                        struct exec_effects *fx)
{
    switch (ev->kind) {
    case EXEC_RUN_CREATED: exec_on_created(x, &ev->created, ev->now, fx); break;
    case EXEC_RUN_CANCEL: exec_on_cancel(x, ev->run, fx); break;
    case EXEC_TASK_STARTED: exec_on_started(x, ev->attempt, ev->now, fx); break;
    case EXEC_TASK_ENDED: exec_on_ended(x, &ev->ended, ev->now, fx); break;
    case EXEC_TASK_STALLED: exec_on_stalled(x, ev->attempt, fx); break;
    case EXEC_SLOTS: exec_on_slots(x, ev->slots, fx); break;
    case EXEC_TICK: exec_on_tick(x, ev->now); break;
    case EXEC_DISPATCH: exec_dispatch(x, ev->now, fx); break;
    }
    exec_trim_retries(x);
}

ms_t executor_core_deadline(const struct executor_core *x)
{
    return x->retries.count ? x->retries.at[0].when : MS_NEVER;
}

uint32_t executor_core_live(const struct executor_core *x)
{
    return x->live;
}

bool executor_core_has_run(const struct executor_core *x, int64_t run)
{
    return map_get(&x->runs, run) != NULL;
}

bool executor_core_task(const struct executor_core *x, int64_t run, uint32_t task,
                        struct task_row *out)
{
    const struct run *r = map_get(&x->runs, run);
    if (!r || task >= r->workflow->task_count)
        return false;
    *out = exec_row(&r->nodes[task]);
    return true;
}

/* ---- for tests ---- */

static uint32_t run_check(const struct run *r)
{
    uint32_t left = 0, live = 0;
    for (uint32_t i = 0; i < r->workflow->task_count; i++) {
        const struct node *n = &r->nodes[i];
        const struct task *t = &r->workflow->tasks[i];
        uint32_t waiting = 0;
        for (uint32_t u = 0; u < t->up_count; u++)
            waiting += !task_is_over(r->nodes[t->up[u]].state);
        ASSERT(r->cancelled || n->waiting == waiting);
        ASSERT(!n->live || n->tried);
        ASSERT(n->state != TASK_RUNNING || n->live);
        ASSERT(!r->admitted || r->cancelled || !node_is_ready(n) || n->listed);
        ASSERT(n->charged <= t->retries + 1 && n->charged <= n->try);
        left += !task_is_over(n->state);
        live += n->live;
    }
    ASSERT(left == r->left && live == r->live && left + live > 0);
    ASSERT(r->admitted == (r->state == RUN_RUNNING) || r->cancelled);
    return live;
}

void executor_core_check(const struct executor_core *x)
{
    uint32_t live = (uint32_t)x->stray_count;
    for (struct map_slot *s = NULL; (s = map_each(&x->runs, s));)
        live += run_check(s->value);
    ASSERT(live == x->live);
}
