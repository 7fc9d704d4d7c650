/* SPDX-License-Identifier: MIT
 *
 * executor/executor.h: the room around executor/core: the only one who
 * understands the graph.
 *
 * It hears which runs exist, how attempts begin and end and what people want;
 * it says which attempt may start and which must stop, and writes down what
 * became of each task and run.
 *
 * What the keeper's journal would tell again has its effects at once. A wish
 * (cancel, retry) is written down first, and the core hears of it when it is
 * committed: so no decision rests on something a crash could undo. */
#ifndef EXECUTOR_EXECUTOR_H
#define EXECUTOR_EXECUTOR_H

#include "bus/corridor.h"
#include "bus/door.h"
#include "store/store.h"
#include "store/versions.h"

struct executor_room_opts {
    uint32_t run_limit; /* runs of a workflow that may run at once */
};

struct executor_room;

/* Takes up the runs that are not over; c->now and c->steady must be set.
 * Borrows everything; `d` may be NULL when no wish can come. */
bool executor_room_new(const struct executor_room_opts *o, struct corridor *c, struct store *s,
                       struct versions *v, struct door *d, struct executor_room **out,
                       struct err *e);
void executor_room_free(struct executor_room *x); /* NULL is fine */

void executor_room_hear(struct executor_room *x, const struct msg *m);
/* Once the news of a turn is in: hand out what the slots allow. */
void executor_room_dispatch(struct executor_room *x);
bool executor_room_write(struct executor_room *x, struct err *e);
void executor_room_committed(struct executor_room *x);
bool executor_room_dirty(const struct executor_room *x);
ms_t executor_room_deadline(const struct executor_room *x); /* CLOCK_BOOTTIME */
void executor_room_tick(struct executor_room *x);

#endif
