/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "model/draw.h"
#include "model/load.h"
#include "../check.h"

static struct workflow *load(struct str text)
{
    struct problems ps = {0};
    struct workflow *w = workflow_load(text, S("w.yaml"), &ps);
    if (!w)
        print_error("%.*s\n", STR_ARG(ps.at[0].message));
    CHECK(w);
    problems_free(&ps);
    return w;
}

#define A "name: w\ntasks:\n- {name: extract, script: x}\n"
#define B "- {name: transform, script: x, depends_on: [extract]}\n"
#define C "- {name: publish, script: x, depends_on: [transform]}\n"
#define D "- {name: cleanup, script: x, depends_on: [transform], condition: transform.failed}\n"

TEST(a_graph_is_drawn_for_a_terminal)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *text, *want;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW(A, "extract\n"),
        ROW(A B C, "extract ──▶ transform ──▶ publish\n"),
        ROW(A B C D, "extract ──▶ transform ─┬─▶ publish\n"
                     "                       └─▶ cleanup   if transform.failed\n"),
        ROW(A B C D "- {name: more, script: x, depends_on: [extract]}\n"
                    "- {name: mail, script: x, depends_on: [publish]}\n"
                    "- {name: post, script: x, depends_on: [publish]}\n"
                    "- {name: last, script: x, depends_on: [cleanup]}\n"
                    "- {name: alone, script: x}\n",
            "extract ─┬─▶ transform ─┬─▶ publish ─┬─▶ mail\n"
            "         │              │            └─▶ post\n"
            "         │              └─▶ cleanup (if transform.failed) ──▶ last\n"
            "         └─▶ more\n"
            "alone\n"),
        /* a join is not drawn but told */
        ROW(A B C "- {name: join, script: x, depends_on: [extract, publish], condition: always}\n",
            "extract\n"
            "extract ──▶ transform\n"
            "transform ──▶ publish\n"
            "extract, publish ──▶ join   if always\n"),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        CLEANUP(buf_free) struct buf b = {0};
        struct workflow *w = load(str_of(rows[i].text));
        graph_text(w, &b);
        CHECK_STR(rows[i].line, b.at, rows[i].want);
        workflow_free(w);
    }
}

TEST(dot_and_svg_escape_what_a_file_may_say)
{
    TEST_BEGIN;
    CLEANUP(buf_free) struct buf dot = {0}, svg = {0};
    struct arena a = {0};
    struct workflow *w =
        load(S(A "- {name: b, script: x, depends_on: [extract], condition: \"extract.state != "
                 "'skipped' and 1 < 2 && 'a' != '\\\"<'\"}\n"));
    struct layout layout = layout_of(w, &a);
    graph_dot(w, &dot);
    graph_svg(w, &layout, &svg);
    CHECK_STR(__LINE__, dot.at,
              "digraph \"w\" {\n"
              "  rankdir=LR;\n"
              "  node [shape=box, style=rounded];\n"
              "  \"extract\";\n"
              "  \"b\" [tooltip=\"extract.state != 'skipped' and 1 < 2 && 'a' != '\\\"<'\"];\n"
              "  \"extract\" -> \"b\" [style=dashed];\n"
              "}\n");
    CHECK(strstr(svg.at, "1 &#60; 2 &#38;&#38; &#39;a&#39; != &#39;&#34;&#60;&#39;"));
    CHECK(strstr(svg.at, "</svg>\n"));
    arena_free(&a);
    workflow_free(w);
}

/* Every task right of its parents, no two in one place. */
static void check_layout(const struct workflow *w, const struct layout *l)
{
    CHECK(l->task_count == w->task_count);
    for (uint32_t i = 0; i < w->task_count; i++) {
        const struct layout_task *t = &l->tasks[i];
        uint32_t right = 0;
        for (uint32_t u = 0; u < w->tasks[i].up_count; u++)
            right = MAX(right, l->tasks[w->tasks[i].up[u]].layer + 1);
        CHECK(t->layer == right && t->layer < l->layer_count && t->row < l->row_count);
        CHECK(t->x >= 0 && t->x + LAYOUT_BOX_WIDTH <= l->width);
        CHECK(t->y >= 0 && t->y + LAYOUT_BOX_HEIGHT <= l->height);
    }
}

