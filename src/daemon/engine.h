/* SPDX-License-Identifier: MIT
 *
 * daemon/engine.h: the engine thread: six rooms, one corridor, one turn.
 *
 *   hear        keeper frames, the door, inotify, timers: each becomes a message
 *   think       each message to its room, until the corridor is empty
 *   hand out    START and STOP frames to the keeper
 *   write down  one transaction with every row this turn changed
 *   tell        acknowledge the keeper, answer the door, wake the server
 *
 * The first three may be repeated for some milliseconds while the keeper talks
 * on and nobody waits: results that arrive together are written together.
 *
 * Handing out comes before writing down because an attempt's name can be
 * computed again: after a crash between the two the same decision is taken
 * again, and the keeper knows the name. What only rows can tell (that a run
 * exists) is committed in a turn before the one that acts on it. */
#ifndef DAEMON_ENGINE_H
#define DAEMON_ENGINE_H

#include "bus/corridor.h"
#include "bus/door.h"
#include "daemon/daemon.h"
#include "store/scribe.h"
#include "store/versions.h"

struct engine_opts {
    const char *home;
    const char *workflows; /* directory, or one file if `single_file` */
    bool single_file;      /* look at nothing else, schedule nothing */
    uint32_t slots;
    enum durability durability;
    struct retention retention;
    FILE *trace;
};

struct engine {
    struct engine_opts opts;
    char *path; /* opts.workflows, absolute */
    struct store store;
    struct corridor corridor;
    struct door *door;
    struct scribe *scribe;
    struct versions *versions;
    struct watcher *watcher;
    struct scheduler *scheduler;
    struct executor *executor;
    struct worker *worker;
    struct health *health;
    struct server *server; /* NULL while nobody is served */

    int epoll, door_fd, boot_timer, wall_timer, signals;
    int keeper_fd;        /* the worker's line as it is registered; -1: none */
    uint32_t keeper_line; /* which one */
    bool keeper_out;      /* registered for writing too */
    int watcher_fd;
    ms_t boot_armed, wall_armed;

    bool open;   /* the door is open and schedules fire */
    int told;    /* signals that asked for the end, counted */
    bool stuck;  /* the last transaction failed; nothing is heard until one succeeds */
    ms_t retry;  /* steady: when to try it again */
    ms_t retain; /* steady: when old runs are looked for next */
    int64_t told_seq;
};

/* Opens the store, starts or finds the keeper, hears its journal, reads the
 * definitions. Nothing is scheduled or accepted before engine_open(). */
bool engine_new(const struct engine_opts *o, struct engine **out, struct err *e);

/* One turn. Waits for something to happen, at most `wait_ms` (-1: for ever). */
void engine_turn(struct engine *g, int wait_ms);

/* From now on schedules fire and wishes are heard. */
void engine_open(struct engine *g);

/* Answer what is open, let the keeper go when it has nothing left, close the
 * store. Tasks that live go on living. */
void engine_free(struct engine *g);

#endif
