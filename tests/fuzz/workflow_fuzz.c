/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/workflow_fuzz.c: any bytes as a workflow file.
 *
 * What is refused is refused with problems that can be shown. What is accepted
 * has no circle, and, written down and read again, is the same. */
#include "dump.h"
#include "fuzz.h"
#include "model/draw.h"
#include "model/expr.h"
#include "model/load.h"

static void check_problems(const struct problems *ps, struct str text)
{
    CLEANUP(buf_free) struct buf out = {0};
    size_t errors = 0;
    for (size_t i = 0; i < ps->count; i++) {
        const struct problem *p = &ps->at[i];
        errors += p->severity == SEVERITY_ERROR;
        ASSERT(p->line >= 1 && p->column >= 1 && p->message.len > 0);
        ASSERT(p->end_line > p->line || p->end_column > p->column);
        ASSERT(i == 0 || ps->at[i - 1].line <= p->line);
        problem_print(p, S("w.yaml"), text, false, &out);
        problem_print_short(p, S("w.yaml"), &out);
        struct json j = json_to(&out);
        problem_json(p, S("w.yaml"), &j, NULL);
    }
    ASSERT(errors <= ps->error_count);
    for (size_t i = 0; i < out.len; i++) /* nothing a terminal would act on */
        ASSERT((unsigned char)out.at[i] >= 0x20 || out.at[i] == '\n');
}

/* Parents before children can be found for all. */
static void check_graph(const struct workflow *w)
{
    struct arena a = {0};
    size_t edges = 0;
    struct layout l = layout_of(w, &a); /* asserts that there is no circle */
    for (uint32_t i = 0; i < w->task_count; i++) {
        const struct task *t = &w->tasks[i];
        ASSERT(workflow_task(w, t->name) == i);
        edges += t->up_count;
        for (uint32_t u = 0; u < t->up_count; u++)
            ASSERT(l.tasks[t->up[u]].layer < l.tasks[i].layer);
    }
    ASSERT(edges == w->edge_count);
    arena_free(&a);
}

struct looker {
    const struct workflow *w;
    uint32_t self, salt;
    uint8_t *ancestor;
};

/* Only what is upstream may be looked at. */
static void look(const void *ctx, uint32_t task, struct task_outcome *out)
{
    const struct looker *l = ctx;
    ASSERT(task < l->w->task_count && l->ancestor[task]);
    uint32_t n = (task + 1) * 2654435761u + l->salt;
    *out = (struct task_outcome){
        .state = (enum task_state)(TASK_SUCCESS + (n >> 8) % (TASK_STATE_COUNT - TASK_SUCCESS)),
        .reason = (enum reason)((n >> 16) % REASON_COUNT),
        .has_exit_code = n >> 24 & 1,
        .exit_code = (int32_t)(n >> 25),
        .attempts = n >> 30,
    };
}

static void mark_ancestors(struct looker *l, uint32_t *stack)
{
    uint32_t depth = 0;
    memset(l->ancestor, 0, l->w->task_count);
    stack[depth++] = l->self;
    while (depth) {
        const struct task *t = &l->w->tasks[stack[--depth]];
        for (uint32_t u = 0; u < t->up_count; u++)
            if (!l->ancestor[t->up[u]]) {
                l->ancestor[t->up[u]] = 1;
                stack[depth++] = t->up[u];
            }
    }
}

static void check_conditions(const struct workflow *w)
{
    struct arena a = {0};
    struct looker l = {.w = w, .ancestor = arena_new(&a, uint8_t, w->task_count)};
    uint32_t *stack = arena_new(&a, uint32_t, w->task_count + 1);
    for (uint32_t i = 0; i < w->task_count && i < 200; i++) {
        const struct task *t = &w->tasks[i];
        ASSERT(!t->condition == !t->condition_text.at);
        l.self = i;
        if (!t->condition)
            continue;
        mark_ancestors(&l, stack);
        for (l.salt = 0; l.salt < 8; l.salt++)
            expr_eval(t->condition, t, look, &l);
    }
    arena_free(&a);
}

static void check_again(const struct workflow *w)
{
    CLEANUP(buf_free) struct buf first = {0}, second = {0};
    struct problems ps = {0};
    workflow_dump(w, &first);
    struct workflow *again = workflow_load((struct str){first.at, first.len}, S("x.yaml"), &ps);
    ASSERT(again);
    workflow_dump(again, &second);
    ASSERT(str_eq((struct str){first.at, first.len}, (struct str){second.at, second.len}));
    workflow_free(again);
    problems_free(&ps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problems ps = {0};
    struct str text = {size ? (const char *)data : "", size};
    struct workflow *w = workflow_load(text, S("w.yaml"), &ps);
    ASSERT(!w == (ps.error_count > 0));
    check_problems(&ps, text);
    problems_free(&ps);
    if (w) {
        CLEANUP(buf_free) struct buf drawn = {0};
        check_graph(w);
        check_conditions(w);
        check_again(w);
        graph_text(w, &drawn);
        graph_dot(w, &drawn);
    }
    workflow_free(w);
    return 0;
}
