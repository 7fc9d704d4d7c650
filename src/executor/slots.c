/* SPDX-License-Identifier: MIT
 *
 * executor/slots.c: who may run now.
 *
 * Each run has a heap of its ready tasks, and offers its best one if it may
 * have one more attempt alive; the best offer of all runs is handed out. So a
 * run at its limit holds up nobody, and nothing is looked at twice. A stray is
 * an attempt that lives and that nobody waits for: it has been told to stop,
 * and takes a slot until it has ended. */
#include "executor/inside.h"

static bool is_full(const struct run *r)
{
    return r->workflow->max_parallel && r->live >= r->workflow->max_parallel;
}

/* A node's place in the order of ready tasks. */
static struct heap_item place(const struct run *r, uint32_t task)
{
    return (struct heap_item){.task = task, .when = r->nodes[task].since, .run = r->id};
}

static void drop_stale(struct run *r)
{
    while (r->ready.count && !node_is_ready(&r->nodes[r->ready.at[0].task]))
        r->nodes[heap_pop(&r->ready).task].listed = false;
}

/* Put the run's best ready task among the offers, if it may have one more. A
 * run has one valid offer; a better one makes the former stale. */
static void offer(struct executor_core *x, struct run *r)
{
    drop_stale(r);
    if (!r->ready.count || is_full(r))
        return;
    if (r->offered && !heap_before(&r->ready.at[0], &r->offer))
        return;
    r->offer = r->ready.at[0];
    r->offered = true;
    heap_push(&x->offers, r->offer);
}

void exec_list_ready(struct executor_core *x, struct run *r, uint32_t task)
{
    if (!r->nodes[task].listed) {
        r->nodes[task].listed = true;
        heap_push(&r->ready, place(r, task));
    }
    offer(x, r);
}

void exec_hold(struct executor_core *x, struct run *r, struct node *n)
{
    if (n->live)
        return;
    n->live = true;
    n->tried = true;
    r->live++;
    x->live++;
}

void exec_release(struct executor_core *x, struct run *r, struct node *n)
{
    if (!n->live)
        return;
    ASSERT(x->live > 0 && r->live > 0);
    n->live = false;
    r->live--;
    x->live--;
    offer(x, r);
}

static size_t stray_find(const struct executor_core *x, struct attempt a)
{
    size_t i = 0;
    while (i < x->stray_count && !attempt_eq(x->strays[i], a))
        i++;
    return i;
}

void exec_stray_add(struct executor_core *x, struct attempt a)
{
    if (stray_find(x, a) < x->stray_count)
        return;
    x->strays = mem_grow(x->strays, &x->stray_cap, x->stray_count + 1, sizeof *x->strays);
    x->strays[x->stray_count++] = a;
    x->live++;
}

void exec_stray_take(struct executor_core *x, struct attempt a)
{
    size_t i = stray_find(x, a);
    if (i == x->stray_count)
        return;
    x->strays[i] = x->strays[--x->stray_count];
    ASSERT(x->live > 0);
    x->live--;
    struct run *r = map_get(&x->runs, a.run);
    if (r)
        exec_lane_wake(x, r->lane);
}

bool exec_has_stray(const struct executor_core *x, int64_t run)
{
    for (size_t i = 0; i < x->stray_count; i++)
        if (x->strays[i].run == run)
            return true;
    return false;
}

static void hand_out(struct executor_core *x, struct run *r, uint32_t task, struct exec_effects *fx)
{
    struct node *n = &r->nodes[task];
    ASSERT(node_is_ready(n) && !n->tried && r->admitted && !r->cancelled);
    n->wait = WAIT_NONE;
    exec_hold(x, r, n);
    exec_emit_task(r, task, fx);
    exec_emit(fx, EXEC_START)->attempt = exec_current(r, task);
}

/* The best offer that still stands, or NULL. */
static struct run *best_offer(struct executor_core *x)
{
    while (x->offers.count) {
        struct heap_item item = heap_pop(&x->offers);
        struct run *r = map_get(&x->runs, item.run);
        if (!r || !r->offered || memcmp(&item, &r->offer, sizeof item) != 0)
            continue;
        r->offered = false;
        drop_stale(r);
        if (r->ready.count && !is_full(r))
            return r;
    }
    return NULL;
}

static void announce_waiting(struct executor_core *x, struct exec_effects *fx)
{
    for (size_t i = 0; i < x->fresh_count; i++) {
        struct run *r = map_get(&x->runs, x->fresh[i].run);
        struct node *n = r ? &r->nodes[x->fresh[i].task] : NULL;
        if (!n || !node_is_ready(n))
            continue;
        n->wait = is_full(r) ? WAIT_MAX_PARALLEL : WAIT_SLOTS;
        exec_emit_task(r, x->fresh[i].task, fx);
    }
    x->fresh_count = 0;
}

void exec_dispatch(struct executor_core *x, ms_t now, struct exec_effects *fx)
{
    if (x->slots > 0)
        exec_admit_all(x, now, fx);
    for (struct run *r; x->live < x->slots && (r = best_offer(x));) {
        uint32_t task = heap_pop(&r->ready).task;
        r->nodes[task].listed = false;
        hand_out(x, r, task, fx);
        offer(x, r);
    }
    announce_waiting(x, fx);
}

/* What was said to the keeper and not confirmed may have been lost with the
 * connection, or with a daemon before us. */
static void say_again(const struct run *r, struct exec_effects *fx)
{
    for (uint32_t i = 0; r->live > 0 && i < r->workflow->task_count; i++) {
        const struct node *n = &r->nodes[i];
        if (!n->live)
            continue;
        if (r->cancelled || task_is_over(n->state))
            exec_emit_stop(exec_current(r, i), CAUSE_STOPPED, fx);
        else if (n->state == TASK_QUEUED)
            exec_emit(fx, EXEC_START)->attempt = exec_current(r, i);
    }
}

static int run_order(const void *a, const void *b)
{
    const struct run *const *l = a, *const *r = b;
    return ((*l)->id > (*r)->id) - ((*l)->id < (*r)->id);
}

static struct run **runs_in_order(const struct executor_core *x, size_t *count)
{
    struct run **runs = mem_new(x->runs.count * sizeof(struct run *));
    *count = 0;
    for (struct map_slot *s = NULL; (s = map_each(&x->runs, s));)
        runs[(*count)++] = s->value;
    qsort(runs, *count, sizeof(struct run *), run_order);
    return runs;
}

void exec_on_slots(struct executor_core *x, uint32_t slots, struct exec_effects *fx)
{
    bool back = x->slots == 0 && slots > 0;
    x->slots = slots;
    if (!back)
        return;
    x->heard = true;
    size_t count;
    struct run **runs = runs_in_order(x, &count);
    for (size_t i = 0; i < count; i++) {
        if (runs[i]->cancelled && !runs[i]->swept)
            exec_sweep(x, runs[i], fx);
        else
            say_again(runs[i], fx);
    }
    free(runs);
    for (size_t i = 0; i < x->stray_count; i++)
        exec_emit_stop(x->strays[i], CAUSE_STOPPED, fx);
}
