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

struct executor_opts {
    uint32_t run_limit; /* runs of a workflow that may run at once */
};

struct executor;

/* Takes up the runs that are not over; c->now and c->steady must be set.
 * Borrows everything; `d` may be NULL when no wish can come. */
struct executor *executor_new(const struct executor_opts *o, struct corridor *c, struct store *s,
                              struct versions *v, struct door *d, struct err *e);
void executor_free(struct executor *x); /* NULL is fine */

void executor_hear(struct executor *x, const struct msg *m);
/* Once the news of a turn is in: hand out what the slots allow. */
void executor_dispatch(struct executor *x);
bool executor_write(struct executor *x, struct err *e);
void executor_committed(struct executor *x);
bool executor_dirty(const struct executor *x);
ms_t executor_deadline(const struct executor *x); /* CLOCK_BOOTTIME */
void executor_tick(struct executor *x);

#endif
