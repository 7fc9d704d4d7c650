/* SPDX-License-Identifier: MIT
 *
 * tests/unit/model/zone.h: zones of the system tree for tests of pure code. */
#ifndef TESTS_ZONE_H
#define TESTS_ZONE_H

#include "../check.h"

#include "base/fd.h"
#include "model/tz.h"

#include <fcntl.h>
#include <stdio.h>

/* The caller frees it with tz_free(). */
static inline struct tz *zone_read(const char *name)
{
    CLEANUP(buf_free)
    struct buf b = {0};
    CLEANUP(fd_close)
    int fd = -1;
    struct err e = {0};
    struct tz *z = NULL;
    char path[200];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC); /* many zones are links */
    if (fd < 0 || !fd_read_all(fd, TZ_BYTES_MAX, &b, &e) ||
        !tz_parse((struct str){b.at, b.len}, &z, &e)) {
        print_error("zone %s: %s\n", name, e.text);
        fail();
    }
    return z;
}

static inline void zone_free_at(struct tz **z)
{
    tz_free(*z);
}

/* "2025-03-09 07:00" (UTC unless it says otherwise) as an instant. */
static inline ms_t instant(const char *text)
{
    struct err e = {0};
    ms_t at = 0;
    if (!tz_read_time(str_of(text), tz_utc(), &at, &e)) {
        print_error("%s\n", e.text);
        fail();
    }
    return at;
}

#endif
