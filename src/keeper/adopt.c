/* SPDX-License-Identifier: MIT
 *
 * keeper/adopt.c: what a dead keeper left behind.
 *
 * Its tasks may live, for nothing of theirs went through it. Its journal says which
 * they were. Each attempt that has no end there is one of these:
 *
 *     another boot                       it is gone: unknown
 *     a pid, and that process lives      ours from now on, through a pidfd
 *     no pid, and a process carries its
 *       cookie and leads a session       the same
 *     its process is over                unknown, or as EXITED says
 *
 * A process is the one meant if it started at the tick that was written down,
 * or, if we died before looking, between the two records around its clone.
 * What is unknown is said to be unknown; nothing is started again here. */
#include "keeper/house.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KILLED_TEXT "exit status unknown: the keeper was killed"

/* ---- reading the journal ---- */

static void read_starting(struct house *h, const struct record *r)
{
    struct held *x = hold_find(h, &r->name);
    if (x)
        return;
    x = hold_new(h, &r->name);
    x->state = HELD_RUNNING;
    x->was_adopted = true;
    x->slot_number = r->slot;
    x->heard_boot = r->boot_at;
    x->timeout_ms = r->starting.timeout_ms;
    x->grace_ms = r->starting.grace_ms;
    x->log_max = r->starting.log_max;
    x->stop_signal = (int)r->starting.stop_signal;
    x->flags = r->starting.flags;
}

static void read_end(struct held *x, const struct record *r)
{
    x->how = r->how;
    x->code = r->ended.code;
    x->usage = r->ended.usage;
    x->needed_kill = r->flags & RECORD_NEEDED_KILL;
}

static void read_later(struct house *h, struct held *x, const struct record *r)
{
    switch ((enum record_kind)r->kind) {
    case RECORD_STARTED: x->told = true; x->ticks = r->started.ticks; /* fall through */
    case RECORD_CLONED:
        x->pid = (pid_t)r->started.pid;
        x->cloned_boot = x->cloned_boot ? x->cloned_boot : r->boot_at;
        x->started_wall = r->wall_at;
        x->started_boot = r->boot_at;
        break;
    case RECORD_STOPPING: x->cause = r->cause; break;
    case RECORD_EXITED:
        x->exited = true;
        read_end(x, r);
        break;
    case RECORD_ENDED:
    case RECORD_REFUSED:
        x->state = HELD_OVER;
        hold_await_ack(h, x, r->seq);
        break;
    default: break;
    }
}

static void read_all(struct house *h, const struct journal_old *old)
{
    for (size_t i = 0; i < old->count; i++) {
        const struct record *r = &old->at[i];
        struct held *x = hold_find(h, &r->name);
        if (r->kind == RECORD_STARTING)
            read_starting(h, r);
        else if (r->kind == RECORD_REFUSED && !x)
            read_later(h, hold_new(h, &r->name), r);
        else if (x && x->state != HELD_OVER)
            read_later(h, x, r);
    }
}

/* The same records, for whoever is still known, in a journal of this boot. */
static bool renew(struct house *h, const struct journal_old *old, struct err *e)
{
    CLEANUP(mem_free_at)
    const struct record **keep = mem_new((old->count + 1) * sizeof *keep);
    size_t kept = 0, known = 0;
    for (size_t i = 0; i < old->count; i++)
        if (hold_find(h, &old->at[i].name)) {
            keep[kept++] = &old->at[i];
            known += old->at[i].kind == RECORD_STARTING;
        }
    h->journal.seq = old->seq;
    return journal_renew(&h->journal, keep, kept, JOURNAL_RECORDS + known * RECORDS_EACH, e);
}

/* ---- finding them ---- */

static bool is_the_one(const struct held *x, const struct proc *p)
{
    if (x->ticks)
        return p->ticks == x->ticks;
    ms_t tick = 1000 / sysconf(_SC_CLK_TCK), at = (ms_t)p->ticks * tick;
    return at >= x->heard_boot - tick && at <= x->cloned_boot + tick;
}

