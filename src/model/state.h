/* SPDX-License-Identifier: MIT
 *
 * model/state.h: the states of runs, task instances, attempts and schedule
 * slots, their words, and which may follow which.
 *
 * One list each; the words are those of the database, the API, the command
 * line and the manual. The order separates what is going on from what is over. */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include "base/str.h"

/* clang-format off */
#define TASK_STATES(X) \
    X(TASK_PENDING,         "pending")         /* waits for its parents */ \
    X(TASK_QUEUED,          "queued")          /* may run; waits for a slot, or was handed out */ \
    X(TASK_RUNNING,         "running")         /* a keeper has said it started */ \
    X(TASK_RETRYING,        "retrying")        /* an attempt failed; the next one is due later */ \
    X(TASK_WAITING,         "waiting")         /* for a person, a time, a file */ \
    X(TASK_SUCCESS,         "success") \
    X(TASK_FAILED,          "failed") \
    X(TASK_SKIPPED,         "skipped") \
    X(TASK_UPSTREAM_FAILED, "upstream_failed") \
    X(TASK_CANCELLED,       "cancelled")

#define RUN_STATES(X) \
    X(RUN_QUEUED,    "queued")    /* waits for another run of its workflow */ \
    X(RUN_RUNNING,   "running") \
    X(RUN_SUCCESS,   "success") \
    X(RUN_FAILED,    "failed") \
    X(RUN_CANCELLED, "cancelled")

/* Why a task instance is in its state, where the state alone does not say. */
#define REASONS(X) \
    X(REASON_NONE,             "") \
    X(REASON_EXIT,             "exit")             /* an exit code that is not a success */ \
    X(REASON_SIGNAL,           "signal")           /* ended by a signal that was not ours */ \
    X(REASON_TIMEOUT,          "timeout") \
    X(REASON_STALLED,          "stalled") \
    X(REASON_OOM,              "oom") \
    X(REASON_LOST,             "lost")             /* nobody saw how it ended */ \
    X(REASON_LAUNCH,           "launch")           /* it could not be started */ \
    X(REASON_EXPRESSION,       "expression")       /* its condition could not be evaluated */ \
    X(REASON_CONDITION,        "condition")        /* its condition was false */ \
    X(REASON_UPSTREAM_SKIPPED, "upstream_skipped") \
    X(REASON_UPSTREAM_FAILED,  "upstream_failed") \
    X(REASON_CANCELLED,        "cancelled") \
    X(REASON_SHUTDOWN,         "shutdown") \
    X(REASON_MANUAL,           "manual")

/* How an attempt ended. ATTEMPT_LOST: nobody saw its end. */
#define ATTEMPT_STATES(X) \
    X(ATTEMPT_STARTING,     "starting")     /* handed to a keeper */ \
    X(ATTEMPT_RUNNING,      "running") \
    X(ATTEMPT_SUCCESS,      "success") \
    X(ATTEMPT_FAILED,       "failed")       /* an exit code that is not a success, or a signal */ \
    X(ATTEMPT_TIMED_OUT,    "timed_out") \
    X(ATTEMPT_STALLED,      "stalled") \
    X(ATTEMPT_KILLED,       "killed")       /* stopped because it was cancelled */ \
    X(ATTEMPT_SPAWN_FAILED, "spawn_failed") \
    X(ATTEMPT_LOST,         "lost")

#define SLOT_OUTCOMES(X) \
    X(SLOT_FIRED,   "fired") \
    X(SLOT_SKIPPED, "skipped") \
    X(SLOT_MISSED,  "missed")
/* clang-format on */

#define X(name, word) name,
enum task_state { TASK_STATES(X) TASK_STATE_COUNT };
enum run_state { RUN_STATES(X) RUN_STATE_COUNT };
enum reason { REASONS(X) REASON_COUNT };
enum attempt_state { ATTEMPT_STATES(X) ATTEMPT_STATE_COUNT };
enum slot_outcome { SLOT_OUTCOMES(X) SLOT_OUTCOME_COUNT };
#undef X

static inline bool task_is_over(enum task_state s)
{
    return s >= TASK_SUCCESS;
}
static inline bool run_is_over(enum run_state s)
{
    return s >= RUN_SUCCESS;
}
static inline bool attempt_is_over(enum attempt_state s)
{
    return s >= ATTEMPT_SUCCESS;
}

/* "Broken": nothing good will come from there any more. */
static inline bool task_is_broken(enum task_state s)
{
    return s == TASK_FAILED || s == TASK_UPSTREAM_FAILED || s == TASK_CANCELLED;
}

const char *task_state_word(enum task_state s);
const char *run_state_word(enum run_state s);
const char *reason_word(enum reason r); /* "" for REASON_NONE */
const char *attempt_state_word(enum attempt_state s);
const char *slot_outcome_word(enum slot_outcome o);

/* False: no such word. */
bool task_state_parse(struct str word, enum task_state *out);
bool run_state_parse(struct str word, enum run_state *out);
bool reason_parse(struct str word, enum reason *out);
bool attempt_state_parse(struct str word, enum attempt_state *out);

/* The edges along which an instance may move. `cleared` edges (terminal back to
 * pending) exist only for a rerun a person asked for. */
bool task_may_move(enum task_state from, enum task_state to, bool cleared);

#endif
