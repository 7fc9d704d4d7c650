/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    e->kind = kind;
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return false;
}

/* Put `tail` behind what vsnprintf() said it wrote, if there is room. */
static void append(struct err *e, int written, const char *tail)
{
    if (written >= 0 && (size_t)written < sizeof e->text)
        snprintf(e->text + written, sizeof e->text - (size_t)written, ": %s", tail);
}

bool err_sys(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;
    va_start(ap, fmt);
    e->kind = saved == ENOSPC || saved == EDQUOT ? ERR_FULL : ERR_SYSTEM;
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    append(e, n, strerror(saved));
    return false;
}

bool err_wrap(struct err *e, const char *fmt, ...)
{
    char old[sizeof e->text];
    memcpy(old, e->text, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    append(e, n, old);
    return false;
}
