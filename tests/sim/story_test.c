/* SPDX-License-Identifier: MIT */
#include "../unit/check.h"

#include "story.h"

#define STORY(tasks, slots) story_new((tasks), countof(tasks), (slots))

TEST(a_task_handed_out_but_not_written_down_is_not_run_twice)
{
    TEST_BEGIN;
    const struct story_task tasks[] = {
        {"extract", .takes = 10, .exits = {1, 0}, .retries = 1, .retry_delay = 5},
        {"load", .after = "extract", .takes = 20},
    };
    struct story *s = STORY(tasks, 2);
    story_daemon_dies(s, 15, DIES_BEFORE_COMMIT);
    story_until(s, 100);
    CHECK(story_told(s, "[   0] run 1 begins\n"
                        "[   0] extract#1 starts\n"
                        "[   0] run 1 is running\n"
                        "[  10] extract#1 ends with 1\n"
                        "[  15] extract#2 starts\n"
                        "[  15] the daemon dies before it commits\n"
                        "[  15] the daemon is back\n"
                        "[  25] extract#2 ends with 0\n"
                        "[  25] load#1 starts\n"
                        "[  45] load#1 ends with 0\n"
                        "[  45] run 1 is a success\n"));
    story_free(s);
}

TEST(what_was_heard_and_not_written_down_is_heard_again)
{
    TEST_BEGIN;
    const struct story_task tasks[] = {
        {"count", .takes = 10},
        {"print", .after = "count", .takes = 5},
    };
    struct story *s = STORY(tasks, 1);
    story_daemon_dies(s, 10, DIES_BEFORE_HAND_OUT);
    story_until(s, 100);
    CHECK(story_told(s, "[   0] run 1 begins\n"
                        "[   0] count#1 starts\n"
                        "[   0] run 1 is running\n"
                        "[  10] count#1 ends with 0\n"
                        "[  10] the daemon dies before it hands out\n"
                        "[  10] the daemon is back\n"
                        "[  10] print#1 starts\n"
                        "[  15] print#1 ends with 0\n"
                        "[  15] run 1 is a success\n"));
    story_free(s);
}

TEST(a_dead_keeper_leaves_its_tasks_alive_and_their_ends_unknown)
{
    TEST_BEGIN;
    const struct story_task tasks[] = {{"dig", .takes = 30, .retries = 1, .retry_delay = 5}};
    struct story *s = STORY(tasks, 1);
    story_keeper_dies(s, 10, 20);
    story_until(s, 100);
    CHECK(story_told(s, "[   0] run 1 begins\n"
                        "[   0] dig#1 starts\n"
                        "[   0] run 1 is running\n"
                        "[  10] the keeper dies\n"
                        "[  20] the keeper is back\n"
                        "[  30] dig#1 ends: nobody knows how\n"
                        "[  35] dig#2 starts\n"
                        "[  65] dig#2 ends with 0\n"
                        "[  65] run 1 is a success\n"));
    story_free(s);
}

TEST(a_loss_decided_twice_does_not_start_a_third_try)
{
    TEST_BEGIN;
    const struct story_task tasks[] = {{"dig", .takes = 30, .retries = 1, .retry_delay = 0}};
    struct story *s = STORY(tasks, 1);
    story_vanish(s, 10, 0, 1);
    story_daemon_dies(s, 10, DIES_BEFORE_COMMIT);
    story_until(s, 100);
    CHECK(story_told(s, "[   0] run 1 begins\n"
                        "[   0] dig#1 starts\n"
                        "[   0] run 1 is running\n"
                        "[  10] dig#1 vanishes\n"
                        "[  10] dig#2 starts\n"
                        "[  10] the daemon dies before it commits\n"
                        "[  10] the daemon is back\n"
                        "[  40] dig#2 ends with 0\n"
                        "[  40] run 1 is a success\n"));
    story_free(s);
}

TEST(a_failure_that_somebody_mends_is_a_success_with_a_shadow)
{
    TEST_BEGIN;
    const struct story_task tasks[] = {
        {"check", .takes = 10, .exits = {1}},
        {"open_incident", .after = "check", .takes = 5, .condition = COND_FIRST_FAILED},
        {"load", .after = "check", .takes = 5},
    };
    struct story *s = STORY(tasks, 2);
    story_until(s, 100);
    CHECK(story_told(s, "[   0] run 1 begins\n"
                        "[   0] check#1 starts\n"
                        "[   0] run 1 is running\n"
                        "[  10] check#1 ends with 1\n"
                        "[  10] open_incident#1 starts\n"
                        "[  15] open_incident#1 ends with 0\n"
                        "[  15] run 1 is a degraded success\n"));
    story_free(s);
}

TEST(a_cancelled_run_starts_nothing_and_can_be_begun_again)
{
    TEST_BEGIN;
    const struct story_task tasks[] = {
        {"fetch", .takes = 10},
        {"build", .after = "fetch", .takes = 4, .exits = {1, 0}},
        {"ship", .after = "build", .takes = 10},
    };
    struct story *s = STORY(tasks, 2);
    story_wish(s, 11, SIM_CANCEL);
    story_daemon_dies(s, 11, DIES_BEFORE_ACK);
    story_wish(s, 50, SIM_CLEAR);
    story_until(s, 100);
    CHECK(story_told(s, "[   0] run 1 begins\n"
                        "[   0] fetch#1 starts\n"
                        "[   0] run 1 is running\n"
                        "[  10] fetch#1 ends with 0\n"
                        "[  10] build#1 starts\n"
                        "[  11] somebody wants to cancel run 1\n"
                        "[  11] the daemon dies before it acknowledges\n"
                        "[  11] the daemon is back\n"
                        "[  11] build#1 is told to stop\n"
                        "[  14] build#1 ends with 1\n"
                        "[  14] run 1 is cancelled\n"
                        "[  50] somebody wants to retry run 1\n"
                        "[  50] build#2 starts\n"
                        "[  50] run 1 is running\n"
                        "[  54] build#2 ends with 0\n"
                        "[  54] ship#1 starts\n"
                        "[  64] ship#1 ends with 0\n"
                        "[  64] run 1 is a success\n"));
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_handed_out_but_not_written_down_is_not_run_twice),
        cmocka_unit_test(what_was_heard_and_not_written_down_is_heard_again),
        cmocka_unit_test(a_dead_keeper_leaves_its_tasks_alive_and_their_ends_unknown),
        cmocka_unit_test(a_loss_decided_twice_does_not_start_a_third_try),
        cmocka_unit_test(a_failure_that_somebody_mends_is_a_success_with_a_shadow),
        cmocka_unit_test(a_cancelled_run_starts_nothing_and_can_be_begun_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
