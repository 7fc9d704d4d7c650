/* SPDX-License-Identifier: MIT
 *
 * model/code.h: what a compiled condition is made of; between compile.c, which
 * makes it, and expr.c, which runs it.
 *
 * Steps in the order of evaluation, on a small stack of values. Jumps go only
 * forward, so an evaluation takes at most as many steps as there are. */
#ifndef MODEL_CODE_H
#define MODEL_CODE_H

#include "model/expr.h"

/* Attributes of a task. The first six are also what groups ask. */
enum attribute {
    ATTR_SUCCESS,
    ATTR_FAILED,
    ATTR_BROKEN,
    ATTR_SKIPPED,
    ATTR_CANCELLED,
    ATTR_DONE,
    ATTR_GROUP_COUNT,
    ATTR_TIMED_OUT = ATTR_GROUP_COUNT,
    ATTR_STATE,
    ATTR_EXIT_CODE,
    ATTR_ATTEMPTS,
    ATTR_COUNT
};

enum compare { COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE };

enum step_kind {
    STEP_BOOL,    /* push arg != 0 */
    STEP_INT,     /* push ints[arg] */
    STEP_TEXT,    /* push texts[arg] */
    STEP_TASK,    /* push attribute `sub` of task `arg` */
    STEP_ALL,     /* push: all direct parents have attribute `sub` */
    STEP_ANY,     /* ... at least one */
    STEP_NONE,    /* ... not one */
    STEP_NOT,     /* top becomes its opposite */
    STEP_AND,     /* top is false: go to step `arg`; else drop it */
    STEP_OR,      /* top is true: go to step `arg`; else drop it */
    STEP_COMPARE, /* two become one: enum compare in `sub` */
};

struct step {
    uint8_t kind, sub;
    uint32_t arg;
};

enum { EXPR_STACK = 40 }; /* CONDITION_DEPTH and a few */

struct expr {
    const struct step *steps;
    const int64_t *ints;
    const struct str *texts;
    uint32_t count;
};

#endif
