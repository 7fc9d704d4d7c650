/* SPDX-License-Identifier: MIT
 *
 * model/tz.h: what the clock on the wall says, and when it says it.
 *
 * A struct tz is one time zone, read from the bytes of a TZif file. It is
 * immutable, looks at no environment and no global state, and may be used by
 * any number of threads. Reading the file is somebody else's business; see
 * store/zones.h.
 *
 * Two kinds of numbers, both int64_t and both in seconds:
 *
 *     at     an instant: seconds of Unix time
 *     wall   what a wall clock shows, counted as if that were UTC
 *
 * Format: RFC 9636 (TZif versions 1 to 4). After the last transition of the
 * file its footer, a POSIX TZ rule, holds for ever. */
#ifndef MODEL_TZ_H
#define MODEL_TZ_H

#include "base/err.h"
#include "base/str.h"

struct tz;

/* An instant before and one after everything; safe to add offsets to. */
#define TZ_BEGIN (-((int64_t)1 << 61))
#define TZ_END   ((int64_t)1 << 61)

enum {
    TZ_BYTES_MAX = 1 << 20, /* the largest file of the zone tree has 4 KB */
    TZ_OFFSET_MAX = 26 * 3600,
    TZ_TEXT_MAX = 64,
};

/* A new zone, freed with tz_free(), or ERR_INVALID. Files that count leap
 * seconds (the "right/" tree) are refused: Unix time does not. */
bool tz_parse(struct str bytes, struct tz **out, struct err *e);
void tz_free(struct tz *z); /* NULL is fine */
const struct tz *tz_utc(void);

/* A time during which the offset from UTC does not change. */
struct tz_span {
    int64_t from, until; /* instants; the span begins at `from` and ends before `until` */
    int32_t offset;      /* wall = at + offset */
    bool dst;
    const char *abbreviation; /* "CET"; lives as long as the zone */
};
void tz_span_at(const struct tz *z, int64_t at, struct tz_span *out);

enum tz_kind {
    TZ_ONCE,  /* the ordinary case */
    TZ_GAP,   /* the clock is never seen to show this */
    TZ_TWICE, /* it shows it in `first`, is set back and shows it again in `second` */
};
struct tz_instants {
    enum tz_kind kind;
    int64_t first;  /* TZ_GAP: the instant of the transition that jumps over it */
    int64_t second; /* only if TZ_TWICE */
};
void tz_instants_of(const struct tz *z, int64_t wall, struct tz_instants *out);

/* The parts of a wall clock and back (seconds since 1970-01-01 00:00). */
struct civil {
    int64_t year;
    int month, day; /* from 1 */
    int hour, minute, second;
    int weekday; /* 0: Sunday */
};
void civil_of(int64_t wall, struct civil *out);
int64_t civil_wall(int64_t year, int month, int day, int hour, int minute, int second);
const char *weekday_word(int weekday); /* "Sun" */

/* "2026-11-23 03:00:00 CET +01:00" into `text`, which is returned. */
const char *tz_format(const struct tz *z, ms_t at, char text[TZ_TEXT_MAX]);
/* "2026-11-23 03:00" (with ":SS" only if it is not 0). */
const char *wall_format(int64_t wall, char text[TZ_TEXT_MAX]);

/* A time as people write it: "2026-11-23", "2026-11-23 03:00", "...:30", with a
 * blank or T between; then nothing (a wall time of `z`: in a gap the instant
 * of the transition, of two the first), "Z", or an offset such as "+01:00". */
bool tz_read_time(struct str text, const struct tz *z, ms_t *out, struct err *e);

#endif
