/* SPDX-License-Identifier: MIT
 *
 * base/fd.h: descriptors that close themselves, and whole reads and writes.
 * Every descriptor made here is close-on-exec. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include "base/buf.h"
#include "base/err.h"

void fd_close(int *fd); /* for CLEANUP: closes and sets -1; -1 is fine */

/* A regular file, never followed through a link at its last part, never
 * blocking on a FIFO. */
bool fd_open_read(int dir, const char *path, int *out, struct err *e);

/* All of it, or ERR_LIMIT when it is longer than `max` bytes. Appends. */
bool fd_read_all(int fd, size_t max, struct buf *out, struct err *e);

bool fd_write_all(int fd, const void *bytes, size_t n, struct err *e);

/* Write `bytes` to `path` (mode 0600) so that a reader sees the old or the new
 * contents and never a mixture: temporary name, fdatasync, rename. */
bool fd_replace_file(const char *path, struct str bytes, struct err *e);

#endif
