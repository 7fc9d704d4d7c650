/* SPDX-License-Identifier: MIT
 *
 * keeper/hunt.c: ending a tree of processes, and knowing that it has ended.
 *
 *     ask   the stop signal to everybody, then SIGCONT: a stopped process hears too
 *     wait  the grace
 *     kill  SIGKILL to everybody found, again and again
 *
 * until two looks in a row find nobody. One look is not enough: who is found
 * dead may have forked just before. Everybody is: the session, whoever carries the
 * cookie, their children (keeper/proc.h); all are signalled through pidfds.
 *
 * The same is done, later and with a shorter grace, to what an attempt leaves
 * behind when it ends by itself. */
#include "keeper/house.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
    EMPTY_LOOKS = 2,
    WAIT_LOOK_MS = 100,       /* between looks while the grace runs and the first is over */
    LEFTOVER_GRACE_MS = 2000, /* between SIGTERM and SIGKILL for what was left behind */
    ORPHANS_MAX = 256,
};

/* Everybody of `f` now; one scan serves a whole tick. */
static size_t hunt_find(struct house *h, const struct family *f, bool *scanned)
{
    if (!*scanned)
        procs_scan(&h->procs);
    *scanned = true;
    return family_find(&h->procs, f, &h->members, &h->members_cap);
}

static void hunt_signal(const struct house *h, size_t count, int signal)
{
    for (size_t i = 0; i < count; i++)
        proc_signal(&h->procs.at[h->members[i]], signal);
}

static void hunt_ask(struct house *h, struct hunt *t, const struct family *f, int signal,
                     ms_t grace_ms, bool *scanned)
{
    size_t count = hunt_find(h, f, scanned);
    hunt_signal(h, count, signal);
    hunt_signal(h, count, SIGCONT);
    t->stage = HUNT_ASKED;
    t->kill_at = h->boot + grace_ms;
}

/* Look once. True when it is empty for good. */
static bool hunt_look(struct house *h, struct hunt *t, const struct family *f, bool *killed,
                      bool *scanned)
{
    size_t count = hunt_find(h, f, scanned);
    if (count == 0 && !group_is_populated(f->group))
        return ++t->empty >= EMPTY_LOOKS;
    t->empty = 0;
    if (h->boot >= t->kill_at)
        t->stage = HUNT_KILLED;
    if (t->stage == HUNT_KILLED) {
        hunt_signal(h, count, SIGKILL);
        group_kill(f->group);
        *killed = true;
    }
    return false;
}

static struct family held_family(const struct held *x)
{
    return (struct family){.name = x->name,
                           .leader = x->pid,
                           .leader_lives = !x->exited,
                           .adopted = x->was_adopted,
                           .group = x->group};
}

void hunt_begin(struct house *h, struct held *x)
{
    struct family f = held_family(x);
    bool scanned = false;
    hunt_ask(h, &x->hunt, &f, x->stop_signal, x->grace_ms, &scanned);
    house_wake_at(h, x->hunt.kill_at);
}

/* When to look at this one next. */
static ms_t hunt_next(const struct house *h, const struct hunt *t, bool leader_over)
{
    if (t->stage == HUNT_KILLED || t->empty)
        return h->boot + (t->empty ? 1 : HUNT_MS);
    return leader_over ? MIN(t->kill_at, h->boot + WAIT_LOOK_MS) : t->kill_at;
}

static ms_t held_hunt(struct house *h, struct held *x, bool *scanned)
{
    if (!x->exited && h->boot < x->hunt.kill_at)
        return x->hunt.kill_at;
    struct family f = held_family(x);
    bool empty = hunt_look(h, &x->hunt, &f, &x->needed_kill, scanned);
    if (x->hunt.stage == HUNT_ASKED && x->exited && !x->hunt.empty && !x->hunt.asked_again) {
        x->hunt.asked_again = true; /* who was being forked when we asked did not hear */
        hunt_signal(h, family_find(&h->procs, &f, &h->members, &h->members_cap), x->stop_signal);
    }
    if (!empty || !x->exited)
        return hunt_next(h, &x->hunt, x->exited);
    hold_over(h, x, x->how == WIRE_UNKNOWN ? "exit status unknown: the keeper was killed" : "");
    return MS_NEVER;
}

