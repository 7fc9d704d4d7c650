/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

struct arena_block {
    struct arena_block *next;
    size_t cap;
    _Alignas(16) char data[];
};

/* Blocks grow with the arena, so that a large one is few mallocs and a small
 * one wastes little. */
static size_t block_size(const struct arena *a, size_t want)
{
    size_t size = a->total < 4096 ? 1024 : a->total;
    size = MIN(size, (size_t)1 << 18);
    return MAX(size, want);
}

void *arena_alloc(struct arena *a, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (!a->head || a->used + size > a->head->cap) {
        size_t cap = block_size(a, size);
        struct arena_block *b = mem_new(sizeof *b + cap);
        b->next = a->head;
        b->cap = cap;
        a->head = b;
        a->used = 0;
        a->total += cap;
    }
    void *p = a->head->data + a->used;
    a->used += size;
    return p;
}

char *arena_copy(struct arena *a, const char *p, size_t n)
{
    char *to = arena_alloc(a, n + 1);
    if (n)
        memcpy(to, p, n);
    return to;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}

void arena_free(struct arena *a)
{
    for (struct arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = (struct arena){0};
}
