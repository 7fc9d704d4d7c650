/* SPDX-License-Identifier: MIT
 *
 * bus/corridor.h: where messages wait until the daemon carries them.
 *
 * First in, first out, and nothing is ever lost: what follows from one event may
 * be as much as a graph has tasks. The bound is on what a turn hears (one read of
 * the keeper's socket, a number of wishes, a slice of the directory): the
 * corridor is empty before the next. */
#ifndef BUS_CORRIDOR_H
#define BUS_CORRIDOR_H

#include "bus/msg.h"

#include <stdio.h>

struct corridor {
    struct msg *ring;
    size_t cap, head, count;
    /* The time of this turn, set by the daemon: wall clock (stamped on every
     * message posted, and what rows say), and CLOCK_BOOTTIME for durations. */
    ms_t now, steady;
    FILE *trace; /* NULL, or where each message is printed */
};

void corridor_init(struct corridor *c, size_t cap); /* cap: a power of two */
void corridor_done(struct corridor *c);
void corridor_post(struct corridor *c, struct msg m); /* grows past `cap` rather than lose one */
bool corridor_take(struct corridor *c, struct msg *out);

#endif
