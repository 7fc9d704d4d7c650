/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include "../../sim/make.h"
#include "executor/rules.h"

/* A child with parents `a`, `b`, `c` whose states are given; NULL: fewer. */
static struct ruling join_of(enum cond condition, enum allow_failure a_allows,
                             const enum task_state *states, uint32_t parents)
{
    static const char *const after[] = {NULL, "a", "a b", "a b c"};
    struct make_task tasks[] = {
        {.name = "a", .allow_failure = a_allows},
        {.name = "b"},
        {.name = "c"},
        {.name = "child", .after = after[parents], .condition = condition},
    };
    struct workflow *w = make_workflow(tasks, 4, 0);
    struct node nodes[4] = {0};
    for (uint32_t i = 0; i < 3; i++)
        nodes[i] =
            (struct node){.state = (uint8_t)(i < parents ? states[i] : TASK_SUCCESS), .try = 1};
    struct ruling r = rule_join(w, nodes, 3);
    make_free(w);
    return r;
}

#define OK   TASK_SUCCESS
#define FAIL TASK_FAILED
#define SKIP TASK_SKIPPED
#define UPF  TASK_UPSTREAM_FAILED
#define CANC TASK_CANCELLED

TEST(a_task_without_a_condition_joins_its_parents)
{
    TEST_BEGIN;
    static const struct {
        int line;
        uint32_t parents;
        enum task_state states[3];
        enum allow_failure a_allows;
        enum task_state want;
        enum reason reason;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        /* clang-format off */
        ROW(0, {0},                ALLOW_UNSAID, TASK_QUEUED, REASON_NONE),
        ROW(1, {OK},               ALLOW_UNSAID, TASK_QUEUED, REASON_NONE),
        ROW(3, {OK, OK, OK},       ALLOW_UNSAID, TASK_QUEUED, REASON_NONE),
        /* a branch and its join: one ran, the other was skipped */
        ROW(2, {OK, SKIP},         ALLOW_UNSAID, TASK_QUEUED, REASON_NONE),
        ROW(2, {SKIP, OK},         ALLOW_UNSAID, TASK_QUEUED, REASON_NONE),
        ROW(1, {SKIP},             ALLOW_UNSAID, TASK_SKIPPED, REASON_UPSTREAM_SKIPPED),
        ROW(3, {SKIP, SKIP, SKIP}, ALLOW_UNSAID, TASK_SKIPPED, REASON_UPSTREAM_SKIPPED),
        /* a broken parent breaks the child, whatever the others did */
        ROW(1, {FAIL},             ALLOW_UNSAID, TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED),
        ROW(1, {FAIL},             ALLOW_NO,     TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED),
        ROW(2, {OK, FAIL},         ALLOW_UNSAID, TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED),
        ROW(2, {SKIP, FAIL},       ALLOW_UNSAID, TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED),
        ROW(2, {FAIL, SKIP},       ALLOW_UNSAID, TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED),
        ROW(2, {OK, UPF},          ALLOW_UNSAID, TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED),
        ROW(2, {OK, CANC},         ALLOW_UNSAID, TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED),
        /* an allowed failure is no obstacle and no success */
        ROW(1, {FAIL},             ALLOW_YES,    TASK_QUEUED, REASON_NONE),
        ROW(2, {FAIL, OK},         ALLOW_YES,    TASK_QUEUED, REASON_NONE),
        ROW(2, {FAIL, SKIP},       ALLOW_YES,    TASK_SKIPPED, REASON_UPSTREAM_SKIPPED),
        ROW(2, {FAIL, FAIL},       ALLOW_YES,    TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED),
        /* allowed are failures of its own, not what it inherits */
        ROW(1, {UPF},              ALLOW_YES,    TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED),
    /* clang-format on */
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct ruling r = join_of(COND_NONE, rows[i].a_allows, rows[i].states, rows[i].parents);
        CHECK_STR(rows[i].line, task_state_word(r.state), task_state_word(rows[i].want));
        CHECK_STR(rows[i].line, reason_word(r.reason), reason_word(rows[i].reason));
    }
}

