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

/* The fact about `a`, a new one if there is none. Good until the next call. */
struct fact *facts_of(struct facts *l, struct attempt a);

/* What to say about its end, in words; copies. An empty text takes it back. */
void fact_explain(struct fact *f, struct str text);

bool facts_write(const struct facts *l, struct db *db, struct str keeper, struct err *e);
void facts_clear(struct facts *l);
void facts_free(struct facts *l);

#endif
