/* SPDX-License-Identifier: MIT
 *
 * model/layout.c: a picture of the graph, fast enough to make on each view.
 *
 *     layers ──> rows by file order ──> sweeps to and fro ──> coordinates
 *
 * In a sweep each layer is sorted by where the neighbours of its tasks stand on
 * average: the parents on the way right, the children on the way left. Heights
 * are counted from the middle of a layer, so that short and long layers agree
 * on where the middle is.
 *
 * Source: K. Sugiyama, S. Tagawa, M. Toda, "Methods for Visual Understanding of
 * Hierarchical System Structures", 1981. */
#include "model/layout.h"

struct place {
    double wish; /* the height its neighbours want for it */
    uint32_t task, row;
};

struct sheet {
    const struct workflow *w;
    struct layout_task *tasks;
    uint32_t *first; /* of each layer, in `order`; one more than there are layers */
    struct place *order;
    uint32_t layers;
    struct arena scratch;
};

/* Layers in the order tasks could run; `queue` holds those whose parents are all placed. */
static void layers_find(struct sheet *s)
{
    uint32_t count = s->w->task_count, done = 0;
    uint32_t *left = arena_new(&s->scratch, uint32_t, count);
    uint32_t *queue = arena_new(&s->scratch, uint32_t, count);
    for (uint32_t i = 0; i < count; i++)
        if (!(left[i] = s->w->tasks[i].up_count))
            queue[done++] = i;
    for (uint32_t k = 0; k < done; k++) {
        const struct task *t = &s->w->tasks[queue[k]];
        uint32_t layer = s->tasks[queue[k]].layer;
        s->layers = MAX(s->layers, layer + 1);
        for (uint32_t d = 0; d < t->down_count; d++) {
            struct layout_task *child = &s->tasks[t->down[d]];
            child->layer = MAX(child->layer, layer + 1);
            if (--left[t->down[d]] == 0)
                queue[done++] = t->down[d];
        }
    }
    ASSERT(done == count);
}

/* Rows in the order of the file. */
static void rows_begin(struct sheet *s)
{
    uint32_t count = s->w->task_count;
    s->first = arena_new(&s->scratch, uint32_t, s->layers + 1);
    s->order = arena_new(&s->scratch, struct place, count);
    uint32_t *fill = arena_new(&s->scratch, uint32_t, s->layers);
    for (uint32_t i = 0; i < count; i++)
        s->first[s->tasks[i].layer + 1]++;
    for (uint32_t l = 0; l < s->layers; l++)
        s->first[l + 1] += s->first[l];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t layer = s->tasks[i].layer, row = fill[layer]++;
        s->tasks[i].row = row;
        s->order[s->first[layer] + row] = (struct place){0, i, row};
    }
}

static double height_of(const struct sheet *s, uint32_t task)
{
    const struct layout_task *t = &s->tasks[task];
    uint32_t rows = s->first[t->layer + 1] - s->first[t->layer];
    return t->row - (rows - 1) / 2.0;
}

static double wish_of(const struct sheet *s, uint32_t task, bool parents)
{
    const struct task *t = &s->w->tasks[task];
    const uint32_t *at = parents ? t->up : t->down;
    uint32_t count = parents ? t->up_count : t->down_count;
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += height_of(s, at[i]);
    return count ? sum / count : height_of(s, task);
}

static int by_wish(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->wish < b->wish || a->wish > b->wish)
        return a->wish < b->wish ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static void layer_sort(struct sheet *s, uint32_t layer, bool parents)
{
    struct place *at = &s->order[s->first[layer]];
    uint32_t count = s->first[layer + 1] - s->first[layer];
    for (uint32_t i = 0; i < count; i++)
        at[i].wish = wish_of(s, at[i].task, parents);
    qsort(at, count, sizeof *at, by_wish);
    for (uint32_t i = 0; i < count; i++)
        s->tasks[at[i].task].row = at[i].row = i;
}

static void sweeps(struct sheet *s)
{
    for (int n = 0; n < LAYOUT_SWEEPS; n++)
        for (uint32_t k = 1; k < s->layers; k++) {
            bool right = n % 2 == 0;
            layer_sort(s, right ? k : s->layers - 1 - k, right);
        }
}

/* The mean height of the parents, in pixels; the middle if there are none. */
static double parents_y(const struct sheet *s, uint32_t task)
{
    const struct task *t = &s->w->tasks[task];
    double sum = 0;
    for (uint32_t i = 0; i < t->up_count; i++)
        sum += s->tasks[t->up[i]].y;
    return t->up_count ? sum / t->up_count : height_of(s, task) * LAYOUT_PITCH_Y;
}

/* Each task as near to its parents as the one above allows; then all of the
 * layer moves so that they are right on average. */
static void layer_place(struct sheet *s, uint32_t layer)
{
    const struct place *at = &s->order[s->first[layer]];
    uint32_t count = s->first[layer + 1] - s->first[layer];
    double last = 0, shift = 0;
    for (uint32_t i = 0; i < count; i++) {
        double wish = parents_y(s, at[i].task);
        last = i ? MAX(wish, last + LAYOUT_PITCH_Y) : wish;
        shift += (wish - last) / count;
        s->tasks[at[i].task].y = (int32_t)last;
        s->tasks[at[i].task].x = (int32_t)layer * LAYOUT_PITCH_X;
    }
    for (uint32_t i = 0; i < count; i++)
        s->tasks[at[i].task].y += (int32_t)shift;
}

static struct layout sheet_finish(struct sheet *s)
{
    uint32_t count = s->w->task_count;
    struct layout out = {.tasks = s->tasks, .task_count = count, .layer_count = s->layers};
    int32_t top = INT32_MAX, bottom = INT32_MIN;
    for (uint32_t i = 0; i < count; i++) {
        top = MIN(top, s->tasks[i].y);
        bottom = MAX(bottom, s->tasks[i].y);
        out.row_count = MAX(out.row_count, s->tasks[i].row + 1);
    }
    for (uint32_t i = 0; i < count; i++)
        s->tasks[i].y -= top;
    if (count) {
        out.width = (int32_t)(s->layers - 1) * LAYOUT_PITCH_X + LAYOUT_BOX_WIDTH;
        out.height = bottom - top + LAYOUT_BOX_HEIGHT;
    }
    return out;
}

struct layout layout_of(const struct workflow *w, struct arena *a)
{
    struct sheet s = {.w = w, .tasks = arena_new(a, struct layout_task, w->task_count)};
    layers_find(&s);
    rows_begin(&s);
    sweeps(&s);
    for (uint32_t l = 0; l < s.layers; l++)
        layer_place(&s, l);
    struct layout out = sheet_finish(&s);
    arena_free(&s.scratch);
    return out;
}