TEST(a_condition_alone_decides_where_there_is_one)
{
    TEST_BEGIN;
    static const struct {
        int line;
        enum cond condition;
        enum task_state states[2];
        enum task_state want;
        enum reason reason;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW(COND_ALWAYS, {FAIL, UPF}, TASK_QUEUED, REASON_NONE),
        ROW(COND_ALWAYS, {SKIP, SKIP}, TASK_QUEUED, REASON_NONE),
        ROW(COND_NEVER, {OK, OK}, TASK_SKIPPED, REASON_CONDITION),
        ROW(COND_ALL_SUCCESS, {OK, OK}, TASK_QUEUED, REASON_NONE),
        ROW(COND_ALL_SUCCESS, {OK, SKIP}, TASK_SKIPPED, REASON_CONDITION),
        ROW(COND_ALL_SUCCESS, {OK, FAIL}, TASK_SKIPPED, REASON_CONDITION),
        ROW(COND_ANY_FAILED, {OK, FAIL}, TASK_QUEUED, REASON_NONE),
        /* `failed` is exact, `broken` is not */
        ROW(COND_ANY_FAILED, {OK, UPF}, TASK_SKIPPED, REASON_CONDITION),
        ROW(COND_ANY_BROKEN, {OK, UPF}, TASK_QUEUED, REASON_NONE),
        ROW(COND_FIRST_FAILED, {FAIL, OK}, TASK_QUEUED, REASON_NONE),
        ROW(COND_FIRST_FAILED, {OK, FAIL}, TASK_SKIPPED, REASON_CONDITION),
        /* a value is needed and there is none */
        ROW(COND_FIRST_CODE_1, {SKIP, OK}, TASK_FAILED, REASON_EXPRESSION),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct ruling r = join_of(rows[i].condition, ALLOW_UNSAID, rows[i].states, 2);
        CHECK_STR(rows[i].line, task_state_word(r.state), task_state_word(rows[i].want));
        CHECK_STR(rows[i].line, reason_word(r.reason), reason_word(rows[i].reason));
    }
}

TEST(an_end_means_one_thing_for_its_task)
{
    TEST_BEGIN;
    static const struct {
        int line;
        enum end_how how;
        int32_t code;
        enum end_cause cause;
        bool oom, cancelled;
        enum task_state want;
        enum reason reason;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        /* clang-format off */
        ROW(END_EXIT,    0,   CAUSE_SELF,     false, false, TASK_SUCCESS,   REASON_NONE),
        ROW(END_EXIT,    3,   CAUSE_SELF,     false, false, TASK_SUCCESS,   REASON_NONE),
        ROW(END_EXIT,    1,   CAUSE_SELF,     false, false, TASK_FAILED,    REASON_EXIT),
        ROW(END_EXIT,    259, CAUSE_SELF,     false, false, TASK_FAILED,    REASON_EXIT),
        ROW(END_SIGNAL,  9,   CAUSE_SELF,     false, false, TASK_FAILED,    REASON_SIGNAL),
        ROW(END_SIGNAL,  3,   CAUSE_SELF,     false, false, TASK_FAILED,    REASON_SIGNAL),
        ROW(END_SIGNAL,  9,   CAUSE_SELF,     true,  false, TASK_FAILED,    REASON_OOM),
        ROW(END_LAUNCH,  2,   CAUSE_SELF,     false, false, TASK_FAILED,    REASON_LAUNCH),
        ROW(END_UNKNOWN, 0,   CAUSE_SELF,     false, false, TASK_FAILED,    REASON_LOST),
        ROW(END_SIGNAL,  15,  CAUSE_TIMEOUT,  false, false, TASK_FAILED,    REASON_TIMEOUT),
        ROW(END_EXIT,    0,   CAUSE_TIMEOUT,  false, false, TASK_FAILED,    REASON_TIMEOUT),
        ROW(END_SIGNAL,  15,  CAUSE_STALLED,  false, false, TASK_FAILED,    REASON_STALLED),
        ROW(END_SIGNAL,  15,  CAUSE_STOPPED,  false, false, TASK_CANCELLED, REASON_MANUAL),
        ROW(END_SIGNAL,  15,  CAUSE_SHUTDOWN, false, false, TASK_CANCELLED, REASON_SHUTDOWN),
        ROW(END_SIGNAL,  15,  CAUSE_STOPPED,  false, true,  TASK_CANCELLED, REASON_CANCELLED),
        ROW(END_EXIT,    1,   CAUSE_SELF,     false, true,  TASK_CANCELLED, REASON_CANCELLED),
        /* it was faster than the stop */
        ROW(END_EXIT,    0,   CAUSE_SELF,     false, true,  TASK_SUCCESS,   REASON_NONE),
    /* clang-format on */
#undef ROW
    };
    static const uint8_t codes[] = {0, 3};
    struct task t = {.success_exit_codes = {codes, 2}};
    for (size_t i = 0; i < countof(rows); i++) {
        struct exec_ended end = {
            .code = rows[i].code, .how = rows[i].how, .cause = rows[i].cause, .oom = rows[i].oom};
        struct ruling r = rule_end(&t, &end, rows[i].cancelled);
        CHECK_STR(rows[i].line, task_state_word(r.state), task_state_word(rows[i].want));
        CHECK_STR(rows[i].line, reason_word(r.reason), reason_word(rows[i].reason));
    }
}

