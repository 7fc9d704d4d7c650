/* SPDX-License-Identifier: MIT
 *
 * daemon/daemon.h: the house with all its rooms, for the command line.
 *
 * `gowtf serve` is three processes: a parent of a few lines that starts the
 * others again (supervise.c), the daemon with its engine thread (engine.c), and
 * the keeper, which outlives both. `gowtf run` is the same engine without the
 * server, around a single file. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "model/state.h"
#include "store/store.h"

struct serve_opts {
    const char *home;      /* absolute or relative; created if need be */
    const char *workflows; /* the directory to watch; created if need be */
    const char *listen;    /* "127.0.0.1:8700"; port 0: any free one */
    uint32_t slots;        /* attempts at once; 0: twice the CPUs, at least 4 */
    enum durability durability;
    struct retention retention;
    const char *trace; /* file to which every message is printed, or NULL */
    bool quiet;        /* do not print the address */
};

/* Serve until told to stop (SIGTERM, SIGINT). Returns the exit status of the
 * command: 0, 5 (another daemon holds the directory), 7 (it cannot run). Prints
 * what a person must know to stderr, the access link to stdout. */
int daemon_serve(const struct serve_opts *o);

/* One run of one file in this very process, with history in `home`. */
struct run_opts {
    const char *home;
    const char *file;
    struct str params; /* JSON object of texts, "{}" for none */
    struct str actor;
    uint32_t slots;
    enum durability durability;
    ms_t tick_ms; /* how often `tick` is wanted; 0: never */
    void *ctx;
    /* The run exists; its id. */
    void (*started)(void *ctx, int64_t run);
    /* Events up to `seq` are committed; read them with a reader connection. */
    void (*changed)(void *ctx, int64_t seq);
    /* Time has passed. */
    void (*tick)(void *ctx);
};

/* SIGINT and SIGTERM cancel the run; its tasks are waited for.
 * ERR_CONFLICT: a daemon holds `home`. ERR_INVALID: the file does not load (see
 * definition problems by loading it yourself first) or a parameter is wrong.
 * `*state` is how the run ended. */
bool daemon_run(const struct run_opts *o, enum run_state *state, struct err *e);

#endif
