/* SPDX-License-Identifier: MIT
 *
 * tests/sim/sim.h: a world made of memory, in which the cores live and die.
 *
 *     world.c    chance, the clock, the record of what happened
 *     keeper.c   hands that run attempts, a journal, death and adoption
 *     store.c    rows, committed or not
 *     schedule.c timetables, slots and what must be true of them
 *     health.c   signs of life and verdicts
 *     daemon.c   the turn: hear, think, hand out, write down; and where it dies
 *     oracle.c   what must be true, said slowly
 *     life.c     a whole life by chance (gowtf-sim)
 *     story.c    a life as somebody tells it
 *
 * The cores of executor, scheduler and health are the product's. All else is here, in one thread,
 * with one source of chance: the same seed gives the same life to the last bit. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "base/map.h"
#include "executor/core.h"
#include "health/core.h"
#include "scheduler/core.h"
#include "make.h"

#include <stdio.h>

enum { SIM_RUNS = 24, SIM_WORKFLOWS = 4, SIM_TASKS = 40, SIM_SPECS = 8, GRACE_MS = 10 };

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
    X(SLOT, "workflow %r: instant %n is %s")                                                       \
    X(CLOCK, "the clock is %n ahead")                                                              \
    X(SLEEPS, "the machine sleeps")                                                                \
    X(FREEZES, "the keeper stands still")                                                          \
    X(THAWS, "the keeper goes on")                                                                 \
    X(ASKED, "the keeper is asked")                                                                \
    X(SILENT, "the keeper is replaced")                                                            \
    X(STALLS, "%t stands still")                                                                   \
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
    ms_t now;         /* boot */
    ms_t offset;      /* of the wall clock */
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
    /* signs of life */
    bool watched;
    ms_t stands_at;        /* from then on it makes no progress */
    ms_t idle;             /* heard to make no progress for so long */
    int64_t cpu, told_cpu; /* as it is, as it was told to who watches */
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
    ms_t stands_after; /* 0: never */
};
struct letter { /* to a keeper that does not read */
    struct attempt attempt;
    bool stop;
    enum end_cause cause;
};
struct keeper {
    struct hand *hands;
    size_t hand_count, hand_cap;
    struct map index; /* attempt key -> 1 + place in hands */
    struct entry *journal;
    size_t journal_count, journal_cap;
    size_t acked;
    uint32_t live;
    bool up, frozen, reads_late;
    ms_t thaw_at, thawed_at;
    struct letter *inbox;
    size_t inbox_count, inbox_cap;
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

struct sim_slot {
    uint32_t workflow, spec;
    ms_t at, decided_at;
    enum slot_outcome outcome;
    int64_t run;
};
struct sim_entry { /* of a timetable; `until`, `was`, `begun`: the second opinion */
    bool active, gone, known, begun;
    ms_t mark, until, was, last_slot;
};
struct sim_table {
    bool paused, wanted_pause, changed;
    struct sim_entry entries[SIM_SPECS];
};

/* ---- daemon ---- */

struct sim_news { /* of the scheduler, not committed */
    enum sched_effect_kind kind;
    uint32_t workflow, spec;
    ms_t at, wall;
    int64_t more;
    enum slot_outcome outcome;
    bool paused, repeats, fires;
};

enum death { ALIVE, DIES_BEFORE_HAND_OUT, DIES_IN_HAND_OUT, DIES_BEFORE_COMMIT, DIES_BEFORE_ACK };

struct sim_daemon {
    struct executor_core *executor; /* NULL: dead */
    struct exec_effects fx;
    size_t heard; /* of the journal */
    bool connected;
    uint32_t met;                     /* the birth of the keeper it is connected to */
    struct sim_wish *asked, *granted; /* not committed; committed and not yet told the core */
    size_t asked_count, asked_cap, granted_count, granted_cap;
    struct sched *sched;
    struct sched_effects sched_fx;
    struct sim_news *news;
    size_t news_count, news_cap;
    bool paused[SIM_WORKFLOWS];
    struct health_core *health;
    struct verdicts verdicts;
    ms_t news_at, beat_at, asked_at;
    bool questioned; /* the keeper was asked for a sign of life */
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
    struct sim_table tables[SIM_WORKFLOWS];
    struct map slot_rows;
    uint32_t slots;
    bool woke; /* the machine slept a moment ago */
    ms_t slept_at;
    bool late; /* that a task is queued is written by chance, as the room may do */
    /* Per mille, by which things go wrong. */
    struct {
        uint32_t daemon, keeper, both, back, adopt, connection, vanish, stall, foreign, again;
        uint32_t edit, pause, clock, sleep, freeze;
    } faults;
    struct plan (*plan)(struct sim *s, struct attempt a);
    void *ctx;
    uint64_t deaths, starts;
};

static inline const struct workflow *run_workflow(const struct sim *s, int64_t run)
{
    return s->workflows[s->runs[run].workflow];
}

static inline ms_t wall(const struct sim *s)
{
    return s->world.now + s->world.offset;
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
void keeper_freeze(struct sim *s, ms_t how_long);
void keeper_lose_letters(struct sim *s); /* perhaps: the line broke */
void keeper_done(struct sim *s);

void store_commit(struct sim *s); /* the effects and wishes of this turn */
const char *task_name(const struct sim *s, struct attempt a);

void daemon_wish(struct sim *s, enum sim_wish_kind kind, int64_t run);
void daemon_grant(struct sim *s, struct sim_wish wish);
void daemon_boot(struct sim *s);
bool daemon_turn(struct sim *s); /* false: it died */
ms_t daemon_next(const struct sim *s);
void daemon_kill(struct sim *s);

void schedule_begin(struct sim *s); /* timetables and a date */
void schedule_boot(struct sim *s);
void schedule_hear(struct sim *s);
ms_t schedule_next(const struct sim *s);
void schedule_commit(struct sim *s);
void schedule_forget(struct sim *s); /* the daemon died */
void schedule_happen(struct sim *s); /* edits, switches, clocks */
void schedule_end(struct sim *s);    /* all entries are taken out */
void schedule_done(struct sim *s);

void health_watch(struct sim *s, struct attempt a);
void health_unwatch(struct sim *s, struct attempt a);
void health_keeper_up(struct sim *s);
void health_keeper_down(struct sim *s);
void health_hear(struct sim *s);
ms_t health_next(const struct sim *s);
void check_health(const struct sim *s);

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
