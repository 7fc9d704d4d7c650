/* SPDX-License-Identifier: MIT
 *
 * keeper/journal.h: what a keeper must not forget.
 *
 * An append-only file of records of one size, each with a checksum and the next
 * sequence number, mapped into memory: a record is in the page cache, and so
 * beyond the reach of our own death, the moment it is copied. A power cut ends
 * the tasks too, so nothing here is synced. */
#ifndef KEEPER_JOURNAL_H
#define KEEPER_JOURNAL_H

#include "wire/wire.h"

enum record_kind {
    RECORD_NONE,
    RECORD_STARTING, /* .starting: about to clone */
    RECORD_CLONED,   /* .started: it has a pid */
    RECORD_STARTED,  /* .started: and the daemon is told */
    RECORD_STOPPING, /* cause: it has been told to end */
    RECORD_EXITED,   /* .ended: its first process is over, its family not yet */
    RECORD_ENDED,    /* .ended */
    RECORD_REFUSED,  /* .ended.code, .ended.text */
    RECORD_KINDS
};

enum { RECORD_TEXT_MAX = 80 };
enum record_flag { RECORD_NEEDED_KILL = 1, RECORD_OOM = 2, RECORD_LEFTOVERS = 4, RECORD_FLAGS = 7 };

struct record_log { /* struct log_ref without the name */
    uint32_t kind, number;
    uint64_t offset, out_len, err_len, out_dropped, err_dropped;
    uint32_t marks_len, reserved;
};
struct record {
    uint32_t crc; /* CRC-32C of the bytes after it */
    uint8_t kind, how, cause, flags;
    uint64_t seq;
    struct wire_name name;
    uint32_t slot;
    int64_t wall_at, boot_at; /* when */
    union {
        struct {
            int64_t timeout_ms, grace_ms;
            uint64_t log_max;
            uint32_t stop_signal, flags;
        } starting;
        struct {
            uint32_t pid, reserved;
            uint64_t ticks; /* 0: not looked at */
        } started;
        struct {
            int32_t code;
            uint32_t reserved;
            struct wire_usage usage;
            int64_t started_at; /* wall */
            struct record_log log;
            char text[RECORD_TEXT_MAX]; /* ends with a NUL */
        } ended;
        uint8_t bytes[192];
    };
};
_Static_assert(sizeof(struct record) == 256, "a record is a format");

struct journal {
    int dir;             /* where its file is; borrowed */
    uint8_t boot_id[16]; /* of the boot it was opened in */
    struct record *at;   /* mapped; at[0] is the head of the file */
    size_t cap;          /* records in the file, head included */
    size_t count;        /* records used, head included */
    uint64_t seq;        /* the last one given out */
};

/* Records found in the `len` bytes of a journal file, after its head: all up to
 * the first that is torn, damaged or out of order. -1: the head is no head. */
long journal_count(const void *bytes, size_t len);

/* What the last keeper left: an old journal, read whole. `*same_boot` tells
 * whether it was written since the machine started. No file: zero records. */
struct journal_old {
    struct buf bytes;
    const struct record *at; /* the records, head not included */
    size_t count;
    uint64_t seq;
    bool same_boot;
};
bool journal_read_old(int dir, const uint8_t boot_id[16], struct journal_old *out, struct err *e);

/* Begin a new journal that continues after `seq`, with room for `room` records
 * more than `keep_count`; it takes the old one's place in one step, with the
 * records `keep` in it. Also how a full journal is made small again. */
bool journal_renew(struct journal *j, const struct record *const *keep, size_t keep_count,
                   size_t room, struct err *e);
void journal_close(struct journal *j);

size_t journal_room(const struct journal *j); /* records that still fit */

/* Append. Sets seq and crc; there must be room. The copy in the journal. */
const struct record *journal_add(struct journal *j, struct record *r);

uint32_t crc32c(const void *bytes, size_t n);

#endif
