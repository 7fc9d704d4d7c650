/* SPDX-License-Identifier: MIT
 *
 * cli/look.h: reading the data directory without the engine.
 *
 * Reading commands ask the very functions that answer the HTTP interface and
 * show their answers, so the terminal, the browser and a script cannot be told
 * different things. */
#ifndef CLI_LOOK_H
#define CLI_LOOK_H

#include <jansson.h>

#include "cli/command.h"
#include "cli/target.h"
#include "cli/times.h"
#include "server/view.h"

struct look {
    const struct cli *cli;
    struct db db;
    struct view view;
    struct times times;
    struct buf doc; /* the answer of a view */
};

/* ERR_DOWN: no engine has ever run there. */
bool look_open(struct look *l, const struct cli *c, struct err *e);
void look_close(struct look *l); /* for CLEANUP; fine on {0} */

/* `doc` as a value; json_decref() it. NULL: e is set. */
json_t *look_parse(struct look *l, struct err *e);

/* `doc` to stdout, with the fields of --json=a,b only. */
int look_answer(struct look *l);
/* The same for a document made elsewhere. */
int answer_json(const struct cli *c, struct buf *doc);

/* Members of an object; what is not there is NULL, `missing` or 0. */
const char *j_text(const json_t *o, const char *key);
int64_t j_int(const json_t *o, const char *key, int64_t missing);
bool j_true(const json_t *o, const char *key);
ms_t j_time(const json_t *o, const char *key); /* RFC 3339 as we write it; 0: none */

/* Cells of a table. */
void cell_when(struct table *t, const struct look *l, ms_t at);
void cell_span(struct table *t, const struct look *l, int64_t span_ms);
void cell_state(struct table *t, const struct look *l, const json_t *run); /* sign; pipe: word */
void cell_int(struct table *t, int64_t n);
void head_cells(struct table *t, const char *const *names, size_t count); /* terminal only */

/* The workflow or run named by an argument. */
bool look_run(struct look *l, const char *arg, struct target *t, int64_t *run, struct err *e);
bool look_workflow(struct look *l, const char *arg, int64_t *id, struct err *e);
/* The task of a target, its attempt if one is named (0: the newest). */
bool look_task(struct look *l, const struct target *t, int64_t run, int64_t *task, int64_t *item,
               int64_t *attempt, struct err *e);

#endif
