/* SPDX-License-Identifier: MIT */
#include "dump.h"

#include "base/utf8.h"

static uint32_t code_point(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    if (n == 1)
        return u[0];
    uint32_t c = u[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (u[i] & 0x3f);
    return c;
}

void dump_text(struct buf *out, struct str s)
{
    buf_putc(out, '"');
    for (size_t i = 0, n; i < s.len; i += n) {
        n = utf8_span(s.at + i, s.len - i);
        ASSERT(n > 0);
        uint32_t c = code_point(s.at + i, n);
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
            buf_putc(out, (char)c);
        else
            buf_printf(out, "\\U%08x", c);
    }
    buf_putc(out, '"');
}

static void text_of(struct buf *out, const char *key, struct str s)
{
    if (!s.at)
        return;
    buf_printf(out, ", %s: ", key);
    dump_text(out, s);
}

static void pairs_of(struct buf *out, const char *key, struct pairs ps)
{
    buf_printf(out, ", %s: {", key);
    for (uint32_t i = 0; i < ps.count; i++) {
        buf_puts(out, i ? ",\n" : "");
        dump_text(out, ps.at[i].name);
        buf_puts(out, ": ");
        dump_text(out, ps.at[i].value);
    }
    buf_puts(out, "}\n");
}

static void strs_of(struct buf *out, const char *key, struct strs s)
{
    buf_printf(out, ", %s: [", key);
    for (uint32_t i = 0; i < s.count; i++) {
        buf_puts(out, i ? ", " : "");
        dump_text(out, s.at[i]);
    }
    buf_puts(out, "]\n");
}

static void task_of(const struct workflow *w, const struct task *t, struct buf *out)
{
    buf_puts(out, "{name: ");
    dump_text(out, t->name);
    text_of(out, "description", t->description);
    text_of(out, "script", t->script);
    if (t->command.count)
        strs_of(out, "command", t->command);
    text_of(out, "shell", t->shell);
    text_of(out, "workdir", t->workdir);
    pairs_of(out, "env", t->env);
    text_of(out, "condition", t->condition_text);
    buf_printf(out, ", retries: %u, retry_delay: %lldms, timeout: %lldms, stall_timeout: %lldms\n",
               t->retries, (long long)t->retry_delay, (long long)t->timeout,
               (long long)t->stall_timeout);
    if (t->allow_failure != ALLOW_UNSAID)
        buf_printf(out, ", allow_failure: %s", t->allow_failure == ALLOW_YES ? "true" : "false");
    buf_puts(out, ", success_exit_codes: [");
    for (uint32_t i = 0; i < t->success_exit_codes.count; i++)
        buf_printf(out, "%s%u", i ? ", " : "", t->success_exit_codes.at[i]);
    buf_puts(out, "], depends_on: [");
    for (uint32_t i = 0; i < t->up_count; i++) {
        buf_puts(out, i ? ", " : "");
        dump_text(out, w->tasks[t->up[i]].name);
    }
    buf_puts(out, "]}\n");
}

static void schedule_of(const struct schedule *s, struct buf *out)
{
    buf_puts(out, s->kind == SCHEDULE_CRON ? "{cron: " : "{every: ");
    dump_text(out, s->text);
    text_of(out, "timezone", s->timezone);
    buf_puts(out, "}\n");
}

void workflow_dump(const struct workflow *w, struct buf *out)
{
    buf_puts(out, "{name: ");
    dump_text(out, w->name);
    text_of(out, "description", w->description);
    text_of(out, "owner", w->owner);
    text_of(out, "timezone", w->timezone);
    strs_of(out, "tags", w->tags);
    pairs_of(out, "env", w->env);
    pairs_of(out, "params", w->params);
    buf_printf(out, ", enabled: %s, max_parallel: %u", w->enabled ? "true" : "false",
               w->max_parallel);
    buf_puts(out, ", schedule: [\n");
    for (uint32_t i = 0; i < w->schedule_count; i++) {
        buf_puts(out, i ? ", " : "");
        schedule_of(&w->schedules[i], out);
    }
    buf_puts(out, "], tasks: [\n");
    for (uint32_t i = 0; i < w->task_count; i++) {
        buf_puts(out, i ? ", " : "");
        task_of(w, &w->tasks[i], out);
    }
    buf_puts(out, "]}\n");
}
