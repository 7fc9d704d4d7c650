/* SPDX-License-Identifier: MIT */
#include "health/core.h"
#include "../check.h"

static struct verdicts out;
static const struct attempt a1 = {1, 0, 0, 1}, a2 = {1, 1, 0, 1};

static void say(struct health_core *h, ms_t now, struct msg m)
{
    health_core_step(h, &m, now, &out);
}

static struct msg alive(struct attempt a, int64_t cpu, int64_t log)
{
    return (struct msg){.kind = MSG_TASK_ALIVE, .alive = {a, cpu, log}};
}

static struct health_core *begin(void)
{
    struct health_core *h = health_core_new();
    out.count = 0;
    say(h, 0, (struct msg){.kind = MSG_KEEPER_UP});
    return h;
}

static void end(struct health_core *h)
{
    health_core_free(h);
    free(out.at);
    out = (struct verdicts){0};
}

TEST(an_idle_house_has_no_deadline)
{
    TEST_BEGIN;
    struct health_core *h = begin();
    CHECK(health_core_deadline(h) == MS_NEVER);
    say(h, 5, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a1, 0}});
    CHECK(health_core_deadline(h) == 5 + LEASE_MS);
    say(h, 6, (struct msg){.kind = MSG_TASK_UNWATCH, .attempt = a1});
    CHECK(health_core_deadline(h) == MS_NEVER);
    end(h);
}

TEST(a_silent_keeper_is_asked_before_it_is_given_up)
{
    TEST_BEGIN;
    struct health_core *h = begin();
    say(h, 0, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a1, 0}});
    health_core_tick(h, LEASE_MS - 1, &out);
    CHECK(out.count == 0);
    health_core_tick(h, LEASE_MS, &out);
    CHECK(out.count == 1 && out.at[0].kind == VERDICT_ASK);
    health_core_tick(h, LEASE_MS + ANSWER_MS - 1, &out);
    CHECK(out.count == 1);
    health_core_tick(h, LEASE_MS + ANSWER_MS, &out);
    CHECK(out.count == 2 && out.at[1].kind == VERDICT_SILENT);
    health_core_tick(h, LEASE_MS * 100, &out);
    CHECK(out.count == 2);
    end(h);
}

TEST(a_machine_that_slept_does_not_lose_its_keeper)
{
    TEST_BEGIN;
    struct health_core *h = begin();
    say(h, 0, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a1, 60000}});
    ms_t morning = 8 * 3600 * 1000;
    health_core_tick(h, morning, &out);
    CHECK(out.count == 1 && out.at[0].kind == VERDICT_ASK);
    say(h, morning + 10, (struct msg){.kind = MSG_KEEPER_ALIVE});
    CHECK(out.count == 1); /* nor does the task that slept with it stand still */
    CHECK(health_core_deadline(h) == morning + 10 + LEASE_MS);
    end(h);
}

TEST(a_machine_that_sleeps_between_question_and_answer_asks_again)
{
    TEST_BEGIN;
    struct health_core *h = begin();
    say(h, 0, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a1, 0}});
    health_core_tick(h, LEASE_MS, &out);
    ms_t morning = 8 * 3600 * 1000;
    health_core_tick(h, morning, &out);
    CHECK(out.count == 2 && out.at[1].kind == VERDICT_ASK);
    health_core_tick(h, morning + ANSWER_MS, &out);
    CHECK(out.count == 3 && out.at[2].kind == VERDICT_SILENT);
    end(h);
}

TEST(a_keeper_that_is_back_is_watched_for_whom_it_names_and_no_longer)
{
    TEST_BEGIN;
    struct health_core *h = begin();
    say(h, 0, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a1, 0}});
    say(h, 0, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a2, 0}});
    say(h, 5, (struct msg){.kind = MSG_KEEPER_DOWN});
    say(h, 6, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a1, 0}}); /* its beginning, again */
    say(h, 6, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a1, 0}}); /* it is named */
    say(h, 6, (struct msg){.kind = MSG_KEEPER_UP});
    CHECK(health_core_deadline(h) == 6 + LEASE_MS);
    say(h, 7, (struct msg){.kind = MSG_TASK_UNWATCH, .attempt = a2}); /* of a stranger by now */
    CHECK(health_core_deadline(h) == 6 + LEASE_MS);
    say(h, 8, (struct msg){.kind = MSG_TASK_UNWATCH, .attempt = a1});
    CHECK(health_core_deadline(h) == MS_NEVER);
    end(h);
}

TEST(progress_is_cpu_time_or_output)
{
    TEST_BEGIN;
    struct health_core *h = begin();
    say(h, 0, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a1, 5000}});
    say(h, 0, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a2, 5000}});
    for (ms_t t = 2000; t <= 4000; t += 2000) {
        say(h, t, (struct msg){.kind = MSG_KEEPER_ALIVE});
        say(h, t, alive(a1, t, 0));
        say(h, t, alive(a2, 7, 9));
    }
    CHECK(out.count == 0);
    CHECK(health_core_deadline(h) == 7000);
    health_core_tick(h, 7000, &out);
    CHECK(out.count == 1 && out.at[0].kind == VERDICT_STALLED);
    CHECK(attempt_eq(out.at[0].attempt, a2));
    health_core_tick(h, 9000, &out);
    CHECK(out.count == 2 && attempt_eq(out.at[1].attempt, a1));
    end(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_house_has_no_deadline),
        cmocka_unit_test(a_silent_keeper_is_asked_before_it_is_given_up),
        cmocka_unit_test(a_machine_that_slept_does_not_lose_its_keeper),
        cmocka_unit_test(a_machine_that_sleeps_between_question_and_answer_asks_again),
        cmocka_unit_test(a_keeper_that_is_back_is_watched_for_whom_it_names_and_no_longer),
        cmocka_unit_test(progress_is_cpu_time_or_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
