/* SPDX-License-Identifier: MIT
 *
 * model/load.c: the way of a file, in one page. */
#include "model/load.h"

#include "model/compile.h"
#include "model/limits.h"
#include "model/times.h"

#include <malloc.h>

enum { TRIM_BYTES = 16 << 20 };

static void spec_done(struct spec *s)
{
    bool large = s->scratch.total > TRIM_BYTES;
    source_free(&s->source);
    arena_free(&s->scratch);
    workflow_free(s->w);
    if (large)
        malloc_trim(0); /* the tree lay between what stays; give its pages back */
}

struct workflow *workflow_load(struct str text, struct str file_name, struct problems *ps)
{
    return workflow_load_with(text, file_name, NULL, ps);
}

struct workflow *workflow_load_with(struct str text, struct str file_name,
                                    const struct load_zones *zones, struct problems *ps)
{
    CLEANUP(spec_done)
    struct spec s = {
        .w = mem_new(sizeof *s.w),
        .ps = ps,
        .source = {.text = text},
        .file_name = file_name,
        .nearest_left = NEAREST_NAMES_MAX,
    };
    size_t before = ps->error_count;
    const struct yaml *root = yaml_read(text, &s.scratch, ps);
    if (root)
        spec_read(&s, root);
    else if (ps->error_count == before)
        problem_add(ps, CODE_EMPTY, (struct place){1, 1, 1, 2}, "the file is empty");
    schedules_check(&s, zones);
    if (s.w->task_count) {
        graph_names(&s);
        conditions_compile(&s, graph_build(&s));
    }
    problems_sort(ps);
    if (ps->error_count > before)
        return NULL;
    struct workflow *w = s.w;
    s.w = NULL;
    return w;
}
