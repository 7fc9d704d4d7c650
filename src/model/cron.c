/* SPDX-License-Identifier: MIT
 *
 * model/cron.c: reading the five fields, and finding the next match.
 *
 * A field becomes a set of bits, so that "next" is a shift and a count of
 * trailing zeros, and the days of a month are one set made of two. Nothing is
 * searched minute by minute: months without a match cost one look each, and a
 * month with one costs nothing more.
 *
 * The search goes from one span of constant offset to the next (see tz.h). In
 * a span wall and instant differ by a constant; what is special happens at its
 * beginning only:
 *
 *     seen ──────┐   the latest wall time shown before the span began
 *                ▼
 *     wall  ...──┤      ├──...   seen < begin: the walls between are a gap
 *     wall  ...──┼──┤            seen > begin: up to `seen` is a second pass
 *
 * What must stay true: the result is later than `after`, and no instant
 * between the two matches. */
#include "model/cron.h"

#include "base/civil.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    HORIZON_YEARS = 41, /* 29 February on a given weekday may be 40 years away */
    OFFSET_SPREAD = 2 * 27 * 3600,
    DAY_SECONDS = 86400,
};

/* ---- the fields ---------------------------------------------------------- */

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static const struct field {
    const char *name;
    uint32_t min, max;        /* what may be written */
    uint32_t count;           /* different values; a range wraps round after them */
    const char *const *names; /* of min, min + 1, ..., or NULL */
} fields[FIELDS] = {
    [MINUTE] = {"minute", 0, 59, 60, NULL},
    [HOUR] = {"hour", 0, 23, 24, NULL},
    [DAY] = {"day of month", 1, 31, 31, NULL},
    [MONTH] = {"month", 1, 12, 12, month_names},
    [WEEKDAY] = {"day of week", 0, 7, 7, weekday_names}, /* 7 is Sunday too */
};

static const struct macro {
    struct str name;
    const char *means; /* NULL: `instead` says what to write */
    const char *instead;
} macros[] = {
    {S("@hourly"), "0 * * * *", NULL},
    {S("@daily"), "0 0 * * *", NULL},
    {S("@midnight"), "0 0 * * *", NULL},
    {S("@weekly"), "0 0 * * 0", NULL},
    {S("@monthly"), "0 0 1 * *", NULL},
    {S("@yearly"), "0 0 1 1 *", NULL},
    {S("@annually"), "0 0 1 1 *", NULL},
    {S("@reboot"), NULL, "'@reboot' is not in this version"},
    {S("@every"), NULL, "'@every' is not cron; write the schedule as 'every: 90s'"},
};

/* Signs other dialects know, that are never part of ours. */
static const struct sign {
    char c;
    const char *what;
} signs[] = {
    {'L', "'L' (the last day)"},         {'W', "'W' (the nearest weekday)"},
    {'#', "'#' (the n-th weekday)"},     {'?', "'?' (any day)"},
    {'H', "'H' (a stable spread)"},      {'~', "'~' (a random value)"},
    {'+', "'+' (both days must match)"},
};

/* What is being read, and how far. */
struct reader {
    struct str text;
    size_t at;
    const struct field *field;
    struct cron *out;
    struct cron_error *where;
};

PRINTF(4, 5)
static bool wrong(struct reader *r, size_t at, size_t len, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->where->text, sizeof r->where->text, fmt, ap);
    va_end(ap);
    r->where->at = at;
    r->where->len = len;
    r->where->field = r->field ? r->field->name : NULL;
    return false;
}

static void hint(struct reader *r, size_t at, const char *text)
{
    if (r->out->hint)
        return;
    r->out->hint = text;
    r->out->hint_at = at;
    r->out->hint_len = r->at - at;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}
static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char peek(const struct reader *r)
{
    return r->at < r->text.len ? r->text.at[r->at] : '\0';
}

static bool take(struct reader *r, char c)
{
    if (r->at >= r->text.len || r->text.at[r->at] != c)
        return false;
    r->at++;
    return true;
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->text.len && is_blank(r->text.at[r->at]))
        r->at++;
}

