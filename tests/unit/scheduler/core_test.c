/* SPDX-License-Identifier: MIT */
#include "../model/zone.h"

#include "scheduler/core.h"

#define SECOND ((ms_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static struct sched_def def(const char *text, const struct tz *z, ms_t high_water)
{
    struct sched_def d = {.entry = str_of(text), .zone = z, .high_water = high_water};
    struct cron_error where;
    if (strncmp(text, "every ", 6) == 0)
        d.every = atoi(text + 6) * SECOND;
    else if (!cron_parse(d.entry, &d.cron, &where))
        fail_msg("%s: %s", text, where.text);
    return d;
}

/* One workflow, number 1, with one entry. */
struct world {
    struct sched *s;
    struct sched_effects fx;
    ms_t now;
};

static void world_begin(struct world *w, const char *text, ms_t high_water, ms_t now)
{
    struct sched_def d = def(text, tz_utc(), high_water);
    *w = (struct world){.s = sched_new(), .now = now};
    sched_set(w->s, 1, &d, 1, false, now, &w->fx);
}

static void world_end(struct world *w)
{
    sched_free(w->s);
    free(w->fx.at);
}

/* The effects of a tick as one line each. */
static const char *told(struct world *w, ms_t now)
{
    static char text[4000];
    char when[TZ_TEXT_MAX];
    size_t n = 0;
    w->fx.count = 0;
    w->now = now;
    sched_tick(w->s, now, 1000000, &w->fx);
    text[0] = 0;
    for (size_t i = 0; i < w->fx.count && n < sizeof text - 200; i++) {
        const struct sched_effect *f = &w->fx.at[i];
        const char *what = f->kind == SCHED_MARK        ? "mark"
                           : f->kind == SCHED_CORRECTED ? "corrected"
                                                        : slot_outcome_word(f->outcome);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s %s%s%s%s\n",
                              wall_format(f->at / 1000, when), what, f->reason ? " " : "",
                              f->reason ? f->reason : "", f->shifted_gap ? " gap" : "");
        if (f->more)
            n +=
                (size_t)snprintf(text + n - 1, sizeof text - n, " +%lld\n", (long long)f->more) - 1;
    }
    return text;
}

TEST(a_new_entry_begins_now_and_fires_when_its_time_has_come)
{
    TEST_BEGIN;
    struct world w;
    ms_t now = instant("2025-01-01 00:00:30");
    world_begin(&w, "*/5 * * * *", MS_NEVER, now);
    CHECK(w.fx.count == 1 && w.fx.at[0].kind == SCHED_MARK && w.fx.at[0].at == now);
    CHECK_INT(__LINE__, sched_deadline(w.s, w.now), instant("2025-01-01 00:05"));
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 00:04:59")), "");
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 00:05")), "2025-01-01 00:05 fired\n");
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 00:05")), "");
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 00:10:02")), "2025-01-01 00:10 fired\n");
    world_end(&w);
}

TEST(a_slot_is_late_by_the_grace_and_then_missed)
{
    TEST_BEGIN;
    struct world w;
    world_begin(&w, "0 3 * * *", instant("2025-01-01 03:00"), instant("2025-01-01 12:00"));
    CHECK(w.fx.count == 0);
    CHECK_STR(__LINE__, told(&w, instant("2025-01-02 03:05")), "2025-01-02 03:00 fired\n");
    world_end(&w);
    world_begin(&w, "0 3 * * *", instant("2025-01-01 03:00"), instant("2025-01-01 12:00"));
    CHECK_STR(__LINE__, told(&w, instant("2025-01-02 03:05") + 1),
              "2025-01-02 03:00 missed late\n");
    world_end(&w);
    world_begin(&w, "*/3 * * * *", instant("2025-01-01 03:00"), instant("2025-01-01 03:00"));
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 03:12")),
              "2025-01-01 03:03 missed late\n2025-01-01 03:06 missed late\n"
              "2025-01-01 03:09 fired\n2025-01-01 03:12 fired\n");
    world_end(&w);
}

TEST(a_paused_workflow_skips_and_resuming_does_not_catch_up)
{
    TEST_BEGIN;
    struct world w;
    world_begin(&w, "0 * * * *", MS_NEVER, instant("2025-01-01 00:30"));
    sched_pause(w.s, 1, true);
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 02:00")),
              "2025-01-01 01:00 skipped paused\n2025-01-01 02:00 skipped paused\n");
    sched_pause(w.s, 1, false);
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 03:00")), "2025-01-01 03:00 fired\n");
    sched_remove(w.s, 1);
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 09:00")), "");
    CHECK(sched_deadline(w.s, w.now) == MS_NEVER);
    world_end(&w);
}

