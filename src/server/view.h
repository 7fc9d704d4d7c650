/* SPDX-License-Identifier: MIT
 *
 * server/view.h: what there is to be seen, as JSON.
 *
 * The answers of the API without any HTTP: rows in, JSON out. The command line
 * prints the very same for --json, so a script may use either. Each function
 * appends one JSON value to `out`; on failure what is in `out` is of no use.
 *
 * Words: `docs/api.md` is the contract for every field. */
#ifndef SERVER_VIEW_H
#define SERVER_VIEW_H

#include "base/buf.h"
#include "store/db.h"
#include "store/zones.h"

/* Where a view looks from. Borrows all of it; belongs to one thread. */
struct view {
    struct db *db;       /* a reader */
    struct zones *zones; /* for next fires and local times */
    const char *home;    /* the data directory: logs are below it */
    ms_t now;            /* wall: waits and running times are told up to here */
};

enum {
    VIEW_ROWS_MAX = 1000, /* items in one answer, of lists that have pages */
    VIEW_ROWS = 50,       /* unless asked for otherwise */
};

/* ---- workflows ---- */

bool view_workflows(const struct view *v, struct buf *out, struct err *e);
bool view_workflow(const struct view *v, struct str name, struct buf *out, struct err *e);
bool view_versions(const struct view *v, struct str name, struct buf *out, struct err *e);
/* The YAML text of version `number`, 0: the current one. Bytes, not JSON. */
bool view_source(const struct view *v, struct str name, int64_t number, struct buf *out,
                 struct err *e);
bool view_grid(const struct view *v, struct str name, int64_t runs, struct buf *out, struct err *e);
bool view_workflow_graph(const struct view *v, struct str name, int64_t number, struct buf *out,
                         struct err *e);

/* ---- runs ---- */

struct run_filter {
    struct str workflow; /* name; absent: all */
    struct str states;   /* "failed,cancelled"; absent: all */
    ms_t since, until;   /* by creation; 0: no bound */
    int64_t before;      /* runs older than this id; 0: from the newest */
    int64_t limit;       /* 0: VIEW_ROWS */
};
bool view_runs(const struct view *v, const struct run_filter *f, struct buf *out, struct err *e);
bool view_run(const struct view *v, int64_t run, struct buf *out, struct err *e);
bool view_run_tasks(const struct view *v, int64_t run, struct buf *out, struct err *e);
/* `task`: its name or index, "NAME.ITEM" for one of a fan-out. */
bool view_run_task(const struct view *v, int64_t run, struct str task, struct buf *out,
                   struct err *e);
bool view_run_events(const struct view *v, int64_t run, struct buf *out, struct err *e);
bool view_run_graph(const struct view *v, int64_t run, struct buf *out, struct err *e);

/* The index of a run's task from its name or index. ERR_NOT_FOUND names the run
 * or the nearest task. */
bool view_task_find(const struct view *v, int64_t run, struct str text, int64_t *task,
                    int64_t *item, struct err *e);

/* ---- time ---- */

bool view_schedule(const struct view *v, int64_t most, ms_t until, struct buf *out, struct err *e);
struct slot_filter {
    struct str workflow, outcome; /* absent: all */
    ms_t since, until;            /* 0: no bound */
    int64_t limit;                /* 0: VIEW_ROWS */
};
bool view_slots(const struct view *v, const struct slot_filter *f, struct buf *out, struct err *e);

/* ---- the whole ---- */

/* What a server knows of itself and the database does not. */
struct view_self {
    ms_t started_at; /* 0: there is no server */
    int64_t pid;
    int64_t clients;   /* streams open */
    int64_t log_bytes; /* -1: not known */
};
bool view_home(const struct view *v, struct buf *out, struct err *e);
bool view_system(const struct view *v, const struct view_self *self, struct buf *out,
                 struct err *e);
/* What a wish names: the id of a workflow (ERR_NOT_FOUND), whether a run exists. */
bool view_workflow_id(const struct view *v, struct str name, int64_t *id, struct err *e);
bool view_run_there(const struct view *v, int64_t run, bool *found, struct err *e);
bool view_seq(const struct view *v, int64_t *seq, struct err *e);

/* {"ok", "problems"} of a workflow file's text; `path` as it is to be shown. */
bool view_validate(struct str text, struct str path, struct buf *out, struct err *e);

#endif
