/* SPDX-License-Identifier: MIT
 *
 * cli/output.h: the output of one attempt, line by line, as it is and as it
 * grows. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/paint.h"
#include "store/db.h"
#include "wire/logfile.h"

struct output {
    int64_t run, task, item, attempt;
    enum log_stream stream;
    uint64_t offset;  /* where to go on */
    struct buf line;  /* begun and not ended yet */
    uint64_t line_at; /* its offset */
    bool complete;    /* the attempt is over and all of it was read */
};

/* One line without its end. `at`: written not later than this, 0: not known. */
typedef void output_line_fn(void *ctx, struct str line, ms_t at, bool ended);

/* Hand every new line to `fn`; at the end of a finished attempt also one that
 * was not ended. `home` is the data directory's descriptor. True and nothing
 * new is fine. ERR_NOT_FOUND: there is no such attempt. */
bool output_read(struct output *o, int home, struct db *db, bool want_times, output_line_fn *fn,
                 void *ctx, struct err *e);
/* Begin with the last `lines` lines. */
bool output_tail(struct output *o, int home, struct db *db, uint64_t lines, struct err *e);
void output_free(struct output *o);

#endif
