/* SPDX-License-Identifier: MIT
 *
 * executor/settle.c: a task is over, and what follows for its children. */
#include "executor/inside.h"

void exec_move(struct run *r, uint32_t task, struct ruling to)
{
    struct node *n = &r->nodes[task];
    ASSERT(task_may_move(n->state, to.state, false));
    n->state = (uint8_t)to.state;
    n->reason = (uint8_t)to.reason;
    n->wait = WAIT_NONE;
}

/* The task may run. What the store is told depends on whether a slot is free,
 * so it is told by exec_dispatch(). */
void exec_queue_task(struct executor_core *x, struct run *r, uint32_t task, ms_t since)
{
    exec_move(r, task, (struct ruling){TASK_QUEUED, REASON_NONE});
    r->nodes[task].since = since;
    exec_list_ready(x, r, task);
    x->fresh = mem_grow(x->fresh, &x->fresh_cap, x->fresh_count + 1, sizeof *x->fresh);
    x->fresh[x->fresh_count++] = (struct fresh){r->id, task};
}

void exec_finish_task(struct run *r, uint32_t task, struct ruling how, struct worklist *todo,
                      struct exec_effects *fx)
{
    exec_move(r, task, how);
    ASSERT(r->left > 0);
    r->left--;
    exec_emit_task(r, task, fx);
    r->nodes[task].next = NO_TASK;
    if (todo->head == NO_TASK)
        todo->head = task;
    else
        r->nodes[todo->tail].next = task;
    todo->tail = task;
}

/* All parents of a pending task are over: say what becomes of it. */
void exec_decide(struct executor_core *x, struct run *r, uint32_t task, ms_t now,
                 struct worklist *todo, struct exec_effects *fx)
{
    ASSERT(r->nodes[task].waiting == 0 && !r->cancelled);
    struct ruling how = rule_join(r->workflow, r->nodes, task);
    if (how.state == TASK_QUEUED)
        exec_queue_task(x, r, task, now);
    else
        exec_finish_task(r, task, how, todo, fx);
}

/* Tell the children of all in the list, and theirs. A chain of skips is as long
 * as somebody's workflow, so this walks rather than recurses. */
void exec_cascade(struct executor_core *x, struct run *r, ms_t now, struct worklist *todo,
                  struct exec_effects *fx)
{
    for (; todo->head != NO_TASK; todo->head = r->nodes[todo->head].next) {
        const struct task *t = &r->workflow->tasks[todo->head];
        for (uint32_t i = 0; i < t->down_count; i++) {
            struct node *d = &r->nodes[t->down[i]];
            ASSERT(d->waiting > 0);
            if (--d->waiting == 0 && d->state == TASK_PENDING && r->admitted && !r->cancelled)
                exec_decide(x, r, t->down[i], now, todo, fx);
        }
    }
}

void exec_settle(struct executor_core *x, struct run *r, uint32_t task, struct ruling how, ms_t now,
                 struct exec_effects *fx)
{
    struct worklist todo = {NO_TASK, NO_TASK};
    exec_finish_task(r, task, how, &todo, fx);
    exec_cascade(x, r, now, &todo, fx);
}
