/* SPDX-License-Identifier: MIT
 *
 * model/layout.h: where each task of a workflow stands in a picture.
 *
 * Left to right: a task stands one layer right of the last of its parents.
 * Within a layer, rows are ordered so that few edges cross (Sugiyama's method
 * with barycentres, without dummy nodes). */
#ifndef MODEL_LAYOUT_H
#define MODEL_LAYOUT_H

#include "model/workflow.h"

/* The box of a task and the way to the next, in pixels. */
enum {
    LAYOUT_BOX_WIDTH = 180,
    LAYOUT_BOX_HEIGHT = 36,
    LAYOUT_PITCH_X = 216,
    LAYOUT_PITCH_Y = 52,
    LAYOUT_SWEEPS = 4,
};

struct layout_task {
    uint32_t layer, row; /* from 0 */
    int32_t x, y;        /* of the upper left corner, from 0 */
};

struct layout {
    const struct layout_task *tasks; /* one for each task of the workflow */
    uint32_t task_count, layer_count, row_count;
    int32_t width, height;
};

/* All in `a`. The same workflow always gives the same picture. Time grows with
 * edges and with tasks times their logarithm. */
struct layout layout_of(const struct workflow *w, struct arena *a);

#endif
