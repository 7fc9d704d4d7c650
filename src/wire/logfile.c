/* SPDX-License-Identifier: MIT
 *
 * wire/logfile.c: reading what tasks wrote.
 *
 * A reader holds the two files open and a picture of the entry: sizes, holes,
 * marks. From the marks it makes the pieces of LOG_BOTH: between two marks
 * first what came to out, then what came to err; after the last mark what has
 * been written since.
 *
 * What must stay true: nothing read from a slot is given out unless its entry named the
 * same attempt, with the same turn, after the reading as before. Marks come from
 * a file and are believed only while they rise and stay within the files. */
#include "wire/logfile.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TAIL_CHUNK = 64 << 10, PIECES_MAX = 2 * (LOG_MARKS_MAX + 1) };

void log_slot_path(uint32_t slot, const char *which, char path[LOG_PATH_MAX])
{
    snprintf(path, LOG_PATH_MAX, "logs/slots/%u.%s", slot, which);
}

void log_segment_path(uint32_t number, char path[LOG_PATH_MAX])
{
    snprintf(path, LOG_PATH_MAX, "logs/segments/%08u.log", number);
}

void log_files_path(const struct wire_name *n, const char *which, char path[LOG_PATH_MAX])
{
    char run[ULID_TEXT_MAX];
    snprintf(path, LOG_PATH_MAX, "logs/files/%s/%u.%u.%u.%s", ulid_text(&n->run, run), n->task,
             n->item, n->try, which);
}

struct log_reader {
    struct log_ref ref;
    int fd[2];
    int index;        /* LOG_SLOT: the slots' index; else -1 */
    uint32_t turn;    /* LOG_SLOT: as it was when opened */
    uint64_t base[2]; /* where each stream begins in its file */
    uint64_t len[2];
    struct log_hole hole[2];
    uint32_t piece_count;
    struct log_piece pieces[PIECES_MAX];
};

/* ---- opening ---- */

static bool open_below(int data, const char *path, int *out, struct err *e)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    struct stat st;
    int fd = (int)syscall(SYS_openat2, data, path, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS)
        return fd_open_read(data, path, out, e);
    if (fd < 0) {
        bool gone = errno == ENOENT || errno == ENOTDIR;
        err_sys(e, "%s", path);
        e->kind = gone ? ERR_NOT_FOUND : ERR_SYSTEM;
        return false;
    }
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(e, ERR_INVALID, "%s: not a regular file", path);
    }
    *out = fd;
    return true;
}

static bool read_at(int fd, void *to, size_t n, uint64_t at)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, (char *)to + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* ---- pieces ---- */

static void piece_add(struct log_reader *r, enum log_stream s, const uint64_t from[2],
                      const uint64_t to[2], ms_t at)
{
    if (to[s] == from[s])
        return;
    const struct log_piece *last = r->piece_count ? &r->pieces[r->piece_count - 1] : NULL;
    r->pieces[r->piece_count++] =
        (struct log_piece){.stream = s,
                           .offset = from[s],
                           .len = to[s] - from[s],
                           .both_at = last ? last->both_at + last->len : 0,
                           .at = at};
}

static void pieces_make(struct log_reader *r, const struct log_mark *marks, uint32_t count)
{
    uint64_t from[2] = {0, 0};
    r->piece_count = 0;
    for (uint32_t i = 0; i <= count; i++) {
        uint64_t to[2] = {r->len[0], r->len[1]};
        ms_t at = 0;
        if (i < count) {
            if (marks[i].out_len < from[0] || marks[i].out_len > r->len[0] ||
                marks[i].err_len < from[1] || marks[i].err_len > r->len[1])
                continue;
            to[0] = marks[i].out_len;
            to[1] = marks[i].err_len;
            at = marks[i].at;
        }
        piece_add(r, LOG_OUT, from, to, at);
        piece_add(r, LOG_ERR, from, to, at);
        from[0] = to[0];
        from[1] = to[1];
    }
}

/* ---- the three places ---- */

static bool moved(struct err *e)
{
    return err_set(e, ERR_CONFLICT, "the output has moved");
}

