/* SPDX-License-Identifier: MIT
 *
 * tests/sim/keeper.c: hands. A keeper takes each name once, journals the
 * beginning and the end of each attempt, and tells the journal again from the
 * last acknowledged entry whenever somebody asks. When it dies the processes
 * live on; the next one adopts them, or finds them gone and says so. */
#include "sim.h"

static int64_t key_of(struct attempt a)
{
    return a.run << 40 | (int64_t)a.task << 20 | a.try;
}

struct hand *keeper_hand(const struct sim *s, struct attempt a)
{
    uintptr_t place = (uintptr_t)map_get(&s->keeper.index, key_of(a));
    return place ? &s->keeper.hands[place - 1] : NULL;
}

static struct hand *hand_add(struct sim *s, struct attempt a)
{
    struct keeper *k = &s->keeper;
    k->hands = mem_grow(k->hands, &k->hand_cap, k->hand_count + 1, sizeof *k->hands);
    k->hands[k->hand_count] = (struct hand){.attempt = a, .begin = s->world.now};
    map_put(&k->index, key_of(a), (void *)(uintptr_t)++k->hand_count);
    return &k->hands[k->hand_count - 1];
}

static void journal(struct sim *s, struct attempt a, bool end)
{
    struct keeper *k = &s->keeper;
    k->journal = mem_grow(k->journal, &k->journal_cap, k->journal_count + 1, sizeof *k->journal);
    k->journal[k->journal_count++] = (struct entry){a, end};
}

static void begin(struct sim *s, struct hand *h)
{
    h->started = true;
    h->begun_entry = s->keeper.journal_count;
    journal(s, h->attempt, false);
}

/* Before it tells its journal, what it was told to begin has begun. */
void keeper_hello(struct sim *s)
{
    for (size_t i = 0; i < s->keeper.hand_count; i++)
        if (s->keeper.hands[i].live && !s->keeper.hands[i].started)
            begin(s, &s->keeper.hands[i]);
}

static void end(struct sim *s, struct hand *h)
{
    ASSERT(h->live);
    h->live = false;
    h->end_at = s->world.now;
    s->keeper.live--;
    if (h->how == END_EXIT)
        note(s, NOTE_ENDS, h->attempt, h->code, NULL);
    else
        note(s, NOTE_ENDS_BADLY, h->attempt, h->how * 10 + h->cause,
             h->how == END_UNKNOWN ? "nobody knows how" : "by a signal");
    journal(s, h->attempt, true);
}

void keeper_start(struct sim *s, struct attempt a)
{
    struct hand *h = keeper_hand(s, a);
    if (h) {
        ASSERT(!h->end_acked); /* a name may be forgotten once its end is written down */
        note(s, NOTE_ASKED_AGAIN, a, 0, NULL);
        return;
    }
    check_start(s, a);
    struct plan plan = s->plan(s, a);
    const struct task *t = &run_workflow(s, a.run)->tasks[a.task];
    h = hand_add(s, a);
    if (plan.refuse) {
        h->how = END_REFUSED;
        h->end_at = s->world.now;
        h->never_began = true;
        note(s, NOTE_REFUSED, a, 0, NULL);
        journal(s, a, true);
        return;
    }
    h->live = true;
    h->stands_at = plan.stands_after ? s->world.now + plan.stands_after : MS_NEVER;
    h->start_at = s->world.now + plan.starts_after;
    h->end_at = h->start_at + plan.takes;
    h->timeout_at = t->timeout ? h->start_at + t->timeout : MS_NEVER;
    h->how = plan.how;
    h->code = plan.code;
    h->oom = plan.oom;
    s->keeper.live++;
    s->starts++;
    note(s, NOTE_STARTS, a, 0, NULL);
    if (plan.starts_after == 0)
        begin(s, h);
}

/* It dies of a signal of ours, after up to the grace. */
static void signal_hand(struct sim *s, struct hand *h, enum end_cause cause)
{
    h->stopped = true;
    ms_t dies_at = s->world.now + below(&s->world, GRACE_MS + 1);
    if (h->end_at <= dies_at)
        return; /* it is faster */
    h->end_at = dies_at;
    bool polite = chance(&s->world, 300); /* it cleans up and says that all is well */
    h->how = polite ? END_EXIT : END_SIGNAL;
    h->code = polite ? 0 : 15;
    h->oom = false;
    h->cause = cause;
}

