/* SPDX-License-Identifier: MIT
 *
 * base/map.h: from a number to a pointer.
 *
 * Open addressing with linear probing and backward-shift deletion; grows at
 * three quarters. Owns its table, not what the pointers point at. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/base.h"

struct map_slot {
    int64_t key;
    void *value; /* NULL: free */
};
struct map {
    struct map_slot *slots;
    size_t cap, count;
};

void *map_get(const struct map *m, int64_t key);       /* NULL: not there */
void map_put(struct map *m, int64_t key, void *value); /* value not NULL; replaces */
void *map_take(struct map *m, int64_t key);            /* removes; what was there or NULL */
void map_free(struct map *m);

/* Walk in no particular order: for (struct map_slot *s = NULL; (s = map_each(m, s));)
 * The map must not change meanwhile. */
struct map_slot *map_each(const struct map *m, struct map_slot *last);

#endif
