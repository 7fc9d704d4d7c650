/* SPDX-License-Identifier: MIT
 *
 * keeper/proc.h: what the kernel says about processes.
 *
 * A pid alone names nobody for long. A process is its pid together with the
 * clock tick at which it started, and whatever is done to it is done through a
 * pidfd that was opened before the two were compared. */
#ifndef KEEPER_PROC_H
#define KEEPER_PROC_H

#include "keeper/groups.h"
#include "wire/wire.h"

#include <sys/types.h>

struct proc {
    pid_t pid, parent, session;
    char state; /* 'Z': over, not yet reaped */
    char name[16];
    uint64_t ticks; /* when it started: clock ticks since boot */
    uint64_t cpu_ms, rss_kib;
};
bool proc_look(pid_t pid, struct proc *out); /* false: nobody there */

struct procs { /* everybody, by rising pid */
    struct proc *at;
    size_t count, cap;
};
void procs_scan(struct procs *p); /* may be called again and again */
void procs_free(struct procs *p);

/* The attempt whose cookie is in the environment of `pid`. False: none, or it
 * may not be read. `*detached`: what it leaves behind is to be left alone. */
bool proc_cookie(pid_t pid, struct wire_name *out, bool *detached);

/* Who belongs to an attempt: its first process, its session, whoever carries its
 * cookie, whoever is in its group, and all their children. Only descendants of the keeper count,
 * unless the attempt was adopted and so has no such parent. Over ones do not count. Appends to
 * `out` indexes into `p`; how many there are is returned. */
struct family {
    struct wire_name name;
    pid_t leader;
    bool leader_lives; /* not yet reaped, or its pidfd says so */
    bool adopted;
    const struct group *group; /* whoever is in it belongs too; NULL */
};
size_t family_find(const struct procs *p, const struct family *f, uint32_t **out, size_t *cap);

/* Send a signal to exactly this process; somebody else with its pid gets none. */
bool proc_signal(const struct proc *p, int signal);

/* Children of the keeper itself that are no attempt's first process: `known` tells.
 * Orphans come home to us. */
size_t proc_children(pid_t *out, size_t max);

/* CPU and memory of `leader` and everything below it. */
void proc_tree_usage(pid_t leader, uint64_t *cpu_ms, uint64_t *rss_kib);

/* Let the kernel, when memory runs out, prefer `pid` to us. */
void proc_offer_to_oom(pid_t pid);

/* How the process behind an adopted pidfd ended, where the kernel remembers
 * (Linux 6.15). False: it does not (yet). */
bool pidfd_exit_status(int pidfd, int *status);
bool pidfd_can_tell(void); /* whether this kernel has that at all */

bool boot_id_read(uint8_t out[16], struct err *e);

#endif
