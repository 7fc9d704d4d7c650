/* SPDX-License-Identifier: MIT
 *
 * model/workflow.h: what a workflow is, once read and checked.
 *
 * A struct workflow is one immutable version of a definition: plain values, all
 * in one arena, shared by every room that needs them through the store's
 * version library. Tasks are named by their index; the graph is two index
 * arrays (compressed rows), frozen with the version. Every reference has been
 * checked: what is here can be run without a further look. */
#ifndef MODEL_WORKFLOW_H
#define MODEL_WORKFLOW_H

#include "model/state.h"

/* One try of one task instance of one run: the name of a piece of work inside
 * the daemon. `item` is 0 for an ordinary task. Tries count from 1. */
struct attempt {
    int64_t run;
    uint32_t task, item, try;
};
static inline bool attempt_eq(struct attempt a, struct attempt b)
{
    return a.run == b.run && a.task == b.task && a.item == b.item && a.try == b.try;
}

struct pair { /* NAME=value, for environments and parameters */
    struct str name, value;
};
struct pairs {
    const struct pair *at;
    uint32_t count;
};
struct strs {
    const struct str *at;
    uint32_t count;
};
struct codes { /* exit codes */
    const uint8_t *at;
    uint32_t count;
};

/* A compiled condition; see model/expr.h. */
struct expr;

enum allow_failure { ALLOW_UNSAID, ALLOW_NO, ALLOW_YES };

struct task {
    struct str name, description;
    struct str script;            /* shell text, byte for byte; absent if `command` is there */
    struct strs command;          /* argv; empty if `script` is there */
    struct str shell;             /* as written, absent: "/bin/sh -e" */
    struct str workdir;           /* as written, absent: the file's directory */
    struct pairs env;             /* the task's own, `defaults` merged in */
    const struct expr *condition; /* NULL: the default join rule of language 5 */
    struct str condition_text;    /* as written, absent: none */
    uint32_t retries;
    ms_t retry_delay, timeout, stall_timeout; /* 0: none (retry_delay: at once) */
    enum allow_failure allow_failure;
    struct codes success_exit_codes; /* {0} unless said otherwise */
    uint32_t line;                   /* where the task begins in the file, from 1 */
    /* The graph. `down_handles[i]`: the condition of down[i] mentions this
     * task's failure, so that its success handles it (language 5). */
    const uint32_t *up, *down;
    const bool *down_handles;
    uint32_t up_count, down_count;
};

enum schedule_kind { SCHEDULE_CRON, SCHEDULE_EVERY };

struct schedule {
    enum schedule_kind kind;
    struct str text;     /* the cron expression as written, or the duration as written */
    struct str timezone; /* absent: the workflow's, else the server's */
    ms_t every;          /* SCHEDULE_EVERY: the period, at least 1 s */
    uint32_t line;
};

struct task_name {
    uint64_t hash;
    uint32_t task;
};

struct workflow {
    struct str name, description, owner;
    struct strs tags;
    struct str timezone; /* absent: the server's */
    bool enabled;        /* initial state of the switch */
    struct pairs env;
    struct pairs params; /* name -> default */
    const struct schedule *schedules;
    uint32_t schedule_count;
    uint32_t max_parallel; /* tasks of one run at once; 0: no limit of its own */
    const struct task *tasks;
    uint32_t task_count, edge_count;
    const struct task_name *names; /* of all tasks, by hash: for workflow_task() */
    struct arena arena;            /* owns all of the above */
};

/* Index of the task called `name`, or -1. */
int64_t workflow_task(const struct workflow *w, struct str name);

/* Free the arena and the struct itself; NULL is fine. */
void workflow_free(struct workflow *w);

#endif
