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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_cannot_leave_the_tree),
        cmocka_unit_test(a_zone_is_read_once_and_a_missing_one_is_named),
        cmocka_unit_test(utc_needs_no_tree_and_the_local_zone_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
