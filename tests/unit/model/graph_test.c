/* SPDX-License-Identifier: MIT
 *
 * Large graphs, bounds and bombs. A time limit here is many times what the work
 * takes on a slow machine, and far below what a square would take. */
#include "base/clock.h"
#include "model/expr.h"
#include "model/limits.h"
#include "model/load.h"
#include "../check.h"

#include <stdarg.h>
#include <stdlib.h>

enum { LARGE = 100000, LARGE_MS = 6000, BOMB_MS = 1000 };

static struct workflow *load(const struct buf *b, struct problems *ps, int line, int most_ms)
{
    int64_t t = clock_mono_us();
    struct workflow *w = workflow_load((struct str){b->at, b->len}, S("w.yaml"), ps);
    int took = (int)((clock_mono_us() - t) / 1000);
    if (took >= most_ms)
        print_error("line %d took %d ms\n", line, took);
#ifdef __SANITIZE_ADDRESS__
    most_ms *= 20; /* sanitizers are slow, and this is about growth */
#endif
    CHECK(took < most_ms);
    return w;
}

/* Loads without a problem. */
static struct workflow *good(const struct buf *b, int line)
{
    struct problems ps = {0};
    struct workflow *w = load(b, &ps, line, LARGE_MS);
    if (ps.count)
        print_error("line %d: %.*s\n", line, STR_ARG(ps.at[0].message));
    CHECK(w && ps.count == 0);
    problems_free(&ps);
    return w;
}

/* Is refused, the first problem being `code`, with `words` in its sentence. */
static size_t bad(const struct buf *b, int line, int most_ms, const char *code, const char *words)
{
    struct problems ps = {0};
    CHECK(!load(b, &ps, line, most_ms));
    CHECK(ps.count > 0 && ps.count <= PROBLEMS_MAX);
    CHECK_STR(line, ps.at[0].code, code);
    if (!strstr(ps.at[0].message.at, words))
        print_error("line %d: %s\n", line, ps.at[0].message.at);
    CHECK(strstr(ps.at[0].message.at, words));
    size_t errors = ps.error_count;
    problems_free(&ps);
    return errors;
}

static void repeat(struct buf *b, int times, const char *fmt)
{
    for (int i = 0; i < times; i++)
        buf_puts(b, fmt);
}

TEST(a_chain_of_a_hundred_thousand)
{
    TEST_BEGIN;
    CLEANUP(buf_free) struct buf b = {0};
    buf_puts(&b, "tasks:\n- {name: t0, script: x}\n");
    for (int i = 1; i < LARGE; i++)
        buf_printf(&b, "- {name: t%d, script: x, depends_on: [t%d], condition: t%d.done}\n", i,
                   i - 1, i > 5000 ? i - 5000 : 0);
    struct workflow *w = good(&b, __LINE__);
    CHECK(w->task_count == LARGE && w->edge_count == LARGE - 1);
    for (uint32_t i = 1; i < LARGE; i++)
        CHECK(w->tasks[i].up[0] == i - 1 && w->tasks[i - 1].down[0] == i);
    CHECK(workflow_task(w, S("t99999")) == 99999 && workflow_task(w, S("t100000")) == -1);
    workflow_free(w);
}

TEST(a_fan_of_a_hundred_thousand_and_back)
{
    TEST_BEGIN;
    CLEANUP(buf_free) struct buf b = {0};
    buf_puts(&b, "tasks:\n- {name: first, script: x}\n- name: last\n  script: x\n  condition: "
                 "any_upstream.failed\n  depends_on:\n");
    for (int i = 0; i < LARGE; i++)
        buf_printf(&b, "  - t%d\n", i);
    for (int i = 0; i < LARGE; i++)
        buf_printf(&b, "- {name: t%d, script: x, depends_on: first}\n", i);
    struct workflow *w = good(&b, __LINE__);
    CHECK(w->tasks[0].down_count == LARGE && w->tasks[1].up_count == LARGE);
    CHECK(w->tasks[LARGE / 2].down[0] == 1 && w->tasks[LARGE / 2].down_handles[0]);
    CHECK(!w->tasks[0].down_handles[7]);
    workflow_free(w);
}

TEST(a_million_edges)
{
    TEST_BEGIN;
    enum { TASKS = 20000, EACH = 50 };
    CLEANUP(buf_free) struct buf b = {0};
    buf_puts(&b, "tasks:\n");
    for (int i = 0; i < TASKS; i++) {
        buf_printf(&b, "- {name: t%d, script: x, depends_on: [", i);
        for (int k = 1; k <= EACH && k <= i; k++)
            buf_printf(&b, "%st%d", k > 1 ? "," : "", i - k);
        buf_puts(&b, "]}\n");
    }
    struct workflow *w = good(&b, __LINE__);
    CHECK(w->edge_count == TASKS * EACH - EACH * (EACH + 1) / 2);
    for (uint32_t i = EACH; i < TASKS - EACH; i++)
        CHECK(w->tasks[i].up_count == EACH && w->tasks[i].down_count == EACH &&
              w->tasks[i].down[0] == i + 1);
    workflow_free(w);
}

