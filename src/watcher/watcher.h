/* SPDX-License-Identifier: MIT
 *
 * watcher/watcher.h: the room that knows what the files say.
 *
 * It keeps the store's definitions equal to a directory's contents and tells
 * the scheduler what has changed. It never starts anything.
 *
 * Works in slices: a turn lists or reads only so much, so that ten thousand
 * new files delay nobody. */
#ifndef WATCHER_WATCHER_H
#define WATCHER_WATCHER_H

#include "bus/corridor.h"
#include "bus/door.h"
#include "store/store.h"

/* How long a directory must be quiet before it is looked at, and how long at
 * most a restless one is waited for. */
#define WATCH_QUIET_MS    ((ms_t)60)
#define WATCH_RESTLESS_MS ((ms_t)1000)
/* Edits that cause no event (through a hard link, on a network) are found by
 * looking from time to time; more often where the kernel does not tell. */
#define WATCH_RESCAN_MS ((ms_t)30 * 1000)
#define WATCH_POLL_MS   ((ms_t)2 * 1000)

enum {
    WATCH_LIST_MAX = 4000,       /* names listed a turn: some 10 ms */
    WATCH_READ_MAX = 64,         /* files read a turn */
    WATCH_READ_BYTES = 256 << 10 /* or so many bytes: some 20 ms of parsing */
};

struct watcher_opts {
    const char *root; /* absolute, without a slash at its end */
    /* Or one file, absolute, and nothing else: it is read once, the rest of the
     * store's definitions stays as it is. */
    const char *file;
};

struct watcher;

/* NULL on failure. Reads what the store knows; begins the first scan. In a single file's case
 * ERR_INVALID: it does not load, ERR_NOT_FOUND: there is no such file. */
struct watcher *watcher_new(const struct watcher_opts *o, struct corridor *c, struct store *s,
                            struct door *d, struct err *e);
void watcher_free(struct watcher *w); /* NULL is fine */

int watcher_fd(const struct watcher *w); /* to wait on for reading; -1: none */
void watcher_ready(struct watcher *w);   /* it is readable */

void watcher_hear(struct watcher *w, const struct msg *m);
ms_t watcher_deadline(const struct watcher *w); /* CLOCK_BOOTTIME */
void watcher_tick(struct watcher *w);
bool watcher_dirty(const struct watcher *w);
bool watcher_write(struct watcher *w, struct err *e);
void watcher_committed(struct watcher *w);

/* A scan is under way or its findings are not committed. At boot: turn until
 * this is false, then the definitions are those of the directory. */
bool watcher_busy(const struct watcher *w);

/* So many files vanished at once and are believed to come back; 0: none. */
size_t watcher_held(const struct watcher *w);

/* The workflow of the single file, once committed; else 0. */
int64_t watcher_single(const struct watcher *w);

#endif
