/* SPDX-License-Identifier: MIT
 *
 * cli/progress.h: a run, shown while it happens, and its verdict.
 *
 * On a terminal tasks that are over scroll up as lines that stay, and below
 * them a block that is drawn again in place says what runs. In a pipe there is
 * one line for each change. Everything is read from committed rows, so what is
 * shown has happened. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/command.h"
#include "cli/times.h"
#include "model/state.h"
#include "store/db.h"

struct progress {
    const struct cli *cli;
    const char *home;
    struct db db;
    struct times times;
    int64_t run, seq;
    bool silent; /* say nothing but a failed task's output */
    bool said_start;
    bool hints;        /* tell the next command */
    const char *again; /* the command that does it anew; NULL: gowtf retry */
    uint32_t drawn;    /* lines of the block on the screen */
    ms_t drawn_at;
    struct buf out;
};

bool progress_open(struct progress *p, const struct cli *c, const char *home, int64_t run,
                   struct err *e);
void progress_close(struct progress *p); /* fine on {0} */
/* Show what is new. False: the rows cannot be read. */
bool progress_update(struct progress *p, struct err *e);
/* The last words, and the exit status that goes with them. */
int progress_verdict(struct progress *p, enum run_state *state);

/* The same around a run that an engine does: until it is over, `timeout_ms` (0:
 * any time) is, or a signal comes. */
int progress_watch(const struct cli *c, int64_t run, ms_t timeout_ms);

#endif
