/* SPDX-License-Identifier: MIT
 *
 * store/store.h: the one place where state survives.
 *
 * A data directory has one daemon, held by a lock on the directory itself, one
 * database, and one connection that writes. A turn of the daemon is one
 * transaction; commits are numbered, so that an answer can wait for the sync
 * that covers it.
 *
 *     home/  gowtf.db  gowtf.db-wal  keeper/  logs/  token  scripts/ */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "store/db.h"

enum durability {
    DURABLE_NORMAL, /* a power cut may undo milliseconds, never what was acknowledged */
    DURABLE_FULL,   /* every transaction is synced before the next */
};

struct store {
    struct db db;      /* the writer */
    char home[3072];   /* absolute */
    int home_fd;       /* holds the lock */
    int64_t event_seq; /* of the newest event */
    uint64_t commits;  /* transactions committed by this process */
    int wal_pages;     /* in the write-ahead log, to be moved into the database */
    enum durability durability;
};

/* Open or create. ERR_CONFLICT: another daemon holds the directory (the text
 * names its pid). ERR_INVALID: the schema is newer than this program. `*out`
 * must stay where it is. */
bool store_open(const char *home, enum durability d, struct store *out, struct err *e);
void store_close(struct store *s); /* fine on {.home_fd = -1} and {0} */

/* A read-only connection to the same database, for the server's threads and the
 * command line. ERR_NOT_FOUND: there is none yet. */
bool store_open_reader(const char *home, struct db *out, struct err *e);

bool store_begin(struct store *s, struct err *e);
bool store_commit(struct store *s, struct err *e);
void store_rollback(struct store *s);

/* Add an event within the transaction. `data` is a JSON object; ids are 0 and
 * texts absent where they do not apply. */
bool event_add(struct store *s, ms_t at, const char *kind, int64_t workflow, int64_t run,
               struct str actor, struct str data, struct err *e);

/* Move what the write-ahead log holds into the database. It waits for the disk:
 * call it when there is nothing better to do. */
bool store_checkpoint(struct store *s, struct err *e);

/* Write down that a daemon has started; after it the log file exists. */
bool store_touch(struct store *s, ms_t now, struct err *e);

/* Absolute default data directory: $GOWTF_HOME, else /var/lib/gowtf for root
 * if it exists, else $XDG_STATE_HOME/gowtf, else ~/.local/state/gowtf. */
bool store_default_home(struct buf *out, struct err *e);

/* Throw old finished runs away: all but the newest `keep_runs` of a workflow
 * and those younger than `keep_ms`; at most `slice` runs a call. `*more`: there
 * are others. The keys of their log files are appended to `keys`, one a line. */
struct retention {
    int64_t keep_runs; /* per workflow; 0: any number */
    ms_t keep_ms;      /* 0: for ever */
};
bool store_retain(struct store *s, const struct retention *r, ms_t now, int slice, bool *more,
                  struct buf *keys, struct err *e);
/* Remove the log files of runs that are gone, and segments nobody refers to. */
void store_remove_logs(struct store *s, struct str keys);

#endif
