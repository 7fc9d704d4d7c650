/* SPDX-License-Identifier: MIT
 *
 * tests/bench/stamp.c: a task that says when it began: nanoseconds of wall time
 * at its first instruction and just before its end. */
#include <stdio.h>
#include <time.h>

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (long long)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(void)
{
    long long began = now();
    printf("%lld %lld\n", began, now());
    return 0;
}
