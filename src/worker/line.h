/* SPDX-License-Identifier: MIT
 *
 * worker/line.h: the line to one keeper: bytes to frames and back.
 *
 * Non-blocking; the daemon's loop tells when it is ready. It has no opinion on
 * what a frame means. */
#ifndef WORKER_LINE_H
#define WORKER_LINE_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/wire.h"

struct line {
    int fd;    /* -1: not connected */
    int pidfd; /* of the process at the other end; -1: unknown */
    uint32_t pid;
    struct buf in, out;
};

/* ERR_DOWN: nobody listens there. */
bool line_open(struct line *l, const char *socket_path, struct err *e);
void line_close(struct line *l); /* what was not sent is dropped; fine when closed */

/* Read what is there, once. False: the line is dead (also ERR_DOWN at its end). */
bool line_fill(struct line *l, struct err *e);

/* The next whole frame. *found false: none yet. False: what comes is no frame.
 * The frame points into the link and is valid until the next call. */
bool line_next(struct line *l, size_t *at, struct wire_frame *out, bool *found, struct err *e);
void line_forget(struct line *l, size_t at); /* what has been read up to `at` */

bool line_send(struct line *l, const struct wire_frame *f, struct err *e); /* into the buffer */
bool line_flush(struct line *l, struct err *e); /* what the socket takes */

#endif
