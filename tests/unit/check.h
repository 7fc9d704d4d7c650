/* SPDX-License-Identifier: MIT
 *
 * tests/unit/check.h: what every unit test includes. A table's row carries its
 * own line, so that a failure points at the row and not at the loop. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Fail and name `line` unless the two texts are the same. */
static inline void check_str(const char *file, int line, const char *got, const char *want)
{
    if (strcmp(got, want) != 0) {
        print_error("%s:%d:\n  got  '%s'\n  want '%s'\n", file, line, got, want);
        fail();
    }
}
static inline void check_int(const char *file, int line, long long got, long long want)
{
    if (got != want) {
        print_error("%s:%d: got %lld, want %lld\n", file, line, got, want);
        fail();
    }
}
#define CHECK_STR(line, got, want) check_str(__FILE__, (line), (got), (want))
#define CHECK_INT(line, got, want) check_int(__FILE__, (line), (long long)(got), (long long)(want))
#define CHECK(c)                                                                                   \
    do {                                                                                           \
        if (!(c)) {                                                                                \
            print_error("%s:%d: %s does not hold\n", __FILE__, __LINE__, #c);                      \
            fail();                                                                                \
        }                                                                                          \
    } while (0)
#define TEST(name) static void name(void **state_)
#define TEST_BEGIN (void)state_

#endif
