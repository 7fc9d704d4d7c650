/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "../check.h"

TEST(json_is_written_with_its_commas_and_escapes)
{
    TEST_BEGIN;
    struct buf b = {0};
    struct json j = json_to(&b);
    json_open(&j, NULL);
    json_str(&j, "text", S("a\"b\\c\n\x01\xff"));
    json_str(&j, "none", STR_NONE);
    json_list(&j, "list");
    json_int(&j, NULL, -1);
    json_bool(&j, NULL, true);
    json_open(&j, NULL);
    json_close(&j);
    json_list_end(&j);
    json_time(&j, "at", 1);
    json_time(&j, "never", 0);
    json_close(&j);
    CHECK_STR(__LINE__, b.at,
              "{\"text\":\"a\\\"b\\\\c\\n\\u0001\xef\xbf\xbd\",\"none\":null,"
              "\"list\":[-1,true,{}],\"at\":\"1970-01-01T00:00:00.001Z\",\"never\":null}");
    buf_free(&b);
}

TEST(a_cut_keeps_the_rest)
{
    TEST_BEGIN;
    struct buf b = {0};
    buf_printf(&b, "%d-%s", 12, "abc");
    buf_cut(&b, 3);
    CHECK_STR(__LINE__, b.at, "abc");
    buf_free(&b);
}

/* The text inside the quotes; of a short string, where bytes are looked at one
 * by one. */
static void quoted(struct buf *out, const char *bytes, size_t n)
{
    struct buf b = {0};
    struct json j = json_to(&b);
    json_str(&j, NULL, (struct str){bytes, n});
    buf_add(out, b.at + 1, b.len - 2);
    buf_free(&b);
}

TEST(long_strings_are_quoted_as_short_ones)
{
    TEST_BEGIN;
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < 17; at++) {
            char text[17] = "abcdefghijklmnopq";
            struct buf whole = {0}, parts = {0};
            text[at] = (char)c;
            quoted(&whole, text, sizeof text);
            for (size_t i = 0; i < sizeof text; i++)
                quoted(&parts, text + i, 1);
            CHECK_STR(__LINE__, whole.at, parts.at);
            buf_free(&whole);
            buf_free(&parts);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_written_with_its_commas_and_escapes),
        cmocka_unit_test(a_cut_keeps_the_rest),
        cmocka_unit_test(long_strings_are_quoted_as_short_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
