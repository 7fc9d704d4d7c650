/* SPDX-License-Identifier: MIT
 *
 * executor/core.c: runs, slots and the order of things.
 *
 * A run is an array of nodes, one a task, and each node counts its parents
 * that are not over: an end costs its out-degree and nothing is searched.
 *
 *     pending ──rule_join()──> ready heap of the run ──> offers ──> handed out
 *        ^                          ^                                   |
 *        |                     retries, by due time <──a failure────────|
 *        └────── settle(): children whose last parent is over <── end ──┘
 *
 * What must stay true:
 *
 *   - a slot is a live node or a stray; `live` counts exactly those, and only
 *     hold() and release(), stray_add() and stray_take() change it;
 *   - a state moves only along task_may_move();
 *   - heaps hold hints. Whether a task is ready or a retry is due is said by
 *     its node alone, so a heap may be late but cannot be wrong;
 *   - a run is forgotten only when all its tasks are over and none is live.
 *
 * Tested by tests/unit/executor and lived through by tests/sim. */
#include "executor/core.h"

#include "base/map.h"
#include "executor/heap.h"
#include "executor/rules.h"

enum {
    NO_TASK = UINT32_MAX,
    REFUSED_DELAY_MS = 1000, /* a keeper that refuses is given time to recover */
};

/* The runs of one workflow stand in line. */
struct lane {
    uint32_t running;
    bool due; /* it is in executor.lanes_due */
    struct heap queue;
};

struct run {
    int64_t id;
    const struct workflow *workflow;
    struct lane *lane;
    enum run_state state;
    bool admitted;
    bool cancelled; /* nothing more is decided for it */
    bool swept;     /* what did not live when it was cancelled is over */
    bool offered;   /* `offer` is its valid entry in executor.offers */
    struct heap_item offer;
    uint32_t left; /* nodes not over */
    uint32_t live;
    struct heap ready;
    struct node nodes[];
};

/* A task that became queued and has not yet been spoken of. */
struct fresh {
    int64_t run;
    uint32_t task;
};

struct executor_core {
    uint32_t slots, live, limit;
    bool heard; /* a keeper has told its journal since we began */
    struct map runs, lanes;
    struct lane **lanes_due;
    size_t lanes_due_count, lanes_due_cap;
    struct heap offers;  /* the best ready task of each run that may have one more */
    struct heap retries; /* by due time */
    struct fresh *fresh;
    size_t fresh_count, fresh_cap;
    struct attempt *strays; /* alive, and of no run we know or no longer its current try */
    size_t stray_count, stray_cap;
};

struct executor_core *executor_core_new(uint32_t limit)
{
    ASSERT(limit > 0);
    struct executor_core *x = mem_new(sizeof *x);
    x->limit = limit;
    return x;
}

static void run_free(struct run *r)
{
    heap_done(&r->ready);
    free(r);
}

