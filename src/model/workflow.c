/* SPDX-License-Identifier: MIT */
#include "model/workflow.h"

void workflow_free(struct workflow *w)
{
    if (!w)
        return;
    arena_free(&w->arena);
    free(w);
}
