/* SPDX-License-Identifier: MIT */
#include "base/civil.h"
#include "base/clock.h"
#include "../check.h"

TEST(a_time_is_written_as_rfc_3339)
{
    TEST_BEGIN;
    static const struct {
        int line;
        ms_t at;
        const char *want;
    } rows[] = {
        {__LINE__, 0, "1970-01-01T00:00:00.000Z"},
        {__LINE__, -1, "1969-12-31T23:59:59.999Z"},
        {__LINE__, 951782400000, "2000-02-29T00:00:00.000Z"},
        {__LINE__, 4107542400123, "2100-03-01T00:00:00.123Z"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char text[CLOCK_TEXT_MAX];
        CHECK_STR(rows[i].line, clock_rfc3339(rows[i].at, text), rows[i].want);
    }
}

TEST(every_day_of_four_centuries_comes_back)
{
    TEST_BEGIN;
    int64_t last = civil_to_days(1799, 12, 31);
    for (int64_t d = last + 1; d < civil_to_days(2201, 1, 1); d++) {
        int64_t year;
        int month, day;
        civil_from_days(d, &year, &month, &day);
        CHECK(civil_to_days(year, month, day) == d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_written_as_rfc_3339),
        cmocka_unit_test(every_day_of_four_centuries_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
