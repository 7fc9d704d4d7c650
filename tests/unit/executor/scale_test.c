/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include "../../sim/make.h"
#include "executor/core.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

/* Shapes of graphs, each an edge at a time. */
typedef uint32_t shape_fn(uint32_t count, uint32_t (*edges)[2]);

static uint32_t chain(uint32_t count, uint32_t (*edges)[2])
{
    for (uint32_t i = 1; i < count; i++) {
        edges[i - 1][0] = i - 1;
        edges[i - 1][1] = i;
    }
    return count - 1;
}

static uint32_t fan(uint32_t count, uint32_t (*edges)[2])
{
    uint32_t n = 0;
    for (uint32_t i = 1; i + 1 < count; i++) {
        edges[n][0] = 0;
        edges[n++][1] = i;
        edges[n][0] = i;
        edges[n++][1] = count - 1;
    }
    return n;
}

static uint32_t tangle(uint32_t count, uint32_t (*edges)[2])
{
    uint64_t chance = 88172645463325252u;
    uint32_t n = 0;
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t k = 0; k < 2; k++) {
            chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
            uint32_t up = (uint32_t)(chance % i);
            if (k == 1 && edges[n - 1][0] == up)
                continue;
            edges[n][0] = up;
            edges[n++][1] = i;
        }
    }
    return n;
}

/* Live through a run of `w` with `slots` slots; how many attempts started. */
static uint32_t live_through(const struct workflow *w, uint32_t slots, size_t *bytes)
{
    struct executor_core *x = executor_core_new(1);
    struct exec_effects fx = {0};
    struct exec_event ev = {.kind = EXEC_SLOTS, .slots = slots};
    executor_core_step(x, &ev, &fx);
    struct mallinfo2 before = mallinfo2();
    ev = (struct exec_event){.kind = EXEC_RUN_CREATED,
                             .created = {.run = 1, .workflow_id = 1, .workflow = w}};
    executor_core_step(x, &ev, &fx);
    struct mallinfo2 after = mallinfo2();
    *bytes = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    uint32_t begun = 0, over = 0;
    struct attempt *live = mem_new(w->task_count * sizeof *live);
    for (;;) {
        ev = (struct exec_event){.kind = EXEC_DISPATCH};
        executor_core_step(x, &ev, &fx);
        for (size_t i = 0; i < fx.count; i++)
            if (fx.at[i].kind == EXEC_START)
                live[begun++] = fx.at[i].attempt;
        fx.count = 0;
        if (over == begun)
            break;
        ev = (struct exec_event){.kind = EXEC_TASK_ENDED, .ended = {.attempt = live[over++]}};
        executor_core_step(x, &ev, &fx);
    }
    CHECK(!executor_core_has_run(x, 1) && executor_core_live(x) == 0);
    executor_core_free(x);
    free(live);
    free(fx.at);
    return begun;
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Best of three, so that a busy machine does not decide. */
static double seconds_for(shape_fn *shape, uint32_t count, size_t *bytes)
{
    uint32_t(*edges)[2] = mem_new(2 * (size_t)count * sizeof *edges);
    uint32_t edge_count = shape(count, edges);
    struct workflow *w = make_graph(count, (const uint32_t(*)[2])edges, edge_count);
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        double begin = cpu_seconds();
        CHECK(live_through(w, 4, bytes) == count);
        best = MIN(best, cpu_seconds() - begin);
    }
    make_free(w);
    free(edges);
    return best;
}

static void check_linear(const char *what, shape_fn *shape)
{
    size_t bytes;
    double small = seconds_for(shape, 10000, &bytes), large = seconds_for(shape, 100000, &bytes);
    print_message("# %s: %.2f us a task at 10,000, %.2f at 100,000, %zu bytes a task\n", what,
                  small * 100, large * 10, bytes / 100000);
    /* Ten times the tasks: a quadratic core would take a hundred times as long. */
    CHECK(large < small * 40);
    CHECK(bytes <= 64 * 100000 + 4096);
}

TEST(a_chain_of_100000_takes_time_in_its_length)
{
    TEST_BEGIN;
    check_linear("chain", chain);
}
TEST(a_fan_of_100000_takes_time_in_its_width)
{
    TEST_BEGIN;
    check_linear("fan", fan);
}
TEST(a_tangle_of_100000_takes_time_in_its_edges)
{
    TEST_BEGIN;
    check_linear("tangle", tangle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_of_100000_takes_time_in_its_length),
        cmocka_unit_test(a_fan_of_100000_takes_time_in_its_width),
        cmocka_unit_test(a_tangle_of_100000_takes_time_in_its_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
