/* SPDX-License-Identifier: MIT
 *
 * cli/follow.h: to be woken when a data directory changes: rows are committed,
 * or output grows. */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "base/err.h"

struct follow {
    int fd; /* inotify; -1: there is none, follow_wait() looks again each second */
};
void follow_open(struct follow *f, const char *home);
void follow_close(struct follow *f); /* for CLEANUP */
/* Until something changed, or `most_ms`. False: interrupted by a signal. */
bool follow_wait(struct follow *f, ms_t most_ms);

#endif
