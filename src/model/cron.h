/* SPDX-License-Identifier: MIT
 *
 * model/cron.h: five fields that say when.
 *
 *     minute  hour  day of month  month  day of week
 *
 * Numbers, names, ranges (also across the end: 22-2, sat-mon), steps, lists,
 * @daily and its kin, and a zone in front: "CRON_TZ=Europe/Berlin 0 3 * * *".
 * If both day fields are restricted either may match; if one of them begins
 * with * both must, as in Vixie cron.
 *
 * When the wall clock jumps: a *fixed* expression (neither minute nor hour
 * begins with *) that falls into a gap fires once, at the instant the gap
 * closes, and of two equal wall times it takes the first. Any other follows
 * the time that elapses: nothing in a gap, both passes of an overlap. */
#ifndef MODEL_CRON_H
#define MODEL_CRON_H

#include "base/buf.h"
#include "model/tz.h"

enum { CRON_TEXT_MAX = 1000 }; /* bytes of an expression */

struct cron {
    uint64_t minutes; /* bit n: n is wanted */
    uint32_t hours, days, months;
    uint8_t weekdays; /* bit 0: Sunday */
    bool both_days;   /* day of month and day of week must both match */
    bool fixed;
    struct str zone; /* borrowed from the expression; absent: none was given */
    /* Something other programs read otherwise: worth a warning. */
    const char *hint; /* NULL: nothing */
    size_t hint_at, hint_len;
};

/* What is wrong, and where: `at` and `len` are bytes of the expression. */
struct cron_error {
    size_t at, len;
    const char *field; /* "hour"; NULL if it is not about one field */
    char text[200];    /* one sentence, lower case, no full stop */
};

/* An expression that never matches (30 February) is an error too. */
bool cron_parse(struct str text, struct cron *out, struct cron_error *where);

struct cron_fire {
    ms_t at;          /* whole seconds; MS_NEVER: not within 41 years */
    int64_t wall;     /* the wall time it stands for (see tz.h) */
    bool shifted_gap; /* that wall time does not exist; `at` is the end of the gap */
    bool second_pass; /* that wall time exists twice, and this is the second */
};

/* The first fire strictly after `after`. Equal instants are one fire. */
void cron_fire_next(const struct cron *c, const struct tz *z, ms_t after, struct cron_fire *out);
ms_t cron_next(const struct cron *c, const struct tz *z, ms_t after);

/* In English: "at 03:00 on weekdays". */
void cron_words(const struct cron *c, struct buf *out);

#endif