/* The entry as it is now, whole, and of this attempt. */
static bool slot_entry(const struct log_reader *r, struct log_entry *entry, struct err *e)
{
    uint64_t at = (uint64_t)r->ref.number * LOG_ENTRY_BYTES;
    uint32_t turn;
    if (!read_at(r->index, entry, sizeof *entry, at) ||
        !read_at(r->index, &turn, sizeof turn, at + offsetof(struct log_head, turn)))
        return moved(e);
    const struct log_head *h = &entry->head;
    if (memcmp(h->magic, LOG_MAGIC, sizeof h->magic) != 0 || h->turn % 2 || h->turn != turn ||
        h->marks_count > LOG_MARKS_MAX || !wire_name_eq(&h->name, &r->ref.name))
        return moved(e);
    return true;
}

/* Marks thinned out change the turn too, so only the name must have stayed. */
static bool slot_still_ours(const struct log_reader *r, struct err *e)
{
    struct log_head head;
    uint64_t at = (uint64_t)r->ref.number * LOG_ENTRY_BYTES;
    if (!read_at(r->index, &head, sizeof head, at) || !wire_name_eq(&head.name, &r->ref.name))
        return moved(e);
    return true;
}

static bool sizes(struct log_reader *r, struct err *e)
{
    for (int i = 0; i < 2; i++) {
        struct stat st;
        if (fstat(r->fd[i], &st))
            return err_sys(e, "fstat");
        r->len[i] = (uint64_t)st.st_size;
    }
    return true;
}

static void take_head(struct log_reader *r, const struct log_head *h)
{
    r->turn = h->turn;
    const struct log_hole holes[2] = {h->out_hole, h->err_hole};
    for (int i = 0; i < 2; i++) {
        bool sane = holes[i].at <= r->len[i] && holes[i].len <= r->len[i] - holes[i].at;
        r->hole[i] = sane ? holes[i] : (struct log_hole){0};
    }
}

static bool refresh_slot(struct log_reader *r, struct err *e)
{
    struct log_entry entry;
    for (int tries = 0; !slot_entry(r, &entry, e); tries++)
        if (tries == 3)
            return false;
    if (!sizes(r, e) || !slot_still_ours(r, e))
        return false;
    take_head(r, &entry.head);
    pieces_make(r, entry.marks, entry.head.marks_count);
    return true;
}

static bool open_slot(int data, struct log_reader *r, struct err *e)
{
    char path[LOG_PATH_MAX];
    static const char *const which[2] = {"out", "err"};
    if (!open_below(data, LOG_SLOT_INDEX, &r->index, e))
        return false;
    for (int i = 0; i < 2; i++) {
        log_slot_path(r->ref.number, which[i], path);
        if (!open_below(data, path, &r->fd[i], e))
            return false;
    }
    return refresh_slot(r, e);
}

static bool open_segment(int data, struct log_reader *r, struct err *e)
{
    const struct log_ref *ref = &r->ref;
    char path[LOG_PATH_MAX];
    struct log_mark marks[LOG_MARKS_MAX];
    struct stat st;
    log_segment_path(ref->number, path);
    if (!open_below(data, path, &r->fd[0], e))
        return false;
    r->fd[1] = dup(r->fd[0]);
    if (r->fd[1] < 0 || fstat(r->fd[0], &st))
        return err_sys(e, "%s", path);
    uint64_t size = (uint64_t)st.st_size;
    if (ref->offset > size || ref->out_len > LOG_SMALL_MAX || ref->err_len > LOG_SMALL_MAX ||
        ref->marks_len > sizeof marks ||
        ref->out_len + ref->err_len + ref->marks_len > size - ref->offset)
        return err_set(e, ERR_NOT_FOUND, "%s is shorter than it should be", path);
    r->base[0] = ref->offset;
    r->base[1] = ref->offset + ref->out_len;
    r->len[0] = ref->out_len;
    r->len[1] = ref->err_len;
    if (!read_at(r->fd[0], marks, ref->marks_len, r->base[1] + ref->err_len))
        return err_sys(e, "%s", path);
    pieces_make(r, marks, ref->marks_len / (uint32_t)sizeof marks[0]);
    return true;
}

