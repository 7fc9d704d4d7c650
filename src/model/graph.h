/* SPDX-License-Identifier: MIT
 *
 * model/graph.h: from names to a graph; inside the model. */
#ifndef MODEL_GRAPH_H
#define MODEL_GRAPH_H

#include "model/read.h"

/* Sort the tasks' names; says which are there twice. */
void graph_names(struct spec *s);

/* Resolve `depends_on` into up and down. Adds what is wrong: unknown tasks,
 * loops, edges given twice, circles. True: the graph is acyclic and whole. */
bool graph_build(struct spec *s);

/* What conditions look at beyond their parents. */
struct reach {
    uint32_t from, to; /* is `from` an ancestor of `to`? */
    uint32_t tag;      /* the asker's */
    bool yes;          /* the answer */
};
/* Answer all of `asked`, which is reordered; the graph must be acyclic. False:
 * it would take more than REACH_STEPS_MAX. */
bool graph_reach(const struct workflow *w, struct reach *asked, size_t count,
                 struct arena *scratch);

#endif
