/* SPDX-License-Identifier: MIT */
#include "zone.h"

#include "base/civil.h"
#include "cron_slow.h"

static bool parse(const char *text, struct cron *c, struct cron_error *where)
{
    return cron_parse(str_of(text), c, where);
}

static struct cron good(int line, const char *text)
{
    struct cron c = {0};
    struct cron_error where;
    if (!parse(text, &c, &where))
        CHECK_STR(line, where.text, "no error");
    return c;
}

TEST(the_next_fire_is_the_one_the_rule_says)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *spec, *zone, *after, *next;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        /* every field, its edge */
        ROW("* * * * *", "UTC", "2025-01-01 00:07", "2025-01-01 00:08"),
        ROW("*/15 * * * *", "UTC", "2025-01-01 00:07", "2025-01-01 00:15"),
        ROW("*/15 * * * *", "UTC", "2025-01-01 00:45", "2025-01-01 01:00"),
        ROW("59 23 31 12 *", "UTC", "2025-01-01 00:00", "2025-12-31 23:59"),
        ROW("59 23 31 12 *", "UTC", "2025-12-31 23:59", "2026-12-31 23:59"),
        ROW("0 0 29 2 *", "UTC", "2025-01-01 00:00", "2028-02-29 00:00"),
        ROW("0 0 29 2 *", "UTC", "2096-03-01 00:00", "2104-02-29 00:00"),
        ROW("0 0 31 * *", "UTC", "2025-01-31 00:00", "2025-03-31 00:00"),
        ROW("30 5,17 * * *", "UTC", "2025-01-01 05:30", "2025-01-01 17:30"),
        ROW("0 22-2/2 * * *", "UTC", "2025-01-01 00:00", "2025-01-01 02:00"),
        ROW("0 0 * nov-feb *", "UTC", "2025-03-01 00:00", "2025-11-01 00:00"),
        ROW("5/20 * * * *", "UTC", "2025-01-01 00:26", "2025-01-01 00:45"),
        ROW("7/90 * * * *", "UTC", "2025-01-01 00:07", "2025-01-01 01:07"),
        /* days of the week: 0 and 7 are Sunday, ranges cross it */
        ROW("0 9 * * 1-5", "UTC", "2025-01-03 09:00", "2025-01-06 09:00"),
        ROW("0 0 * * 7", "UTC", "2025-01-01 00:00", "2025-01-05 00:00"),
        ROW("0 0 * * SAT-sun", "UTC", "2025-01-04 00:00", "2025-01-05 00:00"),
        ROW("0 0 * * sat-mon", "UTC", "2025-01-05 00:00", "2025-01-06 00:00"),
        ROW("0 0 * * 5-7", "UTC", "2025-01-04 00:00", "2025-01-05 00:00"),
        ROW("0 0 * * 1/2", "UTC", "2025-01-03 00:00", "2025-01-06 00:00"),
        /* a day of the month or a day of the week: either will do */
        ROW("0 0 13 * 5", "UTC", "2025-06-01 00:00", "2025-06-06 00:00"),
        ROW("0 0 13 * 5", "UTC", "2025-06-06 00:00", "2025-06-13 00:00"),
        ROW("0 0 14 * 5", "UTC", "2025-06-13 00:00", "2025-06-14 00:00"),
        /* one begins with a star: both must match */
        ROW("0 0 */2 * 5", "UTC", "2025-06-06 00:00", "2025-06-13 00:00"),
        ROW("0 0 13 * */5", "UTC", "2025-01-01 00:00", "2025-04-13 00:00"),
        ROW("0 0 29 2 */7", "UTC", "2088-02-29 00:00", "2128-02-29 00:00"),
        /* macros */
        ROW("@hourly", "UTC", "2025-01-01 00:07", "2025-01-01 01:00"),
        ROW("@daily", "UTC", "2025-01-01 00:00", "2025-01-02 00:00"),
        ROW("@midnight", "UTC", "2025-01-01 00:00", "2025-01-02 00:00"),
        ROW("@weekly", "UTC", "2025-01-01 00:00", "2025-01-05 00:00"),
        ROW("@monthly", "UTC", "2025-01-01 00:00", "2025-02-01 00:00"),
        ROW("@yearly", "UTC", "2025-01-01 00:00", "2026-01-01 00:00"),
        ROW("@annually", "UTC", "2025-01-01 00:00", "2026-01-01 00:00"),
        /* a gap: 02:00-03:00 is not there on 2025-03-09 in New York */
        ROW("30 2 * * *", "America/New_York", "2025-03-09 05:00", "2025-03-09 07:00"),
        ROW("30 2 * * *", "America/New_York", "2025-03-09 07:00", "2025-03-10 06:30"),
        ROW("15 1-2 * * *", "America/New_York", "2025-03-09 06:15", "2025-03-09 07:00"),
        ROW("15,45 2 * * *", "America/New_York", "2025-03-09 07:00", "2025-03-10 06:15"),
        ROW("0 2,3 * * *", "America/New_York", "2025-03-09 07:00", "2025-03-10 06:00"),
        ROW("0 */2 * * *", "America/New_York", "2025-03-09 05:00", "2025-03-09 08:00"),
        ROW("*/30 * * * *", "America/New_York", "2025-03-09 06:30", "2025-03-09 07:00"),
        ROW("30 2 9 3 *", "America/New_York", "2025-01-01 00:00", "2025-03-09 07:00"),
        ROW("*/15 2 9 3 *", "America/New_York", "2025-01-01 00:00", "2026-03-09 06:00"),
        /* an overlap: 01:00-02:00 is there twice on 2025-11-02 in New York */
        ROW("30 1 * * *", "America/New_York", "2025-11-02 05:00", "2025-11-02 05:30"),
        ROW("30 1 * * *", "America/New_York", "2025-11-02 05:30", "2025-11-03 06:30"),
        ROW("30 1 * * *", "America/New_York", "2025-11-02 06:10", "2025-11-03 06:30"),
        ROW("0,30 1 * * *", "America/New_York", "2025-11-02 05:30", "2025-11-03 06:00"),
        ROW("*/30 * * * *", "America/New_York", "2025-11-02 05:30", "2025-11-02 06:00"),
        ROW("*/30 1 * * *", "America/New_York", "2025-11-02 05:30", "2025-11-02 06:00"),
        ROW("*/30 1 * * *", "America/New_York", "2025-11-02 06:30", "2025-11-03 06:00"),
        ROW("0-59/30 1 * * *", "America/New_York", "2025-11-02 05:30", "2025-11-03 06:00"),
        ROW("15 1-2 * * *", "America/New_York", "2025-11-02 05:15", "2025-11-02 07:15"),
        ROW("10 0-23 * * *", "America/New_York", "2025-11-02 05:10", "2025-11-02 07:10"),
        ROW("20 */1 * * *", "America/New_York", "2025-11-02 05:20", "2025-11-02 06:20"),
        ROW("0 1 * * *", "America/New_York", "2025-11-02 05:00", "2025-11-03 06:00"),
        ROW("0 2 * * *", "America/New_York", "2025-11-02 05:00", "2025-11-02 07:00"),
        /* Berlin: gap 2025-03-30 01:00Z, overlap 2025-10-26 until 01:00Z */
        ROW("30 2 * * *", "Europe/Berlin", "2025-03-29 12:00", "2025-03-30 01:00"),
        ROW("30 2 * * *", "Europe/Berlin", "2025-10-26 00:30", "2025-10-27 01:30"),
        ROW("30 2 29 3 *", "Europe/Berlin", "2037-01-01 00:00", "2037-03-29 01:00"),
        ROW("30 2 27 3 *", "Europe/Berlin", "2050-01-01 00:00", "2050-03-27 01:00"),
        /* Lord Howe: half an hour, 2025-10-04 15:30Z and until 2025-04-05 15:00Z */
        ROW("15 2 * * *", "Australia/Lord_Howe", "2025-10-04 12:00", "2025-10-04 15:30"),
        ROW("45 1 * * *", "Australia/Lord_Howe", "2025-04-05 12:00", "2025-04-05 14:45"),
        ROW("45 1 * * *", "Australia/Lord_Howe", "2025-04-05 14:45", "2025-04-06 15:15"),
        /* Sao Paulo: no midnight on 2018-11-04 */
        ROW("30 0 * * *", "America/Sao_Paulo", "2018-11-03 12:00", "2018-11-04 03:00"),
        ROW("0 0 * * *", "America/Sao_Paulo", "2018-11-04 03:00", "2018-11-05 02:00"),
        ROW("@daily", "America/Sao_Paulo", "2018-11-03 12:00", "2018-11-04 03:00"),
        /* Apia: the whole of 2011-12-30 is not there */
        ROW("0 12 30 12 *", "Pacific/Apia", "2011-12-01 00:00", "2011-12-30 10:00"),
        ROW("0 12 * * *", "Pacific/Apia", "2011-12-29 22:00", "2011-12-30 10:00"),
        ROW("0 12 * * *", "Pacific/Apia", "2011-12-30 10:00", "2011-12-30 22:00"),
        /* Casablanca and Dublin: daylight time "below" standard time */
        ROW("30 1 * * *", "Europe/Dublin", "2025-03-29 12:00", "2025-03-30 01:00"),
        ROW("30 1 * * *", "Europe/Dublin", "2025-10-26 00:30", "2025-10-27 01:30"),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        CLEANUP(zone_free_at)
        struct tz *z = zone_read(rows[i].zone);
        struct cron c = good(rows[i].line, rows[i].spec);
        char text[TZ_TEXT_MAX];
        ms_t next = cron_next(&c, z, instant(rows[i].after));
        CHECK_STR(rows[i].line, wall_format(next / 1000, text), rows[i].next);
    }
}

