/* SPDX-License-Identifier: MIT
 *
 * worker/excerpt.h: the line of an output that most likely says what went
 * wrong: the last line of stderr with something on it, else the last of stdout. */
#ifndef WORKER_EXCERPT_H
#define WORKER_EXCERPT_H

#include "base/err.h"
#include "wire/logfile.h"

enum { EXCERPT_MAX = 200 };

struct excerpt {
    char text[EXCERPT_MAX + 1]; /* valid UTF-8, no control characters; "" if there is none */
    int64_t line;               /* its number in both streams as one, from 1; 0: not counted */
};

/* `home`: descriptor of the data directory. Output that cannot be read has no
 * excerpt: an end must be recorded whatever became of its log. */
void excerpt_find(int home, const struct log_ref *ref, struct excerpt *out);

#endif
