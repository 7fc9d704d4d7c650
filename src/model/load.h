/* SPDX-License-Identifier: MIT
 *
 * model/load.h: from the text of a file to a workflow, or to everything that
 * is wrong with it.
 *
 *     text ── yaml.c ──> tree ── read.c ──> spec ── graph.c, compile.c, times.c ──> workflow
 *
 * One reading finds all problems of a file. Pure: no clock, no disk. */
#ifndef MODEL_LOAD_H
#define MODEL_LOAD_H

#include "base/buf.h"
#include "base/map.h"
#include "model/workflow.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct label { /* a second place that explains the first */
    uint32_t line, column, end_column;
    struct str text;
};

/* Lines and columns count from 1; columns count characters. */
struct problem {
    enum severity severity;
    const char *code;                            /* "E0201", stable for ever; see model/codes.h */
    uint32_t line, column, end_line, end_column; /* end_column: one past the last */
    struct str message; /* one sentence, lower case, names in single quotes, no full stop */
    struct str under;   /* text beside the caret; may be absent */
    struct str help;    /* "= help:" or "= note:"; may be absent */
    bool help_is_note;
    struct str fix; /* what would be right in place of the marked text; absent: nobody knows */
    const struct label *labels;
    uint32_t label_count;
};

struct problems {
    struct problem *at;
    size_t count, cap;
    size_t error_count; /* all errors; `at` holds the first 1,000 problems */
    struct arena arena; /* owns the texts */
    struct map seen;    /* places that have had their problem */
};
void problems_free(struct problems *ps);

/* Read `text` as one workflow file. Returns a new workflow (the caller frees it
 * with workflow_free) or NULL when `ps` holds at least one error. Warnings are
 * added in both cases. The workflow copies what it needs of `text`.
 *
 * `file_name` is used only for the default name of a workflow that has no
 * `name` (the base name without ".yaml" / ".yml"). */
struct workflow *workflow_load(struct str text, struct str file_name, struct problems *ps);

/* Which time zones there are is the disk's business, so it is asked: `known` for
 * each name of a zone in the file, `nearest` for what may have been meant (absent:
 * nothing is near) by a name that is not. store/zones.h makes one. */
struct load_zones {
    bool (*known)(void *ctx, struct str zone);
    struct str (*nearest)(void *ctx, struct str zone);
    void *ctx;
};
/* The same, with time zones checked too; `zones` NULL: they are not. Check them
 * where a file is new; what is stored was checked when it came. */
struct workflow *workflow_load_with(struct str text, struct str file_name,
                                    const struct load_zones *zones, struct problems *ps);

/* The problem as a person reads it (form of experience 3.5), with the source
 * line and a caret; `colour`: ANSI colours. `path` as it is to be shown. Ends
 * with its last line; an empty line between two is the caller's. */
void problem_print(const struct problem *p, struct str path, struct str text, bool colour,
                   struct buf *out);
/* "file:line:col: error[E0201]: message", one line. */
void problem_print_short(const struct problem *p, struct str path, struct buf *out);
/* One JSON object, the same in API, CLI and editor. */
void problem_json(const struct problem *p, struct str path, struct json *j, const char *key);

#endif
