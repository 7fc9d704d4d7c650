/* SPDX-License-Identifier: MIT
 *
 * cli/times.c: near times are told short, far ones whole, and a program gets
 * the same form always. */
#include "cli/times.h"

#include <stdio.h>

#include "base/civil.h"
#include "base/clock.h"
#include "model/duration.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

bool times_open(struct times *t, const struct cli *c, struct err *e)
{
    bool said;
    *t = (struct times){.zones = zones_new(NULL), .now = clock_wall(), .relative = c->out.tty};
    if (!c->timezone) {
        t->zone = zones_local(t->zones, &t->zone_name, &said);
        return true;
    }
    t->zone_name = str_of(c->timezone);
    if (zones_get(t->zones, t->zone_name, &t->zone, e))
        return true;
    times_close(t);
    return err_set(e, ERR_INVALID, "there is no time zone '%s'", c->timezone);
}

void times_close(struct times *t)
{
    zones_free(t->zones);
    *t = (struct times){0};
}

static void civil_at(const struct times *t, ms_t at, struct civil *out)
{
    struct tz_span span;
    int64_t seconds = at / 1000 - (at % 1000 < 0);
    tz_span_at(t->zone, seconds, &span);
    civil_of(seconds + span.offset, out);
}

static int64_t day_number(const struct civil *c)
{
    return civil_to_days(c->year, c->month, c->day);
}

static void rfc3339(ms_t at, struct buf *out)
{
    char text[CLOCK_TEXT_MAX];
    buf_puts(out, clock_rfc3339(at, text));
}

void times_when(const struct times *t, ms_t at, struct buf *out)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c, now;
    if (at <= 0 || at == MS_NEVER)
        return;
    if (!t->relative) {
        rfc3339(at, out);
        return;
    }
    civil_at(t, at, &c);
    civil_at(t, t->now, &now);
    int64_t days = day_number(&c) - day_number(&now);
    if (days > 300 || days < -300) {
        buf_printf(out, "%04lld-%02d-%02d", (long long)c.year, c.month, c.day);
        return;
    }
    if (days > 6 || days < -6)
        buf_printf(out, "%2d %s ", c.day, months[c.month - 1]);
    else if (days)
        buf_printf(out, "%s ", weekday_word(c.weekday));
    buf_printf(out, "%02d:%02d", c.hour, c.minute);
    if (!days && at - t->now < HOUR && t->now - at < HOUR)
        buf_printf(out, ":%02d", c.second);
}

void times_full(const struct times *t, ms_t at, struct buf *out)
{
    char text[TZ_TEXT_MAX];
    if (at <= 0 || at == MS_NEVER)
        return;
    if (t->relative)
        buf_puts(out, tz_format(t->zone, at, text));
    else
        rfc3339(at, out);
}

void times_span(const struct times *t, ms_t span, struct buf *out)
{
    char text[DURATION_TEXT_MAX];
    if (span < 0)
        return;
    if (t->relative)
        buf_puts(out, duration_text(span, text));
    else
        buf_printf(out, "%lld", (long long)span);
}

void times_about(ms_t span, struct buf *out)
{
    if (span < 0)
        span = 0;
    if (span < MINUTE)
        buf_printf(out, "%llds", (long long)(span / 1000));
    else if (span < HOUR)
        buf_printf(out, "%lldm", (long long)(span / MINUTE));
    else if (span < DAY)
        buf_printf(out, "%lldh", (long long)(span / HOUR));
    else
        buf_printf(out, "%lldd %lldh", (long long)(span / DAY), (long long)(span % DAY / HOUR));
}

bool times_since(const struct times *t, const char *text, ms_t *out, struct err *e)
{
    ms_t ago;
    struct civil c;
    if (duration_parse(str_of(text), &ago)) {
        *out = t->now - ago;
        return true;
    }
    int back = strcmp(text, "today") == 0 ? 0 : strcmp(text, "yesterday") == 0 ? 1 : -1;
    if (back >= 0) {
        struct tz_instants at;
        civil_at(t, t->now, &c);
        tz_instants_of(t->zone, (day_number(&c) - back) * 86400, &at);
        *out = at.first * 1000;
        return true;
    }
    return tz_read_time(str_of(text), t->zone, out, e);
}

void size_text(int64_t bytes, struct buf *out)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double n = (double)bytes / 1024;
    size_t unit = 0;
    if (bytes < 1024) {
        buf_printf(out, "%lld B", (long long)bytes);
        return;
    }
    for (; n >= 1000 && unit + 1 < countof(units); unit++)
        n /= 1024;
    buf_printf(out, "%.1f %s", n, units[unit]);
}