TEST(an_unchanged_entry_goes_on_and_a_changed_one_begins_now)
{
    TEST_BEGIN;
    struct world w;
    struct sched_def d[2] = {def("0 * * * *", tz_utc(), MS_NEVER), def("every 90", NULL, MS_NEVER)};
    world_begin(&w, "0 * * * *", instant("2025-01-01 00:00"), instant("2025-01-01 00:30"));
    /* 01:00 has not been decided when the definition is read again at 01:01 */
    sched_set(w.s, 1, d, 2, false, instant("2025-01-01 01:01"), &w.fx);
    CHECK(w.fx.count == 1 && w.fx.at[0].kind == SCHED_MARK && str_is(w.fx.at[0].entry, "every 90"));
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 01:01")), "2025-01-01 01:00 fired\n");
    d[0] = def("30 * * * *", tz_utc(), MS_NEVER);
    sched_set(w.s, 1, d, 1, false, instant("2025-01-01 05:40"), &w.fx);
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 06:00")), "");
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 06:30")), "2025-01-01 06:30 fired\n");
    world_end(&w);
}

TEST(a_period_counts_from_1970_so_that_a_restart_does_not_shift_it)
{
    TEST_BEGIN;
    struct world w;
    world_begin(&w, "every 90", MS_NEVER, instant("2025-01-01 00:00:10"));
    CHECK_INT(__LINE__, sched_deadline(w.s, w.now) % (90 * SECOND), 0);
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 00:03:00")),
              "2025-01-01 00:01:30 fired\n2025-01-01 00:03 fired\n");
    world_end(&w);
}

TEST(a_flood_of_late_slots_is_listed_up_to_a_bound)
{
    TEST_BEGIN;
    static const char *const specs[] = {"* * * * *", "every 60"};
    for (size_t k = 0; k < countof(specs); k++) {
        struct world w;
        ms_t from = instant("2025-01-01 00:00"), now = instant("2025-01-08 00:00");
        world_begin(&w, specs[k], from, from);
        w.fx.count = 0;
        sched_tick(w.s, now, 1, &w.fx);
        /* 7 days have 10080 minutes; the last 6 are not late */
        CHECK_INT(__LINE__, w.fx.count, SCHED_LISTED_MAX + 1 + 6);
        CHECK_INT(__LINE__, w.fx.at[0].at, from + MINUTE);
        CHECK_INT(__LINE__, w.fx.at[SCHED_LISTED_MAX].at, now - 6 * MINUTE);
        CHECK_INT(__LINE__, w.fx.at[SCHED_LISTED_MAX].more, 10080 - 6 - SCHED_LISTED_MAX - 1);
        CHECK(w.fx.at[SCHED_LISTED_MAX].outcome == SLOT_MISSED);
        for (size_t i = SCHED_LISTED_MAX + 1; i < w.fx.count; i++)
            CHECK(w.fx.at[i].outcome == SLOT_FIRED && w.fx.at[i].more == 0);
        CHECK_INT(__LINE__, w.fx.at[w.fx.count - 1].at, now);
        world_end(&w);
    }
}

TEST(a_clock_set_back_a_little_repeats_nothing)
{
    TEST_BEGIN;
    struct world w;
    world_begin(&w, "0 * * * *", MS_NEVER, instant("2025-01-01 00:30"));
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 05:00")),
              "2025-01-01 01:00 missed late\n2025-01-01 02:00 missed late\n"
              "2025-01-01 03:00 missed late\n2025-01-01 04:00 missed late\n"
              "2025-01-01 05:00 fired\n");
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 02:00")), "");
    CHECK_INT(__LINE__, sched_deadline(w.s, w.now), instant("2025-01-01 06:00"));
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 05:00")), "");
    CHECK_STR(__LINE__, told(&w, instant("2025-01-01 06:00")), "2025-01-01 06:00 fired\n");
    world_end(&w);
}

TEST(a_clock_set_back_far_is_followed_and_said)
{
    TEST_BEGIN;
    struct world w;
    world_begin(&w, "0 3 * * *", MS_NEVER, instant("2025-01-01 00:30"));
    (void)told(&w, instant("2035-01-01 03:00"));
    CHECK_INT(__LINE__, sched_deadline(w.s, instant("2025-01-03 12:00")),
              instant("2025-01-03 12:00"));
    CHECK_STR(__LINE__, told(&w, instant("2025-01-03 12:00")),
              "2025-01-03 12:00 corrected\n2025-01-03 12:00 mark\n");
    CHECK_STR(__LINE__, told(&w, instant("2025-01-04 03:00")), "2025-01-04 03:00 fired\n");
    world_end(&w);
}

