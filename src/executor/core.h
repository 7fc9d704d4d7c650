/* SPDX-License-Identifier: MIT
 *
 * executor/core.h: which task may run next.
 *
 * The core is a machine with one lever. Give it an event, and it changes its
 * own memory and writes down what the world must do about it. It reads no
 * clock, opens no file and calls nobody, so a test can live through a year of
 * crashes in a second and get the same answer twice.
 *
 *     event ──> executor_core_step() ──> effects
 *
 * Owns: its runs.
 * Keeps: pointers to struct workflow, which must outlive the runs that follow it.
 *
 * Two kinds of news exist. Those a keeper's journal repeats after a crash
 * (attempts that started and ended) may have effects before they are written
 * down. What only a person or the store knows (a run created, cancelled or
 * cleared) must be committed before the core hears of it: then every decision
 * it takes can be taken again from rows and journal. */
#ifndef EXECUTOR_CORE_H
#define EXECUTOR_CORE_H

#include "bus/msg.h"

enum exec_event_kind {
    EXEC_RUN_CREATED,  /* .created: a run's rows are committed; decide for it from now on */
    EXEC_RUN_CANCEL,   /* .run: start nothing more of it, stop what lives */
    EXEC_TASK_STARTED, /* .attempt: a keeper says it has it */
    EXEC_TASK_ENDED,   /* .ended: a keeper says how it ended, or that nobody can know */
    EXEC_TASK_STALLED, /* .attempt: it makes no progress; stop it */
    EXEC_SLOTS,        /* .slots: so many attempts may live at once; 0: hand out nothing.
                          More than 0: the keeper is there and its journal has been told */
    EXEC_TICK,         /* nothing new but the time */
    EXEC_DISPATCH,     /* nothing new: hand out what the slots allow */
};

/* Why a task that could run does not, at the moment it began to wait. Who holds
 * what it waits for is found by whoever wants to know. */
enum wait_code {
    WAIT_NONE,
    WAIT_SLOTS,        /* for one of the keeper's slots */
    WAIT_MAX_PARALLEL, /* its run has as many attempts alive as it may */
    WAIT_RETRY,        /* for the time of its next try */
    WAIT_CODES
};

/* A task as the store remembers it. */
struct task_row {
    enum task_state state;
    enum reason reason;
    enum wait_code wait;
    bool handed;       /* TASK_QUEUED: given to a keeper; else it waits for a slot */
    uint32_t attempts; /* handed out so far; the next one's number is one more */
    uint32_t charged;  /* failed ones since the run was created or cleared */
    bool has_exit_code;
    int32_t exit_code; /* of the last attempt */
    ms_t since;        /* TASK_QUEUED: since when; TASK_RETRYING: not before */
};

struct exec_created {
    int64_t run, workflow_id;
    const struct workflow *workflow;
    enum run_state state;        /* RUN_QUEUED or RUN_RUNNING, as stored */
    bool cancelled;              /* as stored */
    const struct task_row *rows; /* one a task; NULL: a new run, all pending */
};

struct exec_ended {
    struct attempt attempt;
    int32_t code;
    enum end_how how;
    enum end_cause cause;
    bool oom;
    ms_t at; /* when, in the time of exec_event.now; later than now counts as now */
};

/* All times are of one clock that never jumps; rooms translate. */
struct exec_event {
    enum exec_event_kind kind;
    ms_t now;
    union {
        struct exec_created created;
        int64_t run;
        struct attempt attempt;
        struct exec_ended ended;
        uint32_t slots;
    };
};

enum exec_effect_kind {
    EXEC_SET_TASK, /* .task: the store must say so */
    EXEC_SET_RUN,  /* .run: likewise; RUN_RUNNING once, then an end */
    EXEC_START,    /* .attempt: a worker must run it */
    EXEC_STOP,     /* .stop: a worker must end it */
};

struct exec_effect {
    enum exec_effect_kind kind;
    union {
        struct {
            int64_t run;
            uint32_t task;
            struct task_row row;
        } task;
        struct {
            int64_t id;
            enum run_state state;
            bool degraded; /* a success with failures that were handled */
            uint32_t counts[TASK_STATE_COUNT];
        } run;
        struct attempt attempt;
        struct {
            struct attempt attempt;
            enum end_cause cause;
        } stop;
    };
};

/* Effects of a step, in the order they must be carried out. */
struct exec_effects {
    struct exec_effect *at;
    size_t count, cap;
};

struct executor_core;

/* A new executor without slots: it hands out nothing before an EXEC_SLOTS. At
 * most `limit` runs of a workflow are RUN_RUNNING at once; the others wait in
 * the order of their numbers. */
struct executor_core *executor_core_new(uint32_t limit);
void executor_core_free(struct executor_core *x); /* NULL is fine */

/* Let `ev` happen and append what follows from it to `fx`.
 *
 * Never fails: an event that makes no sense any more (a second end of the same
 * attempt, an end of a run long gone) changes nothing. An attempt that lives
 * but is not wanted gets an EXEC_STOP and keeps its slot until it has ended.
 *
 * A cancellation waits for the first journal: until then nobody knows what a
 * daemon before us may have handed out without writing it down, and a task is
 * cancelled only when no process of it lives.
 *
 * When EXEC_SLOTS raises the slots from 0, what was handed out and not yet
 * confirmed is handed out again, and what was told to stop is told again: the
 * message may have been lost, and a keeper takes either only once. */
void executor_core_step(struct executor_core *x, const struct exec_event *ev,
                        struct exec_effects *fx);

/* When the executor next wants an EXEC_TICK; MS_NEVER if it waits for others. */
ms_t executor_core_deadline(const struct executor_core *x);

/* Attempts that hold a slot now. */
uint32_t executor_core_live(const struct executor_core *x);
bool executor_core_has_run(const struct executor_core *x, int64_t run);

/* A task as it is now; false: no such run is going on. */
bool executor_core_task(const struct executor_core *x, int64_t run, uint32_t task,
                        struct task_row *out);

/* Begin a finished run again: everything failed, upstream_failed or cancelled,
 * and all that hangs on it, is pending again in `rows` (one a task); numbers of
 * attempts go on, charges start anew. Returns how many rows changed and marks
 * them in `cleared` (one a task). */
uint32_t executor_clear(const struct workflow *w, struct task_row *rows, bool *cleared);

/* Assert everything that must be true between two steps. Takes time in the
 * number of all tasks: for tests. */
void executor_core_check(const struct executor_core *x);

#endif
