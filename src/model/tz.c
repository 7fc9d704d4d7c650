/* SPDX-License-Identifier: MIT
 *
 * model/tz.c: reading TZif, and asking it.
 *
 * A file holds the transitions that were once decreed, and a footer with the
 * rule that holds from then on. The Gregorian calendar repeats every 400 years
 * to the day of the week, so the rule is written out once for 400 years behind
 * the decreed transitions, and an instant beyond is moved back by as many
 * times 400 years as needed. From there on there is one table and one binary
 * search, for 1893 as for 2893:
 *
 *     decreed ... | rule, 400 years | (again) | (again) ...
 *                 ^ cycle_from
 *
 * What must stay true:
 *
 *   - `at` rises strictly, and every index into `types` is good: both are
 *     checked while reading, whatever the bytes;
 *   - the bytes come from a disk, so a count is believed only after the bytes
 *     it promises are known to be there. */
#include "model/tz.h"

#include "base/civil.h"

#include <stdio.h>

#define DAY   ((int64_t)86400)
#define CYCLE (146097 * DAY) /* 400 years */

enum {
    TYPES_MAX = 256,       /* what the file format can name */
    ABBREVIATION_MAX = 16, /* with the NUL; longer ones are cut */
    HEADER_LEN = 44,       /* of a TZif block */
    MARGIN = 27 * 3600,    /* no wall clock is further than this from UTC */
    CYCLE_TRANSITIONS = 2 * 402,
    FIRST_RULE_YEAR = 1600, /* where a zone that is only a rule begins */
};

struct tz_type {
    int32_t offset;
    bool dst;
    char abbreviation[ABBREVIATION_MAX];
};

struct tz {
    int64_t *at;  /* instants of the transitions */
    uint16_t *to; /* the type that begins there */
    size_t count;
    int64_t cycle_from;    /* TZ_END: nothing repeats */
    struct tz_type *types; /* [0] also holds before the first transition */
    size_t type_count;
    struct arena arena;
};

static const struct tz_type utc_type = {0, false, "UTC"};
static const struct tz utc = {
    .cycle_from = TZ_END, .types = (struct tz_type *)(uintptr_t)&utc_type, .type_count = 1};

const struct tz *tz_utc(void)
{
    return &utc;
}

void tz_free(struct tz *z)
{
    if (!z)
        return;
    struct arena a = z->arena;
    arena_free(&a); /* `z` lives in it */
}

/* ---- the rule in the footer ---------------------------------------------- */

/* A day of the year and a time of that day: when one of the two halves begins. */
struct rule_day {
    enum { RULE_JULIAN, RULE_YEARDAY, RULE_WEEKDAY } kind;
    int day;                  /* Jn: 1-365 without 29 February; n: 0-365 */
    int month, week, weekday; /* Mm.w.d */
    int32_t time;             /* seconds of the wall clock before the change */
};

struct rule {
    struct tz_type standard, dst;
    bool has_dst;
    struct rule_day begin, end; /* of dst */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take(struct str *s, char c)
{
    if (s->len == 0 || s->at[0] != c)
        return false;
    s->at++;
    s->len--;
    return true;
}

static bool take_number(struct str *s, int min, int max, int *out)
{
    int n = 0, digits = 0;
    while (s->len && is_digit(s->at[0]) && digits < 4) {
        n = n * 10 + (s->at[0] - '0');
        s->at++;
        s->len--;
        digits++;
    }
    *out = n;
    return digits > 0 && n >= min && n <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct str *s, int hours_max, int32_t *out)
{
    bool minus = take(s, '-');
    int hours, minutes = 0, seconds = 0;
    if (!minus)
        (void)take(s, '+');
    if (!take_number(s, 0, hours_max, &hours))
        return false;
    if (take(s, ':') && !take_number(s, 0, 59, &minutes))
        return false;
    if (take(s, ':') && !take_number(s, 0, 59, &seconds))
        return false;
    *out = (int32_t)(hours * 3600 + minutes * 60 + seconds) * (minus ? -1 : 1);
    return true;
}

static bool is_abbreviation_char(char c, bool quoted)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (quoted && (is_digit(c) || c == '+' || c == '-'));
}

