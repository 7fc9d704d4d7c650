/* SPDX-License-Identifier: MIT
 *
 * server/server.h: the room with the windows.
 *
 * Shows what is in the database and the log files, over HTTP on a loopback
 * address and on a unix socket, and passes wishes on through the door. It never
 * writes to the database and knows nothing the rows do not say. docs/api.md is
 * the contract.
 *
 *     browser, CLI, curl ──> audit ──> who is it ──> route ──> view ──> answer
 *                                                     └─> door ──> engine
 *
 * Runs on threads of its own. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/err.h"
#include "bus/door.h"
#include "server/assets.h"

struct server_opts {
    const char *home;         /* the data directory; absolute */
    const char *listen;       /* "127.0.0.1:8700", "[::1]:0"; port 0: any free one */
    const char *socket;       /* path of the unix socket; NULL: HOME/server.sock */
    const char *const *hosts; /* further host names it answers to, ends with NULL; may be NULL */
    const struct asset *assets;
    size_t asset_count;
};

struct server;

/* Opens the addresses and begins to answer. Copies the options but the assets;
 * keeps `door`. The token is made if there is none. ERR_CONFLICT: the address is
 * taken. ERR_DENIED: not a loopback address, and the token file is new: look at
 * it first. */
bool server_start(const struct server_opts *o, struct door *door, struct server **out,
                  struct err *e);

/* Events up to `seq` are committed. Never blocks; any thread. */
void server_changed(struct server *s, int64_t seq);

/* "http://127.0.0.1:8700", as long as the server lives. */
const char *server_address(const struct server *s);

/* A new code for an access link, ADDRESS/login?code=CODE: valid once, within 15
 * minutes. Thread-safe. `code` holds at least SERVER_CODE_MAX bytes. */
enum { SERVER_CODE_MAX = 48 };
void server_login_code(struct server *s, char code[SERVER_CODE_MAX]);

/* Answers what it still can and closes everything. Requests that wait for the
 * door are answered with 503. NULL is fine. The door must outlive this call and
 * may answer afterwards: nobody listens then. */
void server_stop(struct server *s);

#endif
