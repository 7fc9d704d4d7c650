/* SPDX-License-Identifier: MIT
 *
 * tests/sim/sim.h: a world made of memory, in which the executor lives and dies.
 *
 *     world.c    chance, the clock, the record of what happened
 *     keeper.c   hands that run attempts, a journal, death and adoption
 *     store.c    rows, committed or not
 *     daemon.c   the turn: hear, think, hand out, write down; and where it dies
 *     oracle.c   what must be true, said slowly
 *     life.c     a whole life by chance (gowtf-sim)
 *     story.c    a life as somebody tells it
 *
 * The executor is the product's. All else is here, in one thread, with one
 * source of chance: the same seed gives the same life to the last bit. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "base/map.h"
#include "executor/core.h"
#include "make.h"

#include <stdio.h>

enum { SIM_RUNS = 12, SIM_WORKFLOWS = 4, SIM_TASKS = 40, GRACE_MS = 10 };

/* ---- world: what is recorded ---- */

/* %r run, %t task#try, %n number, %s word */
#define NOTES(X)                                                                                   \
    X(RUN_BEGINS, "run %r begins")                                                                 \
    X(RUN_STATE, "run %r is %s")                                                                   \
    X(TASK_STATE, "%t is written as %s")                                                           \
    X(STARTS, "%t starts")                                                                         \
    X(ASKED_AGAIN, "%t was asked for again")                                                       \
    X(ENDS, "%t ends with %n")                                                                     \
    X(ENDS_BADLY, "%t ends: %s")                                                                   \
    X(REFUSED, "%t is refused")                                                                    \
    X(TOLD_TO_STOP, "%t is told to stop")                                                          \
    X(VANISHES, "%t vanishes")                                                                     \
    X(DAEMON_DIES, "the daemon dies %s")                                                           \
    X(DAEMON_BACK, "the daemon is back")                                                           \
    X(KEEPER_DIES, "the keeper dies")                                                              \
    X(KEEPER_BACK, "the keeper is back")                                                           \
    X(SLOTS, "there are %n slots")                                                                 \
    X(WISH, "somebody wants to %s run %r")                                                         \
    X(FOREIGN, "news of a stranger: %s")
enum note {
#define X(name, text) NOTE_##name,
    NOTES(X)
#undef X
        NOTE_COUNT
};

struct world {
    uint64_t chance; /* never 0 */
    uint64_t digest; /* of everything noted */
    uint64_t notes;
    ms_t now;
    struct buf *told; /* NULL, or where the notes are written as text */
    uint32_t quiet;   /* bits: notes that are not told */
};
void world_init(struct world *w, uint64_t seed);
uint32_t below(struct world *w, uint32_t n); /* n > 0 */
bool chance(struct world *w, uint32_t per_mille);

/* ---- keeper ---- */

struct hand { /* an attempt the keeper knows */
    struct attempt attempt;
    bool live, started, stopped, vanished, adopted, end_acked, never_began;
    ms_t begin, start_at, end_at, timeout_at;
    size_t begun_entry; /* of the journal, once started */
    enum end_how how;
    enum end_cause cause;
    int32_t code;
    bool oom;
};
struct entry { /* of the journal */
    struct attempt attempt;
    bool end;
};
/* How long an attempt takes and how it ends if left alone. */
struct plan {
    ms_t starts_after, takes;
    enum end_how how;
    int32_t code;
    bool oom, refuse;
};
struct keeper {
    struct hand *hands;
    size_t hand_count, hand_cap;
    struct map index; /* attempt key -> 1 + place in hands */
    struct entry *journal;
    size_t journal_count, journal_cap;
    size_t acked;
    uint32_t live;
    bool up;
    uint32_t births; /* tells one life from the next */
};

/* ---- store ---- */

enum sim_wish_kind { SIM_CREATE, SIM_CANCEL, SIM_CLEAR };
struct sim_wish {
    enum sim_wish_kind kind;
    int64_t run;
};
struct sim_run { /* a row of workflow_runs and its tasks, as committed */
    bool exists, cancel, degraded;
    uint32_t workflow;
    enum run_state state;
    struct task_row rows[SIM_TASKS];
    uint32_t base[SIM_TASKS]; /* tries before it was cleared last */
};

/* ---- daemon ---- */

enum death { ALIVE, DIES_BEFORE_HAND_OUT, DIES_IN_HAND_OUT, DIES_BEFORE_COMMIT, DIES_BEFORE_ACK };

struct sim_daemon {
    struct executor_core *executor; /* NULL: dead */
    struct exec_effects fx;
    size_t heard; /* of the journal */
    bool connected;
    uint32_t met;                     /* the birth of the keeper it is connected to */
    struct sim_wish *asked, *granted; /* not committed; committed and not yet told the core */
    size_t asked_count, asked_cap, granted_count, granted_cap;
    enum death dies; /* in its next turn */
    bool fresh;      /* it has not had a turn yet */
};

struct sim {
    struct world world;
    struct keeper keeper;
    struct sim_daemon daemon;
    struct workflow *workflows[SIM_WORKFLOWS];
    uint32_t workflow_count;
    struct sim_run runs[SIM_RUNS + 1]; /* by id, from 1 */
    int64_t run_count;
    uint32_t slots;
    bool late; /* that a task is queued is written by chance, as the room may do */
    /* Per mille, by which things go wrong. */
    struct {
        uint32_t daemon, keeper, both, back, adopt, connection, vanish, stall, foreign, again;
    } faults;
    struct plan (*plan)(struct sim *s, struct attempt a);
    void *ctx;
    uint64_t deaths, starts;
};

static inline const struct workflow *run_workflow(const struct sim *s, int64_t run)
{
    return s->workflows[s->runs[run].workflow];
}

void note(struct sim *s, enum note what, struct attempt a, int64_t number, const char *word);

struct hand *keeper_hand(const struct sim *s, struct attempt a); /* NULL: unknown */
void keeper_start(struct sim *s, struct attempt a);
void keeper_stop(struct sim *s, struct attempt a, enum end_cause cause);
void keeper_run(struct sim *s);        /* all that is due */
ms_t keeper_next(const struct sim *s); /* when something will be */
void keeper_die(struct sim *s);
void keeper_back(struct sim *s);
void keeper_hello(struct sim *s);                  /* a daemon connects */
void keeper_vanish(struct sim *s, struct hand *h); /* it is gone and no journal will say so */
void keeper_ack(struct sim *s, size_t count);
void keeper_done(struct sim *s);

void store_commit(struct sim *s); /* the effects and wishes of this turn */
const char *task_name(const struct sim *s, struct attempt a);

void daemon_wish(struct sim *s, enum sim_wish_kind kind, int64_t run);
void daemon_boot(struct sim *s);
bool daemon_turn(struct sim *s); /* false: it died */
ms_t daemon_next(const struct sim *s);
void daemon_kill(struct sim *s);

/* Before the keeper takes an attempt it does not know. */
void check_start(const struct sim *s, struct attempt a);
/* After a turn: what must be true of the rows. */
void check_rows(const struct sim *s);
/* After the turn of a daemon whose keeper is there: who could run, runs. */
void check_progress(const struct sim *s);
/* A run that is over: every task ended as the language says. */
void check_verdict(const struct sim *s, int64_t run);

void sim_done(struct sim *s);

#endif