TEST(a_shifted_fire_says_which_wall_time_it_stands_for)
{
    TEST_BEGIN;
    CLEANUP(zone_free_at)
    struct tz *z = zone_read("America/New_York");
    struct cron c = good(__LINE__, "30 2 * * *");
    struct cron_fire f;
    char text[TZ_TEXT_MAX];
    cron_fire_next(&c, z, instant("2025-03-09 00:00"), &f);
    CHECK(f.shifted_gap && !f.second_pass);
    CHECK_STR(__LINE__, wall_format(f.wall, text), "2025-03-09 02:30");
    cron_fire_next(&c, z, f.at, &f);
    CHECK(!f.shifted_gap);
    CHECK_STR(__LINE__, wall_format(f.wall, text), "2025-03-10 02:30");
    c = good(__LINE__, "*/30 * * * *");
    cron_fire_next(&c, z, instant("2025-11-02 06:00"), &f);
    CHECK(f.second_pass);
    CHECK_STR(__LINE__, wall_format(f.wall, text), "2025-11-02 01:30");
    cron_fire_next(&c, z, f.at, &f);
    CHECK(!f.second_pass);
}

TEST(what_is_wrong_is_said_with_its_place)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *spec;
        size_t at, len;
        const char *text; /* how it begins */
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("60 * * * *", 0, 2, "minute 60 is out of range 0-59"),
        ROW("0 24 * * *", 2, 2, "hour 24 is out of range 0-23"),
        ROW("0 0 0 * *", 4, 1, "day of month 0 is out of range 1-31"),
        ROW("0 0 1 13 *", 6, 2, "month 13 is out of range 1-12"),
        ROW("0 0 * * 8", 8, 1, "day of week 8 is out of range 0-7"),
        ROW("0 0 * * 1-9", 10, 1, "day of week 9 is out of range 0-7"),
        ROW("99999999999999999999 * * * *", 0, 20, "minute 99999999999999999999 is out of"),
        ROW("a * * * *", 0, 1, "'a' is no minute; allowed are 0-59"),
        ROW("0 0 * foo *", 6, 3, "'foo' is no month; allowed are 1-12 and jan-dec"),
        ROW("0 thu * * *", 2, 3, "'thu' is no hour"),
        ROW("1,2,,3 * * * *", 4, 1, "a value of the minute is missing here"),
        ROW("1, * * * *", 2, 1, "a value of the minute is missing here"),
        ROW("5- * * * *", 2, 1, "a value of the minute is missing here"),
        ROW("1-2-3 * * * *", 3, 1, "the minute ends before this"),
        ROW("*5 * * * *", 1, 1, "the minute ends before this"),
        ROW("*/0 * * * *", 2, 1, "a step of the minute must be at least 1"),
        ROW("*/x * * * *", 2, 1, "a step of the minute must be a whole number"),
        ROW("*/ * * * *", 2, 1, "a step of the minute must be a whole number"),
        ROW("* * * *", 0, 7, "4 fields instead of five"),
        ROW("", 0, 1, "0 fields instead of five"),
        ROW("daily", 0, 5, "1 field instead of five"),
        ROW("0 * * * * *", 10, 1, "6 fields (seconds first, year last) are not in this"),
        ROW("0 * * * * * 2030", 10, 6, "7 fields (seconds first, year last) are not in this"),
        ROW("1 2 3 4 5 6 7 8", 10, 5, "8 fields instead of five"),
        ROW("0 0 L * *", 4, 1, "'L' (the last day) is not in this version"),
        ROW("0 0 15W * *", 4, 3, "'W' (the nearest weekday) is not in this version"),
        ROW("0 0 * * 5#2", 8, 3, "'#' (the n-th weekday) is not in this version"),
        ROW("0 0 * * FRIL", 8, 4, "'L' (the last day) is not in this version"),
        ROW("0 0 ? * *", 4, 1, "'?' (any day) is not in this version"),
        ROW("H H * * *", 0, 1, "'H' (a stable spread) is not in this version"),
        ROW("0~30 * * * *", 0, 4, "'~' (a random value) is not in this version"),
        ROW("@reboot", 0, 7, "'@reboot' is not in this version"),
        ROW("@every 90s", 0, 6, "'@every' is not cron; write the schedule as 'every: 90s'"),
        ROW("@dayly", 0, 6, "'@dayly' is unknown; there are @hourly"),
        ROW("@daily x", 7, 1, "nothing may follow '@daily'"),
        ROW("TZ= 0 0 * * *", 0, 3, "a zone name is missing here"),
        ROW("0 0 31 2 *", 0, 10, "this never happens: no such day is in a calendar"),
        ROW("0 0 30 feb *", 0, 12, "this never happens"),
        ROW("0 0 31 4,6,9,11 *", 0, 17, "this never happens"),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct cron c;
        struct cron_error where;
        if (parse(rows[i].spec, &c, &where))
            CHECK_STR(rows[i].line, "accepted", rows[i].text);
        char head[sizeof where.text];
        snprintf(head, sizeof head, "%.*s", (int)strlen(rows[i].text), where.text);
        CHECK_STR(rows[i].line, head, rows[i].text);
        CHECK_INT(rows[i].line, where.at, rows[i].at);
        CHECK_INT(rows[i].line, where.len, rows[i].len);
    }
}

