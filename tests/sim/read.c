/* SPDX-License-Identifier: MIT
 *
 * tests/sim/read.c: workflows for the simulator, by way of a file.
 *
 * The tasks are written down in the language and read back by the product's own
 * reader, so that a life goes through everything from the text of a condition
 * to the verdict. */
#include "make.h"

#include "model/load.h"

#include <stdio.h>

/* What a condition of a kind is called; %s: the first parent. */
static const char *const texts[COND_KINDS] = {
    [COND_ALWAYS] = "always",
    [COND_NEVER] = "never()",
    [COND_ALL_SUCCESS] = "all_upstream.success",
    [COND_ANY_FAILED] = "any_upstream.failed",
    [COND_ANY_BROKEN] = "any_upstream.broken",
    [COND_NONE_FAILED] = "none_upstream.failed",
    [COND_FIRST_FAILED] = "%s.failed",
    [COND_FIRST_SKIPPED] = "%s.skipped",
    [COND_FIRST_CODE_1] = "%s.exit_code == 1",
};

static void condition_text(enum cond kind, struct str first, char *out, size_t size)
{
    const char *form = strchr(texts[kind], '%') ? texts[kind] + 2 : NULL;
    if (form)
        snprintf(out, size, "%.*s%s", STR_ARG(first), form);
    else
        snprintf(out, size, "%s", texts[kind]);
}

enum cond make_cond(const struct task *t)
{
    char text[80];
    if (!t->condition)
        return COND_NONE;
    for (int kind = COND_ALWAYS; kind < COND_KINDS; kind++) {
        size_t word = strcspn(t->condition_text.at, ".");
        condition_text((enum cond)kind, (struct str){t->condition_text.at, word}, text,
                       sizeof text);
        if (str_is(t->condition_text, text))
            return (enum cond)kind;
    }
    ASSERT(!"a condition that was written here");
    return COND_NONE;
}

static void write_condition(struct buf *b, const struct make_task *t)
{
    char text[80];
    const char *after = t->after ? t->after : "";
    condition_text(t->condition, (struct str){after, strcspn(after, " ")}, text, sizeof text);
    buf_printf(b, "    condition: %s\n", text);
}

static void write_task(struct buf *b, const struct make_task *t)
{
    buf_printf(b, "  - name: %s\n    script: x\n    retry_delay: %lldms\n", t->name,
               (long long)t->retry_delay);
    if (t->after && *t->after) {
        buf_puts(b, "    depends_on: [");
        for (const char *p = t->after; *p; p++)
            buf_puts(b, *p == ' ' ? ", " : (char[]){*p, 0});
        buf_puts(b, "]\n");
    }
    if (t->condition)
        write_condition(b, t);
    if (t->retries)
        buf_printf(b, "    retries: %u\n", t->retries);
    if (t->timeout)
        buf_printf(b, "    timeout: %lldms\n", (long long)t->timeout);
    if (t->stall_timeout)
        buf_printf(b, "    stall_timeout: %lldms\n", (long long)t->stall_timeout);
    if (t->allow_failure)
        buf_printf(b, "    allow_failure: %s\n", t->allow_failure == ALLOW_YES ? "true" : "false");
    if (t->also_success)
        buf_printf(b, "    success_exit_codes: [0, %u]\n", t->also_success);
}

struct workflow *make_workflow(const struct make_task *tasks, uint32_t count, uint32_t max_parallel)
{
    struct buf b = {0};
    struct problems problems = {0};
    buf_puts(&b, "name: made\n");
    if (max_parallel)
        buf_printf(&b, "max_parallel: %u\n", max_parallel);
    buf_puts(&b, "tasks:\n");
    for (uint32_t i = 0; i < count; i++)
        write_task(&b, &tasks[i]);
    struct workflow *w = workflow_load((struct str){b.at, b.len}, S("made.yaml"), &problems);
    for (size_t i = 0; !w && i < problems.count; i++)
        fprintf(stderr, "%u: %.*s\n", problems.at[i].line, STR_ARG(problems.at[i].message));
    ASSERT(w);
    problems_free(&problems);
    buf_free(&b);
    return w;
}

void make_free(struct workflow *w)
{
    workflow_free(w);
}
