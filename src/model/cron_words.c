/* SPDX-License-Identifier: MIT
 *
 * model/cron_words.c: a cron expression as one would say it.
 *
 * Made from the sets, not from the text, so that two ways to write the same
 * thing are said in the same way. */
#include "model/cron.h"

enum { TIMES_LISTED_MAX = 6 };

static const char *const month_words[] = {"",        "January",  "February", "March",  "April",
                                          "May",     "June",     "July",     "August", "September",
                                          "October", "November", "December"};
static const char *const weekday_words[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                            "Thursday", "Friday", "Saturday"};

#define ALL_HOURS    ((1u << 24) - 1)
#define ALL_DAYS     0xfffffffeu
#define ALL_MONTHS   0x1ffeu
#define ALL_WEEKDAYS 0x7fu
#define WORKDAYS     0x3eu
#define WEEKEND      0x41u

static int bit_count(uint64_t bits)
{
    return __builtin_popcountll(bits);
}
static int first_bit(uint64_t bits)
{
    return __builtin_ctzll(bits);
}

/* The step, if `bits` are 0, step, 2 step, ... and the next would be `size`; else 0. */
static int even_step(uint64_t bits, int size)
{
    int n = bit_count(bits), step = size / n;
    if (n * step != size)
        return 0;
    for (int i = 0; i < size; i++)
        if ((bits >> i & 1) != (i % step == 0))
            return 0;
    return step;
}

/* One of a list: a run of at least three is said as a range. */
static void add_part(struct buf *out, const char *const *words, const char *to, int a, int b)
{
    if (words)
        buf_puts(out, words[a]);
    else
        buf_printf(out, "%d", a);
    if (a == b)
        return;
    if (words)
        buf_printf(out, "%s%s", to, words[b]);
    else
        buf_printf(out, "%s%d", to, b);
}

/* The end of the part that begins at bit `a`. */
static int part_end(uint64_t bits, int a)
{
    int b = a;
    while (b < 63 && bits >> (b + 1) & 1)
        b++;
    return b - a >= 2 ? b : a;
}

static void add_list(struct buf *out, uint64_t bits, const char *const *words, const char *to)
{
    for (bool first = true; bits; first = false) {
        int a = first_bit(bits), b = part_end(bits, a);
        bits = b == 63 ? 0 : bits >> (b + 1) << (b + 1);
        if (!first)
            buf_puts(out, bits ? ", " : " and ");
        add_part(out, words, to, a, b);
    }
}

static void add_times(struct buf *out, const struct cron *c)
{
    int left = bit_count(c->hours) * bit_count(c->minutes);
    buf_puts(out, "at ");
    for (int h = 0; h < 24; h++)
        for (int m = 0; m < 60; m++) {
            if (!(c->hours >> h & 1 && c->minutes >> m & 1))
                continue;
            buf_printf(out, "%02d:%02d", h, m);
            left--;
            buf_puts(out, left == 0 ? "" : left == 1 ? " and " : ", ");
        }
}

static void add_minutes(struct buf *out, const struct cron *c)
{
    int step = even_step(c->minutes, 60);
    if (step == 1)
        buf_puts(out, "every minute");
    else if (step > 1 && step < 60)
        buf_printf(out, "every %d minutes", step);
    else if (c->minutes == 1)
        buf_puts(out, "every hour");
    else {
        buf_puts(out, "at ");
        add_list(out, c->minutes, NULL, " to ");
        buf_printf(out, " minute%s past the hour", c->minutes == 2 ? "" : "s");
    }
}

static void add_hours(struct buf *out, uint32_t hours)
{
    int a = first_bit(hours), n = bit_count(hours);
    if (hours == ALL_HOURS)
        return;
    if ((hours >> a) == (1u << n) - 1) {
        buf_printf(out, " from %02d:00 to %02d:59", a, a + n - 1);
        return;
    }
    buf_puts(out, " in hour ");
    add_list(out, hours, NULL, " to ");
}

/* True: said as times of a day, so that "every day" is worth saying. */
static bool add_time_of_day(struct buf *out, const struct cron *c)
{
    int hours = bit_count(c->hours), minutes = bit_count(c->minutes);
    int hour_step = even_step(c->hours, 24);
    if (hours * minutes <= TIMES_LISTED_MAX && hours < 24 && (hours <= 2 || hour_step < 2)) {
        add_times(out, c);
        return true;
    }
    if (minutes == 1 && hour_step > 1 && hour_step < 24) {
        buf_printf(out, "every %d hours", hour_step);
        if (c->minutes != 1)
            buf_printf(out, ", %d minute%s past", first_bit(c->minutes),
                       c->minutes == 2 ? "" : "s");
        return false;
    }
    add_minutes(out, c);
    add_hours(out, c->hours);
    return false;
}

static void add_weekdays(struct buf *out, uint32_t weekdays)
{
    if (weekdays == WORKDAYS)
        buf_puts(out, "on weekdays");
    else if (weekdays == WEEKEND)
        buf_puts(out, "at weekends");
    else {
        buf_puts(out, "on ");
        add_list(out, weekdays, weekday_words, " to ");
    }
}

static void add_month_days(struct buf *out, uint32_t days)
{
    buf_puts(out, bit_count(days) == 1 ? "on day " : "on days ");
    add_list(out, days, NULL, " to ");
    buf_puts(out, " of the month");
}

static void add_days(struct buf *out, const struct cron *c, bool time_of_day)
{
    bool any_day = c->days == ALL_DAYS, any_weekday = c->weekdays == ALL_WEEKDAYS;
    bool every = c->both_days ? any_day && any_weekday : any_day || any_weekday;
    if (every) {
        buf_puts(out, time_of_day ? " every day" : "");
        return;
    }
    buf_putc(out, ' ');
    if (!any_day)
        add_month_days(out, c->days);
    if (!any_day && !any_weekday)
        buf_puts(out, c->both_days ? ", and only " : " or ");
    if (!any_weekday)
        add_weekdays(out, c->weekdays);
}

void cron_words(const struct cron *c, struct buf *out)
{
    bool time_of_day = add_time_of_day(out, c);
    add_days(out, c, time_of_day);
    if (c->months != ALL_MONTHS) {
        buf_puts(out, " in ");
        add_list(out, c->months, month_words, " to ");
    }
}