TEST(a_circle_of_a_hundred_thousand_is_told_in_a_line)
{
    TEST_BEGIN;
    CLEANUP(buf_free) struct buf b = {0};
    struct problems ps = {0};
    buf_puts(&b, "tasks:\n");
    for (int i = 0; i < LARGE; i++)
        buf_printf(&b, "- {name: t%d, script: x, depends_on: [t%d]}\n", i, (i + 1) % LARGE);
    CHECK(!load(&b, &ps, __LINE__, LARGE_MS));
    CHECK(ps.count == 1 && ps.at[0].line == 2);
    CHECK_STR(__LINE__, ps.at[0].under.at,
              "t0 -> t99999 -> t99998 -> t99997 -> t99996 -> t99995 -> ... 99994 more ... -> t0");
    problems_free(&ps);
}

TEST(circles_apart_are_told_apart_and_the_rest_is_left_alone)
{
    TEST_BEGIN;
    CLEANUP(buf_free) struct buf b = {0};
    struct problems ps = {0};
    buf_puts(&b, "tasks:\n"
                 "- {name: a, script: x, depends_on: [b]}\n"
                 "- {name: b, script: x, depends_on: [a, free]}\n"
                 "- {name: free, script: x}\n"
                 "- {name: after, script: x, depends_on: [a, e]}\n"
                 "- {name: c, script: x, depends_on: [e]}\n"
                 "- {name: d, script: x, depends_on: [c]}\n"
                 "- {name: e, script: x, depends_on: [d, a]}\n");
    CHECK(!load(&b, &ps, __LINE__, LARGE_MS));
    CHECK(ps.count == 2);
    CHECK_STR(__LINE__, ps.at[0].under.at, "a -> b -> a");
    CHECK_STR(__LINE__, ps.at[1].under.at, "c -> d -> e -> c");
    CHECK(ps.at[0].line == 2 && ps.at[0].column == 37 && ps.at[1].line == 6);
    problems_free(&ps);
}

/* Who is upstream of whom, by conditions on a random graph, against a table. */
TEST(conditions_know_every_ancestor)
{
    TEST_BEGIN;
    enum { TASKS = 300 };
    static bool above[TASKS][TASKS];
    uint64_t seed = 11;
    for (int round = 0; round < 6; round++) {
        CLEANUP(buf_free) struct buf b = {0};
        struct problems ps = {0};
        size_t want = 0;
        memset(above, 0, sizeof above);
        buf_puts(&b, "tasks:\n");
        for (int i = 0; i < TASKS; i++) {
            buf_printf(&b, "- {name: t%d, script: x", i);
            for (int k = 0; i && k < 1 + round % 2; k++) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                int up = (int)(seed >> 33) % i;
                if (k && above[i][up])
                    break;
                buf_printf(&b, "%st%d", k ? ", " : ", depends_on: [", up);
                above[i][up] = true;
                for (int j = 0; j < TASKS; j++)
                    above[i][j] = above[i][j] || above[up][j];
            }
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            int asked = (int)(seed >> 33) % TASKS;
            want += !above[i][asked];
            buf_printf(&b, "%s, condition: t%d.done}\n", i ? "]" : "", asked);
        }
        CHECK(!load(&b, &ps, __LINE__, LARGE_MS));
        CHECK_INT(__LINE__, ps.error_count, want);
        for (size_t i = 0; i < ps.count; i++)
            CHECK_STR(__LINE__, ps.at[i].code, "E0404");
        problems_free(&ps);
    }
}

TEST(a_hundred_thousand_mistakes_are_counted_and_a_thousand_kept)
{
    TEST_BEGIN;
    CLEANUP(buf_free) struct buf b = {0}, c = {0};
    buf_puts(&b, "tasks:\n");
    for (int i = 0; i < LARGE; i++)
        buf_printf(&b, "- {name: t%d, script: x, depends_on: [u%d]}\n", i, i);
    CHECK_INT(__LINE__, bad(&b, __LINE__, LARGE_MS, "E0201", "no task named 'u0'"), LARGE);
    for (int i = 0; i < 3 * LARGE; i++)
        buf_printf(&c, "k: %d\n", i);
    buf_puts(&c, "tasks: [{name: a, script: x}]\n");
    bad(&c, __LINE__, LARGE_MS, "E0103", "key 'k' is given twice");
}

/* Names made to collide in an ordinary hash table would be slow in one. */
TEST(many_names_that_differ_little_are_fast)
{
    TEST_BEGIN;
    CLEANUP(buf_free) struct buf b = {0};
    buf_puts(&b, "tasks:\n");
    for (int i = 0; i < LARGE; i++)
        buf_printf(
            &b, "- {name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%d, script: x}\n",
            i);
    buf_puts(&b,
             "- {name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa7, script: x}\n");
    CHECK(bad(&b, __LINE__, LARGE_MS, "E0202", "two tasks are named 'aaaa") == 1);
}

