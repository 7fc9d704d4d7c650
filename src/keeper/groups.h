/* SPDX-License-Identifier: MIT
 *
 * keeper/groups.h: a cgroup v2 for each attempt, where we have one to divide.
 *
 * A group holds every process an attempt ever makes, whatever it does to its session,
 * its environment and its parents; unless it has the right to leave. Making a
 * group costs more than starting a task, so groups are used again and again. Where
 * there are none (`groups_open` found nothing) everything below does nothing.
 *
 * Source: Documentation/admin-guide/cgroup-v2.rst of Linux. */
#ifndef KEEPER_GROUPS_H
#define KEEPER_GROUPS_H

#include "base/err.h"

struct group {
    struct group *next, *next_all; /* in groups.free; in groups.all */
    int dir;                       /* for clone3 */
    int events, memory;            /* its cgroup.events and memory.events; memory -1: not counted */
    uint64_t oom_kills;            /* as last read */
};

struct groups {
    int base; /* descriptor of the directory; -1: none */
    uint32_t count;
    struct group *free, *all;
};

/* Divide `path`, or what was delegated to us if that is NULL. Error: `path` cannot be
 * divided. That nothing was delegated is no error. */
bool groups_open(struct groups *g, const char *path, struct err *e);
void groups_close(struct groups *g); /* and remove those that are empty */

/* An empty one; NULL: none to be had. */
struct group *groups_take(struct groups *g);
/* It is empty, or will be before anybody takes it again. NULL is fine, here and below. */
void groups_give_back(struct groups *g, struct group *one);

bool group_is_populated(const struct group *one);
/* Everybody in it, at once, and whoever is being forked. */
void group_kill(const struct group *one);
/* Did the kernel kill anybody for want of memory since the last time we asked? */
bool group_was_out_of_memory(struct group *one);
/* Pids of up to `max` in it. */
size_t group_members(const struct group *one, int *out, size_t max);

#endif
