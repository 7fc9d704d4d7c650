/* SPDX-License-Identifier: MIT
 *
 * worker/worker.h: the worker pool: hands attempts to a keeper and records what
 * happened to them.
 *
 * It knows what to run (the definition), how to say it (wire), and what came of
 * it (the `attempts` table). It knows no dependency, evaluates nothing and
 * decides nothing: what an end means for the task is the executor's business. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "bus/corridor.h"
#include "store/store.h"
#include "store/versions.h"

struct worker_opts {
    uint32_t slots; /* attempts it lets the executor hand out at once */
    /* Start a keeper for the data directory; returns at once, the worker then
     * tries to connect until it answers. */
    bool (*keeper_start)(void *ctx, struct err *e);
    void *ctx;
};

struct worker;

struct worker *worker_new(const struct worker_opts *o, struct corridor *c, struct store *s,
                          struct versions *v);
void worker_free(struct worker *w); /* closes the line; the tasks live on */

void worker_hear(struct worker *w, const struct msg *m);
bool worker_write(struct worker *w, struct err *e);
void worker_committed(struct worker *w); /* acknowledges what was written */
bool worker_dirty(const struct worker *w);
ms_t worker_deadline(const struct worker *w); /* CLOCK_BOOTTIME: the next try to connect */
void worker_tick(struct worker *w);

/* The line to the keeper: -1 while there is none. `worker_line` changes with
 * each new one, whose descriptor may have the number of the old. */
int worker_fd(const struct worker *w);
uint32_t worker_line(const struct worker *w);
bool worker_wants_out(const struct worker *w); /* there is more to send than the socket took */
/* Something can be read (or the other end is gone). Reads a bounded amount. */
void worker_readable(struct worker *w);
/* Send what was handed out in this turn. */
void worker_hand_out(struct worker *w);

/* The journal has been heard to its end: attempts may be handed out. */
bool worker_is_up(const struct worker *w);

/* Ask the keeper to go when nothing lives on it any more. */
void worker_retire(struct worker *w);

#endif
