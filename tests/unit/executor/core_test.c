/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include "../../sim/make.h"
#include "executor/core.h"

#include <stdlib.h>

/* An executor, and what it has said since it was last asked, as text: one word
 * an effect, "a!" a start of task a, "a:failed", "run:success". */
struct world {
    struct executor_core *x;
    struct workflow *w;
    struct exec_effects fx;
    ms_t now;
    struct buf said;
};

static void say(struct world *o, const struct exec_effect *f)
{
    struct buf *b = &o->said;
    if (b->len)
        buf_putc(b, ' ');
    switch (f->kind) {
    case EXEC_SET_TASK:
        buf_str(b, o->w->tasks[f->task.task].name);
        buf_printf(b, ":%s", task_state_word(f->task.row.state));
        if (f->task.row.reason)
            buf_printf(b, "(%s)", reason_word(f->task.row.reason));
        break;
    case EXEC_SET_RUN:
        buf_printf(b, "run%lld:%s%s", (long long)f->run.id, run_state_word(f->run.state),
                   f->run.degraded ? "(degraded)" : "");
        break;
    case EXEC_START:
        buf_str(b, o->w->tasks[f->attempt.task].name);
        buf_printf(b, "#%u!", f->attempt.try);
        break;
    case EXEC_STOP:
        if (f->stop.attempt.task < o->w->task_count)
            buf_str(b, o->w->tasks[f->stop.attempt.task].name);
        buf_printf(b, "#%u-stop", f->stop.attempt.try);
        break;
    }
}

static const char *step(struct world *o, struct exec_event ev)
{
    buf_clear(&o->said);
    o->fx.count = 0;
    ev.now = o->now;
    executor_core_step(o->x, &ev, &o->fx);
    executor_core_check(o->x);
    ev = (struct exec_event){.kind = EXEC_TICK, .now = o->now};
    executor_core_step(o->x, &ev, &o->fx);
    ev.kind = EXEC_DISPATCH;
    executor_core_step(o->x, &ev, &o->fx);
    executor_core_check(o->x);
    for (size_t i = 0; i < o->fx.count; i++)
        say(o, &o->fx.at[i]);
    buf_puts(&o->said, "");
    return o->said.at ? o->said.at : "";
}

static struct world open_world(const struct make_task *tasks, uint32_t count, uint32_t max_parallel,
                               uint32_t slots)
{
    struct world o = {.x = executor_core_new(1), .now = 1000};
    o.w = make_workflow(tasks, count, max_parallel);
    step(&o, (struct exec_event){.kind = EXEC_SLOTS, .slots = slots});
    return o;
}

static void close_world(struct world *o)
{
    executor_core_free(o->x);
    make_free(o->w);
    free(o->fx.at);
    buf_free(&o->said);
}

static const char *create(struct world *o, int64_t run, const struct task_row *rows)
{
    return step(o, (struct exec_event){.kind = EXEC_RUN_CREATED,
                                       .created = {.run = run,
                                                   .workflow_id = 1,
                                                   .workflow = o->w,
                                                   .state = rows ? RUN_RUNNING : RUN_QUEUED,
                                                   .rows = rows}});
}
static const char *started(struct world *o, int64_t run, uint32_t task, uint32_t try)
{
    return step(o, (struct exec_event){.kind = EXEC_TASK_STARTED,
                                       .attempt = {.run = run, .task = task, .try = try}});
}
static const char *ended(struct world *o, int64_t run, uint32_t task, uint32_t try, int code)
{
    return step(o, (struct exec_event){.kind = EXEC_TASK_ENDED,
                                       .ended = {{.run = run, .task = task, .try = try},
                                                 .code = code,
                                                 .how = code < 0 ? END_UNKNOWN : END_EXIT,
                                                 .at = o->now}});
}
static const char *cancel(struct world *o, int64_t run)
{
    return step(o, (struct exec_event){.kind = EXEC_RUN_CANCEL, .run = run});
}
static const char *tick(struct world *o, ms_t later)
{
    o->now += later;
    return step(o, (struct exec_event){.kind = EXEC_TICK});
}

#define SAYS(got, want) CHECK_STR(__LINE__, (got), (want))

TEST(a_chain_runs_one_after_the_other)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}, {.name = "b", .after = "a"}};
    struct world o = open_world(tasks, 2, 0, 4);
    SAYS(create(&o, 1, NULL), "run1:running a:queued a#1!");
    SAYS(started(&o, 1, 0, 1), "a:running");
    SAYS(ended(&o, 1, 0, 1, 0), "a:success b:queued b#1!");
    SAYS(started(&o, 1, 1, 1), "b:running");
    SAYS(ended(&o, 1, 1, 1, 0), "b:success run1:success");
    CHECK(!executor_core_has_run(o.x, 1) && executor_core_live(o.x) == 0);
    close_world(&o);
}

