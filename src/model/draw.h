/* SPDX-License-Identifier: MIT
 *
 * model/draw.h: the graph of a workflow as text, for dot, browsers, terminals. */
#ifndef MODEL_DRAW_H
#define MODEL_DRAW_H

#include "base/buf.h"
#include "model/layout.h"

/* Graphviz's language. */
void graph_dot(const struct workflow *w, struct buf *out);

/* A picture that stands alone and follows the reader's light or dark scheme. */
void graph_svg(const struct workflow *w, const struct layout *layout, struct buf *out);

/* For a terminal. A small graph without joins is drawn:
 *
 *     extract ──▶ transform ─┬─▶ publish
 *                            └─▶ cleanup   if transform.failed
 *
 * any other is a line for each task, with its parents before it. */
void graph_text(const struct workflow *w, struct buf *out);

#endif
