/* SPDX-License-Identifier: MIT */
#include "base/map.h"

/* Fibonacci hashing: consecutive ids spread over the table. */
static size_t home(const struct map *m, int64_t key)
{
    return (size_t)((uint64_t)key * 0x9E3779B97F4A7C15u >> 20) & (m->cap - 1);
}

static struct map_slot *probe(const struct map *m, int64_t key)
{
    size_t i = home(m, key);
    while (m->slots[i].value && m->slots[i].key != key)
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

void *map_get(const struct map *m, int64_t key)
{
    return m->cap ? probe(m, key)->value : NULL;
}

static void grow(struct map *m)
{
    struct map old = *m;
    m->cap = old.cap ? old.cap * 2 : 16;
    m->slots = mem_new(m->cap * sizeof *m->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value)
            *probe(m, old.slots[i].key) = old.slots[i];
    free(old.slots);
}

void map_put(struct map *m, int64_t key, void *value)
{
    ASSERT(value);
    if ((m->count + 1) * 4 > m->cap * 3)
        grow(m);
    struct map_slot *s = probe(m, key);
    m->count += !s->value;
    *s = (struct map_slot){key, value};
}

void *map_take(struct map *m, int64_t key)
{
    if (!m->cap)
        return NULL;
    struct map_slot *s = probe(m, key);
    void *value = s->value;
    if (!value)
        return NULL;
    size_t hole = (size_t)(s - m->slots), mask = m->cap - 1;
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t wanted = home(m, m->slots[i].key);
        if (((i - wanted) & mask) < ((i - hole) & mask))
            continue; /* it may not move before its home */
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (struct map_slot){0};
    m->count--;
    return value;
}

void map_free(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}

struct map_slot *map_each(const struct map *m, struct map_slot *last)
{
    size_t i = last ? (size_t)(last - m->slots) + 1 : 0;
    for (; i < m->cap; i++)
        if (m->slots[i].value)
            return &m->slots[i];
    return NULL;
}