TEST(an_end_may_overtake_the_news_of_the_beginning)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}};
    struct world o = open_world(tasks, 1, 0, 4);
    create(&o, 1, NULL);
    SAYS(ended(&o, 1, 0, 1, 0), "a:success run1:success");
    SAYS(started(&o, 1, 0, 1), "a#1-stop"); /* the run is gone: it is nobody's */
    SAYS(ended(&o, 1, 0, 1, 0), "");
    CHECK(executor_core_live(o.x) == 0);
    close_world(&o);
}

TEST(a_failure_is_tried_again_when_its_delay_is_over_and_not_before)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a", .retries = 1, .retry_delay = 100}};
    struct world o = open_world(tasks, 1, 0, 4);
    create(&o, 1, NULL);
    SAYS(ended(&o, 1, 0, 1, 1), "a:retrying(exit)");
    CHECK(o.fx.at[0].task.row.wait == WAIT_RETRY && o.fx.at[0].task.row.attempts == 1);
    ms_t due = executor_core_deadline(o.x);
    CHECK(due >= 1090 && due <= 1110 && due == o.fx.at[0].task.row.since);
    SAYS(tick(&o, due - 1001), "");
    SAYS(tick(&o, 1), "a:queued a#2!");
    CHECK(executor_core_deadline(o.x) == MS_NEVER);
    SAYS(ended(&o, 1, 0, 1, 0), ""); /* of the former try */
    SAYS(ended(&o, 1, 0, 2, 1), "a:failed(exit) run1:failed");
    close_world(&o);
}

TEST(who_waits_for_a_slot_is_told_once_why)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    struct world o = open_world(tasks, 3, 2, 1);
    SAYS(create(&o, 1, NULL), "run1:running a:queued a#1! b:queued c:queued");
    CHECK(o.fx.at[3].task.row.wait == WAIT_SLOTS && !o.fx.at[3].task.row.handed);
    SAYS(tick(&o, 5), "");
    SAYS(step(&o, (struct exec_event){.kind = EXEC_SLOTS, .slots = 8}), "b:queued b#1!");
    CHECK(o.fx.at[0].task.row.handed && o.fx.at[0].task.row.wait == WAIT_NONE);
    SAYS(ended(&o, 1, 0, 1, 0), "a:success c:queued c#1!");
    close_world(&o);
    o = open_world(tasks, 3, 2, 8);
    SAYS(create(&o, 1, NULL), "run1:running a:queued a#1! b:queued b#1! c:queued");
    CHECK(o.fx.at[5].task.row.wait == WAIT_MAX_PARALLEL);
    close_world(&o);
}

TEST(a_run_at_its_limit_does_not_hold_up_another)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}, {.name = "b"}};
    struct world o = open_world(tasks, 2, 1, 4);
    SAYS(create(&o, 1, NULL), "run1:running a:queued a#1! b:queued");
    SAYS(step(&o, (struct exec_event){.kind = EXEC_RUN_CREATED,
                                      .created = {.run = 2, .workflow_id = 2, .workflow = o.w}}),
         "run2:running a:queued a#1! b:queued");
    SAYS(ended(&o, 2, 0, 1, 0), "a:success b:queued b#1!");
    close_world(&o);
}

TEST(runs_of_a_workflow_stand_in_line_in_the_order_of_creation)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}};
    struct world o = open_world(tasks, 1, 0, 4);
    create(&o, 1, NULL);
    SAYS(create(&o, 3, NULL), "");
    SAYS(create(&o, 2, NULL), "");
    SAYS(cancel(&o, 3), "a:cancelled(cancelled) run3:cancelled");
    SAYS(create(&o, 4, NULL), "");
    SAYS(ended(&o, 1, 0, 1, 0), "a:success run1:success run2:running a:queued a#1!");
    SAYS(ended(&o, 2, 0, 1, 0), "a:success run2:success run4:running a:queued a#1!");
    close_world(&o);
}

TEST(a_cancelled_task_is_cancelled_only_when_its_process_is_gone)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}, {.name = "b", .after = "a"}, {.name = "c"}};
    struct world o = open_world(tasks, 3, 0, 2);
    create(&o, 1, NULL);
    started(&o, 1, 0, 1);
    SAYS(cancel(&o, 1), "a#1-stop b:cancelled(cancelled) c#1-stop");
    SAYS(cancel(&o, 1), "");
    CHECK(executor_core_live(o.x) == 2);
    SAYS(started(&o, 1, 2, 1), "c:running c#1-stop");
    SAYS(ended(&o, 1, 2, 1, 143), "c:cancelled(cancelled)");
    SAYS(ended(&o, 1, 0, 1, 0), "a:success run1:cancelled");
    close_world(&o);
}

