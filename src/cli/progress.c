/* SPDX-License-Identifier: MIT
 *
 * cli/progress.c: from rows to a reader's eyes, while they change.
 *
 * Changes come from the events of the run, in order; each names a task and its
 * new state. The block below is drawn at most ten times a second, and is never
 * higher than the window. */
#include "cli/progress.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cli/cli.sql.h"
#include "cli/follow.h"
#include "cli/output.h"
#include "model/duration.h"
#include "server/words.h"
#include "store/store.h"

enum {
    DRAW_MS = 100,
    BLOCK_ROWS_MAX = 20,
    TAIL_LINES = 8,
    NAME_COLUMNS = 24,
    BAR_CELLS = 6,
    BAR_WIDTH_MIN = 70
};

bool progress_open(struct progress *p, const struct cli *c, const char *home, int64_t run,
                   struct err *e)
{
    *p = (struct progress){.cli = c, .home = home, .run = run, .hints = true};
    p->silent = c->quiet || c->json;
    return store_open_reader(home, &p->db, e) && times_open(&p->times, c, e);
}

void progress_close(struct progress *p)
{
    db_close(&p->db);
    times_close(&p->times);
    buf_free(&p->out);
}

static void erase_block(struct progress *p)
{
    if (p->drawn)
        buf_printf(&p->out, "\033[%uF\033[J", p->drawn);
    p->drawn = 0;
}

static void duration(struct buf *out, ms_t span)
{
    char text[DURATION_TEXT_MAX];
    buf_puts(out, duration_text(MAX(span, 0), text));
}

static void padded(struct progress *p, struct str name)
{
    size_t wide = text_columns(name.at, name.len);
    buf_str(&p->out, name);
    for (; wide < NAME_COLUMNS; wide++)
        buf_putc(&p->out, ' ');
    buf_putc(&p->out, ' ');
}

static void ending_words(const struct task_brief_row *t, struct buf *out)
{
    struct ending end = {.state = t->state,
                         .reason = t->reason,
                         .exit_code = t->exit_code,
                         .signal = t->signal,
                         .timeout_ms = t->timeout_ms,
                         .attempts = t->attempt,
                         .message = t->message};
    words_ending(out, &end);
}

static ms_t brief_span(const struct task_brief_row *t)
{
    ms_t from = t->began != DB_NULL ? t->began : t->started_at;
    ms_t to = t->ended != DB_NULL ? t->ended : t->finished_at;
    return from == DB_NULL || to == DB_NULL ? -1 : to - from;
}

static void task_line(struct progress *p, const struct task_brief_row *t, enum task_state state)
{
    struct buf span = {0}, why = {0};
    ms_t took = t->attempt ? brief_span(t) : -1;
    if (took >= 0)
        duration(&span, took);
    buf_puts(&p->out, "  ");
    sign_add(&p->cli->out, &p->out, sign_of_task(state));
    buf_putc(&p->out, ' ');
    padded(p, t->name);
    ending_words(t, &why);
    if (state == TASK_RETRYING && !why.len)
        buf_printf(&why, "exit %lld", (long long)t->exit_code);
    if (state == TASK_RETRYING)
        buf_printf(&why, ", attempt %lld of %lld, again soon", (long long)t->attempt,
                   (long long)t->retries + 1);
    buf_printf(&p->out, "%8s", span.at ? span.at : "");
    if (why.len) {
        buf_puts(&p->out, "   ");
        paint_add(&p->cli->out, &p->out, TONE_DIM, (struct str){why.at, why.len});
    }
    buf_putc(&p->out, '\n');
    buf_free(&span);
    buf_free(&why);
}

static void stamp(struct progress *p, ms_t at)
{
    char text[CLOCK_TEXT_MAX];
    buf_printf(&p->out, "%s ", clock_rfc3339(at, text));
}