TEST(an_entry_taken_out_while_the_clock_goes_back_is_not_spoken_of)
{
    TEST_BEGIN;
    struct sched_def d[2] = {def("0 3 * * *", tz_utc(), MS_NEVER),
                             def("0 4 * * *", tz_utc(), MS_NEVER)};
    struct world w = {.s = sched_new()};
    sched_set(w.s, 1, d, 2, false, instant("2035-01-01 00:30"), &w.fx);
    w.fx.count = 0;
    sched_set(w.s, 1, d, 1, false, instant("2025-01-01 00:30"), &w.fx);
    CHECK_INT(__LINE__, w.fx.count, 2);
    CHECK(w.fx.at[0].kind == SCHED_CORRECTED && w.fx.at[1].kind == SCHED_MARK);
    CHECK(str_is(w.fx.at[1].entry, "0 3 * * *"));
    world_end(&w);
}

TEST(after_a_clock_that_was_wrong_for_a_while_nothing_is_missed)
{
    TEST_BEGIN;
    struct world w;
    world_begin(&w, "0 3 * * *", instant("2025-01-01 03:00"), instant("1970-01-01 00:01"));
    CHECK(w.fx.count == 2 && w.fx.at[0].kind == SCHED_CORRECTED && w.fx.at[1].kind == SCHED_MARK);
    CHECK_STR(__LINE__, told(&w, instant("2025-01-02 03:00")),
              "2025-01-01 03:00 mark\n2025-01-02 03:00 fired\n");
    world_end(&w);
}

TEST(a_tick_is_bounded_and_what_is_left_is_due_at_once)
{
    TEST_BEGIN;
    struct sched *s = sched_new();
    struct sched_effects fx = {0};
    ms_t from = instant("2025-01-01 00:00"), now = from + MINUTE;
    for (int64_t i = 1; i <= 100; i++) {
        struct sched_def d = def("* * * * *", tz_utc(), from);
        sched_set(s, i, &d, 1, false, from, &fx);
    }
    sched_tick(s, now, 30, &fx);
    CHECK_INT(__LINE__, fx.count, 30);
    CHECK_INT(__LINE__, sched_deadline(s, now), now);
    sched_tick(s, now, 1000, &fx);
    CHECK_INT(__LINE__, fx.count, 100);
    CHECK_INT(__LINE__, sched_deadline(s, now), now + MINUTE);
    sched_free(s);
    free(fx.at);
}

TEST(a_fire_in_a_gap_says_so)
{
    TEST_BEGIN;
    CLEANUP(zone_free_at)
    struct tz *z = zone_read("America/New_York");
    struct world w = {.s = sched_new()};
    struct sched_def d = def("30 2 * * *", z, MS_NEVER);
    sched_set(w.s, 1, &d, 1, false, instant("2025-03-09 00:00"), &w.fx);
    CHECK_STR(__LINE__, told(&w, instant("2025-03-09 07:00")), "2025-03-09 07:00 fired gap\n");
    world_end(&w);
}

/* ---- a long life with a bad clock, against an oracle --------------------- */

enum { ENTRIES = 12 };

static const char *const life_specs[ENTRIES] = {
    "* * * * *",    "*/7 * * * *", "0 * * * *",  "30 2 * * *", "*/30 1 * * *", "0 3 * * 1-5",
    "15 1-3 * * *", "every 45",    "every 3600", "0 0 1 * *",  "0 0 29 2 *",   "10 0-23 * * *"};

struct life {
    struct sched *s;
    struct sched_effects fx;
    struct sched_def defs[ENTRIES]; /* .high_water is the oracle's */
    bool paused[ENTRIES];
    uint64_t chance;
    ms_t now, latest;
    size_t decided, missed;
};

static uint64_t roll(struct life *l, uint64_t sides)
{
    l->chance ^= l->chance << 13;
    l->chance ^= l->chance >> 7;
    l->chance ^= l->chance << 17;
    return l->chance % sides;
}

static ms_t oracle_next(const struct sched_def *d)
{
    if (d->every)
        return (d->high_water / d->every + 1) * d->every;
    return cron_next(&d->cron, d->zone, d->high_water);
}

static void life_restart(struct life *l)
{
    sched_free(l->s);
    l->s = sched_new();
    l->fx.count = 0;
    for (int64_t i = 0; i < ENTRIES; i++)
        sched_set(l->s, i, &l->defs[i], 1, l->paused[i], l->now, &l->fx);
    CHECK_INT(__LINE__, l->fx.count, 0);
}

