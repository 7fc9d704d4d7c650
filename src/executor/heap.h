/* SPDX-License-Identifier: MIT
 *
 * executor/heap.h: tasks and runs in the order in which their turn comes.
 *
 * A binary heap; the least item is at[0]. The order is total and depends on
 * nothing but what is compared, so two executors that know the same things
 * take them in the same order. Nothing is ever removed from the middle: what
 * is no longer true is found out when its turn comes. */
#ifndef EXECUTOR_HEAP_H
#define EXECUTOR_HEAP_H

#include "base/base.h"

struct heap_item {
    int32_t rank; /* lower is sooner: minus the priority */
    uint32_t task;
    ms_t when; /* then earlier is sooner */
    int64_t run;
};
struct heap {
    struct heap_item *at;
    size_t count, cap;
};

bool heap_before(const struct heap_item *a, const struct heap_item *b);
void heap_push(struct heap *h, struct heap_item item);
struct heap_item heap_pop(struct heap *h); /* there must be one */
void heap_done(struct heap *h);

#endif
