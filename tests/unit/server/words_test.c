/* SPDX-License-Identifier: MIT
 *
 * What is said about ends and waits, sentence by sentence. */
#include "../check.h"
#include "server/words.h"
#include "store/db.h"

TEST(how_things_ended)
{
    TEST_BEGIN;
    static const struct {
        int line;
        struct ending end;
        const char *want;
    } rows[] = {
#define NO DB_NULL
        {__LINE__, {S("failed"), S("exit"), 3, NO}, "exit 3"},
        {__LINE__, {S("failed"), S("exit"), 3, NO, 0, 3}, "exit 3 after 3 attempts"},
        {__LINE__, {S("failed"), S("exit"), 127, NO}, "exit 127: command not found"},
        {__LINE__, {S("failed"), S("exit"), 126, NO}, "exit 126: found, but cannot be executed"},
        {__LINE__, {S("failed"), S("signal"), NO, 9}, "killed by SIGKILL"},
        {__LINE__, {S("failed"), S("signal"), NO, 99}, "killed by signal 99"},
        {__LINE__, {S("failed"), S("timeout"), NO, 15, 600000}, "timed out after 10m"},
        {__LINE__,
         {S("failed"), S("lost"), NO, NO, 0, 1, S("the machine was restarted")},
         "lost: the machine was restarted"},
        {__LINE__, {S("failed"), S("oom"), NO, 9}, "killed by the kernel: out of memory"},
        {__LINE__, {S("failed"), STR_NONE, 2, NO}, "exit 2"},
        {__LINE__, {S("failed"), STR_NONE, NO, 11}, "killed by SIGSEGV"},
        {__LINE__, {S("timed_out"), STR_NONE, NO, 9, 1500}, "timed out after 1s"},
        {__LINE__, {S("skipped"), S("condition"), NO, NO}, "not run: its condition was false"},
        {__LINE__, {S("upstream_failed"), STR_NONE, NO, NO}, "not run: a task before it failed"},
        {__LINE__, {S("success"), STR_NONE, 0, NO}, ""},
        {__LINE__, {S("running"), STR_NONE, NO, NO}, ""},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        CLEANUP(buf_free) struct buf b = {0};
        words_ending(&b, &rows[i].end);
        CHECK_STR(rows[i].line, b.len ? b.at : "", rows[i].want);
    }
}

TEST(why_things_wait)
{
    TEST_BEGIN;
    static const struct str parents[] = {S("extract"), S("load"), S("check"), S("merge")};
    static const struct {
        int line;
        struct waiting w;
        const char *want;
    } rows[] = {
        {__LINE__,
         {.state = S("queued"),
          .wait_code = S("slots"),
          .since = 1000,
          .now = 241000,
          .slots_total = 16,
          .place = 3},
         "queued 4m: all 16 slots are taken; 3rd in line"},
        {__LINE__,
         {.state = S("queued"),
          .wait_code = S("slots"),
          .since = 1000,
          .now = 2000,
          .slots_total = 2,
          .place = 11},
         "queued 1s: all 2 slots are taken; 11th in line"},
        {__LINE__,
         {.state = S("queued"), .wait_code = S("slots"), .since = 1000, .now = 2000},
         "queued 1s: no keeper is there to run it"},
        {__LINE__,
         {.state = S("retrying"), .now = 1000, .due_at = 23000, .attempt = 2, .retries = 3},
         "retry 2 of 3 in 22s"},
        {__LINE__,
         {.state = S("pending"), .parents = parents, .parent_count = 1},
         "waits for extract"},
        {__LINE__,
         {.state = S("pending"), .parents = parents, .parent_count = 2},
         "waits for extract and load"},
        {__LINE__,
         {.state = S("pending"), .parents = parents, .parent_count = 3},
         "waits for extract, load and check"},
        {__LINE__,
         {.state = S("pending"), .parents = parents, .parent_count = 40},
         "waits for extract, load and 38 others"},
        {__LINE__, {.state = S("success")}, ""},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        CLEANUP(buf_free) struct buf b = {0};
        words_waiting(&b, &rows[i].w);
        CHECK_STR(rows[i].line, b.len ? b.at : "", rows[i].want);
    }
}

TEST(how_long_things_took)
{
    TEST_BEGIN;
    static const struct {
        int line;
        ms_t ms;
        const char *want;
    } rows[] = {
        {__LINE__, -5, "0.0s"},         {__LINE__, 349, "0.3s"},       {__LINE__, 1000, "1s"},
        {__LINE__, 59999, "59s"},       {__LINE__, 60000, "1m"},       {__LINE__, 130000, "2m 10s"},
        {__LINE__, 3600000, "1h"},      {__LINE__, 14700000, "4h 5m"}, {__LINE__, 86400000, "1d"},
        {__LINE__, 273600000, "3d 4h"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        CLEANUP(buf_free) struct buf b = {0};
        words_duration(&b, rows[i].ms);
        CHECK_STR(rows[i].line, b.at, rows[i].want);
    }
}

TEST(a_run_says_what_its_tasks_wait_for)
{
    TEST_BEGIN;
    static const struct {
        struct held held;
        const char *text;
    } rows[] = {
        {{.queued = 12, .wait_code = S("slots"), .since = 1000, .now = 241000, .slots_total = 16},
         "12 tasks queued 4m: all 16 slots are taken"},
        {{.queued = 1, .wait_code = S("max_parallel"), .now = 5},
         "1 task queued: as many tasks of this run as `max_parallel` allows are running"},
        {{.retrying = 1, .due_at = 22000, .now = 1}, "1 task tries again in 22s"},
        {{.retrying = 2, .due_at = 1, .now = 5}, "2 tasks try again"},
        {{0}, ""},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct buf out = {0};
        words_run_held(&out, &rows[i].held);
        CHECK_STR(__LINE__, out.len ? out.at : "", rows[i].text);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_things_ended),
        cmocka_unit_test(why_things_wait),
        cmocka_unit_test(how_long_things_took),
        cmocka_unit_test(a_run_says_what_its_tasks_wait_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
