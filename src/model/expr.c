/* SPDX-License-Identifier: MIT
 *
 * model/expr.c: conditions, run.
 *
 * Total: every step does a bounded amount of work and goes forward, nothing is
 * allocated, and what cannot be answered is EXPR_ERROR. Types were checked when
 * the condition was compiled; only null is left to be found here. */
#include "model/code.h"

enum kind { IS_NULL, IS_BOOL, IS_INT, IS_TEXT };

struct value {
    enum kind kind;
    int64_t n; /* also 0 and 1 of a bool */
    struct str text;
};

struct machine {
    const struct expr *x;
    const struct task *self;
    expr_look_fn *look;
    const void *ctx;
    struct value stack[EXPR_STACK];
    size_t depth;
};

static struct value value_bool(bool b)
{
    return (struct value){.kind = IS_BOOL, .n = b};
}

static bool outcome_is(const struct task_outcome *o, enum attribute attr)
{
    switch (attr) {
    case ATTR_SUCCESS: return o->state == TASK_SUCCESS;
    case ATTR_FAILED: return o->state == TASK_FAILED;
    case ATTR_BROKEN: return task_is_broken(o->state);
    case ATTR_SKIPPED: return o->state == TASK_SKIPPED;
    case ATTR_CANCELLED: return o->state == TASK_CANCELLED;
    case ATTR_DONE: return task_is_over(o->state);
    default: return o->state == TASK_FAILED && o->reason == REASON_TIMEOUT;
    }
}

static struct value outcome_value(const struct task_outcome *o, enum attribute attr)
{
    if (attr == ATTR_EXIT_CODE)
        return (struct value){.kind = o->has_exit_code ? IS_INT : IS_NULL, .n = o->exit_code};
    if (attr == ATTR_ATTEMPTS)
        return (struct value){.kind = IS_INT, .n = o->attempts};
    if (attr == ATTR_STATE)
        return (struct value){.kind = IS_TEXT, .text = str_of(task_state_word(o->state))};
    return value_bool(outcome_is(o, attr));
}

static struct value task_value(const struct machine *m, const struct step *step)
{
    struct task_outcome o = {0};
    m->look(m->ctx, step->arg, &o);
    return outcome_value(&o, step->sub);
}

/* How many direct parents have the attribute, up to the one that decides. */
static struct value group_value(const struct machine *m, const struct step *step)
{
    bool all = step->kind == STEP_ALL;
    for (uint32_t i = 0; i < m->self->up_count; i++) {
        struct task_outcome o = {0};
        m->look(m->ctx, m->self->up[i], &o);
        if (outcome_is(&o, step->sub) != all)
            return value_bool(step->kind == STEP_ANY);
    }
    return value_bool(step->kind != STEP_ANY);
}

static int compare_values(const struct value *a, const struct value *b)
{
    if (a->kind == IS_TEXT)
        return str_cmp(a->text, b->text);
    return (a->n > b->n) - (a->n < b->n);
}

static bool compare_holds(enum compare how, int c)
{
    static const bool holds[][3] = {
        /* less, equal, more */
        [COMPARE_EQ] = {false, true, false}, [COMPARE_NE] = {true, false, true},
        [COMPARE_LT] = {true, false, false}, [COMPARE_LE] = {true, true, false},
        [COMPARE_GT] = {false, false, true}, [COMPARE_GE] = {false, true, true},
    };
    return holds[how][c < 0 ? 0 : c == 0 ? 1 : 2];
}

/* False: null is there, or kinds differ. */
static bool compare(struct machine *m, enum compare how)
{
    const struct value *b = &m->stack[--m->depth];
    struct value *a = &m->stack[m->depth - 1];
    if (a->kind == IS_NULL || a->kind != b->kind)
        return false;
    *a = value_bool(compare_holds(how, compare_values(a, b)));
    return true;
}

static void push(struct machine *m, struct value v)
{
    ASSERT(m->depth < EXPR_STACK);
    m->stack[m->depth++] = v;
}

/* Do one step; `*at` is the next. False: no answer. */
static bool run(struct machine *m, const struct step *step, uint32_t *at)
{
    struct value *top = m->depth ? &m->stack[m->depth - 1] : NULL;
    ++*at;
    switch ((enum step_kind)step->kind) {
    case STEP_BOOL: push(m, value_bool(step->arg != 0)); return true;
    case STEP_INT: push(m, (struct value){IS_INT, m->x->ints[step->arg], STR_NONE}); return true;
    case STEP_TEXT: push(m, (struct value){IS_TEXT, 0, m->x->texts[step->arg]}); return true;
    case STEP_TASK: push(m, task_value(m, step)); return true;
    case STEP_ALL:
    case STEP_ANY:
    case STEP_NONE: push(m, group_value(m, step)); return true;
    case STEP_COMPARE: return compare(m, step->sub);
    case STEP_NOT: top->n = !top->n; return true;
    case STEP_AND:
    case STEP_OR:
        if ((top->n != 0) == (step->kind == STEP_OR))
            *at = step->arg;
        else
            m->depth--;
        return true;
    }
    return false;
}

enum expr_result expr_eval(const struct expr *x, const struct task *self, expr_look_fn *look,
                           const void *ctx)
{
    struct machine m = {.x = x, .self = self, .look = look, .ctx = ctx};
    for (uint32_t at = 0; at < x->count;)
        if (!run(&m, &x->steps[at], &at))
            return EXPR_ERROR;
    ASSERT(m.depth == 1 && m.stack[0].kind == IS_BOOL);
    return m.stack[0].n ? EXPR_TRUE : EXPR_FALSE;
}
