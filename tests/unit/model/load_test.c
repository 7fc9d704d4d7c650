/* SPDX-License-Identifier: MIT */
#include "model/load.h"
#include "../check.h"

/* A workflow from a text that must be without a problem. */
static struct workflow *good(const char *text)
{
    struct problems ps = {0};
    struct workflow *w = workflow_load(str_of(text), S("dir/some-file.yaml"), &ps);
    if (ps.count)
        print_error("unexpected: %.*s (line %u)\n", STR_ARG(ps.at[0].message), ps.at[0].line);
    CHECK(w && ps.count == 0);
    problems_free(&ps);
    return w;
}

/* The codes of all problems of a text, with their places. */
static const char *codes_of(struct str text, char out[static 2000])
{
    struct problems ps = {0};
    struct workflow *w = workflow_load(text, S("a.yaml"), &ps);
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < ps.count && n < 1900; i++)
        n += (size_t)snprintf(out + n, 2000 - n, "%s%s@%u:%u", i ? " " : "", ps.at[i].code,
                              ps.at[i].line, ps.at[i].column);
    CHECK(!w == (ps.error_count > 0));
    workflow_free(w);
    problems_free(&ps);
    return out;
}

TEST(a_whole_file_is_read)
{
    TEST_BEGIN;
    struct workflow *w = good("name: nightly\n"
                              "description: what it does\n"
                              "owner: ana\n"
                              "tags: [a, b]\n"
                              "version: 1\n"
                              "timezone: Europe/Berlin\n"
                              "enabled: false\n"
                              "max_parallel: 4\n"
                              "schedule:\n"
                              "  - '0 5 * * *'\n"
                              "  - {cron: '@daily', timezone: UTC}\n"
                              "  - every: 90s\n"
                              "env: {A: 1, B: no, C: 22:30, D: 08, E: true, F: ''}\n"
                              "params: {day: today, n: 3}\n"
                              "x-anything: [1, {2: 3}]\n"
                              "defaults:\n"
                              "  retries: 2\n"
                              "  env: {X: x, Y: y}\n"
                              "tasks:\n"
                              "  - name: one\n"
                              "    script: |\n"
                              "      echo  hi\n"
                              "  - name: two\n"
                              "    description: second\n"
                              "    command: [echo, 5]\n"
                              "    depends_on: one\n"
                              "    shell: bash\n"
                              "    workdir: /tmp\n"
                              "    env: {Y: z, Z: 1.50}\n"
                              "    retries: 1\n"
                              "    retry_delay: 5\n"
                              "    timeout: 1h\n"
                              "    stall_timeout: 2m\n"
                              "    allow_failure: true\n"
                              "    success_exit_codes: [0, 10]\n");
    CHECK(str_is(w->name, "nightly") && str_is(w->owner, "ana") && w->tags.count == 2);
    CHECK(!w->enabled && w->max_parallel == 4 && str_is(w->timezone, "Europe/Berlin"));
    CHECK(w->schedule_count == 3);
    CHECK(w->schedules[0].kind == SCHEDULE_CRON && str_is(w->schedules[0].text, "0 5 * * *"));
    CHECK(str_is(w->schedules[1].timezone, "UTC") && w->schedules[1].line == 11);
    CHECK(w->schedules[2].kind == SCHEDULE_EVERY && w->schedules[2].every == 90000);
    static const char *const env[] = {"1", "no", "22:30", "08", "true", ""};
    CHECK(w->env.count == countof(env));
    for (size_t i = 0; i < countof(env); i++)
        CHECK_STR(__LINE__, w->env.at[i].value.at, env[i]);
    CHECK(w->params.count == 2 && str_is(w->params.at[1].value, "3"));

    CHECK(w->task_count == 2 && w->edge_count == 1);
    const struct task *one = &w->tasks[0], *two = &w->tasks[1];
    CHECK_STR(__LINE__, one->script.at, "echo  hi\n");
    CHECK(one->command.count == 0 && one->retries == 2 && one->env.count == 2);
    CHECK(one->retry_delay == 30000 && one->timeout == 0 && one->allow_failure == ALLOW_UNSAID);
    CHECK(one->success_exit_codes.count == 1 && one->success_exit_codes.at[0] == 0);
    CHECK(one->line == 20 && one->down_count == 1 && one->down[0] == 1);
    CHECK(!two->script.at && two->command.count == 2 && str_is(two->command.at[1], "5"));
    CHECK(two->up_count == 1 && two->up[0] == 0 && str_is(two->shell, "bash"));
    CHECK(two->retries == 1 && two->retry_delay == 5000 && two->timeout == 3600000);
    CHECK(two->stall_timeout == 120000 && two->allow_failure == ALLOW_YES);
    CHECK(two->success_exit_codes.count == 2 && two->success_exit_codes.at[1] == 10);
    CHECK(two->env.count == 3 && str_is(two->env.at[0].value, "x"));
    CHECK(str_is(two->env.at[1].value, "z") && str_is(two->env.at[2].value, "1.50"));
    CHECK(workflow_task(w, S("two")) == 1 && workflow_task(w, S("one")) == 0);
    CHECK(workflow_task(w, S("three")) == -1 && workflow_task(w, S("")) == -1);
    workflow_free(w);
}

