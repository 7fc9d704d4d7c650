/* SPDX-License-Identifier: MIT
 *
 * scheduler/core.c: a heap of entries, each with the next instant it waits for.
 *
 *     high water            due
 *     ────┤                  ├──────> time
 *         everything decided  nothing between
 *
 * What must stay true:
 *
 *   - `due` is the first instant after `high_water`, so nothing between is
 *     dropped and nothing is decided twice;
 *   - an instant is decided only when it is not later than `now`;
 *   - `high_water` goes down only in correct().
 *
 * When a clock was set back far and we followed, the instants up to the old
 * high water come round again. Those who store slots keep one a time, so a
 * repeat changes nothing. `resume` is the old high water: when the clock jumps
 * forward again beyond it, that is where we go on. */
#include "scheduler/core.h"

#include "base/map.h"

struct entry {
    struct entry *next; /* of its workflow */
    int64_t workflow;
    char *name;
    ms_t every;
    struct cron cron;
    const struct tz *zone;
    ms_t high_water, resume;
    struct cron_fire due;
    size_t place; /* in the heap */
    bool *paused; /* of its workflow */
};

struct family {
    struct entry *first;
    bool paused;
};

struct sched {
    struct map families;
    struct entry **heap;
    size_t count, cap;
    ms_t now; /* the latest time heard; INT64_MIN: none yet */
};

struct sched *sched_new(void)
{
    struct sched *s = mem_new(sizeof *s);
    s->now = INT64_MIN;
    return s;
}

/* ---- the heap: the earliest on top --------------------------------------- */

static void place(struct sched *s, struct entry *e, size_t i)
{
    s->heap[i] = e;
    e->place = i;
}

static void sift_up(struct sched *s, struct entry *e)
{
    size_t i = e->place;
    for (; i && s->heap[(i - 1) / 2]->due.at > e->due.at; i = (i - 1) / 2)
        place(s, s->heap[(i - 1) / 2], i);
    place(s, e, i);
}

static void sift_down(struct sched *s, struct entry *e)
{
    size_t i = e->place;
    for (size_t child; (child = 2 * i + 1) < s->count; i = child) {
        if (child + 1 < s->count && s->heap[child + 1]->due.at < s->heap[child]->due.at)
            child++;
        if (s->heap[child]->due.at >= e->due.at)
            break;
        place(s, s->heap[child], i);
    }
    place(s, e, i);
}

static void heap_add(struct sched *s, struct entry *e)
{
    s->heap = mem_grow(s->heap, &s->cap, s->count + 1, sizeof *s->heap);
    e->place = s->count++;
    sift_up(s, e);
}

static void heap_remove(struct sched *s, struct entry *e)
{
    struct entry *last = s->heap[--s->count];
    if (last == e)
        return;
    place(s, last, e->place);
    sift_up(s, last);
    sift_down(s, last);
}

/* ---- entries ------------------------------------------------------------- */

static void find_due(struct entry *e)
{
    if (e->every) {
        ms_t n = e->high_water / e->every - (e->high_water % e->every < 0);
        e->due = (struct cron_fire){.at = (n + 1) * e->every};
    } else {
        cron_fire_next(&e->cron, e->zone, e->high_water, &e->due);
    }
    ASSERT(e->due.at > e->high_water);
}

static void move_to(struct sched *s, struct entry *e, ms_t high_water)
{
    e->high_water = high_water;
    find_due(e);
    sift_up(s, e);
    sift_down(s, e);
}

static bool same_cron(const struct cron *a, const struct cron *b)
{
    return a->minutes == b->minutes && a->hours == b->hours && a->days == b->days &&
           a->months == b->months && a->weekdays == b->weekdays && a->both_days == b->both_days &&
           a->fixed == b->fixed;
}

static bool is_same(const struct entry *e, const struct sched_def *d)
{
    return str_is(d->entry, e->name) && e->every == d->every && e->zone == d->zone &&
           (e->every || same_cron(&e->cron, &d->cron));
}

