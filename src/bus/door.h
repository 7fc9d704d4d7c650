/* SPDX-License-Identifier: MIT
 *
 * bus/door.h: where wishes from outside come in, and answers go out.
 *
 * The server's threads write a wish on a ticket and leave it at the door. The
 * engine thread takes it, and the room concerned answers it. The answer leaves
 * only when the transaction it rests on is synced to disk: whatever is told to
 * somebody outside is durable.
 *
 *     server thread: door_post() ─▶ │ ticket │ ─▶ engine: door_take(), door_answer()
 *     server thread: reply() called ◀─ scribe: door_release() ◀─ commit
 *
 * Thread-safe. Bounded: with DOOR_TICKETS wishes open, door_post() says
 * ERR_LIMIT and the client hears 503. */
#ifndef BUS_DOOR_H
#define BUS_DOOR_H

#include "base/err.h"
#include "base/str.h"

enum { DOOR_TICKETS = 512 };

enum wish_kind {
    WISH_RUN,    /* .target workflow id; .body JSON {"params": {..}}; answer: run id */
    WISH_SWITCH, /* .target workflow id; .on; .body: reason text */
    WISH_CANCEL, /* .target run id */
    WISH_RETRY,  /* .target run id: run again what failed, and what hangs on it */
    WISH_RESCAN, /* the watcher looks at its directory now */
};

struct wish {
    enum wish_kind kind;
    int64_t target;
    bool on;
    struct str actor; /* "token admin", "uid 1000": who, for the record */
    struct str key;   /* Idempotency-Key or absent */
    struct str body;
};

struct answer {
    enum err_kind kind; /* ERR_NONE: done */
    int64_t id;         /* the run, where there is one */
    bool repeated;      /* the key was known: this is the answer of then */
    char text[500];     /* what was wrong */
};

/* Called once, on another thread than the one that posted. */
typedef void door_reply_fn(void *ctx, const struct answer *a);

struct door;
struct door *door_new(int wake_fd); /* an eventfd written on each post; borrowed */
void door_free(struct door *d);     /* open wishes are answered ERR_DOWN */

/* Copies the wish. After false, `reply` is never called. */
bool door_post(struct door *d, const struct wish *w, door_reply_fn *reply, void *ctx,
               struct err *e);
/* From now on every post fails with this (ERR_FULL while the disk is, ERR_DOWN
 * at the end); ERR_NONE opens the door again. */
void door_refuse(struct door *d, enum err_kind kind, const char *why);

/* Engine side. The wish stays valid until the ticket is released. */
bool door_take(struct door *d, uint64_t *ticket);
const struct wish *door_wish(struct door *d, uint64_t ticket);
void door_answer(struct door *d, uint64_t ticket, const struct answer *a); /* kept till release */
/* The answers given since the last call rest on commit number `commit`. */
void door_mark(struct door *d, uint64_t commit);
/* Send every answer that rests on commit `synced` or an earlier one. */
void door_release(struct door *d, uint64_t synced);
bool door_waits(struct door *d); /* an answer waits for a sync */

#endif
