/* SPDX-License-Identifier: MIT */
#include "executor/heap.h"

bool heap_before(const struct heap_item *a, const struct heap_item *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    if (a->when != b->when)
        return a->when < b->when;
    if (a->run != b->run)
        return a->run < b->run;
    return a->task < b->task;
}

void heap_push(struct heap *h, struct heap_item item)
{
    h->at = mem_grow(h->at, &h->cap, h->count + 1, sizeof *h->at);
    size_t i = h->count++;
    for (size_t up; i > 0 && heap_before(&item, &h->at[up = (i - 1) / 2]); i = up)
        h->at[i] = h->at[up];
    h->at[i] = item;
}

struct heap_item heap_pop(struct heap *h)
{
    ASSERT(h->count > 0);
    struct heap_item top = h->at[0], last = h->at[--h->count];
    size_t i = 0;
    for (size_t down; (down = 2 * i + 1) < h->count; i = down) {
        if (down + 1 < h->count && heap_before(&h->at[down + 1], &h->at[down]))
            down++;
        if (!heap_before(&h->at[down], &last))
            break;
        h->at[i] = h->at[down];
    }
    if (h->count > 0)
        h->at[i] = last;
    return top;
}

void heap_done(struct heap *h)
{
    free(h->at);
    *h = (struct heap){0};
}
