/* SPDX-License-Identifier: MIT
 *
 * store/scribe.h: the one who waits for the disk, so that the engine need not.
 *
 * A commit in WAL mode is in the page cache at once and survives any death of
 * ours; against a power cut the log file must be synced. A thread does that on
 * a descriptor of its own, at once when somebody waits for it, else at most
 * every 5 ms, and tells up to which commit the disk is now sure. */
#ifndef STORE_SCRIBE_H
#define STORE_SCRIBE_H

#include "base/err.h"

struct scribe;

/* Called on the scribe's thread after each sync. */
typedef void scribe_done_fn(void *ctx, uint64_t synced);

/* `wal_path`: the -wal file, which exists while the writer is open. */
bool scribe_new(const char *wal_path, scribe_done_fn *done, void *ctx, struct scribe **out,
                struct err *e);
void scribe_free(struct scribe *s); /* after a last sync; NULL is fine */

/* Commit number `commit` is in the log. `urgent`: somebody waits for it. True:
 * it is on the disk already, and `done` will not be called for it. */
bool scribe_note(struct scribe *s, uint64_t commit, bool urgent);

/* A sync has failed: nothing can be promised any more. The text of why. */
bool scribe_failed(struct scribe *s, struct err *e);

#endif
