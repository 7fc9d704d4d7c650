/* SPDX-License-Identifier: MIT
 *
 * model/read.h: from a tree to a workflow whose references are still names;
 * inside the model. */
#ifndef MODEL_READ_H
#define MODEL_READ_H

#include "model/source.h"
#include "model/yaml.h"

/* Where the parts of a task stand in the file, for those who check it. */
struct task_nodes {
    const struct yaml *node, *name, *depends_on, *condition, *script, *command, *retry_delay;
};

struct spec {
    struct workflow *w;       /* filled but for graph, conditions and names */
    struct task *tasks;       /* w->tasks, to be filled */
    struct task_nodes *nodes; /* as many */
    const struct yaml *schedule;
    const struct yaml *timezone;
    struct arena scratch; /* gone after the load */
    struct problems *ps;
    struct source source;
    struct str file_name;
    struct str *names;    /* of the tasks; made when first asked */
    size_t nearest_left;  /* of NEAREST_NAMES_MAX */
    size_t env_total;     /* of ENV_TOTAL_MAX */
    size_t condition_ops; /* of CONDITION_OPS_TOTAL */
};

/* Fill `s->w` from the tree, all in `w->arena`. Everything wrong is in s->ps. */
void spec_read(struct spec *s, const struct yaml *root);

/* The nearest of `count` names, or -1; takes from the file's budget. */
int spec_nearest(struct spec *s, struct str word, const struct str *names, size_t count);

/* The index of the task with the nearest name, or -1; likewise. */
int64_t spec_nearest_task(struct spec *s, struct str word);

/* [A-Za-z0-9][A-Za-z0-9_.-]*, at most NAME_BYTES_MAX */
bool name_is_fit(struct str name);

/* A part of a scalar: `from`..`to` are bytes of its text. The whole node when
 * the text does not stand in the file byte for byte. */
struct place spec_part(struct spec *s, const struct yaml *y, size_t from, size_t to);

#endif
