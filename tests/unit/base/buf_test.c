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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_written_with_its_commas_and_escapes),
        cmocka_unit_test(a_cut_keeps_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
