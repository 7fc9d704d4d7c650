/* SPDX-License-Identifier: MIT
 *
 * tests/sim/health.c: signs of life, and who may be judged by them.
 *
 * A keeper tells what its attempts do every two seconds, unless it stands
 * still; a machine that slept hears of its own delay before it hears of them.
 * A keeper may be called silent only after a question it had time for; an
 * attempt may be called stalled only for time in which somebody listened. */
#include "sim.h"

enum { BEAT_MS = 2000, PONG_MS = 20 };

static void handle(struct sim *s, struct msg m);

/* Time since the last news counts against the idle, if it is no silence. */
static void news(struct sim *s)
{
    struct sim_daemon *d = &s->daemon;
    ms_t since = s->world.now - d->news_at;
    for (size_t i = 0; since <= LEASE_MS && i < s->keeper.hand_count; i++)
        s->keeper.hands[i].idle += since;
    d->news_at = s->world.now;
}

static ms_t stall_timeout(const struct sim *s, struct attempt a)
{
    return run_workflow(s, a.run)->tasks[a.task].stall_timeout;
}

void health_watch(struct sim *s, struct attempt a)
{
    struct hand *h = keeper_hand(s, a);
    news(s);
    if (!h->watched)
        h->idle = h->told_cpu = 0;
    h->watched = true;
    handle(s, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a, stall_timeout(s, a)}});
}

void health_unwatch(struct sim *s, struct attempt a)
{
    struct hand *h = keeper_hand(s, a);
    if (h)
        h->watched = false;
    handle(s, (struct msg){.kind = MSG_TASK_UNWATCH, .attempt = a});
}

/* The keeper is there, and names who lives. */
void health_keeper_up(struct sim *s)
{
    for (size_t i = 0; i < s->keeper.hand_count; i++)
        if (s->keeper.hands[i].live && s->keeper.hands[i].started)
            health_watch(s, s->keeper.hands[i].attempt);
    news(s);
    handle(s, (struct msg){.kind = MSG_KEEPER_UP});
    s->daemon.beat_at = s->world.now + BEAT_MS;
}

void health_keeper_down(struct sim *s)
{
    for (size_t i = 0; i < s->keeper.hand_count; i++)
        s->keeper.hands[i].watched = false;
    s->daemon.questioned = false;
    handle(s, (struct msg){.kind = MSG_KEEPER_DOWN});
}

static void beat(struct sim *s)
{
    news(s);
    for (size_t i = 0; i < s->keeper.hand_count; i++) {
        struct hand *h = &s->keeper.hands[i];
        if (!h->watched || !h->live)
            continue;
        h->cpu += s->world.now < h->stands_at;
        if (h->cpu != h->told_cpu)
            h->idle = 0;
        h->told_cpu = h->cpu;
        handle(s, (struct msg){.kind = MSG_TASK_ALIVE, .alive = {h->attempt, h->cpu, 0}});
    }
    s->daemon.questioned = false;
    handle(s, (struct msg){.kind = MSG_KEEPER_ALIVE});
    s->daemon.beat_at = s->world.now + BEAT_MS;
}

static void pong(struct sim *s)
{
    news(s);
    s->daemon.questioned = false;
    handle(s, (struct msg){.kind = MSG_KEEPER_ALIVE});
}

static void stalled(struct sim *s, struct attempt a)
{
    const struct hand *h = keeper_hand(s, a);
    ms_t since = s->world.now - s->daemon.news_at;
    ASSERT(h && h->watched && since <= LEASE_MS && h->idle + since >= stall_timeout(s, a));
    struct exec_event ev = {.kind = EXEC_TASK_STALLED, .now = s->world.now, .attempt = a};
    executor_core_step(s->daemon.executor, &ev, &s->daemon.fx);
    note(s, NOTE_STALLS, a, 0, NULL);
}

static void asked(struct sim *s)
{
    s->daemon.questioned = true;
    s->daemon.asked_at = s->world.now;
    note(s, NOTE_ASKED, (struct attempt){0}, 0, NULL);
}

/* Who stands still, or stood still until a moment ago, may be replaced. A short
 * sleep cannot be told from that. */
static void silent(struct sim *s)
{
    const struct sim_daemon *d = &s->daemon;
    bool stood = s->keeper.frozen || s->world.now - s->keeper.thawed_at <= PONG_MS;
    ms_t since = s->world.now - d->asked_at;
    stood |= s->slept_at >= d->asked_at && since < ANSWER_MS + ASLEEP_MS;
    ASSERT(d->questioned && s->world.now - d->asked_at >= ANSWER_MS && stood);
    note(s, NOTE_SILENT, (struct attempt){0}, 0, NULL);
    keeper_die(s);
}

static void judge(struct sim *s)
{
    struct verdicts *v = &s->daemon.verdicts;
    for (size_t i = 0; i < v->count; i++)
        switch (v->at[i].kind) {
        case VERDICT_ASK: asked(s); break;
        case VERDICT_SILENT: silent(s); break;
        case VERDICT_STALLED: stalled(s, v->at[i].attempt); break;
        }
    v->count = 0;
}

static void handle(struct sim *s, struct msg m)
{
    health_core_step(s->daemon.health, &m, s->world.now, &s->daemon.verdicts);
    judge(s);
}

static bool talks(const struct sim *s)
{
    return s->daemon.connected && s->keeper.up && !s->keeper.frozen;
}

static ms_t pong_at(const struct sim *s)
{
    return s->daemon.questioned ? MAX(s->daemon.asked_at, s->keeper.thawed_at) + 1 : MS_NEVER;
}

/* Whoever woke from sleep sees the clock first. */
void health_hear(struct sim *s)
{
    ms_t now = s->world.now;
    if (!s->woke && talks(s) && pong_at(s) <= now)
        pong(s);
    if (!s->woke && talks(s) && s->keeper.live && s->daemon.beat_at <= now)
        beat(s);
    health_core_tick(s->daemon.health, now, &s->daemon.verdicts);
    judge(s);
    s->woke = false;
}

ms_t health_next(const struct sim *s)
{
    ms_t next = health_core_deadline(s->daemon.health);
    if (talks(s))
        next = MIN(next, MIN(pong_at(s), s->keeper.live ? s->daemon.beat_at : MS_NEVER));
    return next;
}

/* After a turn: nobody who should be suspected was overlooked. */
void check_health(const struct sim *s)
{
    ms_t since = s->world.now - s->daemon.news_at;
    if (!s->daemon.connected || s->daemon.questioned || !s->keeper.up)
        return;
    for (size_t i = 0; i < s->keeper.hand_count; i++) {
        const struct hand *h = &s->keeper.hands[i];
        if (!h->watched || !h->live || h->begun_entry >= s->daemon.heard)
            continue;
        ms_t limit = stall_timeout(s, h->attempt);
        ASSERT(since < LEASE_MS);
        ASSERT(!limit || h->stopped || s->keeper.frozen || h->idle + since < limit);
    }
}