static pid_t find_by_cookie(struct house *h, const struct held *x)
{
    for (size_t i = 0; i < h->procs.count; i++) {
        struct wire_name name;
        bool detached;
        const struct proc *p = &h->procs.at[i];
        if (p->session == p->pid && proc_cookie(p->pid, &name, &detached) &&
            wire_name_eq(&name, &x->name))
            return p->pid;
    }
    return 0;
}

/* Look only after the pidfd is open: then it is this process for good. */
static bool adopt_process(struct house *h, struct held *x)
{
    struct proc p;
    bool by_cookie = x->pid == 0;
    if (by_cookie)
        x->pid = find_by_cookie(h, x);
    if (x->pid == 0)
        return false;
    x->pidfd = (int)syscall(SYS_pidfd_open, x->pid, 0);
    if (x->pidfd < 0)
        return false;
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET,
                             .data.u64 = event_tag(EVENT_PIDFD, x->id)};
    if (!proc_look(x->pid, &p) || (!by_cookie && !is_the_one(x, &p)) ||
        epoll_ctl(h->epoll, EPOLL_CTL_ADD, x->pidfd, &ev)) {
        close(x->pidfd);
        x->pidfd = -1;
        return false;
    }
    x->ticks = p.ticks;
    map_put(&h->by_id, x->id, x);
    map_put(&h->by_pid, x->pid, x);
    return true;
}

static void take_slot_back(struct house *h, struct held *x)
{
    x->slot = slots_take_back(&h->slots, x->slot_number);
    if (x->slot && slot_resume(x->slot, &x->name, x->log_max))
        return;
    if (!x->slot)
        x->slot = slots_take(&h->slots);
    ASSERT(x->slot);
    slot_begin(x->slot, &x->name, h->wall, x->log_max);
}

static void adopt_one(struct house *h, struct held *x, bool same_boot)
{
    bool lives = same_boot && !x->exited && adopt_process(h, x);
    if (lives) {
        if (!x->started_boot) {
            x->started_wall = h->wall;
            x->started_boot = h->boot;
        }
        if (x->told)
            slot_watch(&h->slots, x->slot, h->wall);
        if (x->cause != WIRE_SELF)
            hunt_begin(h, x);
        return;
    }
    if (!x->exited)
        x->how = WIRE_UNKNOWN;
    if (same_boot && x->cause != WIRE_SELF) { /* the rest of its tree must still end */
        x->exited = true;
        x->hunt.stage = HUNT_KILLED;
        return;
    }
    const char *text = x->exited    ? ""
                       : !same_boot ? "exit status unknown: the machine was restarted"
                       : x->pid     ? KILLED_TEXT
                                    : "the keeper was killed: it may not have started";
    x->exited = true;
    hold_over(h, x, text);
}

/* Whoever lives and carries the cookie of an attempt that is over. */
static void adopt_leftovers(struct house *h)
{
    for (size_t i = 0; i < h->procs.count; i++) {
        struct wire_name name;
        bool detached;
        if (!proc_cookie(h->procs.at[i].pid, &name, &detached) || detached)
            continue;
        struct held *x = hold_find(h, &name);
        if (x && x->state == HELD_OVER)
            hunt_leftovers(h, x, 0);
    }
}

bool adopt_all(struct house *h, struct err *e)
{
    CLEANUP(buf_free)
    struct buf bytes = {0};
    struct journal_old old;
    if (!journal_read_old(h->dir, h->boot_id, &old, e))
        return false;
    bytes = old.bytes;
    read_all(h, &old);
    if (!renew(h, &old, e))
        return false;
    for (struct map_slot *m = NULL; (m = map_each(&h->known, m));)
        for (struct held *x = m->value; x; x = x->next_same_hash)
            if (x->state != HELD_OVER)
                hold_live(h, x);
    if (old.same_boot && h->known.count)
        procs_scan(&h->procs);
    for (size_t i = 0; i < h->live_count; i++)
        take_slot_back(h, h->live[i]);
    if (old.same_boot)
        adopt_leftovers(h);
    for (size_t i = h->live_count; i-- > 0;)
        adopt_one(h, h->live[i], old.same_boot);
    slots_clean(&h->slots);
    return true;
}
