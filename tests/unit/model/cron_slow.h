/* SPDX-License-Identifier: MIT
 *
 * tests/unit/model/cron_slow.h: when a cron expression fires, the slow way. */
#ifndef TESTS_CRON_SLOW_H
#define TESTS_CRON_SLOW_H

#include "model/cron.h"

/* The rule of the header, written the slow way: does anything fire at instant
 * `at`? Walls are looked up one by one. */
static inline bool matches_wall(const struct cron *c, int64_t wall)
{
    struct civil w;
    civil_of(wall, &w);
    bool day = c->days >> w.day & 1, weekday = c->weekdays >> w.weekday & 1;
    return w.second == 0 && c->minutes >> w.minute & 1 && c->hours >> w.hour & 1 &&
           c->months >> w.month & 1 && (c->both_days ? day && weekday : day || weekday);
}

static inline bool fires_at(const struct cron *c, const struct tz *z, int64_t at)
{
    struct tz_span s, before;
    struct tz_instants i;
    tz_span_at(z, at, &s);
    if (matches_wall(c, at + s.offset)) {
        tz_instants_of(z, at + s.offset, &i);
        if (!c->fixed || at == i.first)
            return true;
    }
    if (!c->fixed || at != s.from)
        return false;
    tz_span_at(z, at - 1, &before);
    for (int64_t wall = at + before.offset; wall < at + s.offset; wall++) {
        if (!matches_wall(c, wall))
            continue;
        tz_instants_of(z, wall, &i);
        if (i.kind == TZ_GAP && i.first == at)
            return true;
    }
    return false;
}

#endif