TEST(a_zone_in_front_is_taken_and_a_hint_is_given)
{
    TEST_BEGIN;
    struct cron c = good(__LINE__, "CRON_TZ=Europe/Berlin 0 3 * * *");
    CHECK(str_is(c.zone, "Europe/Berlin") && !c.hint && c.fixed);
    c = good(__LINE__, "TZ=UTC @daily");
    CHECK(str_is(c.zone, "UTC"));
    c = good(__LINE__, "0 0/2 * * *");
    CHECK(c.hint && c.hint_at == 2 && c.hint_len == 3);
    c = good(__LINE__, "0 22-2 * * *");
    CHECK(c.hint && c.hint_at == 2 && c.hint_len == 4);
    c = good(__LINE__, "0 * * * *");
    CHECK(!c.fixed && !c.hint);
    struct cron_error where;
    CHECK(!cron_parse(((struct str){"0 0\0 * *", 9}), &c, &where));
}

TEST(an_expression_is_said_in_words)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *spec, *words;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("* * * * *", "every minute"),
        ROW("*/15 * * * *", "every 15 minutes"),
        ROW("0 * * * *", "every hour"),
        ROW("5 * * * *", "at 5 minutes past the hour"),
        ROW("5,20-22 * * * *", "at 5 and 20 to 22 minutes past the hour"),
        ROW("0 */2 * * *", "every 2 hours"),
        ROW("10 */6 * * *", "every 6 hours, 10 minutes past"),
        ROW("0 3 * * *", "at 03:00 every day"),
        ROW("0 3 * * 1-5", "at 03:00 on weekdays"),
        ROW("0 3,15 * * 0,6", "at 03:00 and 15:00 at weekends"),
        ROW("0,30 9 * * mon", "at 09:00 and 09:30 on Monday"),
        ROW("0 9 * * 1,3,5", "at 09:00 on Monday, Wednesday and Friday"),
        ROW("*/10 9-17 * * 1-5", "every 10 minutes from 09:00 to 17:59 on weekdays"),
        ROW("*/10 1,3 * * *", "every 10 minutes in hour 1 and 3"),
        ROW("0 0 1 * *", "at 00:00 on day 1 of the month"),
        ROW("0 0 1,15 * *", "at 00:00 on days 1 and 15 of the month"),
        ROW("0 0 13 * 5", "at 00:00 on day 13 of the month or on Friday"),
        ROW("0 0 1-7 * */2", "at 00:00 on days 1 to 7 of the month, and only on Sunday, Tuesday, "
                             "Thursday and Saturday"),
        ROW("@yearly", "at 00:00 on day 1 of the month in January"),
        ROW("30 2 * 6-8 *", "at 02:30 every day in June to August"),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        CLEANUP(buf_free)
        struct buf b = {0};
        struct cron c = good(rows[i].line, rows[i].spec);
        cron_words(&c, &b);
        CHECK_STR(rows[i].line, b.at, rows[i].words);
    }
}

