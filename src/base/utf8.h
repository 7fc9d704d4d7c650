/* SPDX-License-Identifier: MIT
 *
 * base/utf8.h: just enough Unicode (well-formedness as in RFC 3629). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/base.h"

/* Bytes of the well-formed character at `p`, 0 if there is none. */
size_t utf8_span(const char *p, size_t n);

/* Characters in `n` bytes; a byte that fits nothing counts as one. */
size_t utf8_count(const char *p, size_t n);

#endif
