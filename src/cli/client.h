/* SPDX-License-Identifier: MIT
 *
 * cli/client.h: the engine's unix socket, spoken to in HTTP/1.1.
 *
 * On the socket the kernel says who calls, so no token is needed. One request,
 * one answer, one connection. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/buf.h"
#include "base/err.h"

struct reply {
    int status;
    struct buf body;
};
void reply_free(struct reply *r); /* for CLEANUP; fine on {0} */

/* `body` absent: none; otherwise JSON. ERR_DOWN: nobody answers on
 * HOME/server.sock; the text says how to start an engine. True for every
 * answer, also one that says no. */
bool client_ask(const char *home, const char *method, const char *path, struct str body,
                struct reply *out, struct err *e);

/* As client_ask(), and an answer of 400 or more becomes an error: its kind from
 * the status, its text from "detail". */
bool client_do(const char *home, const char *method, const char *path, struct str body,
               struct reply *out, struct err *e);

bool client_reachable(const char *home);

/* Append `text` as it may stand in a path. */
void path_add(struct buf *out, struct str text);

#endif
