/* SPDX-License-Identifier: MIT
 *
 * cli/times.h: times and sizes as a reader at a terminal, or a program at the
 * other end of a pipe, wants them. */
#ifndef CLI_TIMES_H
#define CLI_TIMES_H

#include "cli/command.h"
#include "model/tz.h"
#include "store/zones.h"

struct times {
    struct zones *zones;
    const struct tz *zone; /* of --tz, else the machine's */
    struct str zone_name;
    ms_t now;
    bool relative; /* for a terminal */
};

/* ERR_INVALID: no such zone. Closed by times_close(), which is fine on {0}. */
bool times_open(struct times *t, const struct cli *c, struct err *e);
void times_close(struct times *t);

/* On a terminal "03:00", "Mon 03:00", "12 Nov 03:00" or "2025-11-12", whichever
 * is clear; in a pipe RFC 3339. Nothing for a time that is not there. */
void times_when(const struct times *t, ms_t at, struct buf *out);
/* "2026-11-23 03:00:00 CET +01:00", or RFC 3339 in a pipe. */
void times_full(const struct times *t, ms_t at, struct buf *out);
/* A length of time: "2m 10s", in a pipe milliseconds. < 0: nothing. */
void times_span(const struct times *t, ms_t span, struct buf *out);
/* The largest one or two units: "3m", "21h", "4d 2h". */
void times_about(ms_t span, struct buf *out);

/* A point in time of the past as people give it: "2h", "3d" (ago), "today",
 * "yesterday", or what tz_read_time() reads. */
bool times_since(const struct times *t, const char *text, ms_t *out, struct err *e);

/* "2.1 MiB" */
void size_text(int64_t bytes, struct buf *out);

#endif
