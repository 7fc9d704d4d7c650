/* SPDX-License-Identifier: MIT
 *
 * executor/runs.c: runs begin, stand in line, are cancelled and end. */
#include "executor/inside.h"

void exec_run_free(struct run *r)
{
    heap_done(&r->ready);
    free(r);
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

void exec_lane_wake(struct executor_core *x, struct lane *lane)
{
    if (lane->due)
        return;
    lane->due = true;
    x->lanes_due =
        mem_grow(x->lanes_due, &x->lanes_due_cap, x->lanes_due_count + 1, sizeof(struct lane *));
    x->lanes_due[x->lanes_due_count++] = lane;
}

void exec_finish_if_over(struct executor_core *x, struct run *r, struct exec_effects *fx)
{
    if (r->left > 0 || r->live > 0)
        return;
    bool degraded;
    r->state = rule_verdict(r->workflow, r->nodes, &degraded);
    exec_emit_run(r, fx)->run.degraded = degraded;
    if (r->admitted) {
        ASSERT(r->lane->running > 0);
        r->lane->running--;
    }
    exec_lane_wake(x, r->lane);
    map_take(&x->runs, r->id);
    exec_run_free(r);
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
            exec_hold(x, r, n);
    }
    for (uint32_t i = 0; i < r->workflow->task_count; i++) {
        const struct task *t = &r->workflow->tasks[i];
        for (uint32_t u = 0; u < t->up_count; u++)
            r->nodes[i].waiting += !task_is_over(r->nodes[t->up[u]].state);
        r->left += !task_is_over(r->nodes[i].state);
    }
}

/* The run begins, or goes on after a restart. */
void exec_admit(struct executor_core *x, struct run *r, ms_t now, struct exec_effects *fx)
{
    ASSERT(!r->admitted && !r->cancelled);
    r->admitted = true;
    r->lane->running++;
    struct worklist todo = {NO_TASK, NO_TASK};
    bool begins = r->state == RUN_QUEUED;
    if (begins) {
        r->state = RUN_RUNNING;
        exec_emit_run(r, fx);
    }
    for (uint32_t i = 0; i < r->workflow->task_count; i++) {
        struct node *n = &r->nodes[i];
        if (node_is_ready(n))
            exec_list_ready(x, r, i);
        else if (n->state == TASK_RETRYING)
            heap_push(&x->retries, (struct heap_item){.task = i, .when = n->since, .run = r->id});
        else if (n->state == TASK_PENDING && n->waiting == 0)
            exec_decide(x, r, i, now, &todo, fx);
        exec_cascade(x, r, now, &todo, fx);
    }
}

void exec_on_created(struct executor_core *x, const struct exec_created *c, ms_t now,
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
        exec_admit(x, r, now, fx);
        exec_finish_if_over(x, r, fx);
        return;
    }
    if (r->state == RUN_RUNNING) {
        r->admitted = true;
        r->lane->running++;
        return;
    }
    heap_push(&r->lane->queue, (struct heap_item){.run = r->id});
    exec_lane_wake(x, r->lane);
}

/* What does not live is over; what lives is told to stop. */
void exec_sweep(struct executor_core *x, struct run *r, struct exec_effects *fx)
{
    r->swept = true;
    struct worklist unused = {NO_TASK, NO_TASK};
    for (uint32_t i = 0; i < r->workflow->task_count; i++) {
        if (r->nodes[i].live)
            exec_emit_stop(exec_current(r, i), CAUSE_STOPPED, fx);
        else if (!task_is_over(r->nodes[i].state))
            exec_finish_task(r, i, (struct ruling){TASK_CANCELLED, REASON_CANCELLED}, &unused, fx);
    }
    exec_finish_if_over(x, r, fx);
}

void exec_on_cancel(struct executor_core *x, int64_t run, struct exec_effects *fx)
{
    struct run *r = map_get(&x->runs, run);
    if (!r || r->swept)
        return;
    r->cancelled = true;
    if (x->heard)
        exec_sweep(x, r, fx);
}

static void admit_next(struct executor_core *x, struct lane *lane, ms_t now,
                       struct exec_effects *fx)
{
    while (lane->running < x->limit && lane->queue.count) {
        struct run *r = map_get(&x->runs, heap_pop(&lane->queue).run);
        if (!r || r->admitted || r->cancelled)
            continue;
        if (exec_has_stray(x, r->id)) { /* begun again while an attempt of then still dies */
            heap_push(&lane->queue, (struct heap_item){.run = r->id});
            return;
        }
        exec_admit(x, r, now, fx);
        exec_finish_if_over(x, r, fx);
    }
}

void exec_admit_all(struct executor_core *x, ms_t now, struct exec_effects *fx)
{
    while (x->lanes_due_count) {
        struct lane *lane = x->lanes_due[--x->lanes_due_count];
        lane->due = false;
        admit_next(x, lane, now, fx);
    }
}