/* ---- against a slow reference -------------------------------------------- */

static const char *const sample_zones[] = {"UTC",
                                           "Europe/Berlin",
                                           "Europe/Dublin",
                                           "Europe/London",
                                           "America/New_York",
                                           "America/Sao_Paulo",
                                           "America/St_Johns",
                                           "America/Caracas",
                                           "America/Havana",
                                           "Africa/Casablanca",
                                           "Africa/Cairo",
                                           "Africa/Monrovia",
                                           "Asia/Gaza",
                                           "Asia/Kathmandu",
                                           "Asia/Pyongyang",
                                           "Asia/Tehran",
                                           "Australia/Lord_Howe",
                                           "Antarctica/Troll",
                                           "Pacific/Apia",
                                           "Pacific/Kwajalein",
                                           "Pacific/Chatham",
                                           "America/Nuuk"};

static const char *const sample_specs[] = {
    "* * * * *",     "*/7 * * * *",  "0 * * * *",       "30 2 * * *",      "30 1 * * *",
    "0 0 * * *",     "15 1-3 * * *", "*/30 1 * * *",    "0-59/30 1 * * *", "45 */2 * * *",
    "10 0-23 * * *", "0 2,3 * * *",  "0 12 30 12 *",    "5 0 * * sun",     "0 3 1,15 * 1",
    "59 23 * * 6",   "*/15 2 * 3 *", "30 2 8-14 3 */7", "0 0-5/2 * * *",   "1 0 1 */3 *"};

