/* SPDX-License-Identifier: MIT
 *
 * base/buf.h: text and bytes that grow, and JSON written into them.
 *
 * Owns its bytes. Always followed by a NUL that is not counted. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
    char *at;
    size_t len, cap;
};

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_cut(struct buf *b, size_t n); /* drop the first n bytes */
void buf_clear(struct buf *b);         /* empty, memory kept */
void buf_free(struct buf *b);

/* JSON writer: commas are its own business. Nesting is the caller's; `key` is
 * NULL inside an array and at the top. Invalid UTF-8 becomes U+FFFD, so the
 * result is always valid JSON. */
struct json {
    struct buf *out;
    bool first; /* nothing written yet at this level */
};

struct json json_to(struct buf *out);
void json_open(struct json *j, const char *key);                  /* { */
void json_close(struct json *j);                                  /* } */
void json_list(struct json *j, const char *key);                  /* [ */
void json_list_end(struct json *j);                               /* ] */
void json_str(struct json *j, const char *key, struct str value); /* absent: null */
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_none(struct json *j, const char *key);
void json_raw(struct json *j, const char *key, struct str json); /* valid JSON; absent: null */
/* A point in time as RFC 3339 with milliseconds and Z; <= 0 or MS_NEVER: null. */
void json_time(struct json *j, const char *key, ms_t at);

#endif
