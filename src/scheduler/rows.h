/* SPDX-License-Identifier: MIT
 *
 * scheduler/rows.h: what the scheduler has decided and not yet written down.
 *
 * Kept until the transaction with it is committed, so that writing may be
 * tried again. All texts live in `arena`. */
#ifndef SCHEDULER_ROWS_H
#define SCHEDULER_ROWS_H

#include "base/ulid.h"
#include "model/state.h"
#include "store/store.h"

struct slot_row {
    int64_t workflow;
    struct str entry;
    ms_t at, decided_at;
    enum slot_outcome outcome;
    const char *reason; /* NULL: it fired */
    int64_t run;        /* 0: none */
    struct str wall;    /* absent for a period */
    bool shifted_gap;
    int64_t more;
};

struct run_row {
    int64_t id, workflow, version, task_count;
    char key[ULID_TEXT_MAX]; /* empty until it is first written */
    ms_t at;
    const char *trigger;
    struct str actor, params;
    struct str entry; /* of a schedule; absent otherwise */
    ms_t slot_at;
    struct str idem_key, idem_hash;
};

struct mark_row {
    int64_t workflow;
    struct str entry;
    ms_t high_water;
};

struct toggle_row { /* of the switch of a workflow */
    int64_t workflow;
    bool enabled;
    ms_t at;
    struct str actor, reason;
};

struct event_row { /* what no other row tells */
    ms_t at;
    const char *kind;
    int64_t workflow;
    struct str data;
};

struct reply { /* to a wish, when all this is committed */
    uint64_t ticket;
    int64_t run;
    bool repeated;
};

struct rows {
    struct arena arena;
    struct slot_row *slots;
    struct run_row *runs;
    struct mark_row *marks;
    struct toggle_row *toggles;
    struct event_row *events;
    struct reply *replys;
    size_t slot_count, slot_cap, run_count, run_cap, mark_count, mark_cap;
    size_t toggle_count, toggle_cap, event_count, event_cap, reply_count, reply_cap;
};

/* A zeroed row at the end; valid until the next of its kind. */
struct slot_row *rows_slot(struct rows *r);
struct run_row *rows_run(struct rows *r);
struct mark_row *rows_mark(struct rows *r);
struct toggle_row *rows_toggle(struct rows *r);
struct event_row *rows_event(struct rows *r);
struct reply *rows_reply(struct rows *r);

bool rows_any(const struct rows *r);
/* All of them, within the transaction of the turn. Changes nothing here but
 * the keys of runs that have none yet. */
bool rows_write(struct rows *r, struct store *s, struct err *e);
void rows_clear(struct rows *r); /* keeps the memory of the lists */
void rows_free(struct rows *r);

#endif
