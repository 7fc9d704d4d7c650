/* SPDX-License-Identifier: MIT */
#include "model/duration.h"

#include <stdio.h>

#define SECOND       INT64_C(1000)
#define MINUTE       (60 * SECOND)
#define HOUR         (60 * MINUTE)
#define DAY          (24 * HOUR)
#define DURATION_MAX (100 * 366 * DAY)

static const struct unit {
    struct str name;
    ms_t ms;
} units[] = {
    {S("w"), 7 * DAY}, {S("d"), DAY},    {S("h"), HOUR},
    {S("m"), MINUTE},  {S("s"), SECOND}, {S("ms"), 1},
};

static size_t span(struct str s, bool digits)
{
    size_t i = 0;
    while (i < s.len && (s.at[i] >= '0' && s.at[i] <= '9') == digits)
        i++;
    return i;
}

/* Units go from large to small, each at most once: `from` is the first allowed. */
static bool part_parse(struct str number, struct str unit, size_t *from, ms_t *sum)
{
    int64_t n;
    for (size_t i = *from; i < countof(units); i++) {
        if (!str_eq(units[i].name, unit))
            continue;
        *from = i + 1;
        return str_to_i64(number, &n) && !__builtin_mul_overflow(n, units[i].ms, &n) &&
               !__builtin_add_overflow(*sum, n, sum) && *sum <= DURATION_MAX;
    }
    return false;
}

bool duration_parse(struct str text, ms_t *out)
{
    ms_t sum = 0;
    size_t from = 0, digits = span(text, true);
    if (digits && digits == text.len) {
        int64_t n;
        if (!str_to_i64(text, &n) || n > DURATION_MAX / SECOND)
            return false;
        *out = n * SECOND;
        return true;
    }
    for (struct str s = text; s.len || !digits;) {
        digits = span(s, true);
        struct str number = {s.at, digits};
        if (!digits)
            return false;
        s = (struct str){s.at + digits, s.len - digits};
        struct str unit = {s.at, span(s, false)};
        if (!part_parse(number, unit, &from, &sum))
            return false;
        s = (struct str){s.at + unit.len, s.len - unit.len};
    }
    *out = sum;
    return true;
}

/* "2m 10s"; a smaller unit of nothing is left out. */
static void two_units(char *text, ms_t large, char large_unit, ms_t small, const char *small_form)
{
    int n = snprintf(text, DURATION_TEXT_MAX, "%lld%c", (long long)large, large_unit);
    if (small)
        snprintf(text + n, DURATION_TEXT_MAX - (size_t)n, small_form, (int)small);
}

const char *duration_text(ms_t d, char text[DURATION_TEXT_MAX])
{
    ms_t tenths = (d + 50) / 100, s = (d + 500) / SECOND;
    if (d < 0)
        snprintf(text, DURATION_TEXT_MAX, "-");
    else if (d < SECOND)
        snprintf(text, DURATION_TEXT_MAX, "%dms", (int)d);
    else if (tenths < 100)
        snprintf(text, DURATION_TEXT_MAX, "%d.%ds", (int)(tenths / 10), (int)(tenths % 10));
    else if (s < 60)
        snprintf(text, DURATION_TEXT_MAX, "%ds", (int)s);
    else if (s < 3600)
        two_units(text, s / 60, 'm', s % 60, " %02ds");
    else if (s < 86400)
        two_units(text, s / 3600, 'h', s % 3600 / 60, " %02dm");
    else
        two_units(text, s / 86400, 'd', s % 86400 / 3600, " %dh");
    return text;
}
