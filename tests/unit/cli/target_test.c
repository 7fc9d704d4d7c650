/* SPDX-License-Identifier: MIT
 *
 * Names of workflows, runs, tasks and files. */
#include "../check.h"

#include "cli/target.h"

TEST(a_target_is_read_as_what_it_looks_like)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *text, *want; /* workflow|run|pick|task|file, or the error */
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("payroll", "payroll|0|||0"),
        ROW("payroll#1182", "payroll|1182|||0"),
        ROW("1182", "|1182|||0"),
        ROW("@last", "|0|last||0"),
        ROW("payroll@failed", "payroll|0|failed||0"),
        ROW("1182/transform", "|1182||transform|0"),
        ROW("1182/transform.2", "|1182||transform.2|0"),
        ROW("payroll@last/a.b", "payroll|0|last|a.b|0"),
        ROW("payroll/transform", "payroll|0||transform|0"),
        ROW("01KAQ4", "01KAQ4|0|||0"),
        ROW("./payroll", "|0|||1"),
        ROW("/etc/gowtf/x.yml", "|0|||1"),
        ROW("x.yaml", "|0|||1"),
        ROW("", "an empty name means nothing"),
        ROW("payroll#", "'payroll#' has no run number after the #"),
        ROW("payroll#x", "'payroll#x' has no run number after the #"),
        ROW("payroll@lost", "'@lost' is not known: @last, @success, @failed, @cancelled, @running "
                            "or @queued"),
        ROW("1182/", "'1182/' names no task after the /"),
        ROW("#", "'#' has no run number after the #"),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct target t;
        struct err e = {0};
        char got[600];
        if (target_parse(str_of(rows[i].text), &t, &e))
            snprintf(got, sizeof got, "%.*s|%lld|%.*s|%.*s|%d", STR_ARG(t.workflow),
                     (long long)t.run, STR_ARG(t.pick), STR_ARG(t.task), t.file);
        else
            snprintf(got, sizeof got, "%s", e.text);
        CHECK_STR(rows[i].line, got, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_read_as_what_it_looks_like),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
