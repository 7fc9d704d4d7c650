/* SPDX-License-Identifier: MIT */
#include "worker/facts.h"
#include "worker.sql.h"

enum { LOOK_BACK_MAX = 64 }; /* news of one attempt in a turn come close together */

struct fact *facts_of(struct facts *l, struct attempt a)
{
    for (size_t i = l->count; i-- > 0 && l->count - i <= LOOK_BACK_MAX;)
        if (attempt_eq(l->at[i].attempt, a))
            return &l->at[i];
    l->at = mem_grow(l->at, &l->cap, l->count + 1, sizeof *l->at);
    struct fact *f = &l->at[l->count++];
    *f = (struct fact){
        .attempt = a,
        .pid = DB_NULL,
        .started_at = DB_NULL,
        .finished_at = DB_NULL,
        .exit_code = DB_NULL,
        .signal = DB_NULL,
    };
    return f;
}

void fact_explain(struct fact *f, struct str text)
{
    free(f->message);
    f->message = NULL;
    if (text.len) {
        f->message = mem_new(text.len + 1);
        memcpy(f->message, text.at, text.len);
    }
}

static const char *const log_words[LOG_KINDS] = {"none", "slot", "segment", "files"};

static struct str text_or_none(const char *s)
{
    return s && s[0] ? str_of(s) : STR_NONE;
}

static bool fact_write(const struct fact *f, struct db *db, struct str keeper, struct err *e)
{
    const struct log_ref *l = &f->log;
    bool numbered = l->kind == LOG_SLOT || l->kind == LOG_SEGMENT;
    return sql_attempt_put(
        db, f->attempt.run, f->attempt.task, f->attempt.item, f->attempt.try,
        str_of(attempt_state_word(f->state)), keeper, f->pid, f->started_at, f->finished_at,
        f->exit_code, f->signal, f->needed_kill, text_or_none(f->message),
        (int64_t)f->usage.user_us, (int64_t)f->usage.sys_us, (int64_t)f->usage.max_rss_kib,
        (int64_t)f->usage.read_blocks, (int64_t)f->usage.write_blocks, str_of(log_words[l->kind]),
        numbered ? (int64_t)l->number : DB_NULL,
        l->kind == LOG_SEGMENT ? (int64_t)l->offset : DB_NULL, (int64_t)l->out_len,
        (int64_t)l->err_len, l->marks_len, (int64_t)(l->out_dropped + l->err_dropped),
        text_or_none(f->excerpt.text), f->excerpt.line ? f->excerpt.line : DB_NULL, e);
}

bool facts_write(const struct facts *l, struct db *db, struct str keeper, struct err *e)
{
    for (size_t i = 0; i < l->count; i++)
        if (!fact_write(&l->at[i], db, keeper, e))
            return false;
    return true;
}

void facts_clear(struct facts *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->at[i].message);
    l->count = 0;
}

void facts_free(struct facts *l)
{
    facts_clear(l);
    free(l->at);
    *l = (struct facts){0};
}

/* ---- signs of life ---- */

static const struct sign *sign_of(const struct signs *l, struct attempt a)
{
    for (size_t i = 0; i < l->count; i++)
        if (attempt_eq(l->at[i].attempt, a))
            return &l->at[i];
    return NULL;
}

void signs_replace(struct signs *last, struct signs *now)
{
    for (size_t i = 0; i < now->count; i++) {
        struct sign *s = &now->at[i];
        const struct sign *before = sign_of(last, s->attempt);
        s->fresh = s->output_at && (!before || before->fresh || before->output_at != s->output_at);
    }
    struct signs old = *last;
    *last = *now;
    *now = old;
    now->count = 0;
}

bool signs_fresh(const struct signs *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->at[i].fresh)
            return true;
    return false;
}

bool signs_write(const struct signs *l, struct db *db, struct err *e)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct sign *s = &l->at[i];
        if (s->fresh &&
            !sql_attempt_sign(db, s->attempt.run, s->attempt.task, s->attempt.item, s->attempt.try,
                              s->cpu_ms * 1000, s->rss_kib, s->output_at, e))
            return false;
    }
    return true;
}

void signs_written(struct signs *l)
{
    for (size_t i = 0; i < l->count; i++)
        l->at[i].fresh = false;
}
