/* SPDX-License-Identifier: MIT
 *
 * tests/bench/raw.h: the physical limit to compare with: two threads that do
 * nothing but vfork, and read the output of `sh -c true` through pipes. Nothing
 * is kept, nothing is written down. */
#ifndef TESTS_BENCH_RAW_H
#define TESTS_BENCH_RAW_H

#include "base/base.h"

/* Run `count` tasks, at most `width` at once; microseconds taken. Ends the program when
 * a task does not exit with 0. */
int64_t raw_run(uint32_t width, uint32_t count);

#endif
