/* SPDX-License-Identifier: MIT */
#include "worker/launch.h"
#include "../check.h"
#include "../tempdir.h"

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[TEMPDIR_MAX];
static struct launch_base base;

static int make_dir(void **state)
{
    (void)state;
    launch_base_init(&base);
    return sodium_init() >= 0 && tempdir_make(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    launch_base_done(&base);
    return tempdir_remove(dir) ? 0 : -1;
}

struct launched {
    struct launch_run run;
    struct arena scratch;
    struct wire_start start;
};

static void launch(struct launched *l, const struct workflow *w, const struct task *t,
                   struct str params)
{
    struct err e = {0};
    *l = (struct launched){.run = {.id = 7, .workflow = S("etl"), .dir = S("/srv/flows")}};
    if (!launch_run_init(&l->run, &base, w, params, 1767225600000, &e) ||
        !launch_start(&l->run, t, (struct attempt){7, 0, 0, 2}, dir, &l->scratch, &l->start, &e))
        CHECK_STR(__LINE__, e.text, "no error");
}

static void done(struct launched *l)
{
    launch_run_done(&l->run);
    arena_free(&l->scratch);
}

/* The texts of a list with '|' between. */
static const char *joined(const struct wire_texts *list)
{
    static char out[4096];
    size_t at = 0, n = 0;
    struct str text;
    out[0] = 0;
    while (wire_texts_next(list, &at, &text))
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s", n ? "|" : "", STR_ARG(text));
    return out;
}

static int times_set(const struct wire_texts *env, const char *name, const char *value)
{
    size_t at = 0, n = strlen(name);
    int count = 0;
    struct str text;
    while (wire_texts_next(env, &at, &text))
        if (text.len > n && !memcmp(text.at, name, n) && text.at[n] == '=') {
            CHECK_STR(__LINE__, text.at + n + 1, value);
            count++;
        }
    return count;
}

TEST(a_script_reaches_the_shell_that_was_asked_for)
{
    TEST_BEGIN;
    static const struct {
        int line;
        struct str shell;
        const char *argv;
    } rows[] = {
        {__LINE__, {0}, "/bin/sh|-e|-c|echo 'a  b'"},
        {__LINE__, S("bash"), "bash|-eo|pipefail|-c|echo 'a  b'"},
        {__LINE__, S("/usr/bin/bash"), "/usr/bin/bash|-eo|pipefail|-c|echo 'a  b'"},
        {__LINE__, S("sh -c"), "sh|-c|echo 'a  b'"},
        {__LINE__, S("python3 -c"), "python3|-c|echo 'a  b'"},
    };
    struct workflow w = {0};
    for (size_t i = 0; i < countof(rows); i++) {
        struct launched l;
        struct task t = {.name = S("x"), .script = S("echo 'a  b'"), .shell = rows[i].shell};
        launch(&l, &w, &t, S("{}"));
        CHECK_STR(rows[i].line, joined(&l.start.argv), rows[i].argv);
        done(&l);
    }
}

TEST(a_script_with_its_own_interpreter_becomes_a_file)
{
    TEST_BEGIN;
    struct workflow w = {0};
    struct task t = {.name = S("x"), .script = S("#!/usr/bin/env -S awk -f\nBEGIN { print 1 }\n")};
    struct launched l;
    struct stat st;
    launch(&l, &w, &t, S("{}"));
    size_t at = 0;
    struct str text;
    CHECK(wire_texts_next(&l.start.argv, &at, &text));
    CHECK_STR(__LINE__, text.at, "/usr/bin/env");
    CHECK(wire_texts_next(&l.start.argv, &at, &text));
    CHECK_STR(__LINE__, text.at, "-S awk -f");
    CHECK(wire_texts_next(&l.start.argv, &at, &text));
    CHECK(stat(text.at, &st) == 0 && (st.st_mode & 0777) == 0700);
    CHECK((size_t)st.st_size == t.script.len);
    done(&l);
}

TEST(a_script_too_long_for_an_argument_becomes_a_file)
{
    TEST_BEGIN;
    static char text[150000];
    struct workflow w = {0};
    struct task t = {.name = S("x"), .script = {text, sizeof text}};
    struct launched l;
    memset(text, ' ', sizeof text);
    launch(&l, &w, &t, S("{}"));
    CHECK(strncmp(joined(&l.start.argv), "/bin/sh|-e|/tmp/", 16) == 0);
    done(&l);
}

TEST(each_variable_is_set_once_and_the_nearest_wins)
{
    TEST_BEGIN;
    static const struct pair flow_env[] = {{S("A"), S("flow")}, {S("B"), S("flow")}},
                             task_env[] = {{S("B"), S("task")}, {S("GOWTF_TASK"), S("liar")}};
    struct workflow w = {.env = {flow_env, 2}};
    struct task t = {.name = S("load"), .script = S("true"), .env = {task_env, 2}};
    struct launched l;
    launch(&l, &w, &t, S("{\"day\": \"2026-01-01\", \"my-name\": \"x\"}"));
    const struct wire_texts *env = &l.start.env;
    CHECK_INT(__LINE__, times_set(env, "A", "flow"), 1);
    CHECK_INT(__LINE__, times_set(env, "B", "task"), 1);
    CHECK_INT(__LINE__, times_set(env, "GOWTF_TASK", "load"), 1);
    CHECK_INT(__LINE__, times_set(env, "GOWTF_ATTEMPT", "2"), 1);
    CHECK_INT(__LINE__, times_set(env, "GOWTF_RUN_ID", "7"), 1);
    CHECK_INT(__LINE__, times_set(env, "GOWTF_WORKFLOW", "etl"), 1);
    CHECK_INT(__LINE__, times_set(env, "GOWTF_SCHEDULED_AT", "2026-01-01T00:00:00.000Z"), 1);
    CHECK_INT(__LINE__, times_set(env, "GOWTF_PARAM_DAY", "2026-01-01"), 1);
    CHECK_INT(__LINE__, times_set(env, "GOWTF_PARAM_MY_NAME", "x"), 1);
    done(&l);
}

TEST(a_task_runs_beside_its_file_unless_told_otherwise)
{
    TEST_BEGIN;
    static const struct {
        int line;
        struct str workdir;
        const char *want;
    } rows[] = {
        {__LINE__, {0}, "/srv/flows"},
        {__LINE__, S("sub"), "/srv/flows/sub"},
        {__LINE__, S("/tmp"), "/tmp"},
    };
    struct workflow w = {0};
    for (size_t i = 0; i < countof(rows); i++) {
        struct launched l;
        struct task t = {.name = S("x"), .script = S("true"), .workdir = rows[i].workdir};
        launch(&l, &w, &t, S("{}"));
        CHECK_STR(rows[i].line, l.start.workdir.at, rows[i].want);
        done(&l);
    }
}

TEST(more_than_a_program_can_be_given_is_said_in_words)
{
    TEST_BEGIN;
    enum { LONG = 131072, MANY = 9 };
    static char text[LONG + 1];
    memset(text, 'x', LONG);
    struct pair pairs[MANY];
    struct str words[2] = {S("echo"), {text, LONG}};
    static const char names[MANY][3] = {"V0", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8"};
    for (int i = 0; i < MANY; i++)
        pairs[i] = (struct pair){str_of(names[i]), {text, LONG - 4}};
    struct pair one = {S("BIG"), {text, LONG}}, fits = {S("V"), {text, LONG - 3}};
    const struct {
        int line;
        struct task task;
        const char *says;
    } rows[] = {
        {__LINE__, {.command = {words, 2}}, "the argument 'xxxxxxxxxxxxxxxxxxxx...' has 131072"},
        {__LINE__, {.command = {words, 1}, .env = {&one, 1}}, "the variable 'BIG' has 131076"},
        {__LINE__, {.command = {words, 1}, .env = {pairs, MANY}}, "a program can be given 1000000"},
        {__LINE__, {.command = {words, 1}, .env = {&fits, 1}}, ""},
    };
    struct workflow w = {0};
    for (size_t i = 0; i < countof(rows); i++) {
        struct launched l = {.run = {.id = 7, .workflow = S("etl"), .dir = S("/srv")}};
        struct err e = {0};
        struct attempt a = {7, 0, 0, 1};
        CHECK(launch_run_init(&l.run, &base, &w, S("{}"), 0, &e));
        bool ok = launch_start(&l.run, &rows[i].task, a, dir, &l.scratch, &l.start, &e);
        CHECK_INT(rows[i].line, ok, rows[i].says[0] == 0);
        if (!strstr(e.text, rows[i].says))
            CHECK_STR(rows[i].line, e.text, rows[i].says);
        done(&l);
    }
}

TEST(the_daemons_own_environment_does_not_leak)
{
    TEST_BEGIN;
    struct launch_base b = {0};
    setenv("SECRET_OF_THE_DAEMON", "x", 1);
    setenv("PATH", ".:/usr/bin::bin:/bin", 1);
    launch_base_init(&b);
    for (uint32_t i = 0; i < b.env.count; i++) {
        CHECK(!str_is(b.env.at[i].name, "SECRET_OF_THE_DAEMON"));
        if (str_is(b.env.at[i].name, "PATH"))
            CHECK_STR(__LINE__, b.env.at[i].value.at, "/usr/bin:/bin");
    }
    launch_base_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_reaches_the_shell_that_was_asked_for),
        cmocka_unit_test(a_script_with_its_own_interpreter_becomes_a_file),
        cmocka_unit_test(a_script_too_long_for_an_argument_becomes_a_file),
        cmocka_unit_test(each_variable_is_set_once_and_the_nearest_wins),
        cmocka_unit_test(a_task_runs_beside_its_file_unless_told_otherwise),
        cmocka_unit_test(more_than_a_program_can_be_given_is_said_in_words),
        cmocka_unit_test(the_daemons_own_environment_does_not_leak),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
