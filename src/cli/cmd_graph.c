/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_graph.c: the graph of a file or of a workflow's current version. */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "cli/look.h"
#include "model/draw.h"
#include "model/limits.h"
#include "model/load.h"

struct graph_opts {
    bool dot, svg;
};

static const struct opt graph_table[] = {
#define AT(member) offsetof(struct graph_opts, member)
    {"dot", 0, OPT_FLAG, AT(dot), NULL, NULL, "in the language of Graphviz"},
    {"svg", 0, OPT_FLAG, AT(svg), NULL, NULL, "a picture that stands alone"},
#undef AT
};

static bool file_text(const char *path, struct buf *text, struct err *e)
{
    int fd CLEANUP(fd_close) = -1;
    if (!fd_open_read(AT_FDCWD, path, &fd, e)) {
        if (errno == ENOENT)
            e->kind = ERR_NOT_FOUND;
        return false;
    }
    return fd_read_all(fd, FILE_BYTES_MAX + 1, text, e);
}

static bool fetch(const struct cli *c, const struct target *t, struct buf *text, struct err *e)
{
    struct look l CLEANUP(look_close) = {0};
    int64_t id;
    if (t->file)
        return file_text(t->text.at, text, e);
    return look_open(&l, c, e) && target_workflow(t, &l.db, &id, e) &&
           view_source(&l.view, t->workflow.at ? t->workflow : t->text, 0, text, e);
}

static void draw(const struct workflow *w, const struct graph_opts *o, struct buf *out)
{
    struct arena a CLEANUP(arena_free) = {0};
    if (o->dot) {
        graph_dot(w, out);
    } else if (o->svg) {
        struct layout layout = layout_of(w, &a);
        graph_svg(w, &layout, out);
    } else {
        graph_text(w, out);
    }
}

static int graph_run(struct cli *c, const void *opts, int argc, char **argv)
{
    const struct graph_opts *o = opts;
    struct buf text CLEANUP(buf_free) = {0}, out CLEANUP(buf_free) = {0};
    struct problems ps CLEANUP(problems_free) = {0};
    struct target t;
    struct err e = {0};
    (void)argc;

    if (o->dot && o->svg)
        return fail_usage(c, &cmd_graph, NULL, "--dot and --svg exclude each other");
    if (!target_parse(str_of(argv[0]), &t, &e) || !fetch(c, &t, &text, &e))
        return fail_err(c, &cmd_graph, &e);
    struct workflow *w = workflow_load((struct str){text.at ? text.at : "", text.len}, t.text, &ps);
    if (!w) {
        err_set(&e, ERR_INVALID, "'%s' has mistakes; see: gowtf validate %s", argv[0], argv[0]);
        fail_err(c, &cmd_graph, &e);
        return EXIT_BAD;
    }
    draw(w, o, &out);
    workflow_free(w);
    out_flush(&out);
    return EXIT_DONE;
}

const struct command cmd_graph = {
    .name = "graph",
    .group = GROUP_WORK,
    .args = "WORKFLOW|FILE",
    .help = "Draw the task graph",
    .more = "On a terminal a small graph is drawn with lines, a larger one listed, a task a\n"
            "line with its parents before it.",
    .examples = {"gowtf graph examples/pipeline.yaml", "gowtf graph payroll --svg > payroll.svg"},
    .opts = graph_table,
    .opt_count = countof(graph_table),
    .size = sizeof(struct graph_opts),
    .arg_min = 1,
    .arg_max = 1,
    .run = graph_run,
};
