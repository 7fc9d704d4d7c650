/* SPDX-License-Identifier: MIT
 *
 * keeper/launch.h: one process out of nothing but what is written here. */
#ifndef KEEPER_LAUNCH_H
#define KEEPER_LAUNCH_H

#include "wire/logfile.h"

#include <sys/types.h>

enum launch_step { LAUNCH_SETUP, LAUNCH_WORKDIR, LAUNCH_EXEC };

enum { LAUNCH_STACK_BYTES = 64 << 10, LAUNCH_PATH_MAX = 4096 };

struct launch_stack;

/* Stacks for children that are not programs of their own yet. */
struct launch_pool {
    struct launch_stack **at;
    size_t count, cap;
};

/* Prepared by the keeper, read by the child before its exec. Borrows all texts. */
struct launch {
    char **argv; /* argv[-1] is ours to use */
    char **envp;
    const char *workdir;    /* "": stay */
    const char *search;     /* PATH, if argv[0] has no slash */
    char out[LOG_PATH_MAX]; /* relative to the keeper's directory */
    char err[LOG_PATH_MAX];
    bool may_gain_privileges;
    int cgroup; /* descriptor of a cgroup v2 directory to begin in; -1: ours */
    /* Set on the way. */
    struct launch_stack *stack; /* of the pool; others may have it since */
    int error;                  /* errno that ended the child before its exec; 0: none */
    enum launch_step step;      /* where that was */
    int log_error;              /* errno that made it write to /dev/null; 0: none */
    char path[LAUNCH_PATH_MAX]; /* of the program, when it was searched for */
};

/* Start the child; nobody waits for it. The pid, or -1 with errno: there is no
 * child. *l and its texts must stay until launch_is_away(), and its results are
 * there only then. A child whose `error` is set exits with 127 and must be reaped as any
 * other; whoever was reaped is away. Locks out and err (flock) for as long as anybody
 * has them open. */
pid_t launch_run(struct launch *l, struct launch_pool *p);

/* Is the child a program of its own, or over? */
bool launch_is_away(const struct launch *l);

void launch_pool_free(struct launch_pool *p);

#endif
