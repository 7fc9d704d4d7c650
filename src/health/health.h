/* SPDX-License-Identifier: MIT
 *
 * health/health.h: the room around health/core: hears signs of life, says what
 * must be asked, replaced or stopped. Owns no table and writes nothing. */
#ifndef HEALTH_HEALTH_H
#define HEALTH_HEALTH_H

#include "bus/corridor.h"

struct health;

struct health *health_new(struct corridor *c); /* borrows the corridor */
void health_free(struct health *h);
void health_hear(struct health *h, const struct msg *m);
ms_t health_deadline(const struct health *h); /* CLOCK_BOOTTIME */
void health_tick(struct health *h);

#endif