static void task_record(struct progress *p, const struct task_brief_row *t, enum task_state state,
                        ms_t at)
{
    stamp(p, at);
    buf_printf(&p->out, "task  %.*s %s", STR_ARG(t->name), task_state_word(state));
    if (t->attempt && brief_span(t) >= 0 && (task_is_over(state) || state == TASK_RETRYING))
        buf_printf(&p->out, " %lldms", (long long)brief_span(t));
    if (t->exit_code != DB_NULL && t->exit_code)
        buf_printf(&p->out, " exit=%lld", (long long)t->exit_code);
    if (t->attempt && t->retries)
        buf_printf(&p->out, " attempt=%lld/%lld", (long long)t->attempt, (long long)t->retries + 1);
    if (t->reason.len && state != TASK_SUCCESS)
        buf_printf(&p->out, " reason=%.*s", STR_ARG(t->reason));
    if (t->message.len && state == TASK_FAILED) {
        struct json j = json_to(&p->out);
        buf_puts(&p->out, " message=");
        json_str(&j, NULL, t->message);
    }
    buf_putc(&p->out, '\n');
}

static void print_output_line(void *ctx, struct str line, ms_t at, bool ended)
{
    struct progress *p = ctx;
    struct tame tame = {0};
    (void)at, (void)ended;
    if (p->cli->out.tty)
        buf_puts(&p->out, p->cli->out.ascii ? "  | " : "  │ ");
    tame_add(&tame, &p->out, line.at, line.len, p->cli->out.colour);
    if (p->cli->out.colour && memchr(line.at, '\033', line.len))
        buf_puts(&p->out, "\033[0m");
    buf_putc(&p->out, '\n');
}

static void print_output(struct progress *p, int64_t task, int64_t item, int64_t attempt,
                         uint64_t lines)
{
    struct err e = {0};
    int home CLEANUP(fd_close) = open(p->home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct output o CLEANUP(output_free) = {
        .run = p->run, .task = task, .item = item, .attempt = attempt, .stream = LOG_BOTH};
    if (lines && !output_tail(&o, home, &p->db, lines, &e))
        return;
    if (!output_read(&o, home, &p->db, false, print_output_line, p, &e))
        buf_printf(&p->out, "  (%s)\n", e.text);
}

static bool brief(struct progress *p, int64_t task, int64_t item, ms_t at, enum task_state state,
                  struct err *e)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct task_brief_row t;
    if (!sql_task_brief(&p->db, p->run, task, item, &rows, e))
        return false;
    if (!sql_task_brief_next(&rows, &t))
        return true;
    if (!p->cli->out.tty) {
        task_record(p, &t, state, at);
        if (state == TASK_FAILED && t.attempt && !str_is(t.reason, "launch")) {
            buf_printf(&p->out, "--- %.*s, attempt %lld: output ---\n", STR_ARG(t.name),
                       (long long)t.attempt);
            print_output(p, task, item, t.attempt, 0);
            buf_printf(&p->out, "--- %.*s: end ---\n", STR_ARG(t.name));
        }
    } else if (task_is_over(state) || state == TASK_RETRYING) {
        task_line(p, &t, state);
    }
    return true;
}

static bool shown(const struct progress *p, enum task_state s)
{
    (void)p;
    return task_is_over(s) || s == TASK_RETRYING;
}

static bool task_changes(struct progress *p, ms_t at, struct str data, struct err *e)
{
    json_t *v = json_loadb(data.at, data.len, 0, NULL), *change;
    enum task_state to;
    bool fine = true;
    size_t i;
    json_array_foreach(json_object_get(v, "tasks"), i, change)
    {
        const char *word = json_string_value(json_array_get(change, 3));
        if (!fine || !word || !task_state_parse(str_of(word), &to) || !shown(p, to))
            continue;
        fine = brief(p, json_integer_value(json_array_get(change, 0)),
                     json_integer_value(json_array_get(change, 1)), at, to, e);
    }
    json_decref(v);
    return fine;
}

