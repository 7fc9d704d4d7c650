/* SPDX-License-Identifier: MIT
 *
 * worker/launch.h: from a task of a definition to what a keeper is asked to
 * run: argv, environment, directory.
 *
 * The environment is clean: a few variables of the daemon's own, the workflow's
 * `env`, the task's `env`, then the GOWTF_ ones, the later winning. A script
 * reaches its shell byte for byte; values reach it only through variables. */
#ifndef WORKER_LAUNCH_H
#define WORKER_LAUNCH_H

#include "base/buf.h"
#include "base/err.h"
#include "model/workflow.h"
#include "wire/wire.h"

/* The variables every task gets, found once from the daemon's own environment:
 * PATH (without empty and relative parts), HOME, USER, LOGNAME, SHELL, LANG, TZ. */
struct launch_base {
    struct arena arena;
    struct pairs env;
};
void launch_base_init(struct launch_base *b);
void launch_base_done(struct launch_base *b);

/* What all tasks of a run share; the run owns it. */
struct launch_run {
    struct arena arena;
    int64_t id;
    struct ulid key;
    struct str workflow, dir;
    struct pairs env; /* base, workflow env, GOWTF_PARAM_*, GOWTF_WORKFLOW and so on, merged */
};

/* `params`: JSON object of texts; `scheduled_at`: slot or creation. */
bool launch_run_init(struct launch_run *r, const struct launch_base *base, const struct workflow *w,
                     struct str params, ms_t scheduled_at, struct err *e);
void launch_run_done(struct launch_run *r);

/* Fill `out`, whose texts point into `scratch` and the arguments. A script that
 * cannot be an argument (too long, or with its own #! line) is kept as a file
 * below `scripts_dir`, named by its hash. */
bool launch_start(const struct launch_run *r, const struct task *t, struct attempt a,
                  const char *scripts_dir, struct arena *scratch, struct wire_start *out,
                  struct err *e);

#endif
