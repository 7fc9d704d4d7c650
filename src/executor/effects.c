/* SPDX-License-Identifier: MIT */
#include "executor/inside.h"

struct exec_effect *exec_emit(struct exec_effects *fx, enum exec_effect_kind kind)
{
    fx->at = mem_grow(fx->at, &fx->cap, fx->count + 1, sizeof *fx->at);
    struct exec_effect *f = &fx->at[fx->count++];
    *f = (struct exec_effect){.kind = kind};
    return f;
}

struct task_row exec_row(const struct node *n)
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

void exec_emit_task(const struct run *r, uint32_t task, struct exec_effects *fx)
{
    struct exec_effect *f = exec_emit(fx, EXEC_SET_TASK);
    f->task.run = r->id;
    f->task.task = task;
    f->task.row = exec_row(&r->nodes[task]);
}

struct exec_effect *exec_emit_run(const struct run *r, struct exec_effects *fx)
{
    struct exec_effect *f = exec_emit(fx, EXEC_SET_RUN);
    f->run.id = r->id;
    f->run.state = r->state;
    for (uint32_t i = 0; i < r->workflow->task_count; i++)
        f->run.counts[r->nodes[i].state]++;
    return f;
}

void exec_emit_stop(struct attempt a, enum end_cause cause, struct exec_effects *fx)
{
    struct exec_effect *f = exec_emit(fx, EXEC_STOP);
    f->stop.attempt = a;
    f->stop.cause = cause;
}
