/* SPDX-License-Identifier: MIT
 *
 * tests/unit/tempdir.h: a directory of the test's own, gone with it. */
#ifndef TESTS_TEMPDIR_H
#define TESTS_TEMPDIR_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEMPDIR_MAX = 64 };

/* Make one; `path` says where. */
static inline bool tempdir_make(char path[TEMPDIR_MAX])
{
    strcpy(path, "/tmp/gowtf-unit-XXXXXX");
    return mkdtemp(path) != NULL;
}

static inline int tempdir_remove_one(const char *path, const struct stat *st, int type,
                                     struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

/* Remove it and all in it. */
static inline bool tempdir_remove(const char *path)
{
    return nftw(path, tempdir_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0;
}

#endif
