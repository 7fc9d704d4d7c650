/* SPDX-License-Identifier: MIT
 *
 * worker/link.h: the line to one keeper: bytes to frames and back.
 *
 * Non-blocking; the daemon's loop tells when it is ready. It has no opinion on
 * what a frame means. */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/wire.h"

struct link {
    int fd;    /* -1: not connected */
    int pidfd; /* of the process at the other end; -1: unknown */
    uint32_t pid;
    struct buf in, out;
};

/* ERR_DOWN: nobody listens there. */
bool link_open(struct link *l, const char *socket_path, struct err *e);
void link_close(struct link *l); /* what was not sent is dropped; fine when closed */

/* Read what is there, once. False: the line is dead (also ERR_DOWN at its end). */
bool link_fill(struct link *l, struct err *e);

/* The next whole frame. *found false: none yet. False: what comes is no frame.
 * The frame points into the link and is valid until the next call. */
bool link_next(struct link *l, size_t *at, struct wire_frame *out, bool *found, struct err *e);
void link_forget(struct link *l, size_t at); /* what has been read up to `at` */

bool link_send(struct link *l, const struct wire_frame *f, struct err *e); /* into the buffer */
bool link_flush(struct link *l, struct err *e); /* what the socket takes */

#endif
