/* SPDX-License-Identifier: MIT
 *
 * model/times.h: whether schedules can be read; inside the model. */
#ifndef MODEL_TIMES_H
#define MODEL_TIMES_H

#include "model/read.h"

/* Check cron expressions and, if `zones` is given, the names of time zones. */
void schedules_check(struct spec *s, const struct load_zones *zones);

#endif
