/* SPDX-License-Identifier: MIT
 *
 * model/graph.c: who waits for whom.
 *
 * The graph is built once, checked once, and then only counted along: each
 * task has the indices of its parents and of its children, side by side in two
 * long arrays.
 *
 * What must stay true:
 *
 *   - time and memory grow with tasks and edges, never with their product;
 *   - nothing recurses: a chain may be as long as the file allows;
 *   - a circle is told once, spelled out, beginning with the task that comes
 *     first in the file.
 *
 * Tested by tests/unit/model/graph_test.c. */
#include "model/graph.h"

#include "model/limits.h"

#include <stdio.h>

static uint64_t name_hash(struct str s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.at[i]) * 0x100000001b3u;
    return h;
}

/* Names are found by hash and then by name, so no choice of names is slow. */
static int name_cmp(const struct task *tasks, const struct task_name *n, uint64_t hash,
                    struct str name)
{
    if (n->hash != hash)
        return n->hash < hash ? -1 : 1;
    return str_cmp(tasks[n->task].name, name);
}

static int by_name(const void *left, const void *right, void *tasks)
{
    const struct task_name *a = left, *b = right;
    int c = name_cmp(tasks, a, b->hash, ((const struct task *)tasks)[b->task].name);
    return c ? c : (a->task > b->task) - (a->task < b->task);
}

