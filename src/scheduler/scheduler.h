/* SPDX-License-Identifier: MIT
 *
 * scheduler/scheduler.h: the room that says when.
 *
 * It holds the schedule entries of all workflows, decides every instant that
 * is due, and lets runs begin: those of a schedule, and those somebody asks
 * for. It writes the run and its tasks down, all pending, and tells the
 * executor. What happens to them is no longer its business.
 *
 * The room's time is wall time: scheduler_deadline() is for a timer on
 * CLOCK_REALTIME that is cancelled when the clock is set; scheduler_tick() is
 * also wanted then. */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

#include "bus/corridor.h"
#include "bus/door.h"
#include "store/store.h"
#include "store/versions.h"

enum {
    SCHEDULER_LIVE_MAX = 10000,  /* runs of a workflow not over: further wishes wait outside */
    SCHEDULER_SCHEDULED_MAX = 2, /* of them one runs and one waits; a schedule adds no third */
};

struct scheduler;
struct scheduler_opts {
    struct str timezone;       /* the server's; absent: what the system says */
    struct versions *versions; /* borrowed */
};

/* Reads what it needs from rows; c->now must be set. `door` may be NULL when
 * no wish can come. ERR_INVALID: no such time zone. */
struct scheduler *scheduler_new(const struct scheduler_opts *o, struct corridor *c, struct store *s,
                                struct door *d, struct err *e);
void scheduler_free(struct scheduler *s); /* NULL is fine */

void scheduler_hear(struct scheduler *s, const struct msg *m);
bool scheduler_write(struct scheduler *s, struct err *e);
void scheduler_committed(struct scheduler *s);
bool scheduler_dirty(const struct scheduler *s);
ms_t scheduler_deadline(const struct scheduler *s); /* wall time */
void scheduler_tick(struct scheduler *s);

/* The machine does not say in which time zone it is, and entries that name none
 * go by UTC: tell people. */
bool scheduler_guessed_zone(const struct scheduler *s);

#endif
