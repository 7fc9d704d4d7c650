/* SPDX-License-Identifier: MIT
 *
 * executor/rules.h: what the language says about tasks and runs.
 *
 * Questions with one answer: may this task run, how did this attempt end for
 * its task, when is the next try due, how did the run end, what does a rerun
 * begin again. No memory, no order of events: those are core.c's. */
#ifndef EXECUTOR_RULES_H
#define EXECUTOR_RULES_H

#include "executor/core.h"

/* One task of one run, as the core remembers it. There may be 100,000. */
struct node {
    uint8_t state;          /* enum task_state */
    uint8_t reason;         /* enum reason */
    uint8_t wait;           /* enum wait_code */
    bool live : 1;          /* a keeper may hold attempt `try`: it takes a slot */
    bool tried : 1;         /* attempt `try` was handed out */
    bool listed : 1;        /* it is in its run's heap of ready tasks */
    bool has_exit_code : 1; /* of the last attempt */
    uint32_t waiting;       /* parents not over yet */
    uint32_t try;           /* the attempt going on, or the next; from 1 */
    uint32_t charged;       /* failed attempts since the run was created or cleared */
    int32_t exit_code;
    uint32_t next; /* in the worklist of a cascade */
    ms_t since;    /* queued: since when; retrying: not before */
};
_Static_assert(sizeof(struct node) <= 32,
               "with its place in a heap, a waiting task takes 56 bytes");

struct ruling {
    enum task_state state;
    enum reason reason;
};

/* What becomes of a task whose parents are all over: TASK_QUEUED (it may run),
 * TASK_SKIPPED, TASK_UPSTREAM_FAILED or TASK_FAILED, and why. Without a
 * condition it runs unless a parent is broken, and if some parent succeeded
 * or there is none; a parent whose failure is allowed is not asked. */
struct ruling rule_join(const struct workflow *w, const struct node *nodes, uint32_t task);

/* What an attempt's end means for its task before retries: TASK_SUCCESS,
 * TASK_FAILED or TASK_CANCELLED. */
struct ruling rule_end(const struct task *t, const struct exec_ended *end, bool run_cancelled);

/* `delay` plus or minus a tenth, by chance drawn from the attempt's name: the
 * same decision taken again gives the same instant. */
ms_t rule_jitter(struct attempt a, ms_t delay);

/* How a run ended whose tasks are all over: a function of their states. */
enum run_state rule_verdict(const struct workflow *w, const struct node *nodes, bool *degraded);

#endif
