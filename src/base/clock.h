/* SPDX-License-Identifier: MIT
 *
 * base/clock.h: the three clocks, and time as text.
 *
 * Rooms and cores never look at a clock: time comes to them in messages. Only
 * the daemon, the keeper and the command line read one. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"

ms_t clock_wall(void);       /* CLOCK_REALTIME: what a calendar says; may jump */
ms_t clock_boot(void);       /* CLOCK_BOOTTIME: durations; never jumps, counts sleep */
int64_t clock_mono_us(void); /* CLOCK_MONOTONIC in microseconds, to measure */

enum { CLOCK_TEXT_MAX = 32 };

/* "2026-11-23T03:00:00.004Z" into `text`, which is returned. */
const char *clock_rfc3339(ms_t at, char text[CLOCK_TEXT_MAX]);

#endif