/* Letters, or letters, digits and signs in angle brackets. */
static bool take_abbreviation(struct str *s, char out[ABBREVIATION_MAX])
{
    bool quoted = take(s, '<');
    size_t n = 0;
    while (n < s->len && is_abbreviation_char(s->at[n], quoted))
        n++;
    if (n < 3)
        return false;
    memset(out, 0, ABBREVIATION_MAX);
    memcpy(out, s->at, MIN(n, (size_t)ABBREVIATION_MAX - 1));
    s->at += n;
    s->len -= n;
    return !quoted || take(s, '>');
}

static bool take_rule_day(struct str *s, struct rule_day *out)
{
    *out = (struct rule_day){.time = 2 * 3600};
    bool good;
    if (take(s, 'M')) {
        out->kind = RULE_WEEKDAY;
        good = take_number(s, 1, 12, &out->month) && take(s, '.') &&
               take_number(s, 1, 5, &out->week) && take(s, '.') &&
               take_number(s, 0, 6, &out->weekday);
    } else if (take(s, 'J')) {
        out->kind = RULE_JULIAN;
        good = take_number(s, 1, 365, &out->day);
    } else {
        out->kind = RULE_YEARDAY;
        good = take_number(s, 0, 365, &out->day);
    }
    return good && (!take(s, '/') || take_time(s, 167, &out->time));
}