/* All fires in (from, until) must be those of the reference. */
static void check_window(const char *zone, const char *spec, const struct tz *z, int64_t from,
                         int64_t until)
{
    struct cron c = good(__LINE__, spec);
    ms_t next = cron_next(&c, z, from * 1000);
    /* Offsets are whole minutes, or instants of matches are not: go by what a
     * match can be, the seconds at which a wall minute begins. */
    struct tz_span s;
    for (int64_t at = from + 1; at < until;) {
        tz_span_at(z, at, &s);
        bool want = fires_at(&c, z, at);
        if (want != (next == at * 1000)) {
            char text[TZ_TEXT_MAX];
            print_error("%s in %s: at %s the reference says %d\n", spec, zone,
                        tz_format(z, at * 1000, text), want);
            fail();
        }
        if (want)
            next = cron_next(&c, z, at * 1000);
        int64_t wall = at + s.offset, step = 60 - ((wall % 60) + 60) % 60;
        at = MIN(at + step, s.until);
    }
}

TEST(around_every_kind_of_transition_it_agrees_with_the_slow_reference)
{
    TEST_BEGIN;
    const int64_t hours = 3600, begin = 0, end = civil_wall(2100, 1, 1, 0, 0, 0);
    size_t turn = 0;
    for (size_t i = 0; i < countof(sample_zones); i++) {
        CLEANUP(zone_free_at)
        struct tz *z = zone_read(sample_zones[i]);
        struct tz_span s;
        /* Not all transitions with all expressions: a different choice in
         * every zone, which together meet all. */
        for (tz_span_at(z, begin, &s); s.until < end; tz_span_at(z, s.until, &s))
            for (size_t k = 0; k < 2; k++, turn++)
                check_window(sample_zones[i], sample_specs[turn % countof(sample_specs)], z,
                             s.until - 30 * hours, s.until + 30 * hours);
        for (size_t k = 0; k < countof(sample_specs); k++)
            check_window(sample_zones[i], sample_specs[k], z, end - 30 * hours, end);
    }
}

