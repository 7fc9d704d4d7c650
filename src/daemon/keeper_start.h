/* SPDX-License-Identifier: MIT
 *
 * daemon/keeper_start.h: bringing a keeper into the world when none answers. */
#ifndef DAEMON_KEEPER_START_H
#define DAEMON_KEEPER_START_H

#include "base/err.h"

/* Start `gowtf keeper` (this very program) for the data directory `home`,
 * detached: a session of its own, standard input from nowhere, output to
 * home/keeper/log. It outlives us; when it ends before us, reap it. */
bool keeper_start(const char *home, uint32_t slots, struct err *e);

#endif
