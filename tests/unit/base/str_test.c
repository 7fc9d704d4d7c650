/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "base/utf8.h"
#include "../check.h"

TEST(a_whole_number_is_read_or_refused)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *text;
        bool ok;
        int64_t value;
    } rows[] = {
        {__LINE__, "0", true, 0},
        {__LINE__, "-12", true, -12},
        {__LINE__, "+3", true, 3},
        {__LINE__, "9223372036854775807", true, INT64_MAX},
        {__LINE__, "-9223372036854775808", true, INT64_MIN},
        {__LINE__, "9223372036854775808", false, 0},
        {__LINE__, "", false, 0},
        {__LINE__, "-", false, 0},
        {__LINE__, "1 ", false, 0},
        {__LINE__, "0x1", false, 0},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        int64_t n = 0;
        CHECK_INT(rows[i].line, str_to_i64(str_of(rows[i].text), &n), rows[i].ok);
        CHECK_INT(rows[i].line, n, rows[i].value);
    }
}

TEST(a_typo_finds_the_word_that_was_meant)
{
    TEST_BEGIN;
    static const struct str words[] = {S("depends_on"), S("description"), S("script"), S("env")};
    static const struct {
        int line;
        const char *word;
        int want;
    } rows[] = {
        {__LINE__, "depend_on", 0}, {__LINE__, "scirpt", 2}, {__LINE__, "scrip", 2},
        {__LINE__, "env", 3},       {__LINE__, "x", -1},     {__LINE__, "dependencies", -1},
    };
    for (size_t i = 0; i < countof(rows); i++)
        CHECK_INT(rows[i].line, str_nearest(str_of(rows[i].word), words, countof(words), 2),
                  rows[i].want);
}

TEST(only_well_formed_utf8_has_a_span)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *bytes;
        size_t want;
    } rows[] = {
        {__LINE__, "a", 1},
        {__LINE__, "\xc3\xa4", 2},
        {__LINE__, "\xe2\x9c\x94", 3},
        {__LINE__, "\xf0\x9f\x98\x80", 4},
        {__LINE__, "\xc0\x80", 0},         /* overlong */
        {__LINE__, "\xed\xa0\x80", 0},     /* surrogate */
        {__LINE__, "\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
        {__LINE__, "\xe2\x9c", 0},         /* cut off */
        {__LINE__, "\x80", 0},
    };
    for (size_t i = 0; i < countof(rows); i++)
        CHECK_INT(rows[i].line, utf8_span(rows[i].bytes, strlen(rows[i].bytes)), rows[i].want);
    CHECK(utf8_count("a\xc3\xa4\xff", 4) == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_number_is_read_or_refused),
        cmocka_unit_test(a_typo_finds_the_word_that_was_meant),
        cmocka_unit_test(only_well_formed_utf8_has_a_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
