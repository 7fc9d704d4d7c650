/* SPDX-License-Identifier: MIT
 *
 * model/expr.h: conditions, compiled.
 *
 * A condition is compiled once, at load; evaluating it allocates nothing,
 * reads nothing but the states of tasks, takes bounded time and cannot loop.
 * The grammar is the condition part of the language: task attributes,
 * all_upstream / any_upstream / none_upstream, comparisons, and or not,
 * literals, `always`. */
#ifndef MODEL_EXPR_H
#define MODEL_EXPR_H

#include "model/workflow.h"

/* What a condition may know of a task: all of it is over. */
struct task_outcome {
    enum task_state state;
    enum reason reason;
    bool has_exit_code;
    int32_t exit_code;
    uint32_t attempts;
};

/* Reads the outcome of task `task` (an index); called only for tasks upstream. */
typedef void expr_look_fn(const void *ctx, uint32_t task, struct task_outcome *out);

enum expr_result { EXPR_FALSE, EXPR_TRUE, EXPR_ERROR };

/* `self` is the task whose condition it is: its direct parents are what
 * all_upstream and its kin range over. EXPR_ERROR: a value was needed and null
 * was there (an exit code of a task that never ran), or types do not compare. */
enum expr_result expr_eval(const struct expr *x, const struct task *self, expr_look_fn *look,
                           const void *ctx);

#endif
