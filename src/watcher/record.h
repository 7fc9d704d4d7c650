/* SPDX-License-Identifier: MIT
 *
 * watcher/record.h: what a scan has found, as rows.
 *
 * Everything here runs inside the turn's transaction and may be done a second
 * time after a rollback: ids are looked up anew, nothing is remembered but
 * what the reading below says. */
#ifndef WATCHER_RECORD_H
#define WATCHER_RECORD_H

#include "base/buf.h"
#include "model/load.h"
#include "store/store.h"
#include "watcher/sync.h"

/* A file that has been read and parsed, and what came of it. */
struct reading {
    struct str path, name; /* copies; name absent unless adopted */
    enum sync_verdict verdict;
    enum file_state was; /* before it was read */
    char hash[HASH_TEXT_MAX];
    struct buf text;
    struct workflow *workflow; /* owned; NULL when the text is wrong */
    struct problems problems;
    /* Set by record_reading(): */
    int64_t id, version; /* of the workflow */
    bool changed;        /* the scheduler must know */
};
void reading_free(struct reading *r); /* and the struct itself */

/* `dir`: the absolute directory of the file. */
bool record_reading(struct store *s, struct reading *r, struct str dir, ms_t now, struct err *e);
/* `*id` is 0 when the store does not know the name as active. */
bool record_gone(struct store *s, const struct sync_name *n, ms_t now, int64_t *id, struct err *e);
/* The file's row, or its deletion. */
bool record_file(struct store *s, const struct sync_file *f, ms_t now, struct err *e);
/* An event of kind 'workflow' about the directory itself. */
bool record_notice(struct store *s, const char *what, size_t count, ms_t now, struct err *e);

/* "*|5 * * * * Europe/Berlin", "every 90s": the name of a schedule entry. */
void schedule_entry_text(const struct workflow *w, const struct schedule *s, struct buf *out);

#endif
