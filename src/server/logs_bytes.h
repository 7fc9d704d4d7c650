/* SPDX-License-Identifier: MIT
 *
 * server/logs_bytes.h: how much the logs hold. */
#ifndef SERVER_LOGS_BYTES_H
#define SERVER_LOGS_BYTES_H

#include "base/base.h"

enum { LOGS_FILES_MAX = 20000, LOGS_DEPTH_MAX = 3 };

/* The bytes of all files below HOME/logs. -1: there are more of them than
 * LOGS_FILES_MAX, which would take too long to look at. Any thread. */
int64_t logs_bytes(const char *home);

#endif