TEST(every_bound_says_its_name)
{
    TEST_BEGIN;
    CLEANUP(buf_free)
    struct buf size = {0}, depth = {0}, nodes = {0}, anchors = {0}, tasks = {0}, edges = {0},
               envs = {0};
    repeat(&size, FILE_BYTES_MAX / 16 + 1, "# 4567890123456\n");
    bad(&size, __LINE__, BOMB_MS, "E0102", "larger than 16 MiB");
    repeat(&depth, 100000, "[");
    bad(&depth, __LINE__, BOMB_MS, "E0102", "more than 64 levels");
    buf_clear(&depth);
    repeat(&depth, 100000, "{a: ");
    bad(&depth, __LINE__, BOMB_MS, "E0102", "more than 64 levels");
    buf_clear(&depth);
    repeat(&depth, 100000, "- ");
    bad(&depth, __LINE__, BOMB_MS, "E0102", "more than 64 levels");
    buf_puts(&nodes, "[");
    repeat(&nodes, NODES_MAX + 1, "a,");
    bad(&nodes, __LINE__, LARGE_MS, "E0102", "more than 3000000 nodes");
    for (int i = 0; i <= ANCHORS_MAX; i++)
        buf_printf(&anchors, "- &a%d x\n", i);
    bad(&anchors, __LINE__, BOMB_MS, "E0102", "more than 10000 anchors");
    buf_puts(&tasks, "tasks:\n");
    repeat(&tasks, TASKS_MAX + 1, "- a\n");
    bad(&tasks, __LINE__, LARGE_MS, "E0102", "'tasks' has more than 250000 entries");
    buf_puts(&edges, "x: &x [");
    for (int i = 0; i < 250000; i++)
        buf_printf(&edges, "%s%d", i ? "," : "", i);
    buf_puts(&edges, "]\ntasks:\n");
    for (int i = 0; i < 9; i++)
        buf_printf(&edges, "- {name: t%d, script: x, depends_on: *x}\n", i);
    bad(&edges, __LINE__, LARGE_MS, "E0111", "no key 'x'");
    buf_puts(&envs, "env:\n");
    for (int i = 0; i <= ENV_COUNT_MAX; i++)
        buf_printf(&envs, "  A%d: x\n", i);
    buf_puts(&envs, "tasks: [{name: a, script: x}]\n");
    bad(&envs, __LINE__, BOMB_MS, "E0102", "'env' has more than 1000 entries");
}

TEST(bombs_are_refused_at_once)
{
    TEST_BEGIN;
    CLEANUP(buf_free) struct buf nest = {0}, text = {0}, merges = {0}, env = {0}, condition = {0};
    buf_puts(&nest, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 20; i++) {
        buf_printf(&nest, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            buf_printf(&nest, "%s*a%d", k ? ", " : "", i - 1);
        buf_puts(&nest, "]\n");
    }
    bad(&nest, __LINE__, BOMB_MS, "E0102", "more than 10 times its size");
    buf_puts(&text, "x-s: &s ");
    repeat(&text, 100000, "0123456789");
    buf_puts(&text, "\ntasks:\n");
    for (int i = 0; i < 100000; i++)
        buf_printf(&text, "- {name: t%d, script: *s}\n", i);
    bad(&text, __LINE__, LARGE_MS, "E0102", "more than 10 times its size");
    buf_puts(&merges, "x-m: &m\n");
    for (int i = 0; i < 900; i++)
        buf_printf(&merges, "  A%d: x\n", i);
    buf_puts(&merges, "tasks:\n");
    for (int i = 0; i < 10000; i++)
        buf_printf(&merges, "- {name: t%d, script: x, env: {<<: *m}}\n", i);
    bad(&merges, __LINE__, LARGE_MS, "E0102", "more than 10 times its size");
    buf_puts(&env, "defaults:\n  env:\n");
    for (int i = 0; i < 900; i++)
        buf_printf(&env, "    A%d: x\n", i);
    buf_puts(&env, "tasks:\n");
    for (int i = 0; i < 10000; i++)
        buf_printf(&env, "- {name: t%d, script: x, env: {B: x}}\n", i);
    bad(&env, __LINE__, LARGE_MS, "E0102", "more than 1000000 variables");
    buf_puts(&condition, "defaults:\n  condition: t0.done");
    repeat(&condition, 400, " or t0.done");
    buf_puts(&condition, "\ntasks:\n- {name: t0, script: x, condition: always}\n");
    for (int i = 1; i < 100000; i++)
        buf_printf(&condition, "- {name: t%d, script: x, depends_on: [t0]}\n", i);
    bad(&condition, __LINE__, LARGE_MS, "E0407", "more than 2000000 terms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_of_a_hundred_thousand),
        cmocka_unit_test(a_fan_of_a_hundred_thousand_and_back),
        cmocka_unit_test(a_million_edges),
        cmocka_unit_test(a_circle_of_a_hundred_thousand_is_told_in_a_line),
        cmocka_unit_test(circles_apart_are_told_apart_and_the_rest_is_left_alone),
        cmocka_unit_test(conditions_know_every_ancestor),
        cmocka_unit_test(a_hundred_thousand_mistakes_are_counted_and_a_thousand_kept),
        cmocka_unit_test(many_names_that_differ_little_are_fast),
        cmocka_unit_test(every_bound_says_its_name),
        cmocka_unit_test(bombs_are_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
