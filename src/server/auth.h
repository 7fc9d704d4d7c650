/* SPDX-License-Identifier: MIT
 *
 * server/auth.h: who is asking.
 *
 * One token of 256 bits, kept in HOME/token. Sessions and login codes are
 * derived from it or forgotten with the process: nothing else is stored, and a
 * new token ends every session. All comparisons take the same time whatever is
 * compared. Thread-safe. */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

#include "base/err.h"
#include "base/str.h"

enum {
    AUTH_CODE_MAX = 48,
    AUTH_SESSION_MAX = 128,
    AUTH_CODE_MS = 15 * 60 * 1000,
    AUTH_FAILURES_MAX = 10, /* a minute and address, before it hears 429 */
};
#define AUTH_SESSION_MS (30LL * 24 * 3600 * 1000)

struct auth;

/* Reads HOME/token, or makes it (0600). ERR_DENIED: others may read it. */
bool auth_open(const char *home, struct auth **out, struct err *e);
void auth_free(struct auth *a); /* NULL is fine */

bool auth_token_good(const struct auth *a, struct str token);

/* A session: when it ends, and a proof that we said so. */
void auth_session_new(const struct auth *a, ms_t now, char text[AUTH_SESSION_MAX]);
bool auth_session_good(const struct auth *a, struct str text, ms_t now);

/* A code that opens one session, once. */
void auth_code_new(struct auth *a, ms_t now, char code[AUTH_CODE_MAX]);
bool auth_code_use(struct auth *a, struct str code, ms_t now);

/* Note a wrong token from `address`; true when it has had too many. */
bool auth_failed(struct auth *a, struct str address, ms_t now);

#endif