static struct entry *entry_new(struct sched *s, int64_t workflow, const struct sched_def *d)
{
    struct entry *e = mem_new(sizeof *e);
    e->workflow = workflow;
    e->name = mem_new(d->entry.len + 1);
    memcpy(e->name, d->entry.at, d->entry.len);
    e->every = d->every;
    e->cron = d->cron;
    e->zone = d->zone;
    e->high_water = d->high_water;
    find_due(e);
    heap_add(s, e);
    return e;
}

static void entries_free(struct sched *s, struct entry *list)
{
    for (struct entry *next; list; list = next) {
        next = list->next;
        heap_remove(s, list);
        free(list->name);
        free(list);
    }
}

void sched_free(struct sched *s)
{
    if (!s)
        return;
    for (struct map_slot *m = NULL; (m = map_each(&s->families, m));) {
        struct family *f = m->value;
        entries_free(s, f->first);
        free(f);
    }
    map_free(&s->families);
    free(s->heap);
    free(s);
}

/* ---- effects ------------------------------------------------------------- */

static struct sched_effect *effect_add(struct sched_effects *fx, enum sched_effect_kind kind,
                                       const struct entry *e, ms_t at)
{
    fx->at = mem_grow(fx->at, &fx->cap, fx->count + 1, sizeof *fx->at);
    struct sched_effect *f = &fx->at[fx->count++];
    *f = (struct sched_effect){.kind = kind, .at = at};
    if (e) {
        f->workflow = e->workflow;
        f->entry = str_of(e->name);
    }
    return f;
}

static void mark(struct sched_effects *fx, const struct entry *e)
{
    effect_add(fx, SCHED_MARK, e, e->high_water);
}

/* ---- clocks that go backwards -------------------------------------------- */

static bool is_ahead(const struct entry *e, ms_t now)
{
    return e->high_water > now && e->high_water - now > SCHED_BACK_MS;
}

static void correct(struct sched *s, struct entry *e, ms_t now, struct sched_effects *fx)
{
    e->resume = MAX(e->resume, e->high_water);
    move_to(s, e, now);
    mark(fx, e);
}

/* Hear the time. Only when it went back can an entry be ahead of it. */
static void hear_clock(struct sched *s, ms_t now, struct sched_effects *fx)
{
    bool back = now < s->now, corrected = false;
    for (size_t i = 0; back && i < s->count; i++)
        corrected = corrected || is_ahead(s->heap[i], now);
    if (corrected) {
        effect_add(fx, SCHED_CORRECTED, NULL, now)->from = s->now;
        for (struct map_slot *m = NULL; (m = map_each(&s->families, m));)
            for (struct entry *e = ((struct family *)m->value)->first; e; e = e->next)
                if (is_ahead(e, now))
                    correct(s, e, now, fx);
    }
    s->now = now;
}

/* ---- definitions --------------------------------------------------------- */

static struct family *family_of(struct sched *s, int64_t workflow)
{
    struct family *f = map_get(&s->families, workflow);
    if (!f) {
        f = mem_new(sizeof *f);
        map_put(&s->families, workflow, f);
    }
    return f;
}

static struct entry *take_same(struct family *f, const struct sched_def *d)
{
    for (struct entry **p = &f->first; *p; p = &(*p)->next)
        if (is_same(*p, d)) {
            struct entry *e = *p;
            *p = e->next;
            return e;
        }
    return NULL;
}

static struct entry *begin(struct sched *s, int64_t workflow, struct sched_def d, ms_t now,
                           struct sched_effects *fx)
{
    bool unseen = d.high_water == MS_NEVER;
    if (unseen)
        d.high_water = now;
    struct entry *e = entry_new(s, workflow, &d);
    if (unseen)
        mark(fx, e);
    if (is_ahead(e, now)) {
        effect_add(fx, SCHED_CORRECTED, e, now)->from = e->high_water;
        correct(s, e, now, fx);
    }
    return e;
}

