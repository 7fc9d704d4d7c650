/* SPDX-License-Identifier: MIT
 *
 * server/log_view.c: bytes on disk to numbered lines.
 *
 * Numbers are exact, so everything before a line is looked at once; every so
 * many lines the place is remembered, and a second look begins near the line
 * that is wanted. An attempt's output moves when it ends: then the row is asked
 * again where it is now. */
#include "server/log_view.h"
#include "base/fd.h"
#include "model/state.h"
#include "server/view_parts.h"
#include "read.sql.h"

#include <fcntl.h>

enum { CHUNK = 256 << 10, MARK_LINES = 1024, MOVES_MAX = 5 };

bool log_stream_of(struct str word, enum log_stream *out)
{
    *out = str_is(word, "out") ? LOG_OUT : str_is(word, "err") ? LOG_ERR : LOG_BOTH;
    return *out != LOG_BOTH || !word.at || word.len == 0 || str_is(word, "both");
}

/* ---- opening ---- */

struct opened {
    struct log_reader *reader;
    int64_t dropped;
    bool complete;
};

static void opened_close(struct opened *o)
{
    log_close(o->reader);
    o->reader = NULL;
}

static enum log_kind kind_of(struct str word)
{
    static const char *const words[LOG_KINDS] = {"none", "slot", "segment", "files"};
    for (int k = 0; k < LOG_KINDS; k++)
        if (str_is(word, words[k]))
            return (enum log_kind)k;
    return LOG_NONE;
}

static uint64_t natural(int64_t value)
{
    return value == DB_NULL || value < 0 ? 0 : (uint64_t)value;
}

static bool ref_of(const struct attempt_log_row *r, int64_t task, int64_t attempt,
                   struct log_ref *out, struct err *e)
{
    *out = (struct log_ref){.kind = kind_of(r->log_kind),
                            .number = (uint32_t)natural(r->log_number),
                            .offset = natural(r->log_offset),
                            .out_len = natural(r->out_bytes),
                            .err_len = natural(r->err_bytes),
                            .out_dropped = 0,
                            .marks_len = (uint32_t)natural(r->marks_bytes),
                            .name = {.task = (uint32_t)task, .try = (uint32_t)attempt}};
    return ulid_parse(r->key, &out->name.run) ||
           err_set(e, ERR_SYSTEM, "the key of this run is not one");
}

