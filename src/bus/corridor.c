/* SPDX-License-Identifier: MIT */
#include "bus/corridor.h"

void corridor_init(struct corridor *c, size_t cap)
{
    ASSERT(cap && (cap & (cap - 1)) == 0);
    *c = (struct corridor){.ring = mem_new(cap * sizeof *c->ring), .cap = cap};
}

void corridor_done(struct corridor *c)
{
    free(c->ring);
    *c = (struct corridor){0};
}

/* One event may lead to many messages (a cancelled run stops all its tasks),
 * so the ring grows; what is bounded is how much is heard from outside. */
static void grow(struct corridor *c)
{
    struct msg *ring = mem_new(c->cap * 2 * sizeof *ring);
    for (size_t i = 0; i < c->count; i++)
        ring[i] = c->ring[(c->head + i) & (c->cap - 1)];
    free(c->ring);
    c->ring = ring;
    c->cap *= 2;
    c->head = 0;
}

void corridor_post(struct corridor *c, struct msg m)
{
    ASSERT(m.kind < MSG_KINDS);
    if (c->count == c->cap)
        grow(c);
    m.at = c->now;
    c->ring[(c->head + c->count++) & (c->cap - 1)] = m;
    if (c->trace) {
        struct buf line = {0};
        msg_print(&m, &line);
        fprintf(c->trace, "%s\n", line.at);
        buf_free(&line);
    }
}

bool corridor_take(struct corridor *c, struct msg *out)
{
    if (!c->count)
        return false;
    *out = c->ring[c->head];
    c->head = (c->head + 1) & (c->cap - 1);
    c->count--;
    return true;
}
