/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/tz_fuzz.c: any bytes as a time zone file.
 *
 * What is accepted has spans that follow each other without end or hole, and
 * the first instant of a wall time shows that wall time. */
#include "fuzz.h"
#include "model/tz.h"

enum { SPANS = 300 };

static void check_walls(const struct tz *z, int64_t wall)
{
    struct tz_instants i;
    struct tz_span s;
    tz_instants_of(z, wall, &i);
    tz_span_at(z, i.first, &s);
    if (i.kind == TZ_GAP)
        ASSERT(s.from == i.first);
    else
        ASSERT(i.first + s.offset == wall);
    if (i.kind == TZ_TWICE)
        ASSERT(i.second > i.first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tz *z;
    struct err e = {0};
    struct tz_span s, next;
    if (!tz_parse((struct str){(const char *)data, size}, &z, &e)) {
        ASSERT(e.text[0]);
        return 0;
    }
    tz_span_at(z, TZ_BEGIN, &s);
    for (int i = 0; i < SPANS && s.until < TZ_END; i++, s = next) {
        ASSERT(s.from < s.until && strlen(s.abbreviation) < 16);
        tz_span_at(z, s.until, &next);
        ASSERT(next.from == s.until);
        check_walls(z, s.until + s.offset);
        check_walls(z, s.until + next.offset - 1);
    }
    tz_free(z);
    return 0;
}
