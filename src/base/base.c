/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include <stdio.h>
#include <unistd.h>

void assert_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "gowtf: %s:%d: %s does not hold\n", file, line, what);
    abort();
}

static _Noreturn void out_of_memory(void)
{
    static const char text[] = "gowtf: out of memory\n";
    ssize_t ignored = write(2, text, sizeof text - 1);
    (void)ignored;
    _exit(71);
}

void *mem_new(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *mem_grow(void *p, size_t *cap, size_t want, size_t el)
{
    if (want <= *cap)
        return p;
    size_t n = *cap ? *cap : 16;
    while (n < want)
        n *= 2;
    p = realloc(p, n * el);
    if (!p)
        out_of_memory();
    *cap = n;
    return p;
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(mem_new(n), s, n);
}

void mem_free_at(void *pointer_to_pointer)
{
    void *p;
    memcpy(&p, pointer_to_pointer, sizeof p);
    free(p);
}
