/* SPDX-License-Identifier: MIT
 *
 * tests/sim/schedule.c: timetables, the rows of slots, and a second opinion.
 *
 * What the scheduler's core decides becomes pending news and, with the commit,
 * rows. The second opinion holds an instant for each entry, up to which all is
 * decided: it is moved on by committed news only, one due instant at a time, so
 * whatever is dropped, invented, repeated or too early is seen where it
 * happens. What an expression of cron means is proven elsewhere. */
#include "sim.h"

#include "base/fd.h"

#include <fcntl.h>

static const struct {
    const char *text;
    ms_t every;
    const char *zone;
} specs[SIM_SPECS] = {
    {"every 50ms", 50, NULL},
    {"every 700ms", 700, NULL},
    {"every 90s", 90000, NULL},
    {"* * * * *", 0, "Europe/Berlin"},
    {"*/7 * * * *", 0, "Australia/Lord_Howe"},
    {"30 2 * * *", 0, "America/New_York"},
    {"*/30 1 * * *", 0, "Europe/Berlin"},
    {"0 * * * *", 0, "America/New_York"},
};
static struct sched_def defs[SIM_SPECS]; /* made once, then read only */

static const struct tz *zone(const char *name)
{
    CLEANUP(buf_free) struct buf b = {0};
    CLEANUP(fd_close) int fd = -1;
    char path[100];
    struct err e = {0};
    struct tz *z = NULL;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fd_read_all(fd, TZ_BYTES_MAX, &b, &e) &&
                tz_parse((struct str){b.at, b.len}, &z, &e);
    ASSERT(good);
    return z;
}

static void make_defs(void)
{
    struct cron_error where;
    for (size_t i = 0; i < SIM_SPECS && !defs[i].entry.at; i++) {
        defs[i] = (struct sched_def){.entry = str_of(specs[i].text), .every = specs[i].every};
        if (specs[i].every)
            continue;
        bool good = cron_parse(defs[i].entry, &defs[i].cron, &where);
        ASSERT(good);
        defs[i].zone = zone(specs[i].zone);
    }
}

static ms_t after(uint32_t spec, ms_t at)
{
    const struct sched_def *d = &defs[spec];
    return d->every ? (at / d->every + 1) * d->every : cron_next(&d->cron, d->zone, at);
}

static uint32_t spec_of(struct str entry)
{
    uint32_t i = 0;
    while (i < SIM_SPECS && !str_eq(defs[i].entry, entry))
        i++;
    ASSERT(i < SIM_SPECS);
    return i;
}

static struct sim_entry *entry_of(struct sim *s, const struct sim_news *n)
{
    return &s->tables[n->workflow].entries[n->spec];
}

/* ---- rows ---- */

static int64_t slot_key(uint32_t workflow, uint32_t spec, ms_t at)
{
    return at * (SIM_WORKFLOWS * SIM_SPECS) + workflow * SIM_SPECS + spec;
}

static struct sim_slot *slot_find(const struct sim *s, uint32_t workflow, uint32_t spec, ms_t at)
{
    return map_get(&s->slot_rows, slot_key(workflow, spec, at));
}

/* A clock that was set back makes instants come round again: one that fired or
 * was decided in what is still the past stays as it is. */
static bool is_decided(const struct sim *s, const struct sim_news *n)
{
    const struct sim_slot *row = slot_find(s, n->workflow, n->spec, n->at);
    return row && (row->outcome == SLOT_FIRED || row->decided_at <= wall(s));
}

static uint32_t live_runs(const struct sim *s, uint32_t workflow)
{
    uint32_t n = 0;
    for (int64_t id = 1; id <= s->run_count; id++)
        n += s->runs[id].exists && s->runs[id].workflow == workflow &&
             !run_is_over(s->runs[id].state);
    for (size_t i = 0; i < s->daemon.news_count; i++)
        n += s->daemon.news[i].fires && s->daemon.news[i].workflow == workflow;
    return n;
}

static int64_t runs_to_come(const struct sim *s)
{
    int64_t n = s->run_count;
    for (size_t i = 0; i < s->daemon.news_count; i++)
        n += s->daemon.news[i].fires;
    return n;
}

/* ---- the second opinion ---- */

/* A mark says where an entry begins, or that the clock went far back, or that
 * it jumped forward again to where we had been. */
static void check_mark(struct sim_entry *e, const struct sim_news *n)
{
    bool far_back = e->begun && e->until - n->wall > SCHED_BACK_MS;
    bool returns = e->begun && n->at == e->was && n->at > e->until && n->wall >= e->was;
    ASSERT(returns || (n->at == n->wall && (!e->begun || far_back))); /* I16 */
    if (far_back)
        e->was = MAX(e->was, e->until);
    e->begun = true;
    e->until = n->at;
    e->mark = n->at;
}