/* Without an .idx there are no marks, and holes read as zeros. */
static bool files_entry(int data, const struct log_ref *ref, struct log_entry *entry)
{
    CLEANUP(fd_close)
    int fd = -1;
    char path[LOG_PATH_MAX];
    struct err ignored;
    log_files_path(&ref->name, "idx", path);
    return open_below(data, path, &fd, &ignored) && read_at(fd, entry, LOG_HEAD_BYTES, 0) &&
           memcmp(entry->head.magic, LOG_MAGIC, sizeof entry->head.magic) == 0 &&
           entry->head.marks_count <= LOG_MARKS_MAX &&
           read_at(fd, entry->marks, entry->head.marks_count * sizeof entry->marks[0],
                   LOG_HEAD_BYTES);
}

static bool open_files(int data, struct log_reader *r, struct err *e)
{
    static const char *const which[2] = {"out", "err"};
    struct log_entry entry;
    char path[LOG_PATH_MAX];
    for (int i = 0; i < 2; i++) {
        log_files_path(&r->ref.name, which[i], path);
        if (!open_below(data, path, &r->fd[i], e))
            return false;
    }
    if (!sizes(r, e))
        return false;
    if (files_entry(data, &r->ref, &entry)) {
        take_head(r, &entry.head);
        pieces_make(r, entry.marks, entry.head.marks_count);
    } else {
        pieces_make(r, NULL, 0);
    }
    return true;
}

bool log_open(int data, const struct log_ref *ref, struct log_reader **out, struct err *e)
{
    CLEANUP(log_close_at)
    struct log_reader *r = mem_new(sizeof *r);
    r->ref = *ref;
    r->fd[0] = r->fd[1] = r->index = -1;
    bool ok = ref->kind == LOG_NONE      ? true
              : ref->kind == LOG_SLOT    ? open_slot(data, r, e)
              : ref->kind == LOG_SEGMENT ? open_segment(data, r, e)
                                         : open_files(data, r, e);
    if (!ok)
        return false;
    *out = r;
    r = NULL;
    return true;
}

void log_close(struct log_reader *r)
{
    if (!r)
        return;
    fd_close(&r->fd[0]);
    fd_close(&r->fd[1]);
    fd_close(&r->index);
    free(r);
}

void log_close_at(struct log_reader **r)
{
    log_close(*r);
}

/* What is left behind may still write to files that are an attempt's own; what
 * it adds has no marks. */
bool log_refresh(struct log_reader *r, struct err *e)
{
    if (r->ref.kind == LOG_SLOT)
        return refresh_slot(r, e);
    if (r->ref.kind != LOG_FILES)
        return true;
    uint64_t was[2] = {r->len[0], r->len[1]};
    if (!sizes(r, e))
        return false;
    for (int s = LOG_OUT; s <= LOG_ERR; s++)
        if (r->len[s] > was[s] && r->piece_count < PIECES_MAX)
            piece_add(r, (enum log_stream)s, was, r->len, 0);
        else
            r->len[s] = was[s];
    return true;
}

/* ---- asking ---- */

uint64_t log_size(const struct log_reader *r, enum log_stream s)
{
    return s == LOG_BOTH ? r->len[0] + r->len[1] : r->len[s];
}

struct log_hole log_dropped(const struct log_reader *r, enum log_stream s)
{
    return s == LOG_BOTH ? (struct log_hole){0, r->hole[0].len + r->hole[1].len} : r->hole[s];
}

bool log_piece_at(const struct log_reader *r, uint32_t i, struct log_piece *out)
{
    if (i >= r->piece_count)
        return false;
    *out = r->pieces[i];
    return true;
}

/* ---- reading ---- */

static bool read_bytes(struct log_reader *r, int s, uint64_t from, uint64_t to, struct buf *out,
                       struct err *e)
{
    char chunk[16384];
    while (from < to) {
        size_t n = (size_t)MIN(to - from, sizeof chunk);
        if (!read_at(r->fd[s], chunk, n, r->base[s] + from))
            return r->ref.kind == LOG_SLOT ? moved(e)
                                           : err_set(e, ERR_SYSTEM, "the output has shrunk");
        buf_add(out, chunk, n);
        from += n;
    }
    return true;
}