/* Every effect is the one the oracle has next for that entry. */
static void life_check(struct life *l)
{
    int listed[ENTRIES] = {0};
    for (size_t i = 0; i < l->fx.count; i++) {
        const struct sched_effect *f = &l->fx.at[i];
        struct sched_def *d = &l->defs[f->workflow];
        CHECK(f->kind == SCHED_SLOT && str_eq(f->entry, d->entry));
        for (int64_t k = 0; k <= f->more; k++)
            d->high_water = oracle_next(d);
        CHECK_INT(__LINE__, f->at, d->high_water);
        CHECK(f->at <= l->now);
        bool late = l->now - f->at > SCHED_GRACE_MS;
        enum slot_outcome want = l->paused[f->workflow] ? SLOT_SKIPPED
                                 : late                 ? SLOT_MISSED
                                                        : SLOT_FIRED;
        CHECK_INT(__LINE__, f->outcome, want);
        CHECK((f->outcome == SLOT_FIRED) == (f->reason == NULL));
        listed[f->workflow] += late;
        CHECK(f->more == 0 || listed[f->workflow] == SCHED_LISTED_MAX + 1);
        l->decided++;
        l->missed += late;
    }
    for (size_t i = 0; i < ENTRIES; i++)
        CHECK(oracle_next(&l->defs[i]) > l->now);
}

static void life_step(struct life *l)
{
    switch (roll(l, 12)) {
    case 0: l->now += (ms_t)roll(l, 5 * (uint64_t)DAY); break;     /* suspended */
    case 1: l->now -= (ms_t)roll(l, 2 * (uint64_t)HOUR); break;    /* set back */
    case 2: l->now += (ms_t)roll(l, 20 * (uint64_t)MINUTE); break; /* slow */
    case 3:
        l->paused[roll(l, ENTRIES)] ^= true;
        life_restart(l);
        break;
    case 4: /* died before it could write anything down */
        sched_tick(l->s, l->now, 1000000, &l->fx);
        life_restart(l);
        break;
    default: l->now = MAX(l->now, MIN(sched_deadline(l->s, l->now), l->now + HOUR)); break;
    }
    if (l->latest - l->now > 2 * HOUR)
        l->now = l->latest - 2 * HOUR;
    l->latest = MAX(l->latest, l->now);
    l->fx.count = 0;
    sched_tick(l->s, l->now, 1000000, &l->fx);
    life_check(l);
}

TEST(whatever_the_clock_does_every_due_instant_is_decided_once)
{
    TEST_BEGIN;
    CLEANUP(zone_free_at)
    struct tz *berlin = zone_read("Europe/Berlin");
    CLEANUP(zone_free_at)
    struct tz *howe = zone_read("Australia/Lord_Howe");
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct life l = {.chance = seed * 0x9e3779b97f4a7c15u};
        l.now = l.latest = instant("2025-01-01 00:00") + (ms_t)roll(&l, 365) * DAY;
        for (size_t i = 0; i < ENTRIES; i++)
            l.defs[i] = def(life_specs[i], i % 3 ? berlin : howe, l.now);
        life_restart(&l);
        for (int n = 0; n < 400; n++)
            life_step(&l);
        CHECK(l.decided > 1000 && l.missed > 100);
        sched_free(l.s);
        free(l.fx.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_entry_begins_now_and_fires_when_its_time_has_come),
        cmocka_unit_test(a_slot_is_late_by_the_grace_and_then_missed),
        cmocka_unit_test(a_paused_workflow_skips_and_resuming_does_not_catch_up),
        cmocka_unit_test(an_unchanged_entry_goes_on_and_a_changed_one_begins_now),
        cmocka_unit_test(a_period_counts_from_1970_so_that_a_restart_does_not_shift_it),
        cmocka_unit_test(a_flood_of_late_slots_is_listed_up_to_a_bound),
        cmocka_unit_test(a_clock_set_back_a_little_repeats_nothing),
        cmocka_unit_test(a_clock_set_back_far_is_followed_and_said),
        cmocka_unit_test(an_entry_taken_out_while_the_clock_goes_back_is_not_spoken_of),
        cmocka_unit_test(after_a_clock_that_was_wrong_for_a_while_nothing_is_missed),
        cmocka_unit_test(a_tick_is_bounded_and_what_is_left_is_due_at_once),
        cmocka_unit_test(a_fire_in_a_gap_says_so),
        cmocka_unit_test(whatever_the_clock_does_every_due_instant_is_decided_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
