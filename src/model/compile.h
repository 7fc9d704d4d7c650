/* SPDX-License-Identifier: MIT
 *
 * model/compile.h: conditions, from text to steps; inside the model. */
#ifndef MODEL_COMPILE_H
#define MODEL_COMPILE_H

#include "model/graph.h"

/* Compile the conditions of all tasks, check every name in them, and note in
 * the graph whose failure they mention. `whole`: the graph is acyclic, so
 * "upstream" means something. */
void conditions_compile(struct spec *s, bool whole);

#endif