static void check_slot(struct sim_entry *e, const struct sim_news *n)
{
    ASSERT(e->begun);
    if (specs[n->spec].every && n->more)
        e->until = (e->until / specs[n->spec].every + n->more) * specs[n->spec].every;
    for (int64_t i = specs[n->spec].every ? n->more : 0; i <= n->more; i++)
        e->until = after(n->spec, e->until);
    ASSERT(e->until == n->at); /* I13 */
    ASSERT(n->at <= n->wall);  /* I14 */
    enum slot_outcome want = n->paused                          ? SLOT_SKIPPED
                             : n->wall - n->at > SCHED_GRACE_MS ? SLOT_MISSED
                                                                : SLOT_FIRED;
    ASSERT(n->outcome == want); /* I15 */
}

/* Who has thought to the end has left nothing that is due. */
static void check_due(const struct sim *s)
{
    if (sched_deadline(s->daemon.sched, wall(s)) <= wall(s))
        return;
    for (uint32_t w = 0; w < s->workflow_count; w++)
        for (uint32_t i = 0; i < SIM_SPECS; i++) {
            const struct sim_entry *e = &s->tables[w].entries[i];
            ASSERT(!e->active || !e->known || (e->begun && after(i, e->until) > wall(s)));
        }
}

/* ---- hearing ---- */

static struct sim_news *news_add(struct sim *s, const struct sched_effect *f)
{
    struct sim_daemon *d = &s->daemon;
    d->news = mem_grow(d->news, &d->news_cap, d->news_count + 1, sizeof *d->news);
    d->news[d->news_count] = (struct sim_news){.kind = f->kind,
                                               .workflow = (uint32_t)f->workflow,
                                               .spec = spec_of(f->entry),
                                               .at = f->at,
                                               .more = f->more,
                                               .outcome = f->outcome,
                                               .wall = wall(s),
                                               .paused = d->paused[f->workflow]};
    return &d->news[d->news_count++];
}

static void take(struct sim *s, const struct sched_effect *f)
{
    if (f->kind == SCHED_CORRECTED)
        return;
    struct sim_news *n = news_add(s, f);
    if (f->kind != SCHED_SLOT)
        return;
    n->repeats = is_decided(s, n);
    n->fires = !n->repeats && f->outcome == SLOT_FIRED && live_runs(s, n->workflow) < 2 &&
               runs_to_come(s) < SIM_RUNS;
}

static void take_all(struct sim *s)
{
    struct sim_daemon *d = &s->daemon;
    for (size_t i = 0; i < d->sched_fx.count; i++)
        take(s, &d->sched_fx.at[i]);
    d->sched_fx.count = 0;
}

/* Of those that a wrong clock has not put far ahead. */
static ms_t newest_slot(const struct sim *s, uint32_t workflow, uint32_t spec)
{
    ms_t newest = INT64_MIN, limit = wall(s) + SCHED_BACK_MS;
    if (s->tables[workflow].entries[spec].last_slot <= limit)
        return s->tables[workflow].entries[spec].last_slot;
    for (struct map_slot *m = NULL; (m = map_each(&s->slot_rows, m));) {
        const struct sim_slot *row = m->value;
        if (row->workflow == workflow && row->spec == spec && row->at <= limit)
            newest = MAX(newest, row->at);
    }
    return newest;
}

/* The entries of a workflow as stored. */
static void set(struct sim *s, uint32_t workflow, bool stored)
{
    struct sched_def list[SIM_SPECS];
    size_t count = 0;
    for (uint32_t i = 0; i < SIM_SPECS; i++) {
        struct sim_entry *e = &s->tables[workflow].entries[i];
        e->known = e->active;
        if (!e->active)
            continue;
        list[count] = defs[i];
        list[count].high_water = MS_NEVER;
        if (stored && e->begun) {
            ms_t newest = newest_slot(s, workflow, i);
            list[count].high_water = e->until = MAX(e->mark, newest);
            e->was = 0;
        }
        count++;
    }
    if (count)
        sched_set(s->daemon.sched, workflow, list, count, s->daemon.paused[workflow], wall(s),
                  &s->daemon.sched_fx);
    else
        sched_remove(s->daemon.sched, workflow);
    take_all(s);
}

void schedule_boot(struct sim *s)
{
    make_defs();
    s->daemon.sched = sched_new();
    for (uint32_t w = 0; w < s->workflow_count; w++) {
        s->daemon.paused[w] = s->tables[w].paused;
        s->tables[w].changed = false;
        set(s, w, true);
    }
}

void schedule_hear(struct sim *s)
{
    struct sim_daemon *d = &s->daemon;
    for (uint32_t w = 0; w < s->workflow_count; w++) {
        if (s->tables[w].changed)
            set(s, w, false);
        s->tables[w].changed = false;
        if (s->tables[w].wanted_pause == d->paused[w])
            continue;
        d->paused[w] = s->tables[w].wanted_pause;
        sched_pause(d->sched, w, d->paused[w]);
    }
    if (sched_deadline(d->sched, wall(s)) <= wall(s))
        sched_tick(d->sched, wall(s), chance(&s->world, 100) ? 1 : 1000000, &d->sched_fx);
    take_all(s);
}

