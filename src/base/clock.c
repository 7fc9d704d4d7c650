/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/civil.h"

#include <stdio.h>
#include <time.h>

static ms_t now_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (ms_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

ms_t clock_wall(void)
{
    return now_ms(CLOCK_REALTIME);
}

ms_t clock_boot(void)
{
    return now_ms(CLOCK_BOOTTIME);
}

int64_t clock_mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The last `count` digits of `n`, the last one at `last`. Lists of a thousand
 * runs hold many times, and printf takes its own. */
static void put_digits(char *last, int count, int64_t n)
{
    for (; count > 0; count--, n /= 10)
        *last-- = (char)('0' + n % 10);
}

const char *clock_rfc3339(ms_t at, char text[CLOCK_TEXT_MAX])
{
    int64_t days = at / 86400000, rest = at % 86400000, year;
    int month, day;
    if (rest < 0) {
        rest += 86400000;
        days--;
    }
    civil_from_days(days, &year, &month, &day);
    if (year < 0 || year > 9999) {
        snprintf(text, CLOCK_TEXT_MAX, "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", (long long)year,
                 month, day, (int)(rest / 3600000), (int)(rest / 60000 % 60),
                 (int)(rest / 1000 % 60), (int)(rest % 1000));
        return text;
    }
    memcpy(text, "0000-00-00T00:00:00.000Z", 25);
    put_digits(text + 3, 4, year);
    put_digits(text + 6, 2, month);
    put_digits(text + 9, 2, day);
    put_digits(text + 12, 2, rest / 3600000);
    put_digits(text + 15, 2, rest / 60000 % 60);
    put_digits(text + 18, 2, rest / 1000 % 60);
    put_digits(text + 22, 3, rest % 1000);
    return text;
}
