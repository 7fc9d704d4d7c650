/* SPDX-License-Identifier: MIT
 *
 * server/stream.h: what happens, as it happens.
 *
 * One thread, the pump, reads the new rows of `events` once and gives them to
 * all who listen. Each listener has a buffer of its own with a bound: who reads
 * too slowly loses what is in it and is told to load everything again, and
 * nobody else waits. While nobody listens the pump sleeps without a timer. */
#ifndef SERVER_STREAM_H
#define SERVER_STREAM_H

#include "base/err.h"

enum {
    STREAM_CLIENTS_MAX = 256,
    STREAM_BUFFER_MAX = 256 << 10,
    STREAM_GAP_MAX = 5000,     /* events told again to one who comes back */
    STREAM_COMMENT_MS = 15000, /* a sign of life to the client, and of it */
};

struct server;
struct streams;

bool streams_start(struct server *s, struct streams **out, struct err *e);
/* Ends the pump and every stream; the library may still hold its listeners. */
void streams_stop(struct streams *st);
void streams_free(struct streams *st); /* when no listener is left */
void streams_changed(struct streams *st);
int64_t streams_count(struct streams *st);

#endif
