/* SPDX-License-Identifier: MIT */
#include "model/load.h"
#include "../check.h"

TEST(a_problem_has_a_short_form_and_one_for_programs)
{
    TEST_BEGIN;
    CLEANUP(buf_free) struct buf brief = {0}, json = {0}, colour = {0};
    struct problems ps = {0};
    struct str text = S("tasks:\n- {name: fetch, script: x}\n"
                        "- {name: b, script: x, depends_on: [fetchh]}\n");
    CHECK(!workflow_load(text, S("w.yaml"), &ps) && ps.count == 1);
    problem_print_short(&ps.at[0], S("d/w.yaml"), &brief);
    CHECK_STR(__LINE__, brief.at, "d/w.yaml:3:37: error[E0201]: no task named 'fetchh'\n");
    struct json j = json_to(&json);
    problem_json(&ps.at[0], S("d/w.yaml"), &j, NULL);
    CHECK_STR(__LINE__, json.at,
              "{\"code\":\"E0201\",\"severity\":\"error\",\"file\":\"d/w.yaml\",\"line\":3,"
              "\"column\":37,\"end_line\":3,\"end_column\":43,"
              "\"message\":\"no task named 'fetchh'\",\"under\":\"task 'b' depends on it\","
              "\"labels\":[{\"line\":2,\"column\":10,\"end_column\":15,"
              "\"text\":\"a task named 'fetch' is defined here\"}],"
              "\"help\":\"did you mean 'fetch'?\",\"note\":null,\"fix\":\"fetch\"}");
    problem_print(&ps.at[0], S("d/w.yaml"), text, true, &colour);
    CHECK(strstr(colour.at, "\x1b[1;31merror[E0201]\x1b[0m"));
    problems_free(&ps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_has_a_short_form_and_one_for_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
