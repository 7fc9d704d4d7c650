/* SPDX-License-Identifier: MIT
 *
 * scheduler/params.h: what a run is given.
 *
 * A wish for a run brings a JSON object: {"params": {"day": "2026-11-23"}},
 * and perhaps "trigger": "manual" or "api". An absent or empty text is {}. */
#ifndef SCHEDULER_PARAMS_H
#define SCHEDULER_PARAMS_H

#include "base/err.h"
#include "model/workflow.h"

enum { PARAMS_BYTES_MAX = 64 * 1024 }; /* of a wish's text */

struct run_params {
    struct str json;  /* an object of texts: the defaults, and what was given over them */
    struct str given; /* what was given alone, in one canonical form */
    const char *trigger;
};

/* Texts come from `a`. ERR_INVALID: not such an object, a parameter the
 * workflow does not have, a value that is not a text, a number or a boolean. */
bool params_merge(struct str body, const struct workflow *w, struct arena *a,
                  struct run_params *out, struct err *e);

#endif
