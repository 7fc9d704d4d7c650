/* SPDX-License-Identifier: MIT
 *
 * base/base.h: the dialect of C spoken in this house. Included first by every file.
 *
 * The floor `base` knows libc and nothing else. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Milliseconds: the only unit of time. A point in time is Unix time, UTC. */
typedef int64_t ms_t;
#define MS_NEVER INT64_MAX

#define countof(a)        (sizeof(a) / sizeof((a)[0]))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLEANUP(fn)       __attribute__((cleanup(fn)))
#define MIN(a, b)         ((a) < (b) ? (a) : (b))
#define MAX(a, b)         ((a) > (b) ? (a) : (b))

/* Never compiled out: a wrong daemon stops, a keeper keeps its tasks. */
#define ASSERT(c) ((c) ? (void)0 : assert_fail(#c, __FILE__, __LINE__))
_Noreturn void assert_fail(const char *what, const char *file, int line);

/* malloc, calloc, realloc that end the process (exit status 71, as EX_OSERR)
 * instead of returning NULL. The keeper survives the daemon's end, and the
 * daemon's supervising parent starts it again. */
void *mem_new(size_t size);                                   /* zeroed */
void *mem_grow(void *p, size_t *cap, size_t want, size_t el); /* doubles; *cap in elements */
char *mem_strdup(const char *s);

/* For CLEANUP: free the pointer held in a variable. */
void mem_free_at(void *pointer_to_pointer);

#endif