void keeper_stop(struct sim *s, struct attempt a, enum end_cause cause)
{
    struct hand *h = keeper_hand(s, a);
    if (!h) { /* stopped before it began: the name is taken all the same */
        h = hand_add(s, a);
        h->how = END_REFUSED;
        h->cause = cause;
        h->never_began = true;
        h->end_at = s->world.now;
        journal(s, a, true);
        return;
    }
    if (h->vanished && !h->stopped) { /* who must end what is not there says that it is gone */
        h->stopped = true;
        journal(s, a, true);
    }
    if (!h->live || h->stopped)
        return;
    note(s, NOTE_TOLD_TO_STOP, a, 0, NULL);
    signal_hand(s, h, cause);
}

/* ---- standing still ---- */

void keeper_freeze(struct sim *s, ms_t how_long)
{
    s->keeper.frozen = true;
    s->keeper.thaw_at = s->world.now + how_long;
    note(s, NOTE_FREEZES, (struct attempt){0}, how_long, NULL);
}

static void thaw(struct sim *s)
{
    struct keeper *k = &s->keeper;
    k->frozen = false;
    k->thawed_at = s->world.now;
    note(s, NOTE_THAWS, (struct attempt){0}, 0, NULL);
    k->reads_late = true;
    for (size_t i = 0; i < k->inbox_count; i++) {
        struct letter l = k->inbox[i];
        if (l.stop)
            keeper_stop(s, l.attempt, l.cause);
        else
            keeper_start(s, l.attempt);
    }
    k->reads_late = false;
    k->inbox_count = 0;
}

void keeper_lose_letters(struct sim *s)
{
    if (s->keeper.inbox_count && chance(&s->world, 500))
        s->keeper.inbox_count = below(&s->world, (uint32_t)s->keeper.inbox_count);
}

void keeper_run(struct sim *s)
{
    struct keeper *k = &s->keeper;
    if (k->frozen && k->thaw_at <= s->world.now)
        thaw(s);
    for (size_t i = 0; i < k->hand_count && !k->frozen; i++) {
        struct hand *h = &k->hands[i];
        if (!h->live || !k->up)
            continue;
        if (!h->started && h->start_at <= s->world.now)
            begin(s, h);
        if (h->started && !h->stopped && h->timeout_at <= s->world.now && h->end_at > s->world.now)
            signal_hand(s, h, CAUSE_TIMEOUT);
        if (h->started && h->end_at <= s->world.now) {
            if (h->adopted) {
                h->how = END_UNKNOWN;
                h->code = 0;
                h->oom = false;
                h->cause = CAUSE_SELF;
            }
            end(s, h);
        }
    }
}

ms_t keeper_next(const struct sim *s)
{
    ms_t next = MS_NEVER;
    if (s->keeper.up && s->keeper.frozen)
        return s->keeper.thaw_at;
    for (size_t i = 0; s->keeper.up && i < s->keeper.hand_count; i++) {
        const struct hand *h = &s->keeper.hands[i];
        if (h->live && !h->started)
            next = MIN(next, h->start_at);
        else if (h->live)
            next = MIN(next, h->stopped ? h->end_at : MIN(h->end_at, h->timeout_at));
    }
    return next;
}

void keeper_die(struct sim *s)
{
    s->keeper.up = s->keeper.frozen = false;
    s->keeper.inbox_count = 0;
    note(s, NOTE_KEEPER_DIES, (struct attempt){0}, 0, NULL);
}

/* What lived on is adopted, unless it is gone by now. */
void keeper_back(struct sim *s)
{
    struct keeper *k = &s->keeper;
    k->up = true;
    k->births++;
    note(s, NOTE_KEEPER_BACK, (struct attempt){0}, 0, NULL);
    keeper_hello(s);
    for (size_t i = 0; i < k->hand_count; i++) {
        struct hand *h = &k->hands[i];
        if (!h->live)
            continue;
        h->adopted = true;
        if (!chance(&s->world, s->faults.adopt))
            h->end_at = s->world.now;
    }
    keeper_run(s);
}

void keeper_vanish(struct sim *s, struct hand *h)
{
    ASSERT(h->live && h->started);
    h->live = false;
    h->vanished = true;
    h->oom = false;
    h->code = 0;
    h->how = END_UNKNOWN;
    h->cause = CAUSE_SELF;
    h->end_at = s->world.now;
    s->keeper.live--;
    note(s, NOTE_VANISHES, h->attempt, 0, NULL);
}

void keeper_ack(struct sim *s, size_t count)
{
    struct keeper *k = &s->keeper;
    for (; k->acked < count; k->acked++)
        if (k->journal[k->acked].end)
            keeper_hand(s, k->journal[k->acked].attempt)->end_acked = true;
}

void keeper_done(struct sim *s)
{
    free(s->keeper.inbox);
    free(s->keeper.hands);
    free(s->keeper.journal);
    map_free(&s->keeper.index);
}
