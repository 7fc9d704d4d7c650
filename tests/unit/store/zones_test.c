/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include "store/zones.h"

TEST(a_name_cannot_leave_the_tree)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *name;
        bool good;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("UTC", true),
        ROW("Europe/Berlin", true),
        ROW("America/Argentina/Buenos_Aires", true),
        ROW("Etc/GMT+3", true),
        ROW("", false),
        ROW("/etc/passwd", false),
        ROW("../../../etc/passwd", false),
        ROW("Europe/../UTC", false),
        ROW("Europe//Berlin", false),
        ROW("Europe/", false),
        ROW("Europe Berlin", false),
        ROW("tzdata.zi", false),
        ROW("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++)
        CHECK_INT(rows[i].line, zone_name_good(str_of(rows[i].name)), rows[i].good);
    CHECK(!zone_name_good((struct str){"UTC\0x", 5}));
}

TEST(a_zone_is_read_once_and_a_missing_one_is_named)
{
    TEST_BEGIN;
    struct zones *z = zones_new("/usr/share/zoneinfo");
    const struct tz *a, *b;
    struct err e = {0};
    CHECK(zones_get(z, S("Europe/Berlin"), &a, &e));
    CHECK(zones_get(z, S("Europe/Berlin"), &b, &e));
    CHECK(a == b);
    struct tz_span s;
    tz_span_at(a, 1753142400, &s);
    CHECK_INT(__LINE__, s.offset, 7200);
    CHECK(!zones_get(z, S("Europe/Atlantis"), &a, &e));
    CHECK(e.kind == ERR_NOT_FOUND);
    CHECK(strstr(e.text, "Europe/Atlantis") != NULL);
    CHECK(!zones_get(z, S("Europe"), &a, &e) && e.kind == ERR_NOT_FOUND);
    CHECK(!zones_get(z, S("tzdata.zi"), &a, &e) && e.kind == ERR_INVALID);
    zones_free(z);
}

TEST(utc_needs_no_tree_and_the_local_zone_has_a_name)
{
    TEST_BEGIN;
    struct zones *z = zones_new("/nonexistent");
    const struct tz *tz;
    struct err e = {0};
    struct str name;
    bool said;
    CHECK(zones_get(z, S("UTC"), &tz, &e) && tz == tz_utc());
    CHECK(!zones_get(z, S("Europe/Berlin"), &tz, &e));
    CHECK(zones_local(z, &name, &said) && name.len > 0);
    CHECK(said || str_is(name, "UTC"));
    zones_free(z);
}

TEST(a_name_that_is_wrong_is_set_right)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *word, *near;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("Europe/Berlln", "Europe/Berlin"),
        ROW("europe/BERLIN", "Europe/Berlin"),
        ROW("Berlin", "Europe/Berlin"),
        ROW("new_york", "America/New_York"),
        ROW("utc", "UTC"),
        ROW("Middle/Earth", ""),
        ROW("", ""),
#undef ROW
    };
    struct zones *z = zones_new("/usr/share/zoneinfo");
    struct zones *none = zones_new("/nonexistent");
    for (size_t i = 0; i < countof(rows); i++) {
        char got[80];
        snprintf(got, sizeof got, "%.*s", STR_ARG(zones_nearest(z, str_of(rows[i].word))));
        CHECK_STR(rows[i].line, got, rows[i].near);
    }
    CHECK(!zones_nearest(none, S("Berlin")).at);
    zones_free(z);
    zones_free(none);
}

TEST(a_file_that_names_no_zone_there_is_is_refused_with_advice)
{
    TEST_BEGIN;
    static const char text[] = "schedule:\n"
                               "- 'CRON_TZ=Europe/Berlln 0 5 * * *'\n"
                               "- {cron: '@daily', timezone: Middle/Earth}\n"
                               "timezone: Europe/Berlin\n"
                               "tasks: [{name: a, script: x}]\n";
    struct zones *z = zones_new("/usr/share/zoneinfo");
    struct load_zones zones = zones_for_load(z);
    struct problems ps = {0};
    CHECK(!workflow_load_with(str_of(text), S("a.yaml"), &zones, &ps));
    CHECK_INT(__LINE__, (int64_t)ps.count, 2);
    CHECK(ps.at[0].line == 2 && ps.at[0].column == 12 && str_is(ps.at[0].fix, "Europe/Berlin"));
    CHECK(ps.at[1].line == 3 && ps.at[1].column == 30 && !ps.at[1].fix.at);
    CHECK_STR(__LINE__, ps.at[1].code, "E0302");
    problems_free(&ps);
    zones_free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_cannot_leave_the_tree),
        cmocka_unit_test(a_zone_is_read_once_and_a_missing_one_is_named),
        cmocka_unit_test(utc_needs_no_tree_and_the_local_zone_has_a_name),
        cmocka_unit_test(a_name_that_is_wrong_is_set_right),
        cmocka_unit_test(a_file_that_names_no_zone_there_is_is_refused_with_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