TEST(what_lives_unwanted_is_stopped_and_keeps_its_slot_until_it_ended)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}};
    struct world o = open_world(tasks, 1, 0, 1);
    SAYS(started(&o, 77, 5, 1), "#1-stop");
    SAYS(started(&o, 77, 5, 1), "#1-stop");
    CHECK(executor_core_live(o.x) == 1);
    SAYS(create(&o, 1, NULL), "run1:running a:queued");
    SAYS(ended(&o, 77, 5, 1, 0), "a:queued a#1!");
    SAYS(ended(&o, 77, 5, 1, 0), "");
    close_world(&o);
}

TEST(a_start_that_was_never_written_down_is_accepted_in_any_unfinished_state)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a", .retries = 2, .retry_delay = 50}};
    static const struct {
        int line;
        struct task_row row;
        uint32_t try;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW({.state = TASK_PENDING}, 1),
        ROW({.state = TASK_PENDING, .attempts = 4}, 5),
        ROW({.state = TASK_QUEUED, .wait = WAIT_SLOTS, .since = 900}, 1),
        ROW({.state = TASK_QUEUED, .handed = true, .attempts = 1}, 1),
        ROW({.state = TASK_RETRYING, .attempts = 1, .charged = 1, .since = 2000}, 2),
        /* its loss was decided, and forgotten with the daemon that decided it */
        ROW({.state = TASK_RUNNING, .attempts = 1}, 2),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct world o = open_world(tasks, 1, 0, 0);
        create(&o, 1, &rows[i].row);
        started(&o, 1, 0, rows[i].try);
        CHECK_INT(rows[i].line, o.fx.at[o.fx.count - 1].task.row.state, TASK_RUNNING);
        CHECK_INT(rows[i].line, o.fx.at[o.fx.count - 1].task.row.attempts, rows[i].try);
        CHECK_INT(rows[i].line, executor_core_live(o.x), 1);
        CHECK_STR(rows[i].line, ended(&o, 1, 0, rows[i].try, 0), "a:success run1:success");
        close_world(&o);
    }
}

TEST(what_was_handed_out_unconfirmed_is_handed_out_again_when_the_keeper_is_back)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}, {.name = "b"}};
    struct world o = open_world(tasks, 2, 0, 0);
    struct task_row rows[] = {{.state = TASK_QUEUED, .handed = true, .attempts = 2},
                              {.state = TASK_RUNNING, .attempts = 1}};
    SAYS(create(&o, 1, rows), "");
    CHECK(executor_core_live(o.x) == 2);
    SAYS(step(&o, (struct exec_event){.kind = EXEC_SLOTS, .slots = 2}), "a#2!");
    SAYS(step(&o, (struct exec_event){.kind = EXEC_SLOTS, .slots = 0}), "");
    SAYS(cancel(&o, 1), "a#2-stop b#1-stop");
    SAYS(step(&o, (struct exec_event){.kind = EXEC_SLOTS, .slots = 2}), "a#2-stop b#1-stop");
    close_world(&o);
}

TEST(a_stored_cancellation_waits_for_the_journal)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}, {.name = "b"}};
    struct world o = open_world(tasks, 2, 0, 0);
    SAYS(create(&o, 1, NULL), "");
    SAYS(cancel(&o, 1), "");
    SAYS(started(&o, 1, 0, 1), "a:running a#1-stop");
    SAYS(step(&o, (struct exec_event){.kind = EXEC_SLOTS, .slots = 2}),
         "a#1-stop b:cancelled(cancelled)");
    SAYS(ended(&o, 1, 0, 1, 1), "a:cancelled(cancelled) run1:cancelled");
    close_world(&o);
}

TEST(a_run_begins_again_only_when_nothing_of_it_is_still_dying)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}};
    struct world o = open_world(tasks, 1, 0, 2);
    SAYS(started(&o, 1, 0, 1), "a#1-stop");
    SAYS(step(&o, (struct exec_event){.kind = EXEC_RUN_CREATED,
                                      .created = {.run = 1,
                                                  .workflow_id = 1,
                                                  .workflow = o.w,
                                                  .rows = &(struct task_row){.attempts = 1}}}),
         "");
    SAYS(ended(&o, 1, 0, 1, 1), "run1:running a:queued a#2!");
    close_world(&o);
}

