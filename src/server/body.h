/* SPDX-License-Identifier: MIT
 *
 * server/body.h: the few bodies a request may have. */
#ifndef SERVER_BODY_H
#define SERVER_BODY_H

#include "base/err.h"
#include "base/str.h"

enum { BODY_DEPTH_MAX = 32 };

/* {"params": {NAME: text, number or boolean}} or nothing. */
bool body_check_run(struct str body, struct err *e);

/* {"reason": text} or nothing; absent if there is none. */
bool body_reason(struct str body, struct arena *a, struct str *out, struct err *e);

/* {"text": text, "path": text}; `path` stays as it is if there is none. */
bool body_text(struct str body, struct arena *a, struct str *text, struct str *path, struct err *e);

#endif
