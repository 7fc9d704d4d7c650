/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/condition_fuzz.c: any bytes as a condition.
 *
 * What compiles has an answer; "not (X)" has the opposite one, and "(X) and
 * true" the same. */
#include "dump.h"
#include "fuzz.h"
#include "model/expr.h"
#include "model/load.h"

#include "base/utf8.h"

enum { TASKS = 5 };

static struct workflow *load(const char *before, struct str condition, const char *after)
{
    CLEANUP(buf_free) struct buf all = {0}, file = {0};
    struct problems ps = {0};
    buf_printf(&all, "%s", before);
    buf_add(&all, condition.at, condition.len);
    buf_printf(&all, "%s", after);
    buf_puts(&file, "name: w\ntasks:\n- {name: top, script: x}\n");
    for (int i = 1; i < TASKS; i++)
        buf_printf(&file, "- {name: t-%d, script: x, depends_on: [top]}\n", i);
    buf_puts(&file, "- {name: z, script: x, depends_on: [t-1, t-2, t-3, t-4], condition: ");
    dump_text(&file, (struct str){all.at, all.len});
    buf_puts(&file, "}\n");
    struct workflow *w = workflow_load((struct str){file.at, file.len}, S("w.yaml"), &ps);
    ASSERT(w || ps.count == 1); /* the first mistake of a condition, and only that */
    problems_free(&ps);
    return w;
}

static void look(const void *ctx, uint32_t task, struct task_outcome *out)
{
    const uint32_t *salt = ctx;
    uint32_t n = (task + 1) * 2654435761u + *salt * 40503u;
    ASSERT(task < TASKS);
    *out = (struct task_outcome){
        .state = (enum task_state)(TASK_SUCCESS + (n >> 7) % (TASK_STATE_COUNT - TASK_SUCCESS)),
        .reason = (n >> 12) % 2 ? REASON_TIMEOUT : REASON_NONE,
        .has_exit_code = n >> 13 & 1,
        .exit_code = (int32_t)(n >> 28),
        .attempts = n >> 14 & 3,
    };
}

static enum expr_result eval(const struct workflow *w, uint32_t salt)
{
    const struct task *z = &w->tasks[TASKS];
    return expr_eval(z->condition, z, look, &salt);
}

static bool is_text(const uint8_t *data, size_t size)
{
    for (size_t i = 0, n; i < size; i += n) {
        n = utf8_span((const char *)data + i, size - i);
        if (n == 0 || data[i] == 0)
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {size ? (const char *)data : "", size};
    if (size > 1000 || !is_text(data, size))
        return 0;
    struct workflow *w = load("", text, "");
    struct workflow *opposite = load("not (", text, ")"), *same = load("(", text, ") and true");
    for (uint32_t salt = 0; w && opposite && same && salt < 16; salt++) {
        static const enum expr_result turned[] = {
            [EXPR_FALSE] = EXPR_TRUE, [EXPR_TRUE] = EXPR_FALSE, [EXPR_ERROR] = EXPR_ERROR};
        enum expr_result r = eval(w, salt);
        ASSERT(eval(opposite, salt) == turned[r]);
        ASSERT(eval(same, salt) == r);
    }
    workflow_free(w);
    workflow_free(opposite);
    workflow_free(same);
    return 0;
}
