/* SPDX-License-Identifier: MIT */
#include "base/civil.h"
#include "zone.h"

#include <unistd.h>

static const char *const zones[] = {
    "Europe/Berlin",     "Europe/Dublin",     "America/New_York",  "America/Sao_Paulo",
    "America/St_Johns",  "Africa/Casablanca", "Africa/Cairo",      "Africa/Monrovia",
    "Asia/Gaza",         "Asia/Kathmandu",    "Asia/Tehran",       "Australia/Lord_Howe",
    "Antarctica/Troll",  "Pacific/Apia",      "Pacific/Chatham",   "America/Nuuk",
    "America/Anchorage", "Asia/Ho_Chi_Minh",  "Pacific/Kwajalein", "America/Port-au-Prince",
    "EST5EDT",           "Etc/GMT+3",         "Antarctica/Vostok", "America/Argentina/San_Luis"};

/* "ZONE  Sun Mar 30 01:00:00 2025 UT = Sun Mar 30 03:00:00 2025 CEST isdst=1 gmtoff=7200" */
static bool line_read(const char *line, int64_t *at, char abbreviation[16], int *dst, int *offset)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4];
    int day, hour, minute, second;
    long long year;
    if (sscanf(line,
               "%*s %*3s %3s %d %d:%d:%d %lld UT = %*3s %*3s %*d %*s %*d %15s isdst=%d "
               "gmtoff=%d",
               month, &day, &hour, &minute, &second, &year, abbreviation, dst, offset) != 9)
        return false;
    *at =
        civil_wall(year, (int)(strstr(months, month) - months) / 3 + 1, day, hour, minute, second);
    return true;
}

TEST(every_zone_agrees_with_zdump)
{
    TEST_BEGIN;
    if (access("/usr/bin/zdump", X_OK))
        skip();
    for (size_t i = 0; i < countof(zones); i++) {
        CLEANUP(zone_free_at)
        struct tz *z = zone_read(zones[i]);
        char command[200], line[400], abbreviation[16];
        int64_t at;
        int dst, offset, lines = 0;
        snprintf(command, sizeof command, "zdump -v -c 1850,2500 %s", zones[i]);
        FILE *p = popen(command, "r");
        CHECK(p != NULL);
        for (; fgets(line, sizeof line, p); lines++) {
            if (!line_read(line, &at, abbreviation, &dst, &offset))
                continue;
            struct tz_span s;
            tz_span_at(z, at, &s);
            if (s.offset != offset || s.dst != dst || strcmp(s.abbreviation, abbreviation) != 0 ||
                at < s.from || at >= s.until) {
                print_error("%s: ours is %d %s: %s", zones[i], s.offset, s.abbreviation, line);
                fail();
            }
        }
        CHECK_INT(__LINE__, pclose(p), 0);
        CHECK(lines > 0);
    }
}

TEST(a_wall_time_is_there_once_never_or_twice)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *zone, *wall;
        enum tz_kind kind;
        const char *first, *second;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("UTC", "2025-03-09 02:30", TZ_ONCE, "2025-03-09 02:30"),
        ROW("America/New_York", "2025-03-09 01:59", TZ_ONCE, "2025-03-09 06:59"),
        ROW("America/New_York", "2025-03-09 02:00", TZ_GAP, "2025-03-09 07:00"),
        ROW("America/New_York", "2025-03-09 02:59", TZ_GAP, "2025-03-09 07:00"),
        ROW("America/New_York", "2025-03-09 03:00", TZ_ONCE, "2025-03-09 07:00"),
        ROW("America/New_York", "2025-11-02 00:59", TZ_ONCE, "2025-11-02 04:59"),
        ROW("America/New_York", "2025-11-02 01:00", TZ_TWICE, "2025-11-02 05:00",
            "2025-11-02 06:00"),
        ROW("America/New_York", "2025-11-02 02:00", TZ_ONCE, "2025-11-02 07:00"),
        ROW("Australia/Lord_Howe", "2025-10-05 02:15", TZ_GAP, "2025-10-04 15:30"),
        ROW("Australia/Lord_Howe", "2025-04-06 01:45", TZ_TWICE, "2025-04-05 14:45",
            "2025-04-05 15:15"),
        ROW("Pacific/Apia", "2011-12-30 12:00", TZ_GAP, "2011-12-30 10:00"),
        ROW("America/Sao_Paulo", "2018-11-04 00:30", TZ_GAP, "2018-11-04 03:00"),
        ROW("Europe/Berlin", "2925-07-01 12:00", TZ_ONCE, "2925-07-01 10:00"),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        CLEANUP(zone_free_at)
        struct tz *z = zone_read(rows[i].zone);
        struct tz_instants got;
        tz_instants_of(z, instant(rows[i].wall) / 1000, &got);
        CHECK_INT(rows[i].line, got.kind, rows[i].kind);
        CHECK_INT(rows[i].line, got.first, instant(rows[i].first) / 1000);
        if (rows[i].second)
            CHECK_INT(rows[i].line, got.second, instant(rows[i].second) / 1000);
    }
}

