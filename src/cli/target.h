/* SPDX-License-Identifier: MIT
 *
 * cli/target.h: which one somebody means.
 *
 *     payroll              a workflow; where a run is wanted, its newest
 *     payroll#1182  1182   a run by number
 *     01KAQ4               a run by the beginning of its key
 *     @last payroll@failed the newest, or the newest in a state
 *     1182/transform.2     a task, an attempt
 *     ./x.yaml  x.yaml     a file */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "base/err.h"
#include "store/db.h"

struct target {
    struct str text;     /* as given */
    struct str workflow; /* absent: not said */
    struct str pick;     /* "last", "failed"; absent: not said */
    struct str task;     /* may end in ".N"; absent: not said */
    int64_t run;         /* 0: not said */
    bool file;
};

/* Borrows `text`. ERR_INVALID with what was wanted. */
bool target_parse(struct str text, struct target *out, struct err *e);

/* Ask the database. ERR_NOT_FOUND names what comes close. A bare name that is
 * no workflow may still be the beginning of a key. */
bool target_workflow(const struct target *t, struct db *db, int64_t *id, struct err *e);
bool target_run(const struct target *t, struct db *db, int64_t *run, struct err *e);

#endif