/* ---- what is left behind ---- */

static void leftover_add(struct house *h, struct leftover what)
{
    struct leftover *l = mem_new(sizeof *l);
    *l = what;
    l->next = h->leftovers;
    h->leftovers = l;
    house_wake_at(h, l->due);
}

void hunt_leftovers(struct house *h, const struct held *x, pid_t leader)
{
    leftover_add(h, (struct leftover){.name = x->name,
                                      .leader = leader,
                                      .adopted = x->was_adopted,
                                      .group = x->group,
                                      .due = h->boot + h->opts.linger_ms});
}

/* A line at the end of the attempt's own err file says who was ended. */
static void leftover_note(struct house *h, struct leftover *l, size_t count)
{
    char path[LOG_PATH_MAX];
    if (l->noted)
        return;
    l->noted = true;
    log_files_path(&l->name, "err", path);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct proc *p = &h->procs.at[h->members[i]];
        dprintf(fd, "[gowtf] ended a process that was left behind: %d %s\n", p->pid, p->name);
    }
    close(fd);
}

static ms_t leftover_hunt(struct house *h, struct leftover *l, bool *scanned, bool *gone)
{
    struct family f = {
        .name = l->name, .leader = l->leader, .adopted = l->adopted, .group = l->group};
    bool killed = false;
    if (h->boot < l->due)
        return l->due;
    if (l->hunt.stage == HUNT_NONE) {
        hunt_ask(h, &l->hunt, &f, SIGTERM, LEFTOVER_GRACE_MS, scanned);
        leftover_note(h, l, family_find(&h->procs, &f, &h->members, &h->members_cap));
        return h->boot + HUNT_MS;
    }
    *gone = hunt_look(h, &l->hunt, &f, &killed, scanned);
    return hunt_next(h, &l->hunt, true);
}

static ms_t leftovers_tick(struct house *h, bool *scanned)
{
    ms_t next = MS_NEVER;
    for (struct leftover **at = &h->leftovers, *l; (l = *at);) {
        bool gone = false;
        ms_t again = leftover_hunt(h, l, scanned, &gone);
        if (gone) {
            *at = l->next;
            groups_give_back(&h->groups, l->group);
            free(l);
            continue;
        }
        next = MIN(next, again);
        at = &l->next;
    }
    return next;
}

static bool leftover_known(const struct house *h, const struct wire_name *name)
{
    for (const struct leftover *l = h->leftovers; l; l = l->next)
        if (wire_name_eq(&l->name, name))
            return true;
    return false;
}

/* Children of ours that nobody started here are orphans of some attempt. If
 * that attempt is over, they are left behind, even with all descriptors closed. */
static void sweep(struct house *h)
{
    pid_t children[ORPHANS_MAX];
    size_t count = proc_children(children, ORPHANS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct wire_name name;
        bool detached;
        if (map_get(&h->by_pid, children[i]) || !proc_cookie(children[i], &name, &detached) ||
            detached || leftover_known(h, &name))
            continue;
        struct held *x = hold_find(h, &name);
        if (!x || x->state == HELD_OVER)
            leftover_add(h, (struct leftover){.name = name, .due = h->boot + h->opts.linger_ms});
    }
}

ms_t hunt_tick(struct house *h)
{
    ms_t next = MS_NEVER;
    bool scanned = false;
    for (size_t i = h->live_count; i-- > 0;)
        if (i < h->live_count && h->live[i]->hunt.stage != HUNT_NONE) {
            ms_t again = held_hunt(h, h->live[i], &scanned);
            next = MIN(next, again);
        }
    if (h->boot >= h->sweep_at) {
        h->sweep_at = MS_NEVER;
        sweep(h);
    }
    ms_t again = leftovers_tick(h, &scanned);
    next = MIN(next, again);
    return MIN(next, h->sweep_at);
}
