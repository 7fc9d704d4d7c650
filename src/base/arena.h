/* SPDX-License-Identifier: MIT
 *
 * base/arena.h: memory with one lifetime.
 *
 * Everything that lives as long as a version, a run, a turn or a request comes
 * from one arena and goes with it in one call. Nothing is freed singly. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base.h"

struct arena {
    struct arena_block *head;
    size_t used;  /* bytes used of the head block */
    size_t total; /* bytes taken from malloc */
};

/* Zeroed memory, aligned for anything, valid until arena_free(). */
void *arena_alloc(struct arena *a, size_t size);
char *arena_copy(struct arena *a, const char *p, size_t n); /* adds a NUL */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
void arena_free(struct arena *a); /* back to {0}; fine on {0} */

#define arena_new(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (n)))

#endif
