/* SPDX-License-Identifier: MIT
 *
 * base/str.h: a piece of text with its length.
 *
 * Borrows: a str never owns its bytes. Those made by arena_str() or S() are
 * also followed by a NUL, so `.at` may be handed to libc. An absent text is
 * {NULL, 0}; an empty one has a pointer. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/arena.h"

struct str {
    const char *at;
    size_t len;
};

#define S(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_ARG(s) (int)(s).len, (s).at ? (s).at : ""
#define STR_NONE   ((struct str){0})

static inline struct str str_of(const char *s) /* NULL gives the absent text */
{
    return (struct str){s, s ? strlen(s) : 0};
}
static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}
static inline bool str_is(struct str a, const char *b)
{
    return str_eq(a, str_of(b));
}
int str_cmp(struct str a, struct str b); /* bytewise, for sorting */
bool str_starts(struct str s, struct str head);
bool str_ends(struct str s, struct str tail);
struct str str_trim(struct str s); /* without blanks, tabs and line ends around it */
struct str arena_str(struct arena *a, struct str s);

/* Whole-text conversions: false when anything but the number is there. */
bool str_to_i64(struct str s, int64_t *out);
bool str_to_u32(struct str s, uint32_t *out);

/* The candidate nearest to `word` within `max` edits (Damerau-Levenshtein,
 * transpositions count one), or -1. For "did you mean". */
int str_nearest(struct str word, const struct str *candidates, size_t count, size_t max);

#endif
