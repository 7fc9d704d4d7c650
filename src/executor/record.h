/* SPDX-License-Identifier: MIT
 *
 * executor/record.h: what has changed and is not written down yet.
 *
 * Whatever happens to a task within a turn becomes one row with its last
 * state, and all that happens to a run becomes one event. A record is written
 * as often as it takes and forgotten when the transaction has committed.
 *
 * That a task became queued is written only if it still is a little later: most
 * are running or over by then, and a crash loses nothing by it, because from
 * the rows of its parents and the keeper's journal the same follows again. A
 * hundred thousand that become queued at once are written a few a turn. */
#ifndef EXECUTOR_RECORD_H
#define EXECUTOR_RECORD_H

#include "executor/core.h"
#include "store/store.h"

/* What is remembered of a run beside what the core knows. */
struct run_record {
    int64_t id, workflow_id, version_id;
    const struct workflow *workflow; /* held */
    enum run_state state, written;   /* `written`: as committed */
    bool degraded, dirty;
    bool is_over; /* the core has forgotten it; so shall we, once that is committed */
    bool cancel;  /* its cancellation is stored, or will be in this turn */
    ms_t started_at, finished_at; /* wall; 0: not yet */
    int64_t failed_task;          /* the first that failed, or -1 */
    uint32_t counts[TASK_STATE_COUNT];
    struct task_change *changes;
    size_t change_count, change_cap;
    /* One a task: */
    uint32_t *change_at; /* 1 + its place in `changes`, 0: none */
    uint8_t *states;     /* enum task_state, the last one; with RECORD_LATE: it is queued by now */
    ms_t *started;       /* wall: when its last attempt began, 0: unknown; if late: when queued */
};

enum {
    RECORD_LATE = 0x80,
    RECORD_LATE_MS = 20,   /* after which queued tasks are written */
    RECORD_LATE_MAX = 200, /* of them in a turn */
};
/* A task whose being queued is not written yet. */
struct late {
    int64_t run;
    uint32_t task;
    ms_t due; /* in the core's time */
};

struct task_change {
    uint32_t task;
    enum task_state from; /* as committed */
    struct task_row row;
    ms_t due_at, queued_at, started_at, finished_at, wait_since; /* wall; 0: does not apply */
};

/* How long something took that succeeded. */
struct sample {
    int64_t workflow_id;
    struct str task; /* of a held workflow; "" for a run */
    ms_t took;
};

struct records {
    struct map runs; /* run id -> struct run_record */
    struct run_record **dirty;
    size_t dirty_count, dirty_cap;
    struct late *late; /* a queue: from late_head on */
    size_t late_head, late_count, late_cap;
    struct sample *samples;
    size_t sample_count, sample_cap;
    struct buf json;
};

struct run_record *record_add(struct records *rs, int64_t id, int64_t workflow_id,
                              int64_t version_id, const struct workflow *w);
struct run_record *record_find(const struct records *rs, int64_t id); /* NULL: not there */

/* The task's state before it was taken up. */
void record_init_task(struct run_record *r, uint32_t task, enum task_state state, ms_t started);

/* An effect of the core. `now`: wall; `at`: wall time of what led to it; `shift`:
 * what to add to the core's time to get wall time. */
void record_task(struct records *rs, struct run_record *r, uint32_t task,
                 const struct task_row *row, ms_t now, ms_t at, ms_t shift);
void record_run(struct records *rs, struct run_record *r, enum run_state state, bool degraded,
                ms_t now);

/* Turn those that are due at `steady` into changes; `now` and `shift` as above. */
void records_ripen(struct records *rs, const struct executor_core *core, ms_t steady, ms_t now,
                   ms_t shift);
ms_t records_deadline(const struct records *rs); /* of the next, in the core's time */

bool records_write(struct records *rs, struct store *s, ms_t now, struct err *e);
/* The transaction is committed. Runs that are over are handed to `drop`. */
void records_committed(struct records *rs, void (*drop)(void *ctx, struct run_record *r),
                       void *ctx);
void record_free(struct run_record *r);
void records_done(struct records *rs); /* frees what is left */

#endif