/* [from, to) of one stream without what was dropped. */
static bool read_stream(struct log_reader *r, int s, uint64_t from, uint64_t to, struct buf *out,
                        struct err *e)
{
    const struct log_hole *h = &r->hole[s];
    if (h->len == 0 || to <= h->at || from >= h->at + h->len)
        return read_bytes(r, s, from, to, out, e);
    return read_bytes(r, s, from, MAX(from, h->at), out, e) &&
           read_bytes(r, s, MIN(to, h->at + h->len), to, out, e);
}

static bool read_both(struct log_reader *r, uint64_t from, uint64_t to, struct buf *out,
                      struct err *e)
{
    for (uint32_t i = 0; i < r->piece_count; i++) {
        const struct log_piece *p = &r->pieces[i];
        uint64_t begin = MAX(from, p->both_at), end = MIN(to, p->both_at + p->len);
        if (begin < end && !read_stream(r, (int)p->stream, p->offset + (begin - p->both_at),
                                        p->offset + (end - p->both_at), out, e))
            return false;
    }
    return true;
}

static bool read_span(struct log_reader *r, enum log_stream s, uint64_t from, uint64_t to,
                      struct buf *out, struct err *e)
{
    size_t len = out->len;
    bool ok = (s == LOG_BOTH ? read_both(r, from, to, out, e)
                             : read_stream(r, (int)s, from, to, out, e)) &&
              (r->ref.kind != LOG_SLOT || slot_still_ours(r, e));
    if (!ok)
        out->len = len;
    return ok;
}

bool log_read(struct log_reader *r, enum log_stream s, uint64_t offset, size_t max, struct buf *out,
              uint64_t *next, struct err *e)
{
    uint64_t size = log_size(r, s), at = MIN(offset, size);
    const struct log_hole *h = s == LOG_BOTH ? NULL : &r->hole[s];
    for (size_t len = out->len; at < size && out->len == len;) {
        if (h && at >= h->at && at < h->at + h->len)
            at = h->at + h->len;
        uint64_t to = MIN(size, at + max);
        if (!read_span(r, s, at, to, out, e))
            return false;
        at = to;
        if (max == 0)
            break;
    }
    *next = at;
    return true;
}

/* Count line ends backwards; `*lines` of them are still wanted. True: found. */
static bool tail_in(const struct buf *b, bool at_end, uint64_t *lines, size_t *found)
{
    for (size_t i = b->len; i-- > 0;) {
        if (b->at[i] != '\n' || (at_end && i + 1 == b->len))
            continue;
        if (--*lines == 0) {
            *found = i + 1;
            return true;
        }
    }
    return false;
}

/* A chunk that lost bytes has no offsets; it is made smaller until it is beyond
 * them. */
static bool tail_chunk(struct log_reader *r, enum log_stream s, uint64_t *from, uint64_t to,
                       struct buf *b, struct err *e)
{
    for (;;) {
        buf_clear(b);
        if (!read_span(r, s, *from, to, b, e))
            return false;
        if (b->len == to - *from || *from == to)
            return true;
        *from = to - (to - *from) / 2;
    }
}

bool log_tail(struct log_reader *r, enum log_stream s, uint64_t lines, uint64_t *offset,
              struct err *e)
{
    CLEANUP(buf_free)
    struct buf b = {0};
    uint64_t size = log_size(r, s), to = size;
    while (lines && to > 0) {
        uint64_t from = to > TAIL_CHUNK ? to - TAIL_CHUNK : 0;
        size_t found;
        if (!tail_chunk(r, s, &from, to, &b, e))
            return false;
        if (tail_in(&b, to == size, &lines, &found)) {
            *offset = from + found;
            return true;
        }
        if (from == to)
            break; /* dropped bytes lie before */
        to = from;
    }
    *offset = to;
    return true;
}
