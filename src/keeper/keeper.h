/* SPDX-License-Identifier: MIT
 *
 * keeper/keeper.h: the one who holds.
 *
 * A keeper is the parent of every task process. It starts them, gives their
 * output a place, ends them when they are out of time, and writes down how each
 * one ended until a daemon has acknowledged it. It knows no workflow, no graph
 * and no SQL, and it outlives the daemon. What it says is docs/PROTOCOL.md. */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "base/base.h"

struct keeper_opts {
    const char *data_dir; /* made if it is not there; one keeper a directory */
    uint32_t slots;       /* attempts at once it asks for; 0: twice the CPUs, at least 8 */
    uint64_t log_max;     /* bytes kept of a stream when START does not say; 0: 100 MiB */
    ms_t linger_ms;       /* how long left-over processes may stay; 0: 5 s */
    const char *cgroup;   /* a cgroup v2 directory that is ours to divide; NULL: the own
                             one if it was delegated, else none */
    int ready_fd;         /* > 2: a newline is written there, and it is closed, once it
                             listens; else ignored */
};

enum {
    KEEPER_TAKEN = 100, /* exit status: another keeper holds this directory */
};

/* Run until told to go. The exit status of the process. Says what is wrong on
 * standard error. */
int keeper_main(const struct keeper_opts *opts);

#endif