/* The word at `at`, up to the end of what could belong to it. */
static size_t word_len(const struct reader *r, size_t at)
{
    size_t n = 0;
    while (at + n < r->text.len && !is_blank(r->text.at[at + n]) &&
           !strchr(",-/", r->text.at[at + n]))
        n++;
    return n;
}

static const struct sign *sign_find(char c)
{
    for (size_t i = 0; i < countof(signs); i++)
        if (signs[i].c == c)
            return &signs[i];
    return NULL;
}

/* The sign of another dialect in this word, if it is more than a misspelt
 * name: every other letter must be such a sign too, save for "FRIL". */
static const struct sign *foreign_sign(const char *word, size_t len)
{
    const struct sign *found = NULL;
    size_t other_letters = 0;
    for (size_t i = 0; i < len; i++) {
        const struct sign *s = sign_find(word[i]);
        if (s && !is_letter(s->c))
            return s;
        if (s)
            found = s;
        else if (is_letter(word[i]))
            other_letters++;
    }
    return other_letters == 0 || (len == 4 && word[3] == 'L') ? found : NULL;
}

/* The word at `at` is no value of the field: say the most helpful thing. */
static bool wrong_value(struct reader *r, size_t at)
{
    size_t len = word_len(r, at);
    const struct sign *sign = foreign_sign(r->text.at + at, len);
    const struct field *f = r->field;
    if (len == 0)
        return wrong(r, at, 1, "a value of the %s is missing here", f->name);
    if (sign)
        return wrong(r, at, len, "%s is not in this version", sign->what);
    if (f->names)
        return wrong(r, at, len, "'%.*s' is no %s; allowed are %u-%u and %s-%s", (int)MIN(len, 40),
                     r->text.at + at, f->name, f->min, f->max, f->names[0], f->names[f->count - 1]);
    return wrong(r, at, len, "'%.*s' is no %s; allowed are %u-%u", (int)MIN(len, 40),
                 r->text.at + at, f->name, f->min, f->max);
}

static bool read_name(struct reader *r, uint32_t *out)
{
    const struct field *f = r->field;
    if (!f->names || word_len(r, r->at) != 3)
        return false;
    for (uint32_t i = 0; i < f->count; i++) {
        const char *name = f->names[i], *p = r->text.at + r->at;
        if (lower(p[0]) == name[0] && lower(p[1]) == name[1] && lower(p[2]) == name[2]) {
            *out = f->min + i;
            r->at += 3;
            return true;
        }
    }
    return false;
}

/* Digits that are followed by the end of the word; capped, never overflowing. */
static bool read_number(struct reader *r, uint32_t *out)
{
    uint32_t n = 0;
    size_t len = word_len(r, r->at);
    for (size_t i = 0; i < len; i++) {
        char c = r->text.at[r->at + i];
        if (!is_digit(c))
            return false;
        n = MIN(n * 10 + (uint32_t)(c - '0'), 1000000u);
    }
    *out = n;
    return len > 0;
}

static bool read_value(struct reader *r, uint32_t *out)
{
    size_t at = r->at;
    if (read_name(r, out))
        return true;
    if (!read_number(r, out))
        return wrong_value(r, at);
    if (*out < r->field->min || *out > r->field->max)
        return wrong(r, at, word_len(r, at), "%s %.*s is out of range %u-%u", r->field->name,
                     (int)MIN(word_len(r, at), 20), r->text.at + at, r->field->min, r->field->max);
    r->at += word_len(r, at);
    return true;
}

static bool read_step(struct reader *r, uint32_t *out)
{
    size_t at = r->at, len = word_len(r, at);
    if (!read_number(r, out))
        return wrong(r, at, MAX(len, 1), "a step of the %s must be a whole number", r->field->name);
    if (*out == 0)
        return wrong(r, at, len, "a step of the %s must be at least 1", r->field->name);
    r->at += len;
    return true;
}