static bool open_once(const struct view *v, int64_t run, int64_t task, int64_t attempt,
                      struct opened *out, struct err *e)
{
    CLEANUP(db_rows_close) struct db_rows rows = {0};
    CLEANUP(fd_close) int home = open(v->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct attempt_log_row r;
    struct log_ref ref;
    enum attempt_state state;
    if (home < 0)
        return err_sys(e, "%s", v->home);
    if (!sql_attempt_log(v->db, run, task, 0, attempt, &rows, e))
        return false;
    if (!sql_attempt_log_next(&rows, &r))
        return err_set(e, ERR_NOT_FOUND, "run #%lld has no attempt %lld of this task",
                       (long long)run, (long long)attempt);
    out->complete = attempt_state_parse(r.state, &state) && attempt_is_over(state);
    out->dropped = r.dropped_bytes;
    return ref_of(&r, task, attempt, &ref, e) && log_open(home, &ref, &out->reader, e);
}

static bool open_log(const struct view *v, int64_t run, int64_t task, int64_t attempt,
                     struct opened *out, struct err *e)
{
    for (int i = 0; i < MOVES_MAX; i++) {
        if (open_once(v, run, task, attempt, out, e))
            return true;
        if (e->kind != ERR_CONFLICT)
            return false;
        db_end_read(v->db); /* what is true now, not when this request began */
        if (!db_begin_read(v->db, e))
            return false;
    }
    return err_set(e, ERR_LIMIT, "the output is being moved: try again");
}

/* ---- bytes ---- */

bool view_log(const struct view *v, const struct log_query *q, struct buf *out,
              struct log_told *told, struct err *e)
{
    CLEANUP(opened_close) struct opened log = {0};
    uint64_t offset = natural(q->offset), next, max = LOG_ANSWER_MAX;
    int64_t item;
    *told = (struct log_told){0};
    if (!view_task_find(v, q->run, q->task, &told->task, &item, e) ||
        !open_log(v, q->run, told->task, q->attempt, &log, e))
        return false;
    uint64_t size = log_size(log.reader, q->stream);
    told->bytes = (int64_t)size;
    told->complete = log.complete;
    told->beyond = offset > size;
    if (told->beyond)
        return true;
    if (q->tail > 0 && !log_tail(log.reader, q->stream, natural(q->tail), &offset, e))
        return false;
    if (q->limit > 0)
        max = MIN(max, natural(q->limit));
    for (next = offset; out->len < max;) {
        uint64_t at = next;
        if (!log_read(log.reader, q->stream, at, max - out->len, out, &next, e))
            return false;
        if (next <= at)
            break;
    }
    told->next = (int64_t)next;
    return true;
}

/* ---- lines ---- */

struct lines {
    struct log_reader *reader;
    enum log_stream stream;
    uint64_t *marks; /* offset of line 1, 1025, 2049, .. */
    size_t mark_count, mark_cap;
    int64_t total;
    bool whole; /* a last line without an end counts */
    /* where pieces were looked at last */
    uint32_t piece;
};

static void lines_free(struct lines *l)
{
    free(l->marks);
}

static void mark(struct lines *l, uint64_t offset)
{
    if (l->mark_count == l->mark_cap)
        l->marks = mem_grow(l->marks, &l->mark_cap, l->mark_count + 1, sizeof *l->marks);
    l->marks[l->mark_count++] = offset;
}

/* Count all lines, and remember where every MARK_LINESth begins. */
static bool lines_count(struct lines *l, struct err *e)
{
    CLEANUP(buf_free) struct buf chunk = {0};
    uint64_t at = 0, next = 0;
    bool open_end = false;
    mark(l, 0);
    for (;; at = next) {
        buf_clear(&chunk);
        if (!log_read(l->reader, l->stream, at, CHUNK, &chunk, &next, e))
            return false;
        if (chunk.len == 0 || next <= at)
            break;
        for (const char *p = chunk.at, *end = chunk.at + chunk.len;
             (p = memchr(p, '\n', (size_t)(end - p)));) {
            p++;
            if (++l->total % MARK_LINES == 0) /* after a hole the place is only near */
                mark(l, next - (uint64_t)(end - p));
        }
        open_end = chunk.at[chunk.len - 1] != '\n';
    }
    if (open_end && l->whole)
        l->total++;
    return true;
}

static bool piece_holds(const struct lines *l, const struct log_piece *p, uint64_t offset)
{
    uint64_t at = l->stream == LOG_BOTH ? p->both_at : p->offset;
    return (l->stream == LOG_BOTH || p->stream == l->stream) && offset < at + p->len;
}

/* Which stream the line at `offset` is of, and when it was written. */
static void write_origin(struct lines *l, uint64_t offset, struct json *j)
{
    struct log_piece p;
    bool there = false;
    while (!there && log_piece_at(l->reader, l->piece, &p)) {
        there = piece_holds(l, &p, offset);
        l->piece += !there;
    }
    bool err = l->stream == LOG_ERR || (there && l->stream == LOG_BOTH && p.stream == LOG_ERR);
    json_str(j, NULL, err ? S("e") : S("o"));
    if (there && p.at > 0)
        json_int(j, NULL, p.at);
    else
        json_none(j, NULL);
}

static void write_line(struct lines *l, int64_t number, uint64_t offset, struct str text,
                       struct json *j)
{
    CLEANUP(buf_free) struct buf cut = {0};
    if (text.len > LOG_LINE_MAX) {
        buf_add(&cut, text.at, LOG_LINE_MAX);
        buf_printf(&cut, " + %zu bytes", text.len - LOG_LINE_MAX);
        text = (struct str){cut.at, cut.len};
    }
    json_list(j, NULL);
    json_int(j, NULL, number);
    write_origin(l, offset, j);
    json_str(j, NULL, text.at ? text : S(""));
    json_list_end(j);
}

/* Where a line begins, and its number. */
struct place {
    uint64_t offset;
    int64_t number;
};

/* Go on from `at`, writing the lines from number `from` on, at most `count`.
 * Stops at the end of the stream, before a line that is not finished. */
static bool write_lines(struct lines *l, struct place *at, int64_t from, int64_t count,
                        struct json *j, struct err *e)
{
    CLEANUP(buf_free) struct buf text = {0};
    uint64_t next = at->offset; /* what `text` goes up to */
    size_t head = 0, shown = 0; /* the line begins at `head` of it */
    while (count > 0 && shown < LOG_ANSWER_MAX) {
        char *line = text.at + head;
        char *end = text.len > head ? memchr(line, '\n', text.len - head) : NULL;
        if (!end) {
            buf_cut(&text, head);
            head = 0;
            size_t before = text.len;
            if (!log_read(l->reader, l->stream, next, CHUNK, &text, &next, e))
                return false;
            if (text.len > before)
                continue;
            if (!l->whole || text.len == 0)
                break;
            line = text.at;
        }
        size_t len = end ? (size_t)(end - line) : text.len;
        if (at->number >= from) {
            write_line(l, at->number, at->offset, (struct str){line, len}, j);
            shown += MIN(len, LOG_LINE_MAX);
            count--;
        }
        at->number++;
        head += len + (end != NULL);
        at->offset = next - (text.len - head);
    }
    return true;
}

bool view_lines(const struct view *v, const struct log_query *q, struct buf *out, struct err *e)
{
    CLEANUP(opened_close) struct opened log = {0};
    CLEANUP(lines_free) struct lines l = {.stream = q->stream};
    struct json j = json_to(out);
    int64_t task, item, from = MAX(q->from, 1), count = q->count > 0 ? q->count : LOG_LINES;
    if (!view_task_find(v, q->run, q->task, &task, &item, e) ||
        !open_log(v, q->run, task, q->attempt, &log, e))
        return false;
    l.reader = log.reader;
    l.whole = log.complete;
    if (!lines_count(&l, e))
        return false;
    if (q->tail > 0) {
        count = q->tail;
        from = MAX(l.total - q->tail + 1, 1);
    }
    size_t near = MIN((size_t)((from - 1) / MARK_LINES), l.mark_count - 1);
    struct place at = {l.marks[near], (int64_t)near * MARK_LINES + 1};
    json_open(&j, NULL);
    json_list(&j, "lines");
    if (!write_lines(&l, &at, from, MIN(count, LOG_LINES_MAX), &j, e))
        return false;
    json_list_end(&j);
    json_int(&j, "first", from);
    json_int(&j, "total_lines", l.total);
    json_int(&j, "bytes", (int64_t)log_size(log.reader, q->stream));
    json_bool(&j, "complete", log.complete);
    json_int(&j, "dropped_bytes", log.dropped);
    json_close(&j);
    return true;
}

/* ---- following ---- */

/* To the end of what is there, telling nothing. */
static bool follow_begin(struct lines *l, struct log_place *at, struct err *e)
{
    struct place p;
    if (!lines_count(l, e))
        return false;
    p = (struct place){l->marks[l->mark_count - 1], (int64_t)(l->mark_count - 1) * MARK_LINES + 1};
    if (!write_lines(l, &p, INT64_MAX, 1, NULL, e))
        return false;
    at->begun = true;
    at->offset = p.offset;
    at->lines = p.number - 1;
    return true;
}

bool view_log_follow(const struct view *v, struct log_place *at, struct buf *out, struct err *e)
{
    CLEANUP(opened_close) struct opened log = {0};
    CLEANUP(lines_free) struct lines l = {.stream = LOG_BOTH};
    struct json j = json_to(out);
    size_t before = out->len;
    if (!open_log(v, at->run, at->task, at->attempt, &log, e))
        return false;
    l.reader = log.reader;
    l.whole = log.complete;
    bool first = !at->begun;
    if (first && !follow_begin(&l, at, e))
        return false;
    struct place p = {at->offset, at->lines + 1};
    json_open(&j, NULL);
    json_int(&j, "run", at->run);
    json_int(&j, "task", at->task);
    json_int(&j, "attempt", at->attempt);
    json_list(&j, "lines");
    if (!write_lines(&l, &p, 0, LOG_LINES, &j, e))
        return false;
    json_list_end(&j);
    bool some = p.number - 1 > at->lines;
    at->lines = p.number - 1;
    at->offset = p.offset;
    at->complete = log.complete && p.offset >= log_size(log.reader, LOG_BOTH);
    json_int(&j, "total_lines", at->lines);
    json_bool(&j, "complete", at->complete);
    json_close(&j);
    if (!some && !first && !at->complete)
        out->len = before;
    return true;
}