int64_t workflow_task(const struct workflow *w, struct str name)
{
    uint64_t hash = name_hash(name);
    size_t low = 0, high = w->names ? w->task_count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (name_cmp(w->tasks, &w->names[middle], hash, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool hit =
        w->names && low < w->task_count && name_cmp(w->tasks, &w->names[low], hash, name) == 0;
    return hit ? (int64_t)w->names[low].task : -1;
}

static struct place name_place(const struct spec *s, uint32_t task)
{
    const struct task_nodes *n = &s->nodes[task];
    return n->name ? n->name->at : n->node->at;
}

static void twice(struct spec *s, uint32_t first, uint32_t second)
{
    const char *name = problem_name(s->ps, s->tasks[first].name);
    struct problem *p = problem_add(s->ps, CODE_DUPLICATE_TASK, name_place(s, second),
                                    "two tasks are named '%s'", name);
    problem_under(s->ps, p, "this is the second");
    problem_label(s->ps, p, name_place(s, first), "this is the first");
}

void graph_names(struct spec *s)
{
    uint32_t count = s->w->task_count;
    struct task_name *names = arena_new(&s->w->arena, struct task_name, count);
    for (uint32_t i = 0; i < count; i++)
        names[i] = (struct task_name){name_hash(s->tasks[i].name), i};
    qsort_r(names, count, sizeof *names, by_name, s->tasks);
    for (uint32_t i = 1, first = 0; i < count; i++) {
        struct str name = s->tasks[names[i].task].name;
        if (!str_eq(name, s->tasks[names[first].task].name))
            first = i;
        else if (name.len)
            twice(s, names[first].task, names[i].task);
    }
    s->w->names = names;
}

/* Edges */

struct edges { /* parents of all tasks, one task after the other */
    uint32_t *up;
    const struct yaml **at; /* where each is said */
    size_t count, up_cap, at_cap;
};

static void edges_free(struct edges *e)
{
    free(e->up);
    free(e->at);
}

static void unknown_task(struct spec *s, const struct yaml *y, uint32_t task)
{
    struct problem *p =
        problem_add(s->ps, CODE_NO_TASK, y->at, "no task named '%s'", problem_name(s->ps, y->text));
    if (s->tasks[task].name.len)
        problem_under(s->ps, p, "task '%s' depends on it",
                      problem_name(s->ps, s->tasks[task].name));
    if (s->ps->count == PROBLEMS_MAX)
        return;
    int64_t near = spec_nearest_task(s, y->text);
    if (near < 0)
        return;
    const char *name = problem_name(s->ps, s->tasks[near].name);
    problem_label(s->ps, p, name_place(s, (uint32_t)near), "a task named '%s' is defined here",
                  name);
    problem_suggest(s->ps, p, s->tasks[near].name);
}

/* True: it is an edge to keep. `last` says who asked for a parent last. */
static bool edge_fits(struct spec *s, const struct yaml *y, uint32_t task, int64_t parent,
                      const uint32_t *last)
{
    const char *name;
    if (parent < 0) {
        unknown_task(s, y, task);
        return false;
    }
    name = s->tasks[parent].name.at;
    if (parent == task) {
        problem_add(s->ps, CODE_SELF_EDGE, y->at, "task '%s' depends on itself", name);
        return false;
    }
    if (last[parent] == task + 1) {
        problem_add(s->ps, CODE_DUPLICATE_EDGE, y->at, "task '%s' depends on '%s' twice",
                    s->tasks[task].name.at, name);
        return false;
    }
    return true;
}

static void edge_add(struct edges *e, uint32_t parent, const struct yaml *y)
{
    e->up = mem_grow(e->up, &e->up_cap, e->count + 1, sizeof *e->up);
    e->at = mem_grow(e->at, &e->at_cap, e->count + 1, sizeof *e->at);
    e->up[e->count] = parent;
    e->at[e->count++] = y;
}

static void edge_read(struct spec *s, struct edges *e, const struct yaml *y, uint32_t task,
                      uint32_t *last)
{
    if (y->kind != YAML_SCALAR || y->type == YAML_NULL) {
        struct problem *p = problem_add(s->ps, CODE_TYPE, y->at, "'depends_on' wants task names");
        problem_under(s->ps, p, "found %s", yaml_what(y));
        return;
    }
    int64_t parent = workflow_task(s->w, y->text);
    if (!edge_fits(s, y, task, parent, last))
        return;
    last[parent] = task + 1;
    edge_add(e, (uint32_t)parent, y);
    s->tasks[task].up_count++;
}

/* False: too many edges, nothing more to say. */
static bool edges_read(struct spec *s, struct edges *e, uint32_t task, uint32_t *last)
{
    const struct yaml *v = s->nodes[task].depends_on;
    if (!v)
        return true;
    if (v->kind == YAML_SCALAR)
        edge_read(s, e, v, task, last);
    else if (v->kind == YAML_LIST && e->count + v->count <= EDGES_MAX)
        for (const struct yaml *y = v->first; y; y = y->next)
            edge_read(s, e, y, task, last);
    else if (v->kind == YAML_LIST)
        problem_add(s->ps, CODE_LIMIT, v->at, "the file has more than %d dependencies", EDGES_MAX);
    else {
        struct problem *p =
            problem_add(s->ps, CODE_TYPE, v->at, "'depends_on' wants a list of task names");
        problem_under(s->ps, p, "found %s", yaml_what(v));
    }
    return v->kind != YAML_LIST || e->count + v->count <= EDGES_MAX || v->count == 0;
}

/* Point the tasks at their parts of the two arrays. */
static void rows_link(struct spec *s, const struct edges *e)
{
    struct arena *a = &s->w->arena;
    uint32_t count = s->w->task_count;
    uint32_t *up = arena_new(a, uint32_t, e->count), *down = arena_new(a, uint32_t, e->count);
    uint32_t *fill = arena_new(&s->scratch, uint32_t, count);
    bool *handles = arena_new(a, bool, e->count);
    if (e->count)
        memcpy(up, e->up, e->count * sizeof *up);
    for (size_t i = 0; i < e->count; i++)
        s->tasks[up[i]].down_count++;
    for (uint32_t i = 0, u = 0, d = 0; i < count; i++) {
        struct task *t = &s->tasks[i];
        t->up = up + u;
        t->down = down + d;
        t->down_handles = handles + d;
        fill[i] = d;
        u += t->up_count;
        d += t->down_count;
    }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t u = 0; u < s->tasks[i].up_count; u++)
            down[fill[s->tasks[i].up[u]]++] = i;
    s->w->edge_count = (uint32_t)e->count;
}

/* Circles: a walk along parents, depth first, on a stack of our own. Meeting a
 * task that is on the stack closes a circle. */

enum { CIRCLES_MAX = 10, CIRCLE_SHOWN = 8 };

struct walk {
    struct spec *s;
    const struct yaml **at;
    uint32_t *stack, *next; /* next[task]: which parent to look at */
    uint8_t *colour;        /* 0 not seen, 1 on the stack, 2 done */
    bool *told;             /* part of a circle that was told */
    size_t depth, circles;
};

/* The circle as the work flows: each after the one it waits for. `stack` holds
 * it from child to parent; `first` is where its smallest index stands. */
static const char *circle_text(const struct walk *k, const uint32_t *circle, size_t count,
                               size_t first)
{
    CLEANUP(buf_free)
    struct buf b = {0};
    size_t shown = count <= CIRCLE_SHOWN ? count : CIRCLE_SHOWN - 2;
    for (size_t i = 0; i < shown; i++) {
        uint32_t task = circle[(first + count - i) % count];
        buf_printf(&b, "%s -> ", problem_name(k->s->ps, k->s->tasks[task].name));
    }
    if (shown < count)
        buf_printf(&b, "... %zu more ... -> ", count - shown);
    buf_puts(&b, problem_name(k->s->ps, k->s->tasks[circle[first]].name));
    return arena_copy(&k->s->scratch, b.at, b.len);
}

/* Where `task` says it waits for `parent`. */
static struct place edge_place(const struct walk *k, uint32_t task, uint32_t parent)
{
    const struct task *t = &k->s->tasks[task];
    size_t base = (size_t)(t->up - k->s->tasks[0].up);
    for (uint32_t i = 0; i < t->up_count; i++)
        if (t->up[i] == parent)
            return k->at[base + i]->at;
    return name_place(k->s, task);
}

static void circle_tell(struct walk *k, const uint32_t *circle, size_t count)
{
    size_t first = 0;
    bool told = false;
    for (size_t i = 0; i < count; i++) {
        first = circle[i] < circle[first] ? i : first;
        told = told || k->told[circle[i]];
    }
    if (told)
        return;
    for (size_t i = 0; i < count; i++)
        k->told[circle[i]] = true;
    k->circles++;
    uint32_t parent = circle[(first + 1) % count];
    struct problem *p = problem_add(k->s->ps, CODE_CYCLE, edge_place(k, circle[first], parent),
                                    "tasks wait for each other in a circle");
    problem_under(k->s->ps, p, "%s", circle_text(k, circle, count, first));
    problem_help(k->s->ps, p, "remove one of the %zu dependencies", count);
}

static void circle_found(struct walk *k, uint32_t parent)
{
    size_t from = k->depth;
    uint32_t top = k->stack[k->depth - 1];
    if (k->circles == CIRCLES_MAX || k->told[parent] || k->told[top])
        return;
    do
        from--;
    while (k->stack[from] != parent);
    circle_tell(k, k->stack + from, k->depth - from);
}

static void walk_push(struct walk *k, uint32_t task)
{
    k->colour[task] = 1;
    k->stack[k->depth++] = task;
}

static void walk_from(struct walk *k, uint32_t start)
{
    walk_push(k, start);
    while (k->depth) {
        uint32_t top = k->stack[k->depth - 1];
        const struct task *t = &k->s->tasks[top];
        if (k->next[top] == t->up_count) {
            k->colour[top] = 2;
            k->depth--;
            continue;
        }
        uint32_t parent = t->up[k->next[top]++];
        if (k->colour[parent] == 0)
            walk_push(k, parent);
        else if (k->colour[parent] == 1)
            circle_found(k, parent);
    }
}

static bool is_acyclic(struct spec *s, const struct edges *e)
{
    uint32_t count = s->w->task_count;
    size_t before = s->ps->error_count;
    struct walk k = {
        .s = s,
        .at = e->at,
        .stack = arena_new(&s->scratch, uint32_t, count),
        .next = arena_new(&s->scratch, uint32_t, count),
        .colour = arena_new(&s->scratch, uint8_t, count),
        .told = arena_new(&s->scratch, bool, count),
    };
    for (uint32_t i = 0; i < count; i++)
        if (k.colour[i] == 0)
            walk_from(&k, i);
    return s->ps->error_count == before;
}

bool graph_build(struct spec *s)
{
    CLEANUP(edges_free)
    struct edges e = {0};
    size_t before = s->ps->error_count;
    uint32_t *last = arena_new(&s->scratch, uint32_t, s->w->task_count);
    for (uint32_t i = 0; i < s->w->task_count; i++)
        if (!edges_read(s, &e, i, last))
            return false;
    rows_link(s, &e);
    return is_acyclic(s, &e) && s->ps->error_count == before;
}

/* Ancestors: 64 questions at a time are carried along the order in which tasks
 * could run, from the first task asked about to the last that asks. */

struct order {
    uint32_t *tasks, *at; /* tasks in order, and where each stands */
};

static struct order order_new(const struct workflow *w, struct arena *scratch)
{
    struct order o = {arena_new(scratch, uint32_t, w->task_count),
                      arena_new(scratch, uint32_t, w->task_count)};
    uint32_t *left = arena_new(scratch, uint32_t, w->task_count), count = 0;
    for (uint32_t i = 0; i < w->task_count; i++)
        if (!(left[i] = w->tasks[i].up_count))
            o.tasks[count++] = i;
    for (uint32_t k = 0; k < count; k++) {
        const struct task *t = &w->tasks[o.tasks[k]];
        o.at[o.tasks[k]] = k;
        for (uint32_t d = 0; d < t->down_count; d++)
            if (--left[t->down[d]] == 0)
                o.tasks[count++] = t->down[d];
    }
    ASSERT(count == w->task_count);
    return o;
}

static int by_from(const void *left, const void *right, void *at)
{
    const struct reach *a = left, *b = right;
    const uint32_t *place = at;
    uint32_t x = place[a->from], y = place[b->from];
    return (x > y) - (x < y);
}

/* Carry the bits over places low..high; returns the steps it took. */
static size_t bits_carry(const struct workflow *w, const struct order *o, uint64_t *bits,
                         uint32_t low, uint32_t high)
{
    size_t steps = 0;
    for (uint32_t k = low; k <= high; k++) {
        const struct task *t = &w->tasks[o->tasks[k]];
        uint64_t mask = bits[k];
        for (uint32_t u = 0; u < t->up_count; u++)
            if (o->at[t->up[u]] >= low)
                mask |= bits[o->at[t->up[u]]];
        bits[k] = mask;
        steps += 1 + t->up_count;
    }
    return steps;
}

/* Questions from `from` on about at most 64 tasks; returns how many. */
static size_t batch_answer(const struct workflow *w, const struct order *o, uint64_t *bits,
                           struct reach *asked, size_t count, size_t *steps)
{
    uint32_t low = o->at[asked[0].from], high = low, bit = 0;
    size_t n = 0;
    for (; n < count; n++) {
        bit += n && asked[n].from != asked[n - 1].from;
        if (bit == 64)
            break;
        high = MAX(high, o->at[asked[n].to]);
    }
    memset(bits + low, 0, sizeof *bits * (high - low + 1));
    bit = 0;
    for (size_t i = 0; i < n; i++) {
        bit += i && asked[i].from != asked[i - 1].from;
        if (o->at[asked[i].from] <= high)
            bits[o->at[asked[i].from]] |= UINT64_C(1) << bit;
    }
    *steps += bits_carry(w, o, bits, low, high);
    bit = 0;
    for (size_t i = 0; i < n; i++) {
        bit += i && asked[i].from != asked[i - 1].from;
        uint32_t to = o->at[asked[i].to];
        asked[i].yes = to > o->at[asked[i].from] && (bits[to] >> bit & 1);
    }
    return n;
}

bool graph_reach(const struct workflow *w, struct reach *asked, size_t count, struct arena *scratch)
{
    struct order o = order_new(w, scratch);
    uint64_t *bits = arena_new(scratch, uint64_t, w->task_count);
    size_t steps = 0;
    qsort_r(asked, count, sizeof *asked, by_from, o.at);
    for (size_t i = 0; i < count && steps <= REACH_STEPS_MAX;)
        i += batch_answer(w, &o, bits, asked + i, count - i, &steps);
    return steps <= REACH_STEPS_MAX;
}
