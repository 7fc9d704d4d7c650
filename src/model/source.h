/* SPDX-License-Identifier: MIT
 *
 * model/source.h: the text of a file by its lines, as libyaml counts them. */
#ifndef MODEL_SOURCE_H
#define MODEL_SOURCE_H

#include "base/str.h"

struct source {
    struct str text;
    uint32_t *starts; /* of every SOURCE_STEP-th line; made when first asked */
    size_t start_count, start_cap;
};
enum { SOURCE_STEP = 32 };

/* Line `line`, from 1, without its break; empty beyond the end. Borrows. */
struct str source_line(struct source *s, uint32_t line);
void source_free(struct source *s); /* the text is not ours */

/* Bytes of the first `chars` characters of `s`. */
size_t chars_to_bytes(struct str s, size_t chars);

#endif