static void check_apart(const struct layout *l)
{
    for (uint32_t i = 0; i < l->task_count; i++)
        for (uint32_t j = i + 1; j < l->task_count; j++)
            CHECK(l->tasks[i].x != l->tasks[j].x ||
                  abs(l->tasks[i].y - l->tasks[j].y) >= LAYOUT_BOX_HEIGHT);
}

TEST(boxes_do_not_overlap_and_edges_lead_right)
{
    TEST_BEGIN;
    uint64_t seed = 3;
    for (int round = 0; round < 50; round++) {
        CLEANUP(buf_free) struct buf b = {0};
        struct arena a = {0};
        buf_puts(&b, "tasks:\n- {name: t0, script: x}\n");
        for (int i = 1; i < 60; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            int p = (int)(seed >> 33) % i, q = (int)(seed >> 20 & 0xfff) % i;
            buf_printf(&b, "- {name: t%d, script: x, depends_on: [t%d", i, p);
            if (q != p)
                buf_printf(&b, ", t%d", q);
            buf_puts(&b, "]}\n");
        }
        struct workflow *w = load((struct str){b.at, b.len});
        struct layout l = layout_of(w, &a), again = layout_of(w, &a);
        check_layout(w, &l);
        check_apart(&l);
        CHECK(memcmp(l.tasks, again.tasks, sizeof *l.tasks * l.task_count) == 0);
        arena_free(&a);
        workflow_free(w);
    }
}

/* Two rows that begin crossed end uncrossed. */
TEST(crossings_are_undone)
{
    TEST_BEGIN;
    struct arena a = {0};
    struct workflow *w = load(S("tasks:\n"
                                "- {name: a, script: x}\n- {name: b, script: x}\n"
                                "- {name: c, script: x, depends_on: [b]}\n"
                                "- {name: d, script: x, depends_on: [a]}\n"));
    struct layout l = layout_of(w, &a);
    CHECK((l.tasks[0].row < l.tasks[1].row) == (l.tasks[3].row < l.tasks[2].row));
    CHECK(l.tasks[0].y == l.tasks[3].y && l.tasks[1].y == l.tasks[2].y);
    arena_free(&a);
    workflow_free(w);
}

static void big(int count, int width, const char *shape)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct arena a = {0};
    buf_puts(&b, "tasks:\n- {name: t0, script: x}\n");
    for (int i = 1; i < count; i++)
        if (i <= width)
            buf_printf(&b, "- {name: t%d, script: x, depends_on: [t0]}\n", i);
        else
            buf_printf(&b, "- {name: t%d, script: x, depends_on: [t%d, t%d]}\n", i, i - width,
                       i - 1 - i * 31 % (width > 1 ? width - 1 : 1));
    if (width == 1) {
        buf_clear(&b);
        buf_puts(&b, "tasks:\n- {name: t0, script: x}\n");
        for (int i = 1; i < count; i++)
            buf_printf(&b, "- {name: t%d, script: x, depends_on: [t%d]}\n", i, i - 1);
    }
    struct workflow *w = load((struct str){b.at, b.len});
    int64_t t = clock_mono_us();
    struct layout l = layout_of(w, &a);
    t = clock_mono_us() - t;
    print_message("# %s of %d tasks, %u edges: %d us\n", shape, count, w->edge_count, (int)t);
    check_layout(w, &l);
    CHECK(t < 3000000); /* far above what it takes: only squares are that slow */
    arena_free(&a);
    workflow_free(w);
}

TEST(large_graphs_are_laid_out_at_once)
{
    TEST_BEGIN;
    big(5000, 50, "mesh");
    big(100000, 100, "mesh");
    big(100000, 100000, "fan");
    big(100000, 1, "chain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graph_is_drawn_for_a_terminal),
        cmocka_unit_test(dot_and_svg_escape_what_a_file_may_say),
        cmocka_unit_test(boxes_do_not_overlap_and_edges_lead_right),
        cmocka_unit_test(crossings_are_undone),
        cmocka_unit_test(large_graphs_are_laid_out_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
