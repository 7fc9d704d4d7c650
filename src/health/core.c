/* SPDX-License-Identifier: MIT */
#include "health/core.h"

struct watched {
    struct attempt attempt;
    ms_t stall_timeout; /* 0: none */
    ms_t progress_at;
    int64_t cpu_ms, log_len;
};

struct keeper {
    bool up, asked;
    uint32_t id;
    ms_t heard_at, asked_at;
};

struct health_core {
    struct watched *watched; /* what lives on keeper 0: as many as slots at most */
    size_t count, cap;
    size_t hint;      /* signs of life come in the order of beginnings: look here first */
    size_t stallable; /* of those watched */
    struct keeper keepers[KEEPERS_MAX];
};

struct health_core *health_core_new(void)
{
    return mem_new(sizeof(struct health_core));
}

void health_core_free(struct health_core *h)
{
    if (!h)
        return;
    free(h->watched);
    free(h);
}

static void give(struct verdicts *out, struct verdict v)
{
    out->at = mem_grow(out->at, &out->cap, out->count + 1, sizeof *out->at);
    out->at[out->count++] = v;
}

/* ---- attempts ---- */

static struct watched *find(struct health_core *h, struct attempt a)
{
    for (size_t n = 0; n < h->count; n++) {
        size_t i = (h->hint + n) % h->count;
        if (!attempt_eq(h->watched[i].attempt, a))
            continue;
        h->hint = i + 1;
        return &h->watched[i];
    }
    return NULL;
}

/* Time in which nobody could be heard is not held against anybody: a machine
 * that slept, a keeper that stood still. */
static void hear_keeper(struct health_core *h, struct keeper *k, ms_t now)
{
    ms_t silence = now - k->heard_at;
    for (size_t i = 0; k->id == 0 && silence > LEASE_MS && i < h->count; i++)
        h->watched[i].progress_at = MIN(h->watched[i].progress_at + silence, now);
    k->asked = false;
    k->heard_at = now;
}

static void watch(struct health_core *h, const struct msg *m, ms_t now)
{
    ms_t stall_timeout = MAX(m->watch.stall_timeout, 0);
    hear_keeper(h, &h->keepers[0], now);
    if (find(h, m->watch.attempt))
        return;
    h->watched = mem_grow(h->watched, &h->cap, h->count + 1, sizeof *h->watched);
    h->watched[h->count++] = (struct watched){m->watch.attempt, stall_timeout, now, 0, 0};
    h->stallable += stall_timeout > 0;
}

static void unwatch(struct health_core *h, struct attempt a)
{
    struct watched *w = find(h, a);
    if (!w)
        return;
    h->stallable -= w->stall_timeout > 0;
    *w = h->watched[--h->count];
}

static void sign_of_life(struct health_core *h, const struct msg *m, ms_t now)
{
    struct watched *w = find(h, m->alive.attempt);
    if (!w)
        return;
    hear_keeper(h, &h->keepers[0], now);
    if (w->cpu_ms == m->alive.cpu_ms && w->log_len == m->alive.log_len)
        return;
    w->cpu_ms = m->alive.cpu_ms;
    w->log_len = m->alive.log_len;
    w->progress_at = now;
}

/* ---- keepers ---- */

static struct keeper *keeper(struct health_core *h, uint32_t id)
{
    ASSERT(id < KEEPERS_MAX);
    h->keepers[id].id = id;
    return &h->keepers[id];
}

static void keeper_is_there(struct health_core *h, struct keeper *k, ms_t now)
{
    hear_keeper(h, k, now);
    k->up = true;
}

/* Whoever lives on is watched again when a keeper is back and names it. */
static void keeper_is_gone(struct health_core *h, struct keeper *k)
{
    k->up = k->asked = false;
    if (k->id == 0)
        h->count = h->stallable = 0;
}

void health_core_step(struct health_core *h, const struct msg *m, ms_t now, struct verdicts *out)
{
    switch (m->kind) {
    case MSG_TASK_WATCH: watch(h, m, now); break;
    case MSG_TASK_UNWATCH: unwatch(h, m->attempt); break;
    case MSG_TASK_ALIVE: sign_of_life(h, m, now); break;
    case MSG_KEEPER_UP:
    case MSG_KEEPER_ALIVE: keeper_is_there(h, keeper(h, m->keeper.id), now); break;
    case MSG_KEEPER_DOWN: keeper_is_gone(h, keeper(h, m->keeper.id)); break;
    default: ASSERT(!"a message for this room");
    }
    health_core_tick(h, now, out);
}

static ms_t keeper_deadline(const struct health_core *h, const struct keeper *k)
{
    if (!k->up || k->id != 0 || !h->count)
        return MS_NEVER;
    return k->asked ? k->asked_at + ANSWER_MS : k->heard_at + LEASE_MS;
}

static void judge_keeper(struct health_core *h, struct keeper *k, ms_t now, struct verdicts *out)
{
    if (keeper_deadline(h, k) > now)
        return;
    /* Much too late: it was us who slept, and the answer may still be on its way. */
    bool ask = !k->asked || now - k->asked_at >= ANSWER_MS + ASLEEP_MS;
    if (ask) {
        k->asked = true;
        k->asked_at = now;
    } else {
        k->up = false;
    }
    give(out, (struct verdict){.kind = ask ? VERDICT_ASK : VERDICT_SILENT, .keeper = k->id});
}

void health_core_tick(struct health_core *h, ms_t now, struct verdicts *out)
{
    for (size_t i = 0; i < KEEPERS_MAX; i++)
        judge_keeper(h, &h->keepers[i], now, out);
    if (!h->keepers[0].up || h->keepers[0].asked)
        return; /* who cannot be heard is not accused of standing still */
    for (size_t i = 0; h->stallable && i < h->count; i++) {
        struct watched *w = &h->watched[i];
        if (!w->stall_timeout || w->progress_at + w->stall_timeout > now)
            continue;
        give(out, (struct verdict){.kind = VERDICT_STALLED, .attempt = w->attempt});
        w->stall_timeout = 0;
        h->stallable--;
    }
}

ms_t health_core_deadline(const struct health_core *h)
{
    ms_t due = MS_NEVER;
    for (size_t i = 0; i < KEEPERS_MAX; i++)
        due = MIN(due, keeper_deadline(h, &h->keepers[i]));
    if (!h->keepers[0].up || h->keepers[0].asked)
        return due;
    for (size_t i = 0; h->stallable && i < h->count; i++)
        if (h->watched[i].stall_timeout)
            due = MIN(due, h->watched[i].progress_at + h->watched[i].stall_timeout);
    return due;
}
