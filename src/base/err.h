/* SPDX-License-Identifier: MIT
 *
 * base/err.h: how anything in this house fails.
 *
 * A function that may fail returns bool and takes a struct err last. True: the
 * out-arguments are set. False: the error is set and nothing else changed.
 * The kind is mapped once to an HTTP status (server) and an exit code (cli). */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/base.h"

enum err_kind {
    ERR_NONE = 0,
    ERR_INVALID,   /* what the caller or the user gave is wrong */
    ERR_NOT_FOUND, /* the thing named does not exist */
    ERR_CONFLICT,  /* the thing exists, in a state that forbids this */
    ERR_LIMIT,     /* a bound was reached; trying later may work */
    ERR_DENIED,    /* the caller may not do this */
    ERR_FULL,      /* no space left to keep a promise */
    ERR_DOWN,      /* the engine or the keeper does not answer */
    ERR_SYSTEM,    /* the kernel, the disk or SQLite said no */
    ERR_KINDS
};

struct err {
    enum err_kind kind;
    char text[500];
};

/* All return false, so that `return err_set(...)` reads well. */
bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF(3, 4);
bool err_sys(struct err *e, const char *fmt, ...) PRINTF(2, 3);  /* appends strerror(errno) */
bool err_wrap(struct err *e, const char *fmt, ...) PRINTF(2, 3); /* puts "fmt: " in front */

#endif