TEST(a_run_ends_as_the_states_of_its_tasks_say)
{
    TEST_BEGIN;
    /* `work` may fail; `mend` asks for its failure; `after` needs mend. */
    static const struct {
        int line;
        enum allow_failure allow;
        enum cond mend_asks;
        enum task_state work, mend, after;
        enum run_state want;
        bool degraded;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        /* clang-format off */
        ROW(ALLOW_UNSAID, COND_ANY_FAILED,  OK,   SKIP, SKIP, RUN_SUCCESS, false),
        ROW(ALLOW_UNSAID, COND_ANY_FAILED,  SKIP, SKIP, SKIP, RUN_SUCCESS, false),
        ROW(ALLOW_UNSAID, COND_ANY_FAILED,  FAIL, OK,   OK,   RUN_SUCCESS, true),
        ROW(ALLOW_UNSAID, COND_FIRST_FAILED, FAIL, OK,  OK,   RUN_SUCCESS, true),
        ROW(ALLOW_UNSAID, COND_ANY_FAILED,  FAIL, FAIL, UPF,  RUN_FAILED,  false),
        ROW(ALLOW_UNSAID, COND_ANY_FAILED,  FAIL, SKIP, SKIP, RUN_FAILED,  false),
        /* it ran in spite of the failure, it did not ask for it */
        ROW(ALLOW_UNSAID, COND_ALWAYS,      FAIL, OK,   OK,   RUN_FAILED,  false),
        ROW(ALLOW_UNSAID, COND_NONE_FAILED, FAIL, OK,   OK,   RUN_FAILED,  false),
        ROW(ALLOW_YES,    COND_NONE,        FAIL, OK,   OK,   RUN_SUCCESS, true),
        ROW(ALLOW_YES,    COND_ANY_FAILED,  FAIL, FAIL, UPF,  RUN_FAILED,  false),
        ROW(ALLOW_NO,     COND_ANY_FAILED,  FAIL, OK,   OK,   RUN_FAILED,  false),
        ROW(ALLOW_UNSAID, COND_NONE,        OK,   OK,   CANC, RUN_CANCELLED, false),
        ROW(ALLOW_UNSAID, COND_NONE,        FAIL, CANC, CANC, RUN_CANCELLED, false),
        /* upstream_failed by itself fails nothing */
        ROW(ALLOW_YES,    COND_NONE,        FAIL, UPF,  UPF,  RUN_SUCCESS, true),
    /* clang-format on */
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct make_task tasks[] = {
            {.name = "work", .allow_failure = rows[i].allow},
            {.name = "mend", .after = "work", .condition = rows[i].mend_asks},
            {.name = "after", .after = "mend"},
        };
        struct workflow *w = make_workflow(tasks, 3, 0);
        struct node nodes[] = {{.state = (uint8_t)rows[i].work},
                               {.state = (uint8_t)rows[i].mend},
                               {.state = (uint8_t)rows[i].after}};
        bool degraded;
        CHECK_STR(rows[i].line, run_state_word(rule_verdict(w, nodes, &degraded)),
                  run_state_word(rows[i].want));
        CHECK_INT(rows[i].line, degraded, rows[i].degraded);
        make_free(w);
    }
}

TEST(jitter_stays_within_a_tenth_and_repeats_itself)
{
    TEST_BEGIN;
    ms_t least = MS_NEVER, most = 0;
    for (uint32_t try = 1; try <= 1000; try++) {
        struct attempt a = {.run = 7, .task = 3, .try = try};
        ms_t j = rule_jitter(a, 30000);
        CHECK(j == rule_jitter(a, 30000));
        least = MIN(least, j);
        most = MAX(most, j);
    }
    CHECK(least >= 27000 && least < 27500);
    CHECK(most <= 33000 && most > 32500);
    CHECK(rule_jitter((struct attempt){0}, 0) == 0);
    CHECK(rule_jitter((struct attempt){0}, 9) == 9);
}

TEST(a_rerun_begins_what_failed_and_all_that_hangs_on_it)
{
    TEST_BEGIN;
    struct make_task tasks[] = {
        {.name = "fetch"},
        {.name = "check", .after = "fetch"},
        {.name = "load", .after = "check"},
        {.name = "tell", .after = "load", .condition = COND_FIRST_FAILED},
        {.name = "other", .after = "fetch"},
    };
    struct workflow *w = make_workflow(tasks, 5, 0);
    struct task_row rows[] = {
        {.state = OK, .attempts = 1},
        {.state = FAIL, .reason = REASON_EXIT, .attempts = 3, .charged = 3, .has_exit_code = true},
        {.state = UPF, .reason = REASON_UPSTREAM_FAILED},
        {.state = SKIP, .reason = REASON_CONDITION},
        {.state = OK, .attempts = 2, .charged = 1},
    };
    bool cleared[5];
    CHECK(executor_clear(w, rows, cleared) == 3);
    static const bool want[] = {false, true, true, true, false};
    CHECK(memcmp(cleared, want, sizeof want) == 0);
    CHECK(rows[1].state == TASK_PENDING && rows[1].attempts == 3 && rows[1].charged == 0);
    CHECK(rows[1].reason == REASON_NONE && !rows[1].has_exit_code);
    CHECK(rows[3].state == TASK_PENDING && rows[4].state == OK && rows[4].charged == 1);
    make_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_without_a_condition_joins_its_parents),
        cmocka_unit_test(a_condition_alone_decides_where_there_is_one),
        cmocka_unit_test(an_end_means_one_thing_for_its_task),
        cmocka_unit_test(a_run_ends_as_the_states_of_its_tasks_say),
        cmocka_unit_test(jitter_stays_within_a_tenth_and_repeats_itself),
        cmocka_unit_test(a_rerun_begins_what_failed_and_all_that_hangs_on_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