static void say_start(struct progress *p, const struct run_head_row *r)
{
    if (p->said_start || p->silent)
        return;
    p->said_start = true;
    if (!p->cli->out.tty) {
        stamp(p, r->created_at);
        buf_printf(&p->out, "run   %.*s#%lld started tasks=%lld version=%lld\n",
                   STR_ARG(r->workflow), (long long)p->run, (long long)r->tasks_total,
                   (long long)r->version);
        return;
    }
    paint_add(&p->cli->out, &p->out, TONE_BOLD, r->workflow);
    buf_printf(&p->out, " #%lld  %lld task%s  v%lld", (long long)p->run, (long long)r->tasks_total,
               r->tasks_total == 1 ? "" : "s", (long long)r->version);
    json_t *params = json_loadb(r->params.at ? r->params.at : "", r->params.len, 0, NULL), *value;
    const char *key;
    json_object_foreach(params, key, value)
        buf_printf(&p->out, "  %s=%s", key, json_string_value(value));
    json_decref(params);
    buf_putc(&p->out, '\n');
}

static void rule(struct progress *p)
{
    for (int i = 0; i < MIN(p->cli->out.width, 78); i++)
        buf_puts(&p->out, p->cli->out.ascii ? "-" : "─");
    buf_putc(&p->out, '\n');
    p->drawn++;
}

/* How much of the usual time is over. */
static void bar(struct progress *p, ms_t took, ms_t usual)
{
    int64_t full = usual > 0 ? MIN(MAX(took, 0) * BAR_CELLS / usual, BAR_CELLS) : BAR_CELLS;
    bool ascii = p->cli->out.ascii;
    buf_puts(&p->out, ascii ? "  [" : "  ▕");
    for (int64_t i = 0; i < BAR_CELLS; i++)
        buf_puts(&p->out, i >= full ? " " : ascii ? "#" : "█");
    buf_puts(&p->out, ascii ? "]" : "▏");
}

static void live_line(struct progress *p, const struct live_tasks_row *t, ms_t now)
{
    enum task_state s = TASK_RUNNING;
    (void)task_state_parse(t->state, &s);
    buf_puts(&p->out, "  ");
    sign_add(&p->cli->out, &p->out, sign_of_task(s));
    buf_putc(&p->out, ' ');
    padded(p, t->name);
    if (s == TASK_RETRYING && t->due_at != DB_NULL) {
        buf_puts(&p->out, "retry in ");
        duration(&p->out, t->due_at - now);
    } else if (t->began != DB_NULL) {
        duration(&p->out, (now - t->began) / 1000 * 1000);
        if (t->usual_ms != DB_NULL) {
            if (p->cli->out.width >= BAR_WIDTH_MIN)
                bar(p, now - t->began, t->usual_ms);
            buf_puts(&p->out, "   usually ");
            duration(&p->out, t->usual_ms);
        }
    }
    buf_putc(&p->out, '\n');
    p->drawn++;
}

static bool draw_block(struct progress *p, const struct run_head_row *r, struct err *e)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct live_tasks_row t;
    ms_t now = clock_wall();
    int most = MIN(BLOCK_ROWS_MAX, MAX(1, p->cli->out.height - 6));

    rule(p);
    if (!sql_live_tasks(&p->db, p->run, most, &rows, e))
        return false;
    while (sql_live_tasks_next(&rows, &t))
        live_line(p, &t, now);
    buf_printf(&p->out, "  [%lld/%lld]  running %lld  waiting %lld  ", (long long)r->tasks_done,
               (long long)r->tasks_total, (long long)r->tasks_running,
               (long long)(r->tasks_total - r->tasks_done - r->tasks_running));
    duration(&p->out, (now - r->created_at) / 1000 * 1000);
    if (r->usual_ms != DB_NULL) {
        buf_puts(&p->out, " of about ");
        duration(&p->out, r->usual_ms);
    }
    buf_putc(&p->out, '\n');
    p->drawn++;
    p->drawn_at = now;
    return true;
}

static bool show_changes(struct progress *p, struct err *e)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct changes_after_row c;
    if (!sql_changes_after(&p->db, p->run, p->seq, &rows, e))
        return false;
    while (sql_changes_after_next(&rows, &c)) {
        p->seq = c.seq;
        if (!p->silent && !task_changes(p, c.at, c.data, e))
            return false;
    }
    return db_rows_end(&rows, e);
}