/* One item of a list, as first, how many further values, and step. */
struct item {
    uint32_t first, span, step;
};

static bool read_item(struct reader *r, struct item *it)
{
    const struct field *f = r->field;
    size_t at = r->at;
    uint32_t last;
    bool all = take(r, '*'), range = false;
    *it = (struct item){f->min, f->count - 1, 1};
    if (!all) {
        if (!read_value(r, &it->first))
            return false;
        it->span = 0;
        if ((range = take(r, '-'))) {
            if (!read_value(r, &last))
                return false;
            /* 0-7 is every day of the week; otherwise 7 is 0. */
            it->span = last >= it->first ? last - it->first : last + f->count - it->first;
            it->span = MIN(it->span, f->count - 1);
            if (last < it->first && f != &fields[WEEKDAY])
                hint(r, at, "this range runs across the end; some programs refuse it");
        }
    }
    if (!take(r, '/'))
        return true;
    if (!all && !range) {
        uint32_t first = (it->first - f->min) % f->count;
        it->span = f->count - 1 - first; /* a/n is a-max/n */
    }
    if (!read_step(r, &it->step))
        return false;
    if (!all && !range)
        hint(r, at,
             "a step behind a single value runs up to the end of the field; cron itself "
             "refuses it");
    return true;
}

static bool read_field(struct reader *r, const struct field *f, uint64_t *bits)
{
    r->field = f;
    *bits = 0;
    do {
        struct item it;
        if (!read_item(r, &it))
            return false;
        for (uint32_t k = 0; k <= it.span; k += it.step)
            *bits |= (uint64_t)1 << ((it.first - f->min + k) % f->count + f->min);
    } while (take(r, ','));
    if (r->at < r->text.len && !is_blank(peek(r)))
        return wrong(r, r->at, MAX(word_len(r, r->at), 1), "the %s ends before this", f->name);
    return true;
}

/* CRON_TZ=Zone or TZ=Zone in front. */
static bool read_zone(struct reader *r)
{
    struct str rest = {r->text.at + r->at, r->text.len - r->at};
    size_t head = str_starts(rest, S("CRON_TZ=")) ? 8 : str_starts(rest, S("TZ=")) ? 3 : 0;
    if (!head)
        return true;
    r->at += head;
    size_t from = r->at;
    while (r->at < r->text.len && !is_blank(r->text.at[r->at]))
        r->at++;
    if (r->at == from)
        return wrong(r, from - head, head, "a zone name is missing here");
    r->out->zone = (struct str){r->text.at + from, r->at - from};
    skip_blanks(r);
    return true;
}

static bool read_macro(struct reader *r, bool *found, struct str *means)
{
    struct str word = {r->text.at + r->at, r->text.len - r->at};
    size_t len = 0;
    *found = peek(r) == '@';
    while (len < word.len && !is_blank(word.at[len]))
        len++;
    word.len = len;
    for (size_t i = 0; *found && i < countof(macros); i++) {
        if (!str_eq(word, macros[i].name))
            continue;
        if (!macros[i].means)
            return wrong(r, r->at, len, "%s", macros[i].instead);
        *means = str_of(macros[i].means);
        r->at += len;
        skip_blanks(r);
        if (r->at < r->text.len)
            return wrong(r, r->at, r->text.len - r->at, "nothing may follow '%.*s'", STR_ARG(word));
        return true;
    }
    if (*found)
        return wrong(r, r->at, len,
                     "'%.*s' is unknown; there are @hourly, @daily, @midnight, "
                     "@weekly, @monthly, @yearly and @annually",
                     (int)MIN(len, 40), word.at);
    return true;
}

static size_t count_fields(const struct reader *r, size_t *sixth)
{
    size_t n = 0;
    for (size_t i = r->at; i < r->text.len; i++)
        if (!is_blank(r->text.at[i]) && (i == r->at || is_blank(r->text.at[i - 1])) && ++n == 6)
            *sixth = i;
    return n;
}

