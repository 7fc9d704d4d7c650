/* SPDX-License-Identifier: MIT
 *
 * model/problem.h: how a problem of a file is noted down; inside the model.
 * What it looks like to others is in model/load.h. */
#ifndef MODEL_PROBLEM_H
#define MODEL_PROBLEM_H

#include "model/codes.h"
#include "model/load.h"

/* From line:column up to, not including, end_line:end_column; from 1. */
struct place {
    uint32_t line, column, end_line, end_column;
};

/* A new problem at `at`; the caller adds what helps with the functions below.
 * The same code at the same place is noted once: one cause, one error. Never
 * NULL; what is beyond PROBLEMS_MAX, or said before, goes nowhere. */
struct problem *problem_add(struct problems *ps, enum code code, struct place at, const char *fmt,
                            ...) PRINTF(4, 5);
void problem_under(struct problems *ps, struct problem *p, const char *fmt, ...) PRINTF(3, 4);
void problem_help(struct problems *ps, struct problem *p, const char *fmt, ...) PRINTF(3, 4);
void problem_note(struct problems *ps, struct problem *p, const char *fmt, ...) PRINTF(3, 4);
/* "did you mean": `word` in place of what is marked. */
void problem_suggest(struct problems *ps, struct problem *p, struct str word);
/* One label a problem. */
void problem_label(struct problems *ps, struct problem *p, struct place at, const char *fmt, ...)
    PRINTF(4, 5);

/* In the order of the file. */
void problems_sort(struct problems *ps);

/* A name for use in a message: as it is when short and printable, else cut and
 * made harmless. Lives as long as `ps`. */
const char *problem_name(struct problems *ps, struct str name);

#endif