TEST(what_a_keeper_refuses_is_tried_again_without_a_charge)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}};
    struct world o = open_world(tasks, 1, 0, 2);
    create(&o, 1, NULL);
    struct exec_event refused = {.kind = EXEC_TASK_ENDED,
                                 .ended = {{.run = 1, .try = 1}, .how = END_REFUSED}};
    SAYS(step(&o, refused), "a:retrying(launch)");
    CHECK(o.fx.at[0].task.row.charged == 0);
    SAYS(tick(&o, 1000), "a:queued a#2!");
    SAYS(ended(&o, 1, 0, 2, 0), "a:success run1:success");
    close_world(&o);
}

TEST(a_stalled_attempt_is_stopped_and_its_end_consumes_a_try)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}};
    struct world o = open_world(tasks, 1, 0, 1);
    create(&o, 1, NULL);
    struct exec_event stalled = {.kind = EXEC_TASK_STALLED, .attempt = {.run = 1, .try = 1}};
    SAYS(step(&o, stalled), "");
    started(&o, 1, 0, 1);
    SAYS(step(&o, stalled), "a#1-stop");
    CHECK(o.fx.at[0].stop.cause == CAUSE_STALLED);
    SAYS(step(&o, (struct exec_event){.kind = EXEC_TASK_ENDED,
                                      .ended = {{.run = 1, .try = 1},
                                                .how = END_SIGNAL,
                                                .code = 15,
                                                .cause = CAUSE_STALLED}}),
         "a:failed(stalled) run1:failed");
    close_world(&o);
}

TEST(a_cleared_run_goes_on_with_the_next_numbers)
{
    TEST_BEGIN;
    struct make_task tasks[] = {{.name = "a"}, {.name = "b", .after = "a", .retries = 1}};
    struct world o = open_world(tasks, 2, 0, 4);
    struct task_row rows[] = {{.state = TASK_SUCCESS, .attempts = 1},
                              {.state = TASK_FAILED, .attempts = 2, .charged = 2}};
    bool cleared[2];
    CHECK(executor_clear(o.w, rows, cleared) == 1);
    SAYS(step(&o,
              (struct exec_event){
                  .kind = EXEC_RUN_CREATED,
                  .created = {.run = 1, .workflow_id = 1, .workflow = o.w, .rows = rows}}),
         "run1:running b:queued b#3!");
    SAYS(ended(&o, 1, 1, 3, 1), "b:retrying(exit) b:queued b#4!");
    SAYS(ended(&o, 1, 1, 4, 0), "b:success run1:success");
    close_world(&o);
}

TEST(skips_and_failures_cascade_in_one_step)
{
    TEST_BEGIN;
    struct make_task tasks[] = {
        {.name = "a"},
        {.name = "b", .after = "a", .condition = COND_FIRST_FAILED},
        {.name = "c", .after = "b"},
        {.name = "d", .after = "a c"},
        {.name = "e", .after = "c", .condition = COND_FIRST_CODE_1},
    };
    struct world o = open_world(tasks, 5, 0, 4);
    create(&o, 1, NULL);
    SAYS(ended(&o, 1, 0, 1, 0), "a:success b:skipped(condition) c:skipped(upstream_skipped) "
                                "e:failed(expression) d:queued d#1!");
    SAYS(ended(&o, 1, 3, 1, 0), "d:success run1:failed");
    close_world(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_runs_one_after_the_other),
        cmocka_unit_test(an_end_may_overtake_the_news_of_the_beginning),
        cmocka_unit_test(a_failure_is_tried_again_when_its_delay_is_over_and_not_before),
        cmocka_unit_test(who_waits_for_a_slot_is_told_once_why),
        cmocka_unit_test(a_run_at_its_limit_does_not_hold_up_another),
        cmocka_unit_test(runs_of_a_workflow_stand_in_line_in_the_order_of_creation),
        cmocka_unit_test(a_cancelled_task_is_cancelled_only_when_its_process_is_gone),
        cmocka_unit_test(what_lives_unwanted_is_stopped_and_keeps_its_slot_until_it_ended),
        cmocka_unit_test(a_start_that_was_never_written_down_is_accepted_in_any_unfinished_state),
        cmocka_unit_test(
            what_was_handed_out_unconfirmed_is_handed_out_again_when_the_keeper_is_back),
        cmocka_unit_test(a_stored_cancellation_waits_for_the_journal),
        cmocka_unit_test(a_run_begins_again_only_when_nothing_of_it_is_still_dying),
        cmocka_unit_test(what_a_keeper_refuses_is_tried_again_without_a_charge),
        cmocka_unit_test(a_stalled_attempt_is_stopped_and_its_end_consumes_a_try),
        cmocka_unit_test(a_cleared_run_goes_on_with_the_next_numbers),
        cmocka_unit_test(skips_and_failures_cascade_in_one_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
