/* SPDX-License-Identifier: MIT
 *
 * cli/output.c: lines from the files a keeper writes.
 *
 * While an attempt lives its bytes are in its slot; when it ends they move. The
 * row says where they are; between two reads that may have changed, so a
 * reader that finds nothing where it looked asks the row again, once. */
#include "cli/output.h"

#include "cli/cli.sql.h"
#include "model/state.h"

enum { PIECE = 256 << 10 };

static bool kind_of(struct str word, enum log_kind *out)
{
    static const struct {
        const char *word;
        enum log_kind kind;
    } kinds[] = {
        {"none", LOG_NONE}, {"slot", LOG_SLOT}, {"segment", LOG_SEGMENT}, {"files", LOG_FILES}};
    for (size_t i = 0; i < countof(kinds); i++)
        if (str_is(word, kinds[i].word)) {
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

struct place {
    struct log_ref ref;
    bool known; /* the keeper has said where */
    bool over;
};

static bool find_place(const struct output *o, struct db *db, struct place *p, struct err *e)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct output_place_row row;
    enum attempt_state state;
    if (!sql_output_place(db, o->run, o->task, o->item, o->attempt, &rows, e))
        return false;
    if (!sql_output_place_next(&rows, &row))
        return err_set(e, ERR_NOT_FOUND, "there is no attempt %lld", (long long)o->attempt);
    *p = (struct place){.ref = {.number = row.log_number == DB_NULL ? 0 : (uint32_t)row.log_number,
                                .offset = row.log_offset == DB_NULL ? 0 : (uint64_t)row.log_offset,
                                .out_len = (uint64_t)row.out_bytes,
                                .err_len = (uint64_t)row.err_bytes,
                                .out_dropped = (uint64_t)row.dropped_bytes,
                                .marks_len = (uint32_t)row.marks_bytes}};
    p->ref.name.task = (uint32_t)o->task;
    p->ref.name.item = (uint32_t)o->item;
    p->ref.name.try = (uint32_t)o->attempt;
    p->over = attempt_state_parse(row.state, &state) && attempt_is_over(state);
    p->known = row.log_kind.at && kind_of(row.log_kind, &p->ref.kind);
    return ulid_parse(row.key, &p->ref.name.run) ||
           err_set(e, ERR_SYSTEM, "run %lld has no key", (long long)o->run);
}

/* NULL in `*out` and true: nothing to read yet. */
static bool open_log(const struct output *o, int home, struct db *db, struct place *p,
                     struct log_reader **out, struct err *e)
{
    *out = NULL;
    for (int tries = 0;; tries++) {
        if (!find_place(o, db, p, e))
            return false;
        if (!p->known)
            return true;
        if (log_open(home, &p->ref, out, e))
            return true;
        if (e->kind != ERR_CONFLICT)
            return false;
        if (tries) /* it moves just now; the next look will find it */
            return true;
    }
}

static ms_t time_of(struct log_reader *r, uint64_t at)
{
    struct log_piece piece;
    for (uint32_t i = 0; log_piece_at(r, i, &piece); i++)
        if (at < piece.both_at + piece.len)
            return piece.at;
    return 0;
}

struct sink {
    struct output *output;
    struct log_reader *times; /* NULL: not wanted */
    output_line_fn *fn;
    void *ctx;
};

static void end_line(struct sink *s, bool ended)
{
    struct output *o = s->output;
    ms_t at = s->times ? time_of(s->times, o->line_at) : 0;
    s->fn(s->ctx, (struct str){o->line.at ? o->line.at : "", o->line.len}, at, ended);
    buf_clear(&o->line);
}

static void add_bytes(struct sink *s, const struct buf *b, uint64_t at)
{
    const char *p = b->at, *end = b->at + b->len;
    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        if (!s->output->line.len)
            s->output->line_at = at + (uint64_t)(p - b->at);
        buf_add(&s->output->line, p, (size_t)((stop ? stop : end) - p));
        if (!stop)
            return;
        end_line(s, true);
        p = stop + 1;
    }
}

static bool drain(struct sink *s, struct log_reader *r, struct err *e)
{
    struct output *o = s->output;
    struct buf piece CLEANUP(buf_free) = {0};
    for (;;) {
        uint64_t next;
        buf_clear(&piece);
        if (!log_read(r, o->stream, o->offset, PIECE, &piece, &next, e))
            return e->kind == ERR_CONFLICT; /* it moved meanwhile: the next look goes on */
        if (!piece.len) {
            o->offset = MAX(o->offset, next);
            return true;
        }
        add_bytes(s, &piece, o->offset);
        o->offset = next;
    }
}

bool output_read(struct output *o, int home, struct db *db, bool want_times, output_line_fn *fn,
                 void *ctx, struct err *e)
{
    struct log_reader *r CLEANUP(log_close_at) = NULL;
    struct place p;
    struct sink s = {o, NULL, fn, ctx};

    if (!open_log(o, home, db, &p, &r, e))
        return false;
    if (r) {
        s.times = want_times && o->stream == LOG_BOTH ? r : NULL;
        if (!drain(&s, r, e))
            return false;
    }
    bool all = p.over && (!p.known || (r && o->offset >= log_size(r, o->stream)));
    if (all && o->line.len)
        end_line(&s, false);
    o->complete = all;
    return true;
}

bool output_tail(struct output *o, int home, struct db *db, uint64_t lines, struct err *e)
{
    struct log_reader *r CLEANUP(log_close_at) = NULL;
    struct place p;
    if (!open_log(o, home, db, &p, &r, e))
        return false;
    return !r || log_tail(r, o->stream, lines, &o->offset, e);
}

void output_free(struct output *o)
{
    buf_free(&o->line);
}
