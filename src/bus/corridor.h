/* SPDX-License-Identifier: MIT
 *
 * bus/corridor.h: where messages wait until the daemon carries them.
 *
 * First in, first out, bounded: when there is no room for a turn's worth of
 * messages the daemon stops hearing, and that slows the senders. */
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
/* There is room to hear `n` more things from outside. */
bool corridor_has_room(const struct corridor *c, size_t n);

#endif
