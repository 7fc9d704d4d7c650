/* SPDX-License-Identifier: MIT
 *
 * worker/facts.h: what is known of attempts and not yet written down: rows of
 * `attempts`, one an attempt, however often a turn hears of it. */
#ifndef WORKER_FACTS_H
#define WORKER_FACTS_H

#include "bus/msg.h"
#include "store/db.h"
#include "worker/excerpt.h"

/* DB_NULL in a number: not known. */
struct fact {
    struct attempt attempt;
    enum attempt_state state;
    int64_t pid, started_at, finished_at, exit_code, signal;
    bool needed_kill;
    struct wire_usage usage;
    struct log_ref log;
    char *message; /* owned; NULL: none */
    struct excerpt excerpt;
};

struct facts {
    struct fact *at;
    size_t count, cap;
};

/* What a living attempt was seen to do: who shows rows says "last output 9 min
 * ago" from it. Rewritten only when it has written something since. */
struct sign {
    struct attempt attempt;
    int64_t cpu_ms, rss_kib;
    ms_t output_at; /* wall; 0: nothing yet */
    bool fresh;     /* not yet in its row */
};
struct signs {
    struct sign *at; /* as many as live, in the keeper's order */
    size_t count, cap;
};

/* The fact about `a`, a new one if there is none. Good until the next call. */
struct fact *facts_of(struct facts *l, struct attempt a);

/* What to say about its end, in words; copies. An empty text takes it back. */
void fact_explain(struct fact *f, struct str text);

bool facts_write(const struct facts *l, struct db *db, struct str keeper, struct err *e);
void facts_clear(struct facts *l);
void facts_free(struct facts *l);

/* Take over what was seen now; `now` is emptied. */
void signs_replace(struct signs *last, struct signs *now);
bool signs_fresh(const struct signs *l);
bool signs_write(const struct signs *l, struct db *db, struct err *e);
void signs_written(struct signs *l);

#endif