void sched_set(struct sched *s, int64_t workflow, const struct sched_def *defs, size_t count,
               bool paused, ms_t now, struct sched_effects *fx)
{
    struct family *f = family_of(s, workflow);
    struct entry *kept = NULL;
    for (size_t i = 0; i < count; i++) {
        struct entry *e = take_same(f, &defs[i]);
        if (!e)
            e = begin(s, workflow, defs[i], now, fx);
        e->paused = &f->paused;
        e->next = kept;
        kept = e;
    }
    entries_free(s, f->first);
    f->first = kept;
    f->paused = paused;
    hear_clock(s, now, fx); /* last: no effect names an entry that is freed here */
}

void sched_remove(struct sched *s, int64_t workflow)
{
    struct family *f = map_take(&s->families, workflow);
    if (!f)
        return;
    entries_free(s, f->first);
    free(f);
}

void sched_pause(struct sched *s, int64_t workflow, bool paused)
{
    struct family *f = map_get(&s->families, workflow);
    if (f)
        f->paused = paused;
}

/* ---- deciding ------------------------------------------------------------ */

static struct sched_effect *decide_due(struct entry *e, bool late, struct sched_effects *fx)
{
    struct sched_effect *f = effect_add(fx, SCHED_SLOT, e, e->due.at);
    f->outcome = *e->paused ? SLOT_SKIPPED : late ? SLOT_MISSED : SLOT_FIRED;
    f->reason = *e->paused ? "paused" : late ? "late" : NULL;
    f->has_wall = e->every == 0;
    f->shifted_gap = e->due.shifted_gap;
    f->wall = e->due.wall;
    e->high_water = e->due.at;
    find_due(e);
    return f;
}

/* Go on until only one instant before `limit` is left, or too many were
 * counted. How many were passed. */
static int64_t pass_late(struct entry *e, ms_t limit)
{
    int64_t passed = 0;
    if (e->every) {
        passed = (limit - 1 - e->due.at) / e->every;
        e->due.at += passed * e->every;
        return passed;
    }
    for (struct cron_fire next; passed < SCHED_MORE_MAX; passed++, e->due = next) {
        cron_fire_next(&e->cron, e->zone, e->due.at, &next);
        if (next.at >= limit)
            break;
    }
    return passed;
}

/* Those that are late are listed up to a bound; one row stands for the rest. */
static void decide_late(struct entry *e, ms_t limit, struct sched_effects *fx)
{
    for (int listed = 0; e->due.at < limit && listed < SCHED_LISTED_MAX; listed++)
        decide_due(e, true, fx);
    if (e->due.at >= limit)
        return;
    int64_t more = pass_late(e, limit);
    decide_due(e, true, fx)->more = more;
    if (e->due.at < limit) { /* there are even more than we count */
        e->high_water = limit - 1;
        find_due(e);
        mark(fx, e);
    }
}

static void decide(struct sched *s, struct entry *e, ms_t now, struct sched_effects *fx)
{
    if (e->resume > e->high_water && now >= e->resume && now - e->due.at > SCHED_BACK_MS) {
        e->high_water = e->resume;
        e->resume = 0;
        find_due(e);
        mark(fx, e);
    }
    decide_late(e, now - SCHED_GRACE_MS, fx);
    while (e->due.at <= now)
        decide_due(e, false, fx);
    sift_down(s, e);
}

void sched_tick(struct sched *s, ms_t now, size_t max, struct sched_effects *fx)
{
    hear_clock(s, now, fx);
    while (s->count && s->heap[0]->due.at <= now && fx->count < max)
        decide(s, s->heap[0], now, fx);
}

ms_t sched_deadline(const struct sched *s, ms_t now)
{
    if (now < s->now)
        return now;
    return s->count ? s->heap[0]->due.at : MS_NEVER;
}