void executor_core_free(struct executor_core *x)
{
    if (!x)
        return;
    for (struct map_slot *s = NULL; (s = map_each(&x->runs, s));)
        run_free(s->value);
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

/* ---- saying what follows ---- */

static struct exec_effect *emit(struct exec_effects *fx, enum exec_effect_kind kind)
{
    fx->at = mem_grow(fx->at, &fx->cap, fx->count + 1, sizeof *fx->at);
    struct exec_effect *f = &fx->at[fx->count++];
    *f = (struct exec_effect){.kind = kind};
    return f;
}

static struct task_row row_of(const struct node *n)
{
    return (struct task_row)
    {
        .state = n->state, .reason = n->reason, .wait = n->wait,
        .handed = n->state == TASK_QUEUED && n->live, .attempts = n->tried ? n->
        try : n
            ->try - 1, .charged = n->charged, .has_exit_code = n->has_exit_code,
                       .exit_code = n->exit_code, .since = n->since,
    };
}

static void emit_task(const struct run *r, uint32_t task, struct exec_effects *fx)
{
    struct exec_effect *f = emit(fx, EXEC_SET_TASK);
    f->task.run = r->id;
    f->task.task = task;
    f->task.row = row_of(&r->nodes[task]);
}

static struct exec_effect *emit_run(const struct run *r, struct exec_effects *fx)
{
    struct exec_effect *f = emit(fx, EXEC_SET_RUN);
    f->run.id = r->id;
    f->run.state = r->state;
    for (uint32_t i = 0; i < r->workflow->task_count; i++)
        f->run.counts[r->nodes[i].state]++;
    return f;
}

static struct attempt current(const struct run *r, uint32_t task)
{
    return (struct attempt){.run = r->id, .task = task, .try = r->nodes[task].try};
}

static void emit_stop(struct attempt a, enum end_cause cause, struct exec_effects *fx)
{
    struct exec_effect *f = emit(fx, EXEC_STOP);
    f->stop.attempt = a;
    f->stop.cause = cause;
}

/* ---- slots ---- */

static bool is_full(const struct run *r)
{
    return r->workflow->max_parallel && r->live >= r->workflow->max_parallel;
}

/* A node's place in the order of ready tasks. */
static struct heap_item place(const struct run *r, uint32_t task)
{
    return (struct heap_item){.task = task, .when = r->nodes[task].since, .run = r->id};
}

static bool is_ready(const struct node *n)
{
    return n->state == TASK_QUEUED && !n->live;
}

static void drop_stale(struct run *r)
{
    while (r->ready.count && !is_ready(&r->nodes[r->ready.at[0].task]))
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

static void hold(struct executor_core *x, struct run *r, struct node *n)
{
    if (n->live)
        return;
    n->live = true;
    n->tried = true;
    r->live++;
    x->live++;
}

static void release(struct executor_core *x, struct run *r, struct node *n)
{
    if (!n->live)
        return;
    ASSERT(x->live > 0 && r->live > 0);
    n->live = false;
    r->live--;
    x->live--;
    offer(x, r);
}

static struct lane *lane_of(struct executor_core *x, int64_t workflow_id)
{
    struct lane *lane = map_get(&x->lanes, workflow_id);
    if (!lane) {
        lane = mem_new(sizeof *lane);
        map_put(&x->lanes, workflow_id, lane);
    }
    return lane;
}

static void lane_wake(struct executor_core *x, struct lane *lane)
{
    if (lane->due)
        return;
    lane->due = true;
    x->lanes_due =
        mem_grow(x->lanes_due, &x->lanes_due_cap, x->lanes_due_count + 1, sizeof(struct lane *));
    x->lanes_due[x->lanes_due_count++] = lane;
}

static size_t stray_find(const struct executor_core *x, struct attempt a)
{
    size_t i = 0;
    while (i < x->stray_count && !attempt_eq(x->strays[i], a))
        i++;
    return i;
}

static void stray_add(struct executor_core *x, struct attempt a)
{
    if (stray_find(x, a) < x->stray_count)
        return;
    x->strays = mem_grow(x->strays, &x->stray_cap, x->stray_count + 1, sizeof *x->strays);
    x->strays[x->stray_count++] = a;
    x->live++;
}

static void stray_take(struct executor_core *x, struct attempt a)
{
    size_t i = stray_find(x, a);
    if (i == x->stray_count)
        return;
    x->strays[i] = x->strays[--x->stray_count];
    ASSERT(x->live > 0);
    x->live--;
    struct run *r = map_get(&x->runs, a.run);
    if (r)
        lane_wake(x, r->lane);
}

static bool has_stray(const struct executor_core *x, int64_t run)
{
    for (size_t i = 0; i < x->stray_count; i++)
        if (x->strays[i].run == run)
            return true;
    return false;
}

/* ---- states ---- */

static void move(struct run *r, uint32_t task, struct ruling to)
{
    struct node *n = &r->nodes[task];
    ASSERT(task_may_move(n->state, to.state, false));
    n->state = (uint8_t)to.state;
    n->reason = (uint8_t)to.reason;
    n->wait = WAIT_NONE;
}

static void list_ready(struct executor_core *x, struct run *r, uint32_t task)
{
    if (!r->nodes[task].listed) {
        r->nodes[task].listed = true;
        heap_push(&r->ready, place(r, task));
    }
    offer(x, r);
}

/* The task may run. What the store is told depends on whether a slot is free,
 * so it is told by dispatch(). */
static void queue_task(struct executor_core *x, struct run *r, uint32_t task, ms_t since)
{
    move(r, task, (struct ruling){TASK_QUEUED, REASON_NONE});
    r->nodes[task].since = since;
    list_ready(x, r, task);
    x->fresh = mem_grow(x->fresh, &x->fresh_cap, x->fresh_count + 1, sizeof *x->fresh);
    x->fresh[x->fresh_count++] = (struct fresh){r->id, task};
}

/* A first-in first-out list of tasks that are over and whose children have not
 * heard of it, threaded through their nodes. */
struct worklist {
    uint32_t head, tail;
};

static void finish_task(struct run *r, uint32_t task, struct ruling how, struct worklist *todo,
                        struct exec_effects *fx)
{
    move(r, task, how);
    ASSERT(r->left > 0);
    r->left--;
    emit_task(r, task, fx);
    r->nodes[task].next = NO_TASK;
    if (todo->head == NO_TASK)
        todo->head = task;
    else
        r->nodes[todo->tail].next = task;
    todo->tail = task;
}

/* All parents of a pending task are over: say what becomes of it. */
static void decide(struct executor_core *x, struct run *r, uint32_t task, ms_t now,
                   struct worklist *todo, struct exec_effects *fx)
{
    ASSERT(r->nodes[task].waiting == 0 && !r->cancelled);
    struct ruling how = rule_join(r->workflow, r->nodes, task);
    if (how.state == TASK_QUEUED)
        queue_task(x, r, task, now);
    else
        finish_task(r, task, how, todo, fx);
}

/* Tell the children of all in the list, and theirs. A chain of skips is as long
 * as somebody's workflow, so this walks rather than recurses. */
static void cascade(struct executor_core *x, struct run *r, ms_t now, struct worklist *todo,
                    struct exec_effects *fx)
{
    for (; todo->head != NO_TASK; todo->head = r->nodes[todo->head].next) {
        const struct task *t = &r->workflow->tasks[todo->head];
        for (uint32_t i = 0; i < t->down_count; i++) {
            struct node *d = &r->nodes[t->down[i]];
            ASSERT(d->waiting > 0);
            if (--d->waiting == 0 && d->state == TASK_PENDING && r->admitted && !r->cancelled)
                decide(x, r, t->down[i], now, todo, fx);
        }
    }
}

static void settle(struct executor_core *x, struct run *r, uint32_t task, struct ruling how,
                   ms_t now, struct exec_effects *fx)
{
    struct worklist todo = {NO_TASK, NO_TASK};
    finish_task(r, task, how, &todo, fx);
    cascade(x, r, now, &todo, fx);
}

/* ---- runs ---- */

static void finish_if_over(struct executor_core *x, struct run *r, struct exec_effects *fx)
{
    if (r->left > 0 || r->live > 0)
        return;
    bool degraded;
    r->state = rule_verdict(r->workflow, r->nodes, &degraded);
    emit_run(r, fx)->run.degraded = degraded;
    if (r->admitted) {
        ASSERT(r->lane->running > 0);
        r->lane->running--;
    }
    lane_wake(x, r->lane);
    map_take(&x->runs, r->id);
    run_free(r);
}

static void node_load(struct node *n, const struct task_row *row)
{
    bool handed = row->state == TASK_RUNNING || (row->state == TASK_QUEUED && row->handed);
    bool tried = row->attempts > 0 && (handed || task_is_over(row->state));
    *n = (struct node){
        .state = (uint8_t)row->state,
        .reason = (uint8_t)row->reason,
        .wait = (uint8_t)row->wait,
        .tried = tried,
        .has_exit_code = row->has_exit_code,
        .try = tried ? row->attempts : row->attempts + 1,
        .charged = row->charged,
        .exit_code = row->exit_code,
        .since = row->since,
    };
    ASSERT(!handed || tried);
}

static void nodes_load(struct executor_core *x, struct run *r, const struct task_row *rows)
{
    for (uint32_t i = 0; i < r->workflow->task_count; i++) {
        struct node *n = &r->nodes[i];
        if (rows)
            node_load(n, &rows[i]);
        else
            *n = (struct node){.state = TASK_PENDING, .try = 1};
        if (!task_is_over(n->state) && n->tried)
            hold(x, r, n);
    }
    for (uint32_t i = 0; i < r->workflow->task_count; i++) {
        const struct task *t = &r->workflow->tasks[i];
        for (uint32_t u = 0; u < t->up_count; u++)
            r->nodes[i].waiting += !task_is_over(r->nodes[t->up[u]].state);
        r->left += !task_is_over(r->nodes[i].state);
    }
}

/* The run begins, or goes on after a restart. */
static void admit(struct executor_core *x, struct run *r, ms_t now, struct exec_effects *fx)
{
    ASSERT(!r->admitted && !r->cancelled);
    r->admitted = true;
    r->lane->running++;
    struct worklist todo = {NO_TASK, NO_TASK};
    bool begins = r->state == RUN_QUEUED;
    if (begins) {
        r->state = RUN_RUNNING;
        emit_run(r, fx);
    }
    for (uint32_t i = 0; i < r->workflow->task_count; i++) {
        struct node *n = &r->nodes[i];
        if (is_ready(n))
            list_ready(x, r, i);
        else if (n->state == TASK_RETRYING)
            heap_push(&x->retries, (struct heap_item){.task = i, .when = n->since, .run = r->id});
        else if (n->state == TASK_PENDING && n->waiting == 0)
            decide(x, r, i, now, &todo, fx);
        cascade(x, r, now, &todo, fx);
    }
}

static void on_created(struct executor_core *x, const struct exec_created *c, ms_t now,
                       struct exec_effects *fx)
{
    if (map_get(&x->runs, c->run))
        return;
    ASSERT(c->workflow->task_count > 0 && !run_is_over(c->state));
    struct run *r = mem_new(sizeof *r + c->workflow->task_count * sizeof r->nodes[0]);
    r->id = c->run;
    r->workflow = c->workflow;
    r->lane = lane_of(x, c->workflow_id);
    r->state = c->state;
    r->cancelled = c->cancelled;
    map_put(&x->runs, r->id, r);
    nodes_load(x, r, c->rows);
    if (r->state == RUN_RUNNING && !r->cancelled) {
        admit(x, r, now, fx);
        finish_if_over(x, r, fx);
        return;
    }
    if (r->state == RUN_RUNNING) {
        r->admitted = true;
        r->lane->running++;
        return;
    }
    heap_push(&r->lane->queue, (struct heap_item){.run = r->id});
    lane_wake(x, r->lane);
}

/* What does not live is over; what lives is told to stop. */
static void sweep(struct executor_core *x, struct run *r, struct exec_effects *fx)
{
    r->swept = true;
    struct worklist unused = {NO_TASK, NO_TASK};
    for (uint32_t i = 0; i < r->workflow->task_count; i++) {
        if (r->nodes[i].live)
            emit_stop(current(r, i), CAUSE_STOPPED, fx);
        else if (!task_is_over(r->nodes[i].state))
            finish_task(r, i, (struct ruling){TASK_CANCELLED, REASON_CANCELLED}, &unused, fx);
    }
    finish_if_over(x, r, fx);
}

static void on_cancel(struct executor_core *x, int64_t run, struct exec_effects *fx)
{
    struct run *r = map_get(&x->runs, run);
    if (!r || r->swept)
        return;
    r->cancelled = true;
    if (x->heard)
        sweep(x, r, fx);
}

/* ---- attempts ---- */

/* Another try, not before `due`. */
static void try_again(struct executor_core *x, struct run *r, uint32_t task, enum reason reason,
                      ms_t due, struct exec_effects *fx)
{
    struct node *n = &r->nodes[task];
    move(r, task, (struct ruling){TASK_RETRYING, reason});
    n->wait = WAIT_RETRY;
    n->since = due;
    n->try++;
    n->tried = false;
    emit_task(r, task, fx);
    heap_push(&x->retries, (struct heap_item){.task = task, .when = due, .run = r->id});
}

static void fail(struct executor_core *x, struct run *r, uint32_t task, enum reason reason, ms_t at,
                 ms_t now, struct exec_effects *fx)
{
    const struct task *t = &r->workflow->tasks[task];
    r->nodes[task].charged++;
    if (r->nodes[task].charged > t->retries)
        settle(x, r, task, (struct ruling){TASK_FAILED, reason}, now, fx);
    else
        try_again(x, r, task, reason, at + rule_jitter(current(r, task), t->retry_delay), fx);
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
    release(x, r, n);
    n->has_exit_code = false;
    fail(x, r, a.task, REASON_LOST, now, now, fx);
    finish_if_over(x, r, fx);
}

/* The run in which the attempt is its task's current one, ready to hear of it;
 * NULL: nobody waits for this attempt. */
static struct run *expect(struct executor_core *x, struct attempt a, ms_t now,
                          struct exec_effects *fx)
{
    catch_up(x, a, now, fx);
    struct run *r = find(x, a);
    if (r && !r->admitted && !r->cancelled)
        admit(x, r, now, fx); /* it had begun before a crash */
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

static void on_started(struct executor_core *x, struct attempt a, ms_t now, struct exec_effects *fx)
{
    if (has_ended(x, a))
        return;
    struct run *r = expect(x, a, now, fx);
    if (!r) {
        stray_add(x, a);
        emit_stop(a, CAUSE_STOPPED, fx);
        return;
    }
    struct node *n = &r->nodes[a.task];
    if (n->state == TASK_RUNNING)
        return;
    hold(x, r, n);
    if (!task_is_over(n->state))
        move(r, a.task, (struct ruling){TASK_RUNNING, REASON_NONE});
    emit_task(r, a.task, fx); /* one that is over learns that its number is taken */
    if (task_is_over(n->state) || r->cancelled)
        emit_stop(a, CAUSE_STOPPED, fx);
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
        move(r, task, (struct ruling){TASK_QUEUED, REASON_NONE});
    /* Before it is swept, a run's journal tells of the time before it was
     * cancelled too: then a failure may have led to another try. */
    bool by_cancel = r->swept || (r->cancelled && end->cause == CAUSE_STOPPED);
    struct ruling how = rule_end(&r->workflow->tasks[task], end, by_cancel);
    if (how.state == TASK_FAILED && end->how == END_REFUSED)
        try_again(x, r, task, how.reason, now + REFUSED_DELAY_MS, fx);
    else if (how.state == TASK_FAILED)
        fail(x, r, task, how.reason, MIN(end->at, now), now, fx);
    else
        settle(x, r, task, how, now, fx);
}

static void on_ended(struct executor_core *x, const struct exec_ended *end, ms_t now,
                     struct exec_effects *fx)
{
    stray_take(x, end->attempt);
    if (has_ended(x, end->attempt))
        return;
    struct run *r = expect(x, end->attempt, now, fx);
    if (!r)
        return;
    struct node *n = &r->nodes[end->attempt.task];
    bool known = n->tried;
    n->tried = true;
    release(x, r, n);
    if (!task_is_over(n->state))
        apply_end(x, r, end, now, fx);
    else if (!known)
        emit_task(r, end->attempt.task, fx);
    finish_if_over(x, r, fx);
}

static void on_stalled(struct executor_core *x, struct attempt a, struct exec_effects *fx)
{
    struct run *r = find(x, a);
    if (r && r->nodes[a.task].live && r->nodes[a.task].state == TASK_RUNNING)
        emit_stop(a, CAUSE_STALLED, fx);
}

/* ---- time and order ---- */

static bool is_retry(const struct executor_core *x, const struct heap_item *item)
{
    const struct run *r = map_get(&x->runs, item->run);
    if (!r || r->cancelled || item->task >= r->workflow->task_count)
        return false;
    const struct node *n = &r->nodes[item->task];
    return n->state == TASK_RETRYING && n->since == item->when;
}

static void on_tick(struct executor_core *x, ms_t now)
{
    while (x->retries.count && x->retries.at[0].when <= now) {
        struct heap_item item = heap_pop(&x->retries);
        if (is_retry(x, &item))
            queue_task(x, map_get(&x->runs, item.run), item.task, item.when);
    }
}

static void admit_next(struct executor_core *x, struct lane *lane, ms_t now,
                       struct exec_effects *fx)
{
    while (lane->running < x->limit && lane->queue.count) {
        struct run *r = map_get(&x->runs, heap_pop(&lane->queue).run);
        if (!r || r->admitted || r->cancelled)
            continue;
        if (has_stray(x, r->id)) { /* begun again while an attempt of then still dies */
            heap_push(&lane->queue, (struct heap_item){.run = r->id});
            return;
        }
        admit(x, r, now, fx);
        finish_if_over(x, r, fx);
    }
}

static void admit_all(struct executor_core *x, ms_t now, struct exec_effects *fx)
{
    while (x->lanes_due_count) {
        struct lane *lane = x->lanes_due[--x->lanes_due_count];
        lane->due = false;
        admit_next(x, lane, now, fx);
    }
}

static void hand_out(struct executor_core *x, struct run *r, uint32_t task, struct exec_effects *fx)
{
    struct node *n = &r->nodes[task];
    ASSERT(is_ready(n) && !n->tried && r->admitted && !r->cancelled);
    n->wait = WAIT_NONE;
    hold(x, r, n);
    emit_task(r, task, fx);
    emit(fx, EXEC_START)->attempt = current(r, task);
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
        if (!n || !is_ready(n))
            continue;
        n->wait = is_full(r) ? WAIT_MAX_PARALLEL : WAIT_SLOTS;
        emit_task(r, x->fresh[i].task, fx);
    }
    x->fresh_count = 0;
}

static void dispatch(struct executor_core *x, ms_t now, struct exec_effects *fx)
{
    if (x->slots > 0)
        admit_all(x, now, fx);
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
            emit_stop(current(r, i), CAUSE_STOPPED, fx);
        else if (n->state == TASK_QUEUED)
            emit(fx, EXEC_START)->attempt = current(r, i);
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

static void on_slots(struct executor_core *x, uint32_t slots, struct exec_effects *fx)
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
            sweep(x, runs[i], fx);
        else
            say_again(runs[i], fx);
    }
    free(runs);
    for (size_t i = 0; i < x->stray_count; i++)
        emit_stop(x->strays[i], CAUSE_STOPPED, fx);
}

void executor_core_step(struct executor_core *x, const struct exec_event *ev,
                        struct exec_effects *fx)
{
    switch (ev->kind) {
    case EXEC_RUN_CREATED: on_created(x, &ev->created, ev->now, fx); break;
    case EXEC_RUN_CANCEL: on_cancel(x, ev->run, fx); break;
    case EXEC_TASK_STARTED: on_started(x, ev->attempt, ev->now, fx); break;
    case EXEC_TASK_ENDED: on_ended(x, &ev->ended, ev->now, fx); break;
    case EXEC_TASK_STALLED: on_stalled(x, ev->attempt, fx); break;
    case EXEC_SLOTS: on_slots(x, ev->slots, fx); break;
    case EXEC_TICK: on_tick(x, ev->now); break;
    case EXEC_DISPATCH: dispatch(x, ev->now, fx); break;
    }
    while (x->retries.count && !is_retry(x, &x->retries.at[0]))
        heap_pop(&x->retries);
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
    *out = row_of(&r->nodes[task]);
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
        ASSERT(!r->admitted || r->cancelled || !is_ready(n) || n->listed);
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