/* std offset [dst [offset] , begin , end]; offsets count westward. */
static bool rule_parse(struct str s, struct rule *out)
{
    int32_t west;
    *out = (struct rule){.has_dst = false};
    if (!take_abbreviation(&s, out->standard.abbreviation) || !take_time(&s, 24, &west))
        return false;
    out->standard.offset = -west;
    if (s.len == 0)
        return true;
    out->has_dst = true;
    out->dst.dst = true;
    out->dst.offset = out->standard.offset + 3600;
    if (!take_abbreviation(&s, out->dst.abbreviation))
        return false;
    if (s.len && s.at[0] != ',') {
        if (!take_time(&s, 24, &west))
            return false;
        out->dst.offset = -west;
    }
    return take(&s, ',') && take_rule_day(&s, &out->begin) && take(&s, ',') &&
           take_rule_day(&s, &out->end) && s.len == 0;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int64_t year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

static int weekday_of(int64_t days) /* since 1970-01-01, a Thursday */
{
    int64_t w = (days + 4) % 7;
    return (int)(w < 0 ? w + 7 : w);
}

/* The wall time in `year` of which `d` speaks. */
static int64_t rule_wall(const struct rule_day *d, int64_t year)
{
    int64_t day = civil_to_days(year, 1, 1);
    if (d->kind == RULE_YEARDAY) {
        day += d->day;
    } else if (d->kind == RULE_JULIAN) {
        day += d->day - 1 + (is_leap(year) && d->day > 59);
    } else {
        int64_t first = civil_to_days(year, d->month, 1);
        int date = (d->weekday - weekday_of(first) + 7) % 7 + 1 + 7 * (d->week - 1);
        if (date > days_of_month(year, d->month)) /* week 5: the last */
            date -= 7;
        day = first + date - 1;
    }
    return day * DAY + d->time;
}

/* ---- building the table -------------------------------------------------- */

/* A transition not later than the last one takes its place: a zone with
 * "daylight time all year" ends and begins it in the same instant. */
static void add_transition(struct tz *z, int64_t at, size_t type)
{
    while (z->count && at <= z->at[z->count - 1])
        z->count--;
    z->at[z->count] = at;
    z->to[z->count++] = (uint16_t)type;
}

/* Write the rule out for 400 years behind the transitions that are there. */
static void add_cycle(struct tz *z, const struct rule *r, size_t standard, size_t dst)
{
    int64_t year = FIRST_RULE_YEAR, last = TZ_BEGIN, limit = TZ_END;
    int month, day;
    if (z->count) {
        last = z->at[z->count - 1];
        civil_from_days(last / DAY, &year, &month, &day);
    }
    for (int64_t y = year; y <= year + 401; y++) {
        struct {
            int64_t at;
            size_t type;
        } half[2] = {{rule_wall(&r->begin, y) - r->standard.offset, dst},
                     {rule_wall(&r->end, y) - r->dst.offset, standard}};
        size_t first = half[1].at < half[0].at;
        for (size_t i = 0; i < 2; i++) {
            int64_t at = half[i ^ first].at;
            if (at <= last || at >= limit)
                continue;
            if (z->cycle_from == TZ_END) {
                z->cycle_from = at;
                limit = at + CYCLE;
            }
            add_transition(z, at, half[i ^ first].type);
        }
    }
}

/* ---- the file ------------------------------------------------------------ */

struct block {
    uint32_t isut_count, isstd_count, leap_count, time_count, type_count, char_count;
    size_t time_size; /* 4 or 8 bytes */
    const uint8_t *times, *indexes, *types, *chars;
    size_t len; /* of the whole block, with its header */
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be_time(const uint8_t *p, size_t size)
{
    if (size == 4)
        return (int32_t)be32(p);
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static bool block_read(struct str bytes, size_t time_size, struct block *b, struct err *e)
{
    const uint8_t *p = (const uint8_t *)bytes.at;
    if (bytes.len < HEADER_LEN || memcmp(p, "TZif", 4) != 0)
        return err_set(e, ERR_INVALID, "this is not a time zone file");
    *b = (struct block){be32(p + 20), be32(p + 24), be32(p + 28),
                        be32(p + 32), be32(p + 36), be32(p + 40)};
    b->time_size = time_size;
    uint64_t len = HEADER_LEN + (uint64_t)b->time_count * (time_size + 1) +
                   (uint64_t)b->type_count * 6 + b->char_count +
                   (uint64_t)b->leap_count * (time_size + 4) + b->isstd_count + b->isut_count;
    if (len > bytes.len)
        return err_set(e, ERR_INVALID, "the time zone file is cut short");
    b->len = (size_t)len;
    b->times = p + HEADER_LEN;
    b->indexes = b->times + b->time_count * time_size;
    b->types = b->indexes + b->time_count;
    b->chars = b->types + (size_t)b->type_count * 6;
    return true;
}

static bool read_types(const struct block *b, struct tz *z, struct err *e)
{
    if (b->type_count == 0 || b->type_count > TYPES_MAX || b->char_count == 0)
        return err_set(e, ERR_INVALID, "the time zone file has no usable types");
    for (size_t i = 0; i < b->type_count; i++) {
        const uint8_t *p = b->types + i * 6;
        struct tz_type *t = &z->types[i];
        t->offset = (int32_t)be32(p);
        t->dst = p[4] != 0;
        if (t->offset < -TZ_OFFSET_MAX || t->offset > TZ_OFFSET_MAX || p[5] >= b->char_count)
            return err_set(e, ERR_INVALID, "type %zu of the time zone file is impossible", i);
        size_t n = strnlen((const char *)b->chars + p[5], b->char_count - p[5]);
        memcpy(t->abbreviation, b->chars + p[5], MIN(n, (size_t)ABBREVIATION_MAX - 1));
    }
    z->type_count = b->type_count;
    return true;
}

static bool read_transitions(const struct block *b, struct tz *z, struct err *e)
{
    for (size_t i = 0; i < b->time_count; i++) {
        int64_t at = be_time(b->times + i * b->time_size, b->time_size);
        if (b->indexes[i] >= b->type_count || at <= TZ_BEGIN || at >= TZ_END / 2 ||
            (i && at <= z->at[i - 1]))
            return err_set(e, ERR_INVALID, "transition %zu of the time zone file is impossible", i);
        z->at[i] = at;
        z->to[i] = b->indexes[i];
    }
    z->count = b->time_count;
    return true;
}

/* The text between two line ends after the second block. */
static bool read_footer(struct str rest, struct rule *r, bool *has_rule, struct err *e)
{
    *has_rule = false;
    if (!take(&rest, '\n'))
        return err_set(e, ERR_INVALID, "the time zone file has no footer");
    const char *end = memchr(rest.at, '\n', rest.len);
    if (!end)
        return err_set(e, ERR_INVALID, "the footer of the time zone file has no end");
    rest.len = (size_t)(end - rest.at);
    if (rest.len == 0)
        return true;
    *has_rule = true;
    if (!rule_parse(rest, r))
        return err_set(e, ERR_INVALID, "the footer '%.*s' of the time zone file is not a rule",
                       (int)MIN(rest.len, (size_t)60), rest.at);
    return true;
}

static void apply_rule(struct tz *z, const struct rule *r)
{
    z->types[z->type_count] = r->standard;
    z->types[z->type_count + 1] = r->dst;
    if (r->has_dst)
        add_cycle(z, r, z->type_count, z->type_count + 1);
    else if (z->count == 0)
        z->types[0] = r->standard;
    z->type_count += 2;
}

bool tz_parse(struct str bytes, struct tz **out, struct err *e)
{
    struct block b;
    struct rule rule;
    bool has_rule = false;
    if (bytes.len > TZ_BYTES_MAX)
        return err_set(e, ERR_LIMIT, "a time zone file may have %d bytes", TZ_BYTES_MAX);
    if (!block_read(bytes, 4, &b, e))
        return false;
    if ((uint8_t)bytes.at[4] >= '2') {
        bytes.at += b.len;
        bytes.len -= b.len;
        if (!block_read(bytes, 8, &b, e) ||
            !read_footer((struct str){bytes.at + b.len, bytes.len - b.len}, &rule, &has_rule, e))
            return false;
    }
    if (b.leap_count)
        return err_set(e, ERR_INVALID,
                       "the time zone file counts leap seconds; Unix time does not");

    CLEANUP(arena_free)
    struct arena a = {0};
    struct tz *z = arena_new(&a, struct tz, 1);
    z->cycle_from = TZ_END;
    z->at = arena_new(&a, int64_t, b.time_count + CYCLE_TRANSITIONS);
    z->to = arena_new(&a, uint16_t, b.time_count + CYCLE_TRANSITIONS);
    z->types = arena_new(&a, struct tz_type, (size_t)TYPES_MAX + 2);
    if (!read_types(&b, z, e) || !read_transitions(&b, z, e))
        return false;
    if (has_rule)
        apply_rule(z, &rule);
    z->arena = a;
    a = (struct arena){0};
    *out = z;
    return true;
}

/* ---- asking -------------------------------------------------------------- */

/* How many transitions are not later than `at`. */
static size_t transitions_until(const struct tz *z, int64_t at)
{
    size_t low = 0, count = z->count;
    while (count) {
        size_t half = count / 2;
        if (z->at[low + half] <= at) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

void tz_span_at(const struct tz *z, int64_t at, struct tz_span *out)
{
    int64_t shift = 0;
    if (at >= z->cycle_from)
        shift = (at - z->cycle_from) / CYCLE * CYCLE;
    size_t n = transitions_until(z, at - shift);
    const struct tz_type *t = &z->types[n ? z->to[n - 1] : 0];
    out->from = n ? z->at[n - 1] + shift : TZ_BEGIN;
    if (n < z->count)
        out->until = z->at[n] + shift;
    else
        out->until = z->cycle_from == TZ_END ? TZ_END : z->cycle_from + CYCLE + shift;
    out->offset = t->offset;
    out->dst = t->dst;
    out->abbreviation = t->abbreviation;
}

void tz_instants_of(const struct tz *z, int64_t wall, struct tz_instants *out)
{
    struct tz_span s;
    *out = (struct tz_instants){.kind = TZ_GAP};
    bool found = false;
    tz_span_at(z, wall - MARGIN, &s);
    for (;; tz_span_at(z, s.until, &s)) {
        int64_t at = wall - s.offset;
        if (at >= s.from && at < s.until) {
            out->kind = found ? TZ_TWICE : TZ_ONCE;
            *(found ? &out->second : &out->first) = at;
            if (found)
                return;
            found = true;
        } else if (at < s.from && !found) {
            out->first = s.from;
            return;
        }
        if (s.until > wall + MARGIN)
            return;
    }
}

/* ---- walls as text ------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

void civil_of(int64_t wall, struct civil *out)
{
    int64_t days = floor_div(wall, DAY);
    int rest = (int)(wall - days * DAY);
    civil_from_days(days, &out->year, &out->month, &out->day);
    out->hour = rest / 3600;
    out->minute = rest / 60 % 60;
    out->second = rest % 60;
    out->weekday = weekday_of(days);
}

int64_t civil_wall(int64_t year, int month, int day, int hour, int minute, int second)
{
    return civil_to_days(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
}

const char *weekday_word(int weekday)
{
    static const char words[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    ASSERT(weekday >= 0 && weekday < 7);
    return words[weekday];
}

const char *wall_format(int64_t wall, char text[TZ_TEXT_MAX])
{
    struct civil c;
    civil_of(wall, &c);
    int n = snprintf(text, TZ_TEXT_MAX, "%04lld-%02d-%02d %02d:%02d", (long long)c.year, c.month,
                     c.day, c.hour, c.minute);
    if (c.second)
        snprintf(text + n, TZ_TEXT_MAX - (size_t)n, ":%02d", c.second);
    return text;
}

const char *tz_format(const struct tz *z, ms_t at, char text[TZ_TEXT_MAX])
{
    struct tz_span s;
    struct civil c;
    int64_t seconds = floor_div(at, 1000);
    tz_span_at(z, seconds, &s);
    civil_of(seconds + s.offset, &c);
    int minutes = abs(s.offset) / 60;
    snprintf(text, TZ_TEXT_MAX, "%04lld-%02d-%02d %02d:%02d:%02d %s %c%02d:%02d", (long long)c.year,
             c.month, c.day, c.hour, c.minute, c.second, s.abbreviation, s.offset < 0 ? '-' : '+',
             minutes / 60, minutes % 60);
    return text;
}

/* Exactly two digits. */
static bool take_two(struct str *s, int max, int *out)
{
    if (s->len < 2 || !is_digit(s->at[0]) || !is_digit(s->at[1]))
        return false;
    *out = (s->at[0] - '0') * 10 + s->at[1] - '0';
    s->at += 2;
    s->len -= 2;
    return *out <= max;
}

static bool take_date(struct str *s, int64_t *wall)
{
    int century, year, month, day;
    if (!take_two(s, 99, &century) || !take_two(s, 99, &year) || !take(s, '-') ||
        !take_two(s, 12, &month) || !take(s, '-') || !take_two(s, 31, &day))
        return false;
    int64_t full = century * 100 + year;
    if (month < 1 || day < 1 || day > days_of_month(full, month))
        return false;
    *wall = civil_wall(full, month, day, 0, 0, 0);
    return true;
}

static bool take_clock(struct str *s, int64_t *wall)
{
    int hour, minute, second = 0;
    if (!take_two(s, 23, &hour) || !take(s, ':') || !take_two(s, 59, &minute) ||
        (take(s, ':') && !take_two(s, 59, &second)))
        return false;
    *wall += hour * 3600 + minute * 60 + second;
    return true;
}

/* "", "Z", "+01:00" or "+0100". */
static bool take_offset(struct str *s, bool *local, int32_t *offset)
{
    int hours, minutes;
    *offset = 0;
    *local = s->len == 0;
    if (*local || take(s, 'Z'))
        return s->len == 0;
    bool minus = take(s, '-');
    if ((!minus && !take(s, '+')) || !take_two(s, 23, &hours))
        return false;
    (void)take(s, ':');
    if (!take_two(s, 59, &minutes))
        return false;
    *offset = (hours * 3600 + minutes * 60) * (minus ? -1 : 1);
    return s->len == 0;
}

static bool read_wall(struct str s, int64_t *wall, bool *local, int32_t *offset)
{
    if (!take_date(&s, wall))
        return false;
    if ((take(&s, 'T') || take(&s, ' ')) && !take_clock(&s, wall))
        return false;
    return take_offset(&s, local, offset);
}

bool tz_read_time(struct str text, const struct tz *z, ms_t *out, struct err *e)
{
    int64_t wall;
    bool local;
    int32_t offset;
    if (!read_wall(str_trim(text), &wall, &local, &offset))
        return err_set(e, ERR_INVALID,
                       "'%.*s' is not a time; write 2026-11-23 or \"2026-11-23 03:00\"",
                       (int)MIN(text.len, (size_t)60), text.at ? text.at : "");
    struct tz_instants i = {.first = wall - offset};
    if (local)
        tz_instants_of(z, wall, &i);
    *out = i.first * 1000;
    return true;
}