static bool check_field_count(struct reader *r)
{
    size_t sixth = 0, n = count_fields(r, &sixth);
    if (n == 6 || n == 7)
        return wrong(r, sixth, r->text.len - sixth,
                     "%zu fields (seconds first, year last) are not in this version; five are "
                     "wanted: minute hour day-of-month month day-of-week",
                     n);
    if (n != FIELDS)
        return wrong(r, n > 5 ? sixth : 0, n > 5 ? r->text.len - sixth : MAX(r->text.len, 1),
                     "%zu field%s instead of five: minute hour day-of-month month day-of-week", n,
                     n == 1 ? "" : "s");
    return true;
}

static bool read_fields(struct reader *r)
{
    uint64_t bits[FIELDS];
    bool star[FIELDS];
    for (size_t i = 0; i < FIELDS; i++) {
        skip_blanks(r);
        star[i] = peek(r) == '*';
        if (!read_field(r, &fields[i], &bits[i]))
            return false;
    }
    struct cron *c = r->out;
    c->minutes = bits[MINUTE];
    c->hours = (uint32_t)bits[HOUR];
    c->days = (uint32_t)bits[DAY];
    c->months = (uint32_t)bits[MONTH];
    c->weekdays = (uint8_t)bits[WEEKDAY];
    c->both_days = star[DAY] || star[WEEKDAY];
    c->fixed = !star[MINUTE] && !star[HOUR];
    r->field = NULL;
    return true;
}

/* ---- the next wall time -------------------------------------------------- */

#define WALL_NEVER INT64_MAX