ms_t schedule_next(const struct sim *s)
{
    ms_t due = sched_deadline(s->daemon.sched, wall(s));
    return due == MS_NEVER ? due : MAX(due - s->world.offset, s->world.now);
}

void schedule_forget(struct sim *s)
{
    struct sim_daemon *d = &s->daemon;
    sched_free(d->sched);
    d->sched = NULL;
    d->news_count = d->sched_fx.count = 0;
}

/* ---- writing down ---- */

static void write_slot(struct sim *s, const struct sim_news *n)
{
    struct sim_slot *row = slot_find(s, n->workflow, n->spec, n->at);
    if (n->repeats)
        return;
    ASSERT(!row || (row->outcome != SLOT_FIRED && row->decided_at > n->wall)); /* I12 */
    entry_of(s, n)->last_slot = MAX(entry_of(s, n)->last_slot, n->at);
    if (!row) {
        row = mem_new(sizeof *row);
        map_put(&s->slot_rows, slot_key(n->workflow, n->spec, n->at), row);
    }
    *row = (struct sim_slot){.workflow = n->workflow,
                             .spec = n->spec,
                             .at = n->at,
                             .decided_at = n->wall,
                             .outcome = n->fires                   ? SLOT_FIRED
                                        : n->outcome == SLOT_FIRED ? SLOT_SKIPPED
                                                                   : n->outcome};
    note(s, NOTE_SLOT, (struct attempt){.run = n->workflow}, n->at,
         slot_outcome_word(row->outcome));
    if (!n->fires)
        return;
    row->run = ++s->run_count;
    s->runs[row->run] = (struct sim_run){.exists = true, .workflow = n->workflow};
    daemon_grant(s, (struct sim_wish){SIM_CREATE, row->run});
}

void schedule_commit(struct sim *s)
{
    struct sim_daemon *d = &s->daemon;
    for (size_t i = 0; i < d->news_count; i++) {
        const struct sim_news *n = &d->news[i];
        if (n->kind == SCHED_MARK) {
            check_mark(entry_of(s, n), n);
            continue;
        }
        check_slot(entry_of(s, n), n);
        write_slot(s, n);
    }
    d->news_count = 0;
    for (uint32_t w = 0; w < s->workflow_count; w++)
        s->tables[w].paused = d->paused[w];
    check_due(s);
}

/* ---- what people and clocks do ---- */

static void edit(struct sim *s, uint32_t workflow)
{
    struct sim_entry *e = &s->tables[workflow].entries[below(&s->world, SIM_SPECS)];
    if (e->gone)
        return; /* an entry that was taken out stays out */
    e->gone = e->active;
    e->active = !e->active;
    s->tables[workflow].changed = true;
}

void schedule_end(struct sim *s)
{
    for (uint32_t w = 0; w < s->workflow_count; w++) {
        for (uint32_t i = 0; i < SIM_SPECS; i++)
            s->tables[w].entries[i].active = false;
        s->tables[w].changed = true;
    }
    s->daemon.fresh = true; /* so that somebody hears of it */
}

static void step_clock(struct sim *s)
{
    struct world *w = &s->world;
    static const uint32_t far[] = {1000, 60 * 1000, 2 * 3600 * 1000, 5 * 3600 * 1000, 3600 * 24000};
    ms_t by = below(w, far[below(w, countof(far))]);
    w->offset += chance(w, 500) ? by : -by;
    note(s, NOTE_CLOCK, (struct attempt){0}, w->offset, NULL);
}

void schedule_happen(struct sim *s)
{
    struct world *w = &s->world;
    uint32_t workflow = below(w, s->workflow_count);
    if (chance(w, s->faults.edit))
        edit(s, workflow);
    if (chance(w, s->faults.pause))
        s->tables[workflow].wanted_pause ^= true;
    if (chance(w, s->faults.clock))
        step_clock(s);
}

void schedule_begin(struct sim *s)
{
    static const ms_t starts[] = {1735689600000, 1741499000000, 1743294000000,
                                  1761436000000, 1762060000000, 1728140000000};
    s->world.offset = starts[below(&s->world, countof(starts))];
    for (int i = 0; i < 4; i++)
        edit(s, below(&s->world, s->workflow_count));
}

void schedule_done(struct sim *s)
{
    for (struct map_slot *m = NULL; (m = map_each(&s->slot_rows, m));)
        free(m->value);
    map_free(&s->slot_rows);
    sched_free(s->daemon.sched);
    free(s->daemon.sched_fx.at);
    free(s->daemon.news);
}
