/* SPDX-License-Identifier: MIT
 *
 * base/ulid.h: names that are never used twice.
 *
 * 48 bits of milliseconds and 80 bits of chance, written as 26 characters of
 * Crockford's base 32; they sort by time. Source: github.com/ulid/spec. */
#ifndef BASE_ULID_H
#define BASE_ULID_H

#include "base/err.h"
#include "base/str.h"

struct ulid {
    uint8_t bytes[16];
};
enum { ULID_TEXT_MAX = 27 };

bool ulid_new(ms_t now, struct ulid *out, struct err *e); /* chance comes from getrandom(2) */
const char *ulid_text(const struct ulid *u, char text[ULID_TEXT_MAX]);
bool ulid_parse(struct str text, struct ulid *out); /* exactly 26 characters, upper case */
static inline bool ulid_eq(const struct ulid *a, const struct ulid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

#endif
