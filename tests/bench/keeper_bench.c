/* SPDX-License-Identifier: MIT
 *
 * keeper_bench [COUNT [ROUNDS]]: a keeper alone next to the bare vfork loop.
 *
 * Rounds of both are interleaved, so that a noisy machine disturbs both alike. Prints
 * for each width the median of the rounds' ratios, their spread, and the CPU
 * the keeper itself used for a task. Each round checks that every task ended
 * exactly once, with exit code 0. */
#include "client.h"
#include "raw.h"

#include <stdio.h>
#include <unistd.h>

enum { ROUNDS_MAX = 50 };

/* Time on the CPU of the keeper's threads so far, its children not counted. */
static uint64_t keeper_cpu_us(const struct client *c)
{
    char command[128];
    unsigned long long ns, total = 0;
    snprintf(command, sizeof command, "cat /proc/%d/task/*/schedstat", c->keeper);
    FILE *p = popen(command, "re");
    while (p && fscanf(p, "%llu %*u %*u", &ns) == 1)
        total += ns;
    if (p)
        pclose(p);
    return total / 1000;
}

static int64_t keeper_run(struct client *c, uint32_t width, uint32_t count)
{
    const char *argv[] = {"/bin/sh", "-c", "true", NULL};
    const char *env[] = {"PATH=/usr/bin:/bin", "HOME=/", "LANG=C.UTF-8", NULL};
    static uint32_t first;
    uint32_t sent = 0, done = 0;
    bool *seen = mem_new(count);
    int64_t begin = clock_mono_us();
    while (done < count) {
        for (; sent < count && sent - done < width; sent++)
            client_start(c, first + sent, argv, env, "/", NULL);
        struct wire_ended ended = client_expect(c, WIRE_ENDED).ended;
        uint32_t i = ended.name.task - first;
        ASSERT(i < count && !seen[i] && ended.how == WIRE_EXIT && ended.code == 0);
        seen[i] = true;
        done++;
        if (done % 64 == 0 || done == count)
            client_ack(c, ended.seq);
    }
    first += count;
    free(seen);
    return clock_mono_us() - begin;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(struct client *c, uint32_t width, uint32_t count, int rounds)
{
    double ratio[ROUNDS_MAX], raw[ROUNDS_MAX];
    uint64_t cpu = keeper_cpu_us(c);
    for (int i = 0; i < rounds; i++) {
        int64_t bare = raw_run(width, count), ours = keeper_run(c, width, count);
        ratio[i] = (double)bare / (double)ours;
        raw[i] = (double)count * 1e6 / (double)bare;
    }
    cpu = keeper_cpu_us(c) - cpu;
    qsort(ratio, (size_t)rounds, sizeof ratio[0], compare);
    qsort(raw, (size_t)rounds, sizeof raw[0], compare);
    printf("keeper width %u ratio %.3f (%.3f-%.3f) raw %.0f/s own cpu %.1f us a task\n", width,
           ratio[rounds / 2], ratio[0], ratio[rounds - 1], raw[rounds / 2],
           (double)cpu / (double)count / rounds);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000;
    int rounds = argc > 2 ? atoi(argv[2]) : 5;
    struct client c = {.slots = 16};
    if (count < 1 || rounds < 1 || rounds > ROUNDS_MAX)
        return 2;
    client_open(&c);
    static const uint32_t widths[] = {2, 4, 16};
    for (size_t i = 0; i < countof(widths); i++)
        measure(&c, widths[i], count, rounds);
    client_close(&c);
    return 0;
}
