/* SPDX-License-Identifier: MIT */
#include "model/codes.h"
#include "model/keys.h"
#include "../check.h"

TEST(every_key_is_there_once_and_explains_itself)
{
    TEST_BEGIN;
    size_t counts[KEY_WHERES] = {0};
    for (size_t i = 0; i < key_count(); i++) {
        const struct key *k = key_at(i);
        counts[k->where]++;
        CHECK(key_find(k->where, k->name) == k);
        CHECK(k->help && *k->help && (!k->built || *k->wants));
        CHECK(k->where == KEY_TASK || !k->not_in_defaults);
        CHECK(i == 0 || key_at(i - 1)->where <= k->where);
    }
    /* the language has 24 root keys and `version`, and 50 task keys */
    CHECK_INT(__LINE__, counts[KEY_ROOT], 25);
    CHECK_INT(__LINE__, counts[KEY_TASK], 50);
    CHECK(!key_find(KEY_ROOT, S("script")) && key_find(KEY_TASK, S("script"))->built);
    CHECK(key_find(KEY_TASK, S("pool")) && !key_find(KEY_TASK, S("pool"))->built);
}

TEST(every_code_is_there_once_in_its_chapter)
{
    TEST_BEGIN;
    for (size_t i = 0; i < CODE_COUNT; i++) {
        const char *c = code_info[i].text;
        CHECK(strlen(c) == 5 && (c[0] == 'E' || c[0] == 'W') && c[1] == '0' && c[2] >= '1' &&
              c[2] <= '6');
        CHECK(code_find(str_of(c)) == &code_info[i]);
        CHECK(*code_info[i].title);
    }
    CHECK(!code_find(S("E9999")) && !code_find(S("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_there_once_and_explains_itself),
        cmocka_unit_test(every_code_is_there_once_in_its_chapter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
