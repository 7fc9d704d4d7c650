/* SPDX-License-Identifier: MIT */
#include "server/words.h"
#include "store/db.h"

#include <signal.h>
#include <stdio.h>

void words_duration(struct buf *out, ms_t ms)
{
    static const struct {
        ms_t from, big, small; /* in units of `big`, the rest in units of `small` */
        const char *big_word, *small_word;
    } steps[] = {
        {86400000, 86400000, 3600000, "d", "h"},
        {3600000, 3600000, 60000, "h", "m"},
        {60000, 60000, 1000, "m", "s"},
    };
    ms = MAX(ms, 0);
    for (size_t i = 0; i < countof(steps); i++) {
        if (ms < steps[i].from)
            continue;
        long long rest = ms % steps[i].big / steps[i].small;
        buf_printf(out, "%lld%s", (long long)(ms / steps[i].big), steps[i].big_word);
        if (rest)
            buf_printf(out, " %lld%s", rest, steps[i].small_word);
        return;
    }
    if (ms < 1000)
        buf_printf(out, "0.%llds", (long long)(ms / 100));
    else
        buf_printf(out, "%llds", (long long)(ms / 1000));
}

const char *signal_word(int64_t number, char text[24])
{
    const char *name = number > 0 && number < NSIG ? sigabbrev_np((int)number) : NULL;
    if (name)
        snprintf(text, 24, "SIG%s", name);
    else
        snprintf(text, 24, "signal %d", (int)number);
    return text;
}

/* What a shell means by these. Others are the program's own affair. */
static const char *exit_meaning(int64_t code)
{
    switch (code) {
    case 126: return "found, but cannot be executed";
    case 127: return "command not found";
    case 134: return "aborted";
    case 137: return "a process of it was killed by SIGKILL";
    case 139: return "a process of it crashed";
    case 143: return "a process of it was terminated";
    default: return NULL;
    }
}

static void say_exit(struct buf *out, const struct ending *end)
{
    const char *meaning = exit_meaning(end->exit_code);
    if (end->exit_code == DB_NULL) {
        buf_puts(out, "failed");
        return;
    }
    buf_printf(out, "exit %lld", (long long)end->exit_code);
    if (meaning)
        buf_printf(out, ": %s", meaning);
}

static void say_signal(struct buf *out, const struct ending *end)
{
    char text[24];
    if (end->signal == DB_NULL)
        buf_puts(out, "killed by a signal");
    else
        buf_printf(out, "killed by %s", signal_word(end->signal, text));
}

static void say_timeout(struct buf *out, const struct ending *end)
{
    buf_puts(out, "timed out");
    if (end->timeout_ms > 0) {
        buf_puts(out, " after ");
        words_duration(out, end->timeout_ms);
    }
}

static void say_oom(struct buf *out, const struct ending *end)
{
    (void)end;
    buf_puts(out, "killed by the kernel: out of memory");
}

/* `head`, and what was said about it where anything was. */
static void say_message(struct buf *out, const char *head, struct str message)
{
    buf_puts(out, head);
    if (message.len)
        buf_printf(out, ": %.*s", STR_ARG(message));
}

static const struct verdict {
    const char *word;
    void (*say)(struct buf *out, const struct ending *end); /* NULL: `text` says it all */
    const char *text;                                       /* with the message behind it */
    bool ran;                                               /* attempts are worth counting */
} verdicts[] = {
    {"exit", say_exit, NULL, true},
    {"signal", say_signal, NULL, true},
    {"timeout", say_timeout, NULL, true},
    {"timed_out", say_timeout, NULL, false},
    {"oom", say_oom, NULL, true},
    {"stalled", NULL, "stopped: it made no progress", true},
    {"lost", NULL, "lost", true},
    {"launch", NULL, "could not be started", true},
    {"spawn_failed", NULL, "could not be started", false},
    {"expression", NULL, "its condition could not be evaluated", false},
    {"condition", NULL, "not run: its condition was false", false},
    {"upstream_skipped", NULL, "not run: a task before it was skipped", false},
    {"upstream_failed", NULL, "not run: a task before it failed", false},
    {"cancelled", NULL, "cancelled", false},
    {"killed", NULL, "stopped: the run was cancelled", false},
    {"shutdown", NULL, "stopped: the service was shut down", false},
    {"manual", NULL, "set by hand", false},
};

