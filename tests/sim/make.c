/* SPDX-License-Identifier: MIT */
#include "make.h"

#include "model/expr.h"

#include <string.h>

struct expr {
    enum cond kind;
};

enum cond make_cond(const struct task *t)
{
    return t->condition ? t->condition->kind : COND_NONE;
}

static bool any(const struct task *self, expr_look_fn *look, const void *ctx, unsigned states)
{
    for (uint32_t i = 0; i < self->up_count; i++) {
        struct task_outcome o;
        look(ctx, self->up[i], &o);
        if (states >> o.state & 1u)
            return true;
    }
    return false;
}

enum expr_result expr_eval(const struct expr *x, const struct task *self, expr_look_fn *look,
                           const void *ctx)
{
    enum { FAILED = 1u << TASK_FAILED, SKIPPED = 1u << TASK_SKIPPED };
    unsigned broken = FAILED | 1u << TASK_UPSTREAM_FAILED | 1u << TASK_CANCELLED;
    struct task_outcome first = {0};
    if (self->up_count)
        look(ctx, self->up[0], &first);
    switch (x->kind) {
    case COND_ALWAYS: return EXPR_TRUE;
    case COND_NEVER: return EXPR_FALSE;
    case COND_ALL_SUCCESS:
        return any(self, look, ctx, ~(1u << TASK_SUCCESS)) ? EXPR_FALSE : EXPR_TRUE;
    case COND_ANY_FAILED: return any(self, look, ctx, FAILED) ? EXPR_TRUE : EXPR_FALSE;
    case COND_ANY_BROKEN: return any(self, look, ctx, broken) ? EXPR_TRUE : EXPR_FALSE;
    case COND_NONE_FAILED: return any(self, look, ctx, FAILED) ? EXPR_FALSE : EXPR_TRUE;
    case COND_FIRST_FAILED: return first.state == TASK_FAILED ? EXPR_TRUE : EXPR_FALSE;
    case COND_FIRST_SKIPPED: return first.state == TASK_SKIPPED ? EXPR_TRUE : EXPR_FALSE;
    case COND_FIRST_CODE_1:
        if (!first.has_exit_code)
            return EXPR_ERROR;
        return first.exit_code == 1 ? EXPR_TRUE : EXPR_FALSE;
    case COND_NONE:
    case COND_KINDS: break;
    }
    ASSERT(!"a condition of a kind that is made here");
    return EXPR_ERROR;
}

static const struct expr exprs[COND_KINDS] = {
    [COND_ALWAYS] = {COND_ALWAYS},
    [COND_NEVER] = {COND_NEVER},
    [COND_ALL_SUCCESS] = {COND_ALL_SUCCESS},
    [COND_ANY_FAILED] = {COND_ANY_FAILED},
    [COND_ANY_BROKEN] = {COND_ANY_BROKEN},
    [COND_NONE_FAILED] = {COND_NONE_FAILED},
    [COND_FIRST_FAILED] = {COND_FIRST_FAILED},
    [COND_FIRST_SKIPPED] = {COND_FIRST_SKIPPED},
    [COND_FIRST_CODE_1] = {COND_FIRST_CODE_1},
};

static bool handles(const struct task *child, uint32_t parent)
{
    enum cond c = make_cond(child);
    return c == COND_ANY_FAILED || c == COND_ANY_BROKEN ||
           (c == COND_FIRST_FAILED && child->up[0] == parent);
}

/* Both directions of the graph as compressed rows. */
static void link_tasks(struct workflow *w, struct task *tasks, const uint32_t (*edges)[2],
                       uint32_t edge_count)
{
    uint32_t *up = arena_new(&w->arena, uint32_t, edge_count + 1);
    uint32_t *down = arena_new(&w->arena, uint32_t, edge_count + 1);
    bool *handled = arena_new(&w->arena, bool, edge_count + 1);
    w->edge_count = edge_count;
    for (uint32_t i = 0; i < edge_count; i++) {
        tasks[edges[i][0]].down_count++;
        tasks[edges[i][1]].up_count++;
    }
    uint32_t up_at = 0, down_at = 0;
    for (uint32_t i = 0; i < w->task_count; i++) {
        struct task *t = &tasks[i];
        t->up = up + up_at;
        t->down = down + down_at;
        t->down_handles = handled + down_at;
        up_at += t->up_count;
        down_at += t->down_count;
        t->up_count = t->down_count = 0;
    }
    for (uint32_t i = 0; i < edge_count; i++) {
        struct task *p = &tasks[edges[i][0]], *c = &tasks[edges[i][1]];
        up[(size_t)(c->up - up) + c->up_count++] = edges[i][0];
        down[(size_t)(p->down - down) + p->down_count++] = edges[i][1];
    }
    for (uint32_t i = 0; i < w->task_count; i++)
        for (uint32_t k = 0; k < tasks[i].down_count; k++)
            handled[(size_t)(tasks[i].down - down) + k] = handles(&tasks[tasks[i].down[k]], i);
}

static struct workflow *begin(uint32_t count, struct task **tasks)
{
    struct workflow *w = mem_new(sizeof *w);
    *tasks = arena_new(&w->arena, struct task, count);
    w->name = S("made");
    w->enabled = true;
    w->tasks = *tasks;
    w->task_count = count;
    return w;
}

static uint32_t named(const struct task *tasks, uint32_t count, struct str name)
{
    uint32_t i = 0;
    while (i < count && !str_eq(tasks[i].name, name))
        i++;
    ASSERT(i < count);
    return i;
}

static struct codes codes_with(struct arena *a, uint8_t also)
{
    uint8_t *codes = arena_new(a, uint8_t, 2);
    codes[1] = also;
    return (struct codes){codes, also ? 2 : 1};
}

struct workflow *make_workflow(const struct make_task *made, uint32_t count, uint32_t max_parallel)
{
    struct task *tasks;
    struct workflow *w = begin(count, &tasks);
    uint32_t(*edges)[2] = NULL, edge_count = 0;
    size_t cap = 0;
    w->max_parallel = max_parallel;
    for (uint32_t i = 0; i < count; i++) {
        tasks[i] = (struct task){
            .name = arena_str(&w->arena, str_of(made[i].name)),
            .condition = made[i].condition ? &exprs[made[i].condition] : NULL,
            .retries = made[i].retries,
            .retry_delay = made[i].retry_delay,
            .timeout = made[i].timeout,
            .stall_timeout = made[i].stall_timeout,
            .allow_failure = made[i].allow_failure,
            .success_exit_codes = codes_with(&w->arena, made[i].also_success),
        };
        for (const char *p = made[i].after; p && *p;) {
            size_t n = strcspn(p, " ");
            edges = mem_grow(edges, &cap, edge_count + 1, sizeof *edges);
            edges[edge_count][0] = named(tasks, i, (struct str){p, n});
            edges[edge_count++][1] = i;
            p += n + strspn(p + n, " ");
        }
    }
    link_tasks(w, tasks, (const uint32_t(*)[2])edges, edge_count);
    free(edges);
    return w;
}

struct workflow *make_graph(uint32_t count, const uint32_t (*edges)[2], uint32_t edge_count)
{
    struct task *tasks;
    struct workflow *w = begin(count, &tasks);
    struct codes codes = codes_with(&w->arena, 0);
    for (uint32_t i = 0; i < count; i++)
        tasks[i] = (struct task){.name = S("t"), .success_exit_codes = codes};
    link_tasks(w, tasks, edges, edge_count);
    return w;
}

void make_free(struct workflow *w)
{
    if (!w)
        return;
    struct arena a = w->arena;
    arena_free(&a);
    free(w);
}