TEST(three_lines_are_enough)
{
    TEST_BEGIN;
    struct workflow *w = good("tasks:\n- name: a\n  script: 'true'\n");
    CHECK(str_is(w->name, "some-file") && w->enabled && w->schedule_count == 0);
    workflow_free(w);
    workflow_free(NULL);
}

TEST(anchors_and_merges_are_the_same_as_writing_it_twice)
{
    TEST_BEGIN;
    struct workflow *w = good("x-a: &a {retries: 3, timeout: 5s}\n"
                              "x-b: &b {retries: 9, workdir: /b}\n"
                              "tasks:\n"
                              "- <<: [*a, *b]\n"
                              "  name: one\n"
                              "  script: &s 'true'\n"
                              "- {name: two, script: *s, <<: *b, retries: 1}\n");
    CHECK(w->tasks[0].retries == 3 && w->tasks[0].timeout == 5000);
    CHECK(str_is(w->tasks[0].workdir, "/b"));
    CHECK(w->tasks[1].retries == 1 && str_is(w->tasks[1].workdir, "/b"));
    CHECK(str_is(w->tasks[1].script, "true"));
    workflow_free(w);
}

#define TASK "tasks:\n- name: a\n  script: x\n"

TEST(everything_wrong_is_found_where_it_is)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *text, *codes;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        /* not a map of keys */
        ROW("", "E0116@1:1"),
        ROW("# only a comment\n", "E0116@1:1"),
        ROW("- a\n", "E0116@1:1"),
        ROW("text", "E0116@1:1"),
        /* not YAML */
        ROW("a: [1, 2\nb: 3\n", "E0101@2:2"),
        ROW("a: b: c\n", "E0101@1:5"),
        ROW("a:\n\t- b\n", "E0109@2:1"),
        ROW("a: 'x\n", "E0101@2:1"),
        ROW(TASK "---\n" TASK, "E0107@4:1"),
        ROW("a: *b\n", "E0104@1:4"),
        ROW("a: &b [*b]\n", "E0105@1:8"),
        ROW("a: &b {<<: *b}\n", "E0105@1:12"),
        ROW("a: {<<: 5}\n" TASK, "E0111@1:1 E0106@1:9"),
        ROW("description: !!binary x\n" TASK, "E0110@1:14"),
        ROW("description: !x y\n" TASK, "E0110@1:14"),
        ROW("description: !!str 5\n" TASK, ""),
        ROW("? [a]\n: b\n", "E0113@1:3"),
        ROW("description: \"a\\0b\"\n" TASK, "E0117@1:14"),
        ROW("\xff\xfen\0", "E0108@1:1"),
        ROW("name: \xc3\x28\n", "E0108@1:8"),
        ROW("name: a\001\n", "E0108@1:8"),
        ROW("\xef\xbb\xbfname: a\nnome: b\n" TASK, "E0111@2:1"),
        ROW("name: a\r\nnome: b\r\n" TASK, "E0111@2:1"),
        ROW("name: a\rnome: b\r" TASK, "E0111@2:1"),
        ROW("description: \xc3\xa4\xc3\xb6 \xe2\x82\xac: x\n", "E0101@1:18"),
        /* keys */
        ROW("name: a\nname: b\n" TASK, "E0103@2:1"),
        ROW("a: 1\nb: 2\na: 3\nx-a: {c: 1, c: 2}\n" TASK,
            "E0111@1:1 E0111@2:1 E0103@3:1 E0103@4:13"),
        ROW("pool: x\n" TASK, "E0111@1:1"),
        ROW("triggers: []\n" TASK, "E0112@1:1"),
        ROW(TASK "  pool: x\n  outputs: {}\n", "E0112@4:3 E0112@5:3"),
        ROW("defaults: {name: x, retries: 1, pool: y}\n" TASK, "E0111@1:12 E0112@1:33"),
        ROW("version: 2\n" TASK, "E0113@1:10"),
        ROW("name: [a]\n" TASK, "E0113@1:7"),
        ROW("name: a/b\n" TASK, "E0118@1:7"),
        ROW("name:\n" TASK, "E0115@1:1"),
        ROW("name: ~\n" TASK, "E0115@1:7"),
        ROW("enabled: yes\n" TASK, "E0113@1:10"),
        ROW("enabled: 'true'\n" TASK, "E0113@1:10"),
        ROW("tags: a\n" TASK, "E0113@1:7"),
        ROW("max_parallel: -1\n" TASK, "E0604@1:15"),
        ROW("max_parallel: 08\n" TASK, "E0113@1:15"),
        ROW("max_parallel: 1.0\n" TASK, "E0113@1:15"),
        ROW("max_parallel: 99999999999999999999\n" TASK, "E0604@1:15"),
        /* tasks */
        ROW("name: a\n", "E0114@1:1"),
        ROW("tasks: []\n", "E0114@1:8"),
        ROW("tasks: {}\n", "E0113@1:8"),
        ROW("tasks: [a]\n", "E0113@1:9"),
        ROW("tasks:\n", "E0115@1:1"),
        ROW("tasks:\n- script: x\n", "E0114@2:3"),
        ROW("tasks:\n- name:\n  script: x\n", "E0115@2:3"),
        ROW("tasks:\n- name: a b\n  script: x\n", "E0118@2:9"),
        ROW("tasks:\n- name: a\n", "E0602@2:9"),
        ROW("tasks:\n- name: a\n  script: ' '\n", "E0602@3:11"),
        ROW("tasks:\n- name: a\n  command: []\n", "E0602@3:12"),
        ROW("tasks:\n- name: a\n  command: ls\n", "E0113@3:12"),
        ROW(TASK "  command: [ls]\n", "E0601@4:12"),
        ROW(TASK "  timeout: 5x\n", "E0603@4:12"),
        ROW(TASK "  retries: 10001\n", "E0604@4:12"),
        ROW(TASK "  retry_delay: 5s\n", "W0601@4:16"),
        ROW(TASK "  retry_delay: 5s\n  retries: 1\n", ""),
        ROW(TASK "  success_exit_codes: [0, 256, x]\n", "E0605@4:27 E0605@4:32"),
        ROW(TASK "  success_exit_codes: []\n", "E0605@4:23"),
        ROW(TASK "  shell: ''\n", "E0606@4:10"),
        ROW(TASK "  workdir: '/x/{{ run.id }}'\n", "E0408@4:16"),
        ROW("tasks:\n- name: a\n  command: [ls, '{{ item }}']\n", "E0408@3:18"),
        ROW("tasks:\n- name: a\n  script: echo {{.Names}} {{ params.x }}\n", "W0501@3:27"),
        ROW("tasks:\n- name: a\n  script: |\n    echo\n    x {{item}}\n", "W0501@5:7"),
        /* variables */
        ROW("env: {1a: x, b-c: y}\n" TASK, "E0501@1:7 E0501@1:14"),
        ROW("env: {A: [1]}\n" TASK, "E0113@1:10"),
        ROW("env: {A: ~}\n" TASK, "E0115@1:10"),
        ROW("env: {A: 'x {{ params.x }}'}\n" TASK, "E0408@1:13"),
        ROW("env: {GOWTF_TASK: x}\n" TASK, "W0502@1:7"),
        ROW("env: [A]\n" TASK, "E0113@1:6"),
        ROW("params: {day: {type: int}}\n" TASK, "E0112@1:15"),
        ROW("params: {day: 1, DAY: 2}\n" TASK, "E0502@1:18"),
        /* schedules */
        ROW("schedule: {every: 90s, cron: '@daily'}\n" TASK, "E0303@1:11"),
        ROW("schedule: {}\n" TASK, "E0303@1:11"),
        ROW("schedule: {every: 10ms}\n" TASK, "E0304@1:19"),
        ROW("schedule: {every: soon}\n" TASK, "E0603@1:19"),
        ROW("schedule: [{at: x}, {catchup: all, every: 1m}]\n" TASK, "E0112@1:13 E0112@1:22"),
        ROW("schedule: [[x]]\n" TASK, "E0113@1:12"),
        /* the graph */
        ROW(TASK "  depends_on: [b]\n", "E0201@4:16"),
        ROW(TASK "  depends_on: b\n", "E0201@4:15"),
        ROW(TASK "  depends_on: {b: c}\n", "E0113@4:15"),
        ROW(TASK "  depends_on: [[b]]\n", "E0113@4:16"),
        ROW(TASK "  depends_on: [a]\n", "E0203@4:16"),
        ROW(TASK "- {name: b, script: x, depends_on: [a, a]}\n", "E0204@4:40"),
        ROW(TASK "- {name: a, script: x}\n", "E0202@4:10"),
        ROW(TASK "  depends_on: [b]\n- {name: b, script: x, depends_on: [a]}\n", "E0210@4:16"),
        /* one cause, one error: the alias repeats what was said */
        ROW("tasks:\n- &a {name: a, script: x, depends_on: [q]}\n- {<<: *a, name: b}\n",
            "E0201@2:40"),
#undef ROW
    };
    char got[2000];
    for (size_t i = 0; i < countof(rows); i++) {
        struct str text = str_of(rows[i].text);
        CHECK_STR(rows[i].line, codes_of(text, got), rows[i].codes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(three_lines_are_enough),
        cmocka_unit_test(anchors_and_merges_are_the_same_as_writing_it_twice),
        cmocka_unit_test(everything_wrong_is_found_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
