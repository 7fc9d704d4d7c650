/* SPDX-License-Identifier: MIT
 *
 * base/civil.h: days and dates, by arithmetic alone. */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include "base/base.h"

/* Proleptic Gregorian calendar, UTC. Source: Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms". Days count from 1970-01-01. */
int64_t civil_to_days(int64_t year, int month, int day); /* month, day from 1 */
void civil_from_days(int64_t days, int64_t *year, int *month, int *day);

#endif