TEST(far_fires_are_later_than_now_and_match)
{
    TEST_BEGIN;
    CLEANUP(zone_free_at)
    struct tz *z = zone_read("America/New_York");
    static const char *const specs[] = {"0 0 29 2 */7", "30 2 8-14 3 */7", "0 0 1 1 *",
                                        "*/5 2 29 2 *"};
    for (size_t i = 0; i < countof(specs); i++) {
        struct cron c = good(__LINE__, specs[i]);
        ms_t at = instant("1970-01-01 00:00");
        for (int n = 0; n < 20; n++) {
            ms_t next = cron_next(&c, z, at);
            CHECK(next > at && next < MS_NEVER);
            CHECK(fires_at(&c, z, next / 1000));
            at = next;
        }
    }
    struct cron c = good(__LINE__, "* * * * *");
    CHECK_INT(__LINE__, cron_next(&c, z, -1), 0);
    CHECK_INT(__LINE__, cron_next(&c, z, 0), 60000);
    CHECK_INT(__LINE__, cron_next(&c, z, -60001), -60000);
    CHECK(cron_next(&c, z, MS_NEVER) == MS_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_fire_is_the_one_the_rule_says),
        cmocka_unit_test(a_shifted_fire_says_which_wall_time_it_stands_for),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(a_zone_in_front_is_taken_and_a_hint_is_given),
        cmocka_unit_test(an_expression_is_said_in_words),
        cmocka_unit_test(around_every_kind_of_transition_it_agrees_with_the_slow_reference),
        cmocka_unit_test(far_fires_are_later_than_now_and_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
