/* SPDX-License-Identifier: MIT
 *
 * wire/logfile.h: where the output of attempts lies, and how to read it.
 *
 * Tasks write straight into files. While an attempt runs it has the two files
 * of its keeper's slot; when it ends, little output moves into a shared
 * segment, much becomes files of its own, and none is nothing at all. All of it
 * is below DATA/logs:
 *
 *     slots/N.out  slots/N.err   the pair of slot N, used again and again
 *     slots/index                an entry of LOG_ENTRY_BYTES for each slot
 *     segments/00000001.log      [out][err][marks] of many attempts
 *     files/RUN/TASK.ITEM.TRY.out  .err  .idx
 *
 * An index entry says whose output is in the slot now, and holds its marks:
 * "at this time so many bytes were in out and so many in err". From them the
 * true order of the two streams is known, as finely as the marks are close.
 *
 * Reading a slot is a race with its keeper, so each read looks at the entry
 * before and after. ERR_CONFLICT means: it has moved, ask the store again where
 * it is now. */
#ifndef WIRE_LOGFILE_H
#define WIRE_LOGFILE_H

#include "wire/wire.h"

/* ---- the format; written by the keeper, little endian ---- */

enum {
    LOG_ENTRY_BYTES = 8192,
    LOG_HEAD_BYTES = 128,
    LOG_MARKS_MAX = (LOG_ENTRY_BYTES - LOG_HEAD_BYTES) / 24,
    LOG_SMALL_MAX = 64 << 10, /* both streams together: more is not moved into a segment */
};

struct log_mark {
    int64_t at; /* wall */
    uint64_t out_len, err_len;
};
struct log_hole { /* bytes let go; len 0: none */
    uint64_t at, len;
};
/* The head of an index entry, and of an .idx file. */
struct log_head {
    char magic[8]; /* LOG_MAGIC */
    uint32_t turn; /* changes with every attempt; odd while the entry changes hands */
    uint32_t marks_count;
    struct wire_name name; /* try 0: nobody */
    uint32_t reserved;
    int64_t started_at;
    struct log_hole out_hole, err_hole;
    uint8_t rest[40];
};
struct log_entry {
    struct log_head head;
    struct log_mark marks[LOG_MARKS_MAX];
};
_Static_assert(sizeof(struct log_head) == LOG_HEAD_BYTES, "the head is a format");
_Static_assert(sizeof(struct log_entry) == LOG_ENTRY_BYTES, "the entry is a format");
#define LOG_MAGIC "gowtflog"

enum { LOG_PATH_MAX = 128 };
enum log_stream { LOG_OUT, LOG_ERR, LOG_BOTH };

/* Paths relative to the data directory; `which` is "out", "err" or "idx". */
void log_slot_path(uint32_t slot, const char *which, char path[LOG_PATH_MAX]);
void log_segment_path(uint32_t number, char path[LOG_PATH_MAX]);
void log_files_path(const struct wire_name *n, const char *which, char path[LOG_PATH_MAX]);
#define LOG_SLOT_INDEX "logs/slots/index"

/* ---- reading ---- */

/* The output of one attempt. Opaque: opened, asked, closed. Not shared between
 * threads. */
struct log_reader;

/* `data` is a descriptor of the data directory, borrowed for the call only; no
 * link is followed below it. ERR_NOT_FOUND: the output is gone. ERR_CONFLICT:
 * the slot belongs to another attempt by now. LOG_NONE opens as empty. */
bool log_open(int data, const struct log_ref *ref, struct log_reader **out, struct err *e);
void log_close(struct log_reader *r);     /* NULL is fine */
void log_close_at(struct log_reader **r); /* for CLEANUP */

/* Look again: sizes and marks as they are now. ERR_CONFLICT as above. */
bool log_refresh(struct log_reader *r, struct err *e);

/* Bytes ever written to a stream, or to both; dropped ones included. */
uint64_t log_size(const struct log_reader *r, enum log_stream s);
/* What was dropped of a stream; {0} if nothing. For LOG_BOTH: the sum, at 0. */
struct log_hole log_dropped(const struct log_reader *r, enum log_stream s);

/* Append up to `max` bytes of the stream from `offset` to `out`; `*next` is where to go
 * on, beyond `offset + bytes` if dropped bytes were skipped. At the end nothing
 * is appended and `*next` is the size. LOG_BOTH is out and err in the order
 * they were written, as one stream with offsets of its own. */
bool log_read(struct log_reader *r, enum log_stream s, uint64_t offset, size_t max, struct buf *out,
              uint64_t *next, struct err *e);

/* The offset at which the last `lines` lines of the stream begin. */
bool log_tail(struct log_reader *r, enum log_stream s, uint64_t lines, uint64_t *offset,
              struct err *e);

/* One stretch of one stream within LOG_BOTH. */
struct log_piece {
    enum log_stream stream;
    uint64_t offset, len; /* in that stream */
    uint64_t both_at;     /* where it begins in LOG_BOTH */
    ms_t at;              /* written not later than this, wall; 0: not known */
};
/* Walk: for (uint32_t i = 0; log_piece_at(r, i, &piece); i++) */
bool log_piece_at(const struct log_reader *r, uint32_t i, struct log_piece *out);

#endif
