/* SPDX-License-Identifier: MIT
 *
 * server/words.h: what happened and why nothing happens, in words.
 *
 * One sentence for one fact, the same in the browser, the API and on the
 * terminal. No full stop, lower case, fit to be put after "transform: ". */
#ifndef SERVER_WORDS_H
#define SERVER_WORDS_H

#include "base/buf.h"
#include "model/state.h"

/* A length of time as people say it: "0.3s", "3s", "2m 10s", "4h 5m", "3d 4h". */
void words_duration(struct buf *out, ms_t ms);

/* How a task or an attempt came to its end. */
struct ending {
    struct str state;  /* word of the task or attempt */
    struct str reason; /* word of the reason; may be absent */
    int64_t exit_code; /* DB_NULL: none */
    int64_t signal;    /* DB_NULL: none */
    int64_t timeout_ms;
    int64_t attempts;   /* how many there were; 0 or 1 is not mentioned */
    struct str message; /* what the keeper or the engine said; may be absent */
};
/* "exit 3", "exit 127: command not found", "killed by SIGKILL", "timed out after
 * 10m", "lost: ...", "not run: a task before it failed". Nothing is appended for
 * what is not over or ended well. */
void words_ending(struct buf *out, const struct ending *end);

/* "SIGKILL" for 9, "signal 99" for what has no name. */
const char *signal_word(int64_t number, char text[24]);

/* Why a task does not run yet. */
struct waiting {
    struct str state;     /* word */
    struct str wait_code; /* "slots", "max_parallel", "retry"; may be absent */
    ms_t since, now;      /* since when; 0: unknown */
    ms_t due_at;          /* retrying: not before */
    int64_t attempt;      /* the last one handed out */
    int64_t retries;      /* of the definition */
    int64_t slots_used, slots_total;
    int64_t place;             /* in line, from 1; 0: unknown */
    const struct str *parents; /* pending: names of those not over */
    size_t parent_count;
};
/* "queued 4m: all 16 slots are taken; 3rd in line", "waits for extract and
 * load", "retry 2 of 3 in 22s". Nothing for what does not wait. */
void words_waiting(struct buf *out, const struct waiting *w);

/* "run waits for #41 (limit 1)"; `ahead` 0: "run waits to be started". */
void words_run_waiting(struct buf *out, int64_t ahead);

/* What tasks of a run that has begun wait for. */
struct held {
    int64_t queued, retrying; /* tasks in the line; tasks between two attempts */
    struct str wait_code;     /* of those in the line; may be absent */
    ms_t since, due_at, now;  /* of the first in line; of the next attempt; 0: none */
    int64_t slots_total;
};
/* "12 tasks queued 4m: all 16 slots are taken", "1 task tries again in 22s".
 * Nothing if nothing waits. */
void words_run_held(struct buf *out, const struct held *h);

#endif
