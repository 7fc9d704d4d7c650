/* SPDX-License-Identifier: MIT
 *
 * tests/sim/make.h: workflows for tests, without a file.
 *
 * Made in two ways. read.c writes them down and has the product's reader read
 * them: that is what the simulator lives through. make.c puts the structs
 * together and brings an expr_eval() of its own: for tests of the core alone,
 * and for graphs too large to write down. */
#ifndef SIM_MAKE_H
#define SIM_MAKE_H

#include "model/workflow.h"

enum cond {
    COND_NONE, /* no condition: the join rule */
    COND_ALWAYS,
    COND_NEVER,
    COND_ALL_SUCCESS,
    COND_ANY_FAILED,
    COND_ANY_BROKEN,
    COND_NONE_FAILED,
    COND_FIRST_FAILED,  /* of the first parent */
    COND_FIRST_SKIPPED, /* of the first parent */
    COND_FIRST_CODE_1,  /* its exit code is 1; an error when it has none */
    COND_KINDS
};

struct make_task {
    const char *name;
    const char *after; /* names of earlier tasks, separated by blanks; NULL: none */
    enum cond condition;
    uint32_t retries;
    ms_t retry_delay, timeout, stall_timeout;
    enum allow_failure allow_failure;
    uint8_t also_success; /* a second success exit code; 0: none */
};

/* A new workflow, freed with make_free(). */
struct workflow *make_workflow(const struct make_task *tasks, uint32_t count,
                               uint32_t max_parallel);
void make_free(struct workflow *w);

/* make.c only. Tasks without properties; `edges` holds pairs (parent,
 * child), in any order. */
struct workflow *make_graph(uint32_t count, const uint32_t (*edges)[2], uint32_t edge_count);

/* What the condition of a task made here is, for those who check the core. */
enum cond make_cond(const struct task *t);

#endif
