/* SPDX-License-Identifier: MIT */
#include "health/core.h"

struct watched {
    struct attempt attempt;
    ms_t stall_timeout; /* > 0 */
    ms_t progress_at;
    int64_t cpu_ms, log_len;
};

struct keeper {
    bool up, asked;
    uint32_t id;
    uint32_t attempts; /* that live on it */
    ms_t heard_at, asked_at;
};

struct health_core {
    struct watched *watched; /* only those with a stall_timeout; as many as slots at most */
    size_t count, cap;
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
    for (size_t i = 0; i < h->count; i++)
        if (attempt_eq(h->watched[i].attempt, a))
            return &h->watched[i];
    return NULL;
}

static void watch(struct health_core *h, const struct msg *m, ms_t now)
{
    h->keepers[0].attempts++;
    h->keepers[0].heard_at = now;
    if (m->watch.stall_timeout <= 0 || find(h, m->watch.attempt))
        return;
    h->watched = mem_grow(h->watched, &h->cap, h->count + 1, sizeof *h->watched);
    h->watched[h->count++] = (struct watched){m->watch.attempt, m->watch.stall_timeout, now, 0, 0};
}

static void forget(struct health_core *h, struct watched *w)
{
    *w = h->watched[--h->count];
}

static void unwatch(struct health_core *h, struct attempt a)
{
    struct watched *w = find(h, a);
    if (w)
        forget(h, w);
    if (h->keepers[0].attempts > 0)
        h->keepers[0].attempts--;
}

static void sign_of_life(struct health_core *h, const struct msg *m, ms_t now)
{
    struct watched *w = find(h, m->alive.attempt);
    if (!w || (w->cpu_ms == m->alive.cpu_ms && w->log_len == m->alive.log_len))
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

static void heard(struct keeper *k, bool up, ms_t now)
{
    k->up = up;
    k->asked = false;
    k->heard_at = now;
}

void health_core_step(struct health_core *h, const struct msg *m, ms_t now, struct verdicts *out)
{
    switch (m->kind) {
    case MSG_TASK_WATCH: watch(h, m, now); break;
    case MSG_TASK_UNWATCH: unwatch(h, m->attempt); break;
    case MSG_TASK_ALIVE: sign_of_life(h, m, now); break;
    case MSG_KEEPER_UP:
    case MSG_KEEPER_ALIVE: heard(keeper(h, m->keeper.id), true, now); break;
    case MSG_KEEPER_DOWN: heard(keeper(h, m->keeper.id), false, now); break;
    default: ASSERT(!"a message for this room");
    }
    health_core_tick(h, now, out);
}

static ms_t keeper_deadline(const struct keeper *k)
{
    if (!k->up || !k->attempts)
        return MS_NEVER;
    return k->asked ? k->asked_at + ANSWER_MS : k->heard_at + LEASE_MS;
}

static void judge_keeper(struct keeper *k, ms_t now, struct verdicts *out)
{
    if (keeper_deadline(k) > now)
        return;
    if (!k->asked) {
        k->asked = true;
        k->asked_at = now;
        give(out, (struct verdict){.kind = VERDICT_ASK, .keeper = k->id});
    } else {
        k->up = false;
        give(out, (struct verdict){.kind = VERDICT_SILENT, .keeper = k->id});
    }
}

void health_core_tick(struct health_core *h, ms_t now, struct verdicts *out)
{
    for (size_t i = 0; i < KEEPERS_MAX; i++)
        judge_keeper(&h->keepers[i], now, out);
    if (!h->keepers[0].up || h->keepers[0].asked)
        return; /* who cannot be heard is not accused of standing still */
    for (size_t i = h->count; i-- > 0;) {
        struct watched *w = &h->watched[i];
        if (w->progress_at + w->stall_timeout > now)
            continue;
        give(out, (struct verdict){.kind = VERDICT_STALLED, .attempt = w->attempt});
        forget(h, w);
    }
}

ms_t health_core_deadline(const struct health_core *h)
{
    ms_t due = MS_NEVER;
    for (size_t i = 0; i < KEEPERS_MAX; i++)
        due = MIN(due, keeper_deadline(&h->keepers[i]));
    if (!h->keepers[0].up || h->keepers[0].asked)
        return due;
    for (size_t i = 0; i < h->count; i++)
        due = MIN(due, h->watched[i].progress_at + h->watched[i].stall_timeout);
    return due;
}
