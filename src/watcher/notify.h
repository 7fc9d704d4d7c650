/* SPDX-License-Identifier: MIT
 *
 * watcher/notify.h: the kernel's hints that something may have changed.
 *
 * A hint is only a reason to look. Two things are remembered of events beyond
 * that: nothing is lost silently (an overflow is a reason to look, too), and
 * which definition files are being written at this moment. */
#ifndef WATCHER_NOTIFY_H
#define WATCHER_NOTIFY_H

#include "base/err.h"
#include "base/str.h"

enum { OPEN_FILES_MAX = 64 };
/* A writer that pauses for so long has forgotten to close, and one that writes
 * for so long without closing is no editor: what is there is then the text. */
#define OPEN_PAUSE_MS ((ms_t)5 * 1000)
#define OPEN_LONG_MS  ((ms_t)60 * 1000)

struct notify;

/* Where the kernel has no more to give, watching fails and so does
 * notify_works(): look from time to time then. */
struct notify *notify_new(void);
void notify_free(struct notify *n);
int notify_fd(const struct notify *n); /* -1: there is none */
bool notify_works(const struct notify *n);

/* A listing: begin, name each directory, end. Directories not named are no
 * longer watched. `path`: below the root, "" for the root itself. */
void notify_begin(struct notify *n, const char *root);
void notify_dir(struct notify *n, int fd, struct str path);
void notify_end(struct notify *n);

/* Read what has come. True: look. */
bool notify_read(struct notify *n, ms_t steady);

/* Definition files being written now, one a call from `*i` = 0; absent: no
 * more. notify_patience(): when the patience with them ends, else MS_NEVER. */
struct str notify_open_file(struct notify *n, size_t *i, ms_t steady);
ms_t notify_patience(const struct notify *n);

#endif
