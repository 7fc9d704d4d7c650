/* SPDX-License-Identifier: MIT
 *
 * server/log_view.h: the output of an attempt, as bytes and as numbered lines.
 *
 * A line ends at a newline; numbers count from 1 in the stream asked for. While
 * an attempt runs its last, unfinished line is not a line yet. */
#ifndef SERVER_LOG_VIEW_H
#define SERVER_LOG_VIEW_H

#include "server/view.h"
#include "wire/logfile.h"

enum {
    LOG_ANSWER_MAX = 1 << 20, /* bytes of one answer */
    LOG_LINES = 500,          /* lines of one answer unless asked for otherwise */
    LOG_LINES_MAX = 5000,
    LOG_LINE_MAX = 4000, /* bytes shown of one line */
};

struct log_query {
    int64_t run, attempt;
    struct str task; /* name or index */
    enum log_stream stream;
    int64_t offset, limit; /* bytes */
    int64_t tail;          /* the last so many lines instead; 0: no */
    int64_t from, count;   /* lines */
};
struct log_told {
    int64_t task;
    int64_t bytes, next; /* of the stream: its size, where to go on */
    bool complete;       /* the attempt is over: nothing more can come */
    bool beyond;         /* `offset` is past the end; nothing was appended */
};

/* "both" (also if absent), "out", "err". */
bool log_stream_of(struct str word, enum log_stream *out);

bool view_log(const struct view *v, const struct log_query *q, struct buf *out,
              struct log_told *told, struct err *e);
bool view_lines(const struct view *v, const struct log_query *q, struct buf *out, struct err *e);

/* Somebody follows an attempt: where he is. Begin with {run, task, attempt}. */
struct log_place {
    int64_t run, task, attempt;
    bool begun;
    uint64_t offset; /* of both streams */
    int64_t lines;   /* told so far */
    bool complete;   /* and it is over */
};
/* The lines since the last call as an object; nothing is appended if there are
 * none. The first call finds the end and tells only where it is, so that a
 * reader can fetch what lies before. */
bool view_log_follow(const struct view *v, struct log_place *at, struct buf *out, struct err *e);

#endif
