/* SPDX-License-Identifier: MIT */
#include "model/duration.h"
#include "../check.h"

TEST(a_length_of_time_is_read_as_it_is_written)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *text;
        ms_t want; /* -1: refused */
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("500ms", 500),
        ROW("30s", 30000),
        ROW("2m", 120000),
        ROW("1h30m", 5400000),
        ROW("1d", 86400000),
        ROW("2w", 1209600000),
        ROW("1w2d3h4m5s6ms", 788645006),
        /* a bare number is seconds */
        ROW("0", 0),
        ROW("90", 90000),
        ROW("007", 7000),
        /* a hundred years are enough */
        ROW("36500d", 3153600000000),
        ROW("36601d", -1),
        ROW("99999999999999999999", -1),
        ROW("99999999999999999999w", -1),
        ROW("9223372036854775807", -1),
        ROW("9223372036854775807ms", -1),
        /* each unit once, from large to small */
        ROW("30m1h", -1),
        ROW("1h1h", -1),
        ROW("", -1),
        ROW("h", -1),
        ROW("1h 30m", -1),
        ROW("-1s", -1),
        ROW("+1s", -1),
        ROW("1.5h", -1),
        ROW("1H", -1),
        ROW("1h30", -1),
        ROW("ms", -1),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        ms_t got = -1;
        if (!duration_parse(str_of(rows[i].text), &got))
            got = -1;
        CHECK_INT(rows[i].line, got, rows[i].want);
    }
}

TEST(a_length_of_time_is_shown_short)
{
    TEST_BEGIN;
    static const struct {
        int line;
        ms_t d;
        const char *want;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW(0, "0ms"),
        ROW(340, "340ms"),
        ROW(999, "999ms"),
        ROW(1000, "1.0s"),
        ROW(1240, "1.2s"),
        ROW(9949, "9.9s"),
        ROW(9950, "10s"),
        ROW(41000, "41s"),
        ROW(59499, "59s"),
        ROW(59500, "1m"),
        ROW(130000, "2m 10s"),
        ROW(542000, "9m 02s"),
        ROW(3599400, "59m 59s"),
        ROW(3599500, "1h"),
        ROW(3900000, "1h 05m"),
        ROW(86400000, "1d"),
        ROW(3 * 86400000LL + 4 * 3600000, "3d 4h"),
        ROW(-1, "-"),
        ROW(INT64_MAX - 1000, "106751991167d 7h"),
#undef ROW
    };
    char text[DURATION_TEXT_MAX];
    for (size_t i = 0; i < countof(rows); i++)
        CHECK_STR(rows[i].line, duration_text(rows[i].d, text), rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_of_time_is_read_as_it_is_written),
        cmocka_unit_test(a_length_of_time_is_shown_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