static int month_days(int64_t year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* The wanted days of a month as bits 1..31; `first` is its first day. */
static uint32_t days_wanted(const struct cron *c, int64_t first, int count)
{
    uint32_t weekdays = c->weekdays, by_weekday = 0;
    uint32_t shift = (uint32_t)((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    uint32_t week = (weekdays >> shift | weekdays << (7 - shift)) & 0x7f;
    for (int i = 1; i <= 29; i += 7)
        by_weekday |= week << i;
    uint32_t all = (uint32_t)(((uint64_t)2 << count) - 2);
    return (c->both_days ? c->days & by_weekday : c->days | by_weekday) & all;
}

/* The first wanted bit from `from` on, or -1. */
static int bit_from(uint64_t bits, int from)
{
    bits = from >= 64 ? 0 : bits >> from << from;
    return bits ? __builtin_ctzll(bits) : -1;
}

/* The first wanted day not before `day`, or WALL_NEVER. */
static int64_t day_next(const struct cron *c, int64_t day)
{
    int64_t year;
    int month, date;
    civil_from_days(day, &year, &month, &date);
    for (int64_t last = year + HORIZON_YEARS; year <= last; year++, month = 1, date = 1) {
        for (int m; (m = bit_from(c->months, month)) > 0; month = m + 1, date = 1) {
            int64_t first = civil_to_days(year, m, 1);
            uint32_t wanted = days_wanted(c, first, month_days(year, m));
            int found = bit_from(wanted, m == month ? date : 1);
            if (found > 0)
                return first + found - 1;
        }
    }
    return WALL_NEVER;
}

/* The first matching wall time not before `wall`. */
static int64_t wall_next(const struct cron *c, int64_t wall)
{
    wall += 59;
    int64_t day = wall / DAY_SECONDS - (wall % DAY_SECONDS < 0);
    int minute = (int)((wall - day * DAY_SECONDS) / 60);
    int64_t found = day_next(c, day);
    if (found == WALL_NEVER)
        return WALL_NEVER;
    int hour = 0, m = -1;
    if (found == day) {
        hour = bit_from(c->hours, minute / 60);
        if (hour == minute / 60 && (m = bit_from(c->minutes, minute % 60)) < 0)
            hour = bit_from(c->hours, hour + 1);
        if (hour < 0 && (found = day_next(c, day + 1)) == WALL_NEVER)
            return WALL_NEVER;
    }
    if (found != day)
        hour = bit_from(c->hours, 0);
    if (m < 0 || found != day)
        m = bit_from(c->minutes, 0);
    return found * DAY_SECONDS + hour * 3600 + m * 60;
}

/* ---- the next instant ---------------------------------------------------- */

/* The latest wall time any clock had shown when `s` began. Offsets that change
 * twice within two days are looked through. */
static int64_t wall_seen(const struct tz *z, const struct tz_span *s)
{
    struct tz_span before;
    int64_t seen = TZ_BEGIN;
    for (int64_t at = s->from; at > TZ_BEGIN && at >= s->from - OFFSET_SPREAD; at = before.from) {
        tz_span_at(z, at - 1, &before);
        seen = MAX(seen, before.until + before.offset);
    }
    return seen == TZ_BEGIN ? s->from + s->offset : seen;
}

static void fire_set(struct cron_fire *out, int64_t at, int64_t wall)
{
    out->at = at * 1000;
    out->wall = wall;
}

/* The first fire in `s` not before `at`. False: none; `*next` is then a wall
 * time before which nothing matches from here on. */
static bool span_next(const struct cron *c, const struct tz *z, const struct tz_span *s, int64_t at,
                      struct cron_fire *out, int64_t *next)
{
    int64_t begin = s->from + s->offset, wall = at + s->offset;
    bool near_begin = s->from > TZ_BEGIN && at - s->from < OFFSET_SPREAD;
    int64_t seen = near_begin ? wall_seen(z, s) : begin;
    if (c->fixed && at == s->from && seen < begin) {
        int64_t missing = wall_next(c, seen);
        if (missing < begin) {
            fire_set(out, s->from, missing);
            out->shifted_gap = true;
            return true;
        }
    }
    *next = wall_next(c, c->fixed ? MAX(wall, seen) : wall);
    if (*next == WALL_NEVER || *next - s->offset >= s->until)
        return false;
    fire_set(out, *next - s->offset, *next);
    out->second_pass = *next < seen;
    return true;
}

void cron_fire_next(const struct cron *c, const struct tz *z, ms_t after, struct cron_fire *out)
{
    int64_t at = after / 1000 - (after % 1000 < 0) + 1, next = 0;
    *out = (struct cron_fire){.at = MS_NEVER};
    ASSERT(c->minutes && c->hours && c->months); /* it came from cron_parse() */
    if (after >= TZ_END)
        return;
    struct tz_span s;
    tz_span_at(z, at, &s);
    while (!span_next(c, z, &s, at, out, &next)) {
        if (next == WALL_NEVER || s.until >= TZ_END)
            return;
        /* Nothing matches up to `next`, wherever its instant may be. */
        at = MAX(s.until, next - OFFSET_SPREAD);
        tz_span_at(z, at, &s);
    }
}

ms_t cron_next(const struct cron *c, const struct tz *z, ms_t after)
{
    struct cron_fire f;
    cron_fire_next(c, z, after, &f);
    return f.at;
}

/* ---- reading, at last ---------------------------------------------------- */

static bool read_all(struct reader *r)
{
    bool is_macro = false;
    struct str means = STR_NONE;
    if (r->text.len > CRON_TEXT_MAX)
        return wrong(r, CRON_TEXT_MAX, r->text.len - CRON_TEXT_MAX,
                     "the expression is longer than %d bytes", CRON_TEXT_MAX);
    skip_blanks(r);
    if (!read_zone(r) || !read_macro(r, &is_macro, &means))
        return false;
    if (is_macro) {
        r->text = means;
        r->at = 0;
    }
    if (!check_field_count(r) || !read_fields(r))
        return false;
    if (day_next(r->out, 0) == WALL_NEVER)
        return wrong(r, 0, r->text.len, "this never happens: no such day is in a calendar");
    return true;
}

bool cron_parse(struct str text, struct cron *out, struct cron_error *where)
{
    struct cron c = {0};
    struct reader r = {.text = text, .out = &c, .where = where};
    *where = (struct cron_error){0};
    if (!read_all(&r))
        return false;
    *out = c;
    return true;
}