static const struct verdict *verdict_of(struct str word)
{
    for (size_t i = 0; i < countof(verdicts); i++)
        if (str_is(word, verdicts[i].word))
            return &verdicts[i];
    return NULL;
}

/* An attempt says "failed" for both; its numbers tell which. */
static const struct verdict *verdict_find(const struct ending *end)
{
    const struct verdict *v = verdict_of(end->reason);
    if (!v)
        v = verdict_of(end->state);
    if (!v && str_is(end->state, "failed"))
        v = verdict_of(end->signal == DB_NULL ? S("exit") : S("signal"));
    return v;
}

void words_ending(struct buf *out, const struct ending *end)
{
    const struct verdict *v = verdict_find(end);
    if (!v)
        return;
    if (v->say)
        v->say(out, end);
    else
        say_message(out, v->text, end->message);
    if (v->ran && end->attempts > 1)
        buf_printf(out, " after %lld attempts", (long long)end->attempts);
}

static const char *ordinal_end(int64_t n)
{
    if (n % 100 >= 11 && n % 100 <= 13)
        return "th";
    return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

static void say_queued(struct buf *out, const struct waiting *w)
{
    buf_puts(out, "queued");
    if (w->since > 0) {
        buf_putc(out, ' ');
        words_duration(out, w->now - w->since);
    }
    if (str_is(w->wait_code, "max_parallel"))
        buf_puts(out, ": as many tasks of this run as `max_parallel` allows are running");
    else if (str_is(w->wait_code, "slots") && w->slots_total > 0)
        buf_printf(out, ": all %lld slots are taken", (long long)w->slots_total);
    else if (str_is(w->wait_code, "slots"))
        buf_puts(out, ": no keeper is there to run it");
    if (str_is(w->wait_code, "slots") && w->place > 0)
        buf_printf(out, "; %lld%s in line", (long long)w->place, ordinal_end(w->place));
}

static void say_retry(struct buf *out, const struct waiting *w)
{
    buf_puts(out, "retry");
    if (w->retries > 0)
        buf_printf(out, " %lld of %lld", (long long)w->attempt, (long long)w->retries);
    if (w->due_at > w->now) {
        buf_puts(out, " in ");
        words_duration(out, w->due_at - w->now + 999);
    }
}

/* At most three names: the list of what hundreds wait for helps nobody. */
static void say_parents(struct buf *out, const struct waiting *w)
{
    size_t shown = w->parent_count <= 3 ? w->parent_count : 2;
    if (w->parent_count == 0)
        return;
    buf_puts(out, "waits for ");
    for (size_t i = 0; i < shown; i++) {
        bool last = i + 1 == w->parent_count;
        buf_puts(out, i == 0 ? "" : last ? " and " : ", ");
        buf_str(out, w->parents[i]);
    }
    if (shown < w->parent_count)
        buf_printf(out, " and %zu others", w->parent_count - shown);
}

void words_waiting(struct buf *out, const struct waiting *w)
{
    if (str_is(w->state, "queued"))
        say_queued(out, w);
    else if (str_is(w->state, "retrying"))
        say_retry(out, w);
    else if (str_is(w->state, "pending"))
        say_parents(out, w);
}

void words_run_waiting(struct buf *out, int64_t ahead)
{
    if (ahead > 0)
        buf_printf(out, "run waits for #%lld (limit 1)", (long long)ahead);
    else
        buf_puts(out, "run waits to be started");
}

static void say_line(struct buf *out, const struct held *h)
{
    buf_printf(out, "%lld task%s ", (long long)h->queued, h->queued == 1 ? "" : "s");
    say_queued(out, &(struct waiting){.wait_code = h->wait_code,
                                      .since = h->since,
                                      .now = h->now,
                                      .slots_total = h->slots_total});
}

static void say_pause(struct buf *out, const struct held *h)
{
    buf_printf(out, "%lld task%s again", (long long)h->retrying,
               h->retrying == 1 ? " tries" : "s try");
    if (h->due_at > h->now) {
        buf_puts(out, " in ");
        words_duration(out, h->due_at - h->now + 999);
    }
}

void words_run_held(struct buf *out, const struct held *h)
{
    if (h->queued)
        say_line(out, h);
    else if (h->retrying)
        say_pause(out, h);
}
