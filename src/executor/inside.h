/* SPDX-License-Identifier: MIT
 *
 * executor/inside.h: what the files of the core share, and nobody else sees.
 *
 *     core.c      the lever: one event, its effects
 *     runs.c      runs begin, stand in line, are cancelled and end
 *     attempts.c  attempts begin and end; other tries come due
 *     settle.c    a task is over: what follows for its children
 *     slots.c     who may run now, in which order
 *     rules.c     what the language says */
#ifndef EXECUTOR_INSIDE_H
#define EXECUTOR_INSIDE_H

#include "base/map.h"
#include "executor/core.h"
#include "executor/heap.h"
#include "executor/rules.h"

enum { NO_TASK = UINT32_MAX };

/* The runs of one workflow stand in line. */
struct lane {
    uint32_t running;
    bool due; /* it is in executor_core.lanes_due */
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
    bool offered;   /* `offer` is its valid entry in executor_core.offers */
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

/* A first-in first-out list of tasks that are over and whose children have not
 * heard of it, threaded through their nodes. */
struct worklist {
    uint32_t head, tail;
};

/* Queued, and not handed out. */
static inline bool node_is_ready(const struct node *n)
{
    return n->state == TASK_QUEUED && !n->live;
}

/* The attempt of a task that goes on, or the next one. */
static inline struct attempt exec_current(const struct run *r, uint32_t task)
{
    return (struct attempt){.run = r->id, .task = task, .try = r->nodes[task].try};
}

/* effects.c: saying what follows. */
struct exec_effect *exec_emit(struct exec_effects *fx, enum exec_effect_kind kind);
struct task_row exec_row(const struct node *n);
void exec_emit_task(const struct run *r, uint32_t task, struct exec_effects *fx);
struct exec_effect *exec_emit_run(const struct run *r, struct exec_effects *fx);
void exec_emit_stop(struct attempt a, enum end_cause cause, struct exec_effects *fx);

/* slots.c. A slot is taken and given back here alone. */
void exec_hold(struct executor_core *x, struct run *r, struct node *n);
void exec_release(struct executor_core *x, struct run *r, struct node *n);
void exec_list_ready(struct executor_core *x, struct run *r, uint32_t task);
void exec_stray_add(struct executor_core *x, struct attempt a);
void exec_stray_take(struct executor_core *x, struct attempt a);
bool exec_has_stray(const struct executor_core *x, int64_t run);
void exec_dispatch(struct executor_core *x, ms_t now, struct exec_effects *fx);
void exec_on_slots(struct executor_core *x, uint32_t slots, struct exec_effects *fx);

/* settle.c. */
void exec_move(struct run *r, uint32_t task, struct ruling to);
void exec_queue_task(struct executor_core *x, struct run *r, uint32_t task, ms_t since);
void exec_finish_task(struct run *r, uint32_t task, struct ruling how, struct worklist *todo,
                      struct exec_effects *fx);
void exec_decide(struct executor_core *x, struct run *r, uint32_t task, ms_t now,
                 struct worklist *todo, struct exec_effects *fx);
void exec_cascade(struct executor_core *x, struct run *r, ms_t now, struct worklist *todo,
                  struct exec_effects *fx);
void exec_settle(struct executor_core *x, struct run *r, uint32_t task, struct ruling how, ms_t now,
                 struct exec_effects *fx);

/* runs.c. exec_finish_if_over() may free the run. */
void exec_run_free(struct run *r);
void exec_lane_wake(struct executor_core *x, struct lane *lane);
void exec_finish_if_over(struct executor_core *x, struct run *r, struct exec_effects *fx);
void exec_admit(struct executor_core *x, struct run *r, ms_t now, struct exec_effects *fx);
void exec_admit_all(struct executor_core *x, ms_t now, struct exec_effects *fx);
void exec_sweep(struct executor_core *x, struct run *r, struct exec_effects *fx);
void exec_on_created(struct executor_core *x, const struct exec_created *c, ms_t now,
                     struct exec_effects *fx);
void exec_on_cancel(struct executor_core *x, int64_t run, struct exec_effects *fx);

/* attempts.c. */
void exec_on_started(struct executor_core *x, struct attempt a, ms_t now, struct exec_effects *fx);
void exec_on_ended(struct executor_core *x, const struct exec_ended *end, ms_t now,
                   struct exec_effects *fx);
void exec_on_stalled(struct executor_core *x, struct attempt a, struct exec_effects *fx);
void exec_on_tick(struct executor_core *x, ms_t now);
void exec_trim_retries(struct executor_core *x); /* the first one of the heap is a real one */

#endif