static bool update(struct progress *p, bool block, struct err *e)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct run_head_row r;
    if (!sql_run_head(&p->db, p->run, &rows, e))
        return false;
    if (!sql_run_head_next(&rows, &r))
        return err_set(e, ERR_NOT_FOUND, "run %lld is gone", (long long)p->run);
    erase_block(p);
    say_start(p, &r);
    if (!show_changes(p, e))
        return false;
    if (block && p->cli->out.tty && !p->silent && !draw_block(p, &r, e))
        return false;
    out_flush(&p->out);
    return true;
}

bool progress_update(struct progress *p, struct err *e)
{
    ms_t now = clock_wall();
    if (p->cli->out.tty && now >= p->drawn_at && now - p->drawn_at < DRAW_MS)
        return true;
    return update(p, true, e);
}

static void failed_outputs(struct progress *p)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct failed_tasks_row f;
    struct err e = {0};
    if (!p->cli->out.tty || !sql_failed_tasks(&p->db, p->run, 3, &rows, &e))
        return;
    while (sql_failed_tasks_next(&rows, &f)) {
        buf_printf(&p->out, "\n%.*s, last lines of attempt %lld:\n", STR_ARG(f.name),
                   (long long)f.attempt);
        print_output(p, f.task, f.item, f.attempt, TAIL_LINES);
    }
}

struct counts {
    int64_t of[TASK_STATE_COUNT];
};

static bool count_states(struct progress *p, struct counts *c)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct state_counts_row row;
    enum task_state s;
    struct err e = {0};
    if (!sql_state_counts(&p->db, p->run, &rows, &e))
        return false;
    while (sql_state_counts_next(&rows, &row))
        if (task_state_parse(row.state, &s))
            c->of[s] = row.n;
    return true;
}

static void count_words(const struct counts *c, struct buf *out)
{
    static const struct {
        enum task_state state;
        const char *word;
    } parts[] = {{TASK_SUCCESS, "succeeded"},       {TASK_FAILED, "failed"},
                 {TASK_UPSTREAM_FAILED, "not run"}, {TASK_SKIPPED, "skipped"},
                 {TASK_CANCELLED, "cancelled"},     {TASK_PENDING, "not started"}};
    bool any = false;
    for (size_t i = 0; i < countof(parts); i++)
        if (c->of[parts[i].state]) {
            buf_printf(out, "%s%lld %s", any ? ", " : "", (long long)c->of[parts[i].state],
                       parts[i].word);
            any = true;
        }
}

static void verdict_record(struct progress *p, const struct run_head_row *r, const struct counts *c)
{
    stamp(p, r->finished_at == DB_NULL ? clock_wall() : r->finished_at);
    buf_printf(&p->out, "run   %.*s#%lld %.*s", STR_ARG(r->workflow), (long long)p->run,
               STR_ARG(r->state));
    if (r->finished_at != DB_NULL)
        buf_printf(&p->out, " %lldms", (long long)(r->finished_at - r->created_at));
    buf_printf(&p->out, " ok=%lld failed=%lld not_run=%lld skipped=%lld%s\n",
               (long long)c->of[TASK_SUCCESS], (long long)c->of[TASK_FAILED],
               (long long)(c->of[TASK_UPSTREAM_FAILED] + c->of[TASK_CANCELLED]),
               (long long)c->of[TASK_SKIPPED], r->degraded ? " degraded" : "");
}

