/* SPDX-License-Identifier: MIT */
#include "base/ulid.h"
#include "../check.h"

TEST(a_ulid_comes_back_from_its_text)
{
    TEST_BEGIN;
    char text[ULID_TEXT_MAX], again[ULID_TEXT_MAX];
    struct err e = {0};
    for (int i = 0; i < 1000; i++) {
        struct ulid a, b;
        CHECK(ulid_new(1469918176385, &a, &e));
        ulid_text(&a, text);
        CHECK(ulid_parse(str_of(text), &b));
        CHECK(ulid_eq(&a, &b));
        CHECK_STR(__LINE__, ulid_text(&b, again), text);
        CHECK(strncmp(text, "01ARYZ6S41", 10) == 0); /* the example of the specification */
    }
}

TEST(text_that_is_no_ulid_is_refused)
{
    TEST_BEGIN;
    struct ulid u;
    CHECK(!ulid_parse(S(""), &u));
    CHECK(!ulid_parse(S("01ARYZ6S41TSV4RRFFQ69G5FA"), &u));
    CHECK(!ulid_parse(S("81ARYZ6S41TSV4RRFFQ69G5FAV"), &u));
    CHECK(!ulid_parse(S("01ARYZ6S41TSV4RRFFQ69G5FAU"), &u));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ulid_comes_back_from_its_text),
        cmocka_unit_test(text_that_is_no_ulid_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
