/* SPDX-License-Identifier: MIT
 *
 * model/duration.h: lengths of time as people write and read them. */
#ifndef MODEL_DURATION_H
#define MODEL_DURATION_H

#include "base/str.h"

/* "500ms 30s 2m 1h30m 1d 2w"; a bare integer is seconds. False: not a
 * duration, negative, or longer than 100 years. */
bool duration_parse(struct str text, ms_t *out);

enum { DURATION_TEXT_MAX = 24 };
/* "340ms 1.2s 41s 2m 10s 1h 05m 3d 4h" into `text`, which is returned. */
const char *duration_text(ms_t d, char text[DURATION_TEXT_MAX]);

#endif