static void verdict_line(struct progress *p, const struct run_head_row *r, const struct counts *c,
                         enum run_state state)
{
    buf_putc(&p->out, '\n');
    sign_add(&p->cli->out, &p->out, r->degraded ? &sign_degraded : sign_of_run(state));
    buf_putc(&p->out, ' ');
    paint_add(&p->cli->out, &p->out, TONE_BOLD, r->workflow);
    buf_printf(&p->out, " #%lld %s in ", (long long)p->run,
               state == RUN_SUCCESS ? "succeeded" : run_state_word(state));
    duration(&p->out, r->finished_at == DB_NULL ? 0 : r->finished_at - r->created_at);
    if (r->usual_ms != DB_NULL) {
        buf_puts(&p->out, " (usually ");
        duration(&p->out, r->usual_ms);
        buf_putc(&p->out, ')');
    }
    buf_puts(&p->out, p->cli->out.ascii ? ": " : " — ");
    count_words(c, &p->out);
    if (r->degraded)
        buf_puts(&p->out, "; the failure was handled");
    buf_putc(&p->out, '\n');
}

static void next_commands(struct progress *p, enum run_state state)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct failed_tasks_row f;
    struct err e = {0};
    const char *dir = strcmp(p->home, p->cli->home) ? p->home : NULL;
    if (state != RUN_FAILED || !p->hints || !sql_failed_tasks(&p->db, p->run, 1, &rows, &e) ||
        !sql_failed_tasks_next(&rows, &f))
        return;
    buf_printf(&p->out, "  read    gowtf%s%s logs %lld/%.*s\n", dir ? " -C " : "", dir ? dir : "",
               (long long)p->run, STR_ARG(f.name));
    if (p->again)
        buf_printf(&p->out, "  again   %s\n", p->again);
    else
        buf_printf(&p->out, "  retry   gowtf retry %lld   (keeps what succeeded)\n",
                   (long long)p->run);
}

static int exit_of(enum run_state s)
{
    return s == RUN_SUCCESS ? EXIT_DONE : s == RUN_CANCELLED ? EXIT_CANCELLED : EXIT_BAD;
}

int progress_verdict(struct progress *p, enum run_state *state)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct run_head_row r;
    struct counts c = {0};
    struct err e = {0};

    if (!update(p, false, &e) || !sql_run_head(&p->db, p->run, &rows, &e) ||
        !sql_run_head_next(&rows, &r) || !run_state_parse(r.state, state) || !count_states(p, &c))
        return fail_err(p->cli, NULL, &e);
    if (!p->silent) {
        if (*state == RUN_FAILED)
            failed_outputs(p);
        if (p->cli->out.tty)
            verdict_line(p, &r, &c, *state);
        else
            verdict_record(p, &r, &c);
        if (p->cli->out.tty)
            next_commands(p, *state);
        out_flush(&p->out);
    }
    return exit_of(*state);
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static bool is_over(struct progress *p, struct err *e)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct run_head_row r;
    enum run_state s = RUN_RUNNING;
    if (!sql_run_head(&p->db, p->run, &rows, e))
        return false;
    return sql_run_head_next(&rows, &r) && run_state_parse(r.state, &s) && run_is_over(s);
}

int progress_watch(const struct cli *c, int64_t run, ms_t timeout_ms)
{
    struct progress p CLEANUP(progress_close) = {0};
    struct follow f CLEANUP(follow_close) = {-1};
    struct sigaction act = {.sa_handler = on_signal};
    struct err e = {0};
    enum run_state state;
    ms_t until = timeout_ms ? clock_boot() + timeout_ms : MS_NEVER;

    if (!progress_open(&p, c, c->home, run, &e))
        return fail_err(c, NULL, &e);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    follow_open(&f, c->home);
    while (!is_over(&p, &e)) {
        if (e.kind || !progress_update(&p, &e))
            return fail_err(c, NULL, &e);
        if (clock_boot() >= until) {
            fprintf(stderr, "the time is over; run %lld goes on\n", (long long)run);
            return EXIT_TIMEOUT;
        }
        (void)follow_wait(&f, c->out.tty ? 250 : 1000);
        if (interrupted) {
            fprintf(stderr, "run %lld goes on; stop it with: gowtf cancel %lld\n", (long long)run,
                    (long long)run);
            return 128 + (int)interrupted;
        }
    }
    return progress_verdict(&p, &state);
}