TEST(times_are_read_as_people_write_them)
{
    TEST_BEGIN;
    CLEANUP(zone_free_at)
    struct tz *z = zone_read("Europe/Berlin");
    static const struct {
        int line;
        const char *text, *utc; /* NULL: not a time */
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("2026-07-01", "2026-06-30 22:00"),
        ROW("2026-11-23 03:00", "2026-11-23 02:00"),
        ROW(" 2026-11-23T03:00:30 ", "2026-11-23 02:00:30"),
        ROW("2026-11-23T03:00Z", "2026-11-23 03:00"),
        ROW("2026-11-23 03:00+05:30", "2026-11-22 21:30"),
        ROW("2026-11-23 03:00-0100", "2026-11-23 04:00"),
        ROW("2025-03-30 02:30", "2025-03-30 01:00"),
        ROW("2025-10-26 02:30", "2025-10-26 00:30"),
        ROW("2026-02-29", NULL),
        ROW("2026-13-01", NULL),
        ROW("2026-11-23 24:00", NULL),
        ROW("2026-11-23 3:00", NULL),
        ROW("2026-11-23 03:00 CET", NULL),
        ROW("tomorrow", NULL),
        ROW("", NULL),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct err e = {0};
        ms_t at = 0;
        bool good = tz_read_time(str_of(rows[i].text), z, &at, &e);
        CHECK_INT(rows[i].line, good, rows[i].utc != NULL);
        if (good)
            CHECK_INT(rows[i].line, at, instant(rows[i].utc));
    }
    char text[TZ_TEXT_MAX];
    CHECK_STR(__LINE__, tz_format(z, instant("2026-07-01 10:00"), text),
              "2026-07-01 12:00:00 CEST +02:00");
    CHECK_STR(__LINE__, tz_format(tz_utc(), 0, text), "1970-01-01 00:00:00 UTC +00:00");
}

/* A version 2 file with one type and this footer. */
static bool footer_parse(const char *footer, struct tz **out)
{
    CLEANUP(buf_free)
    struct buf b = {0};
    struct err e;
    for (int block = 0; block < 2; block++) {
        uint8_t head[44] = "TZif2";
        head[39] = 1; /* types */
        head[43] = 4; /* bytes of names */
        buf_add(&b, head, sizeof head);
        buf_add(&b, "\0\0\0\0\0\0UTC", 10);
    }
    buf_printf(&b, "\n%s\n", footer);
    return tz_parse((struct str){b.at, b.len}, out, &e);
}

TEST(the_rule_in_the_footer_is_posix)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *footer, *at; /* NULL: refused */
        int offset;
        const char *abbreviation;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("UTC0", "2026-01-01", 0, "UTC"),
        ROW("<+0330>-3:30", "2026-01-01", 12600, "+0330"),
        ROW("EST5EDT,M3.2.0,M11.1.0", "2026-07-01", -14400, "EDT"),
        ROW("EST5EDT,M3.2.0,M11.1.0", "2026-12-01", -18000, "EST"),
        ROW("EST5EDT,M3.2.0,M11.1.0", "2326-07-01", -14400, "EDT"),
        ROW("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01", 39600, "AEDT"),
        ROW("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-01", 0, "GMT"),
        ROW("XXX3EDT4,0/0,J365/23", "2026-01-01", -14400, "EDT"),
        ROW("XXX3EDT4,0/0,J365/23", "2026-12-31 23:59", -14400, "EDT"),
        ROW("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "2026-07-01", -7200, "-02"),
        ROW("EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-07-01", 10800, "EEST"),
        ROW("A5", NULL),
        ROW("EST", NULL),
        ROW("EST5EDT", NULL),
        ROW("EST5EDT,M13.2.0,M11.1.0", NULL),
        ROW("EST5EDT,M3.2.0,M11.1.0x", NULL),
        ROW("<EST5", NULL),
        ROW("EST99", NULL),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        CLEANUP(zone_free_at)
        struct tz *z = NULL;
        CHECK_INT(rows[i].line, footer_parse(rows[i].footer, &z), rows[i].at != NULL);
        if (!z)
            continue;
        struct tz_span s;
        tz_span_at(z, instant(rows[i].at) / 1000, &s);
        CHECK_INT(rows[i].line, s.offset, rows[i].offset);
        CHECK_STR(rows[i].line, s.abbreviation, rows[i].abbreviation);
    }
}

TEST(no_cut_and_no_flipped_bit_breaks_the_reader)
{
    TEST_BEGIN;
    CLEANUP(buf_free)
    struct buf b = {0};
    CLEANUP(fd_close)
    int fd = open("/usr/share/zoneinfo/Europe/Berlin", O_RDONLY | O_CLOEXEC);
    struct err e;
    struct tz_span s;
    CHECK(fd >= 0 && fd_read_all(fd, TZ_BYTES_MAX, &b, &e));
    for (size_t n = 0; n < b.len; n++) {
        struct tz *z = NULL;
        CHECK(!tz_parse((struct str){b.at, n}, &z, &e));
        b.at[n] = (char)(b.at[n] ^ (1 << n % 8));
        if (tz_parse((struct str){b.at, b.len}, &z, &e)) {
            for (int64_t at = -3000000000; at < 20000000000; at = MAX(s.until, at + 86400 * 3000)) {
                tz_span_at(z, at, &s);
                CHECK(s.from <= at && at < s.until);
            }
            tz_free(z);
        }
        b.at[n] = (char)(b.at[n] ^ (1 << n % 8));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_zone_agrees_with_zdump),
        cmocka_unit_test(a_wall_time_is_there_once_never_or_twice),
        cmocka_unit_test(times_are_read_as_people_write_them),
        cmocka_unit_test(the_rule_in_the_footer_is_posix),
        cmocka_unit_test(no_cut_and_no_flipped_bit_breaks_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
