/* SPDX-License-Identifier: MIT
 *
 * model/draw.c: three ways to show a graph. Names are made of letters, digits
 * and "_.-" only; conditions and a workflow's other texts may hold anything, so
 * they are escaped for where they go. */
#include "model/draw.h"

#include "base/utf8.h"

/* Graphviz */

static void dot_text(struct buf *out, struct str s)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '"' || s.at[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, s.at[i] == '\n' ? ' ' : s.at[i]);
    }
    buf_putc(out, '"');
}

void graph_dot(const struct workflow *w, struct buf *out)
{
    buf_puts(out, "digraph ");
    dot_text(out, w->name);
    buf_puts(out, " {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    for (uint32_t i = 0; i < w->task_count; i++) {
        const struct task *t = &w->tasks[i];
        buf_puts(out, "  ");
        dot_text(out, t->name);
        if (t->condition_text.at) {
            buf_puts(out, " [tooltip=");
            dot_text(out, t->condition_text);
            buf_puts(out, "]");
        }
        buf_puts(out, ";\n");
    }
    for (uint32_t i = 0; i < w->task_count; i++)
        for (uint32_t u = 0; u < w->tasks[i].up_count; u++) {
            buf_puts(out, "  ");
            dot_text(out, w->tasks[w->tasks[i].up[u]].name);
            buf_puts(out, " -> ");
            dot_text(out, w->tasks[i].name);
            buf_puts(out, w->tasks[i].condition ? " [style=dashed];\n" : ";\n");
        }
    buf_puts(out, "}\n");
}

/* SVG */

static void xml_text(struct buf *out, struct str s)
{
    for (size_t i = 0, n; i < s.len; i += n) {
        n = MAX(utf8_span(s.at + i, s.len - i), (size_t)1);
        unsigned char c = (unsigned char)s.at[i];
        bool allowed = utf8_span(s.at + i, s.len - i) && (c >= 0x20 || c == '\t' || c == '\n');
        if (!allowed)
            buf_puts(out, "\xef\xbf\xbd");
        else if (strchr("&<>\"'", c))
            buf_printf(out, "&#%d;", c);
        else
            buf_add(out, s.at + i, n);
    }
}

enum { MARGIN = 12, NAME_CHARS = 18 };

static void svg_edge(struct buf *out, const struct layout_task *from, const struct layout_task *to,
                     bool dashed)
{
    int x1 = from->x + LAYOUT_BOX_WIDTH + MARGIN, y1 = from->y + LAYOUT_BOX_HEIGHT / 2 + MARGIN;
    int x2 = to->x + MARGIN, y2 = to->y + LAYOUT_BOX_HEIGHT / 2 + MARGIN;
    int bend = (LAYOUT_PITCH_X - LAYOUT_BOX_WIDTH) / 2;
    buf_printf(out, "<path%s d=\"M%d %dC%d %d %d %d %d %d\"/>\n", dashed ? " class=\"c\"" : "", x1,
               y1, x1 + bend, y1, x2 - bend, y2, x2, y2);
}

static void svg_task(struct buf *out, const struct task *t, const struct layout_task *at)
{
    bool cut = t->name.len > NAME_CHARS;
    struct str shown = {t->name.at, cut ? NAME_CHARS - 1 : t->name.len};
    buf_printf(out, "<g transform=\"translate(%d,%d)\"><title>", at->x + MARGIN, at->y + MARGIN);
    xml_text(out, t->name);
    if (t->condition_text.at) {
        buf_puts(out, "\nif ");
        xml_text(out, t->condition_text);
    }
    buf_printf(out, "</title><rect width=\"%d\" height=\"%d\" rx=\"6\"/><text x=\"12\" y=\"%d\">",
               LAYOUT_BOX_WIDTH, LAYOUT_BOX_HEIGHT, LAYOUT_BOX_HEIGHT / 2 + 5);
    xml_text(out, shown);
    buf_puts(out, cut ? "…</text></g>\n" : "</text></g>\n");
}

static const char svg_style[] =
    "<style>text{font:14px ui-monospace,monospace;fill:#1f2328}"
    "rect{fill:#f6f8fa;stroke:#656d76}path{fill:none;stroke:#8c959f;marker-end:url(#a)}"
    ".c{stroke-dasharray:5 4}#a path{fill:#8c959f;stroke:none;marker-end:none}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#161b22;stroke:#7d8590}}"
    "</style>\n<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
    "markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n";

void graph_svg(const struct workflow *w, const struct layout *layout, struct buf *out)
{
    int width = layout->width + 2 * MARGIN, height = layout->height + 2 * MARGIN;
    ASSERT(layout->task_count == w->task_count);
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
               "viewBox=\"0 0 %d %d\" role=\"img\">\n<title>",
               width, height, width, height);
    xml_text(out, w->name);
    buf_printf(out, "</title>\n%s", svg_style);
    for (uint32_t i = 0; i < w->task_count; i++)
        for (uint32_t u = 0; u < w->tasks[i].up_count; u++)
            svg_edge(out, &layout->tasks[w->tasks[i].up[u]], &layout->tasks[i],
                     w->tasks[i].condition != NULL);
    for (uint32_t i = 0; i < w->task_count; i++)
        svg_task(out, &w->tasks[i], &layout->tasks[i]);
    buf_puts(out, "</svg>\n");
}

/* Terminal */

enum { TREE_TASKS_MAX = 60, TREE_WIDTH_MAX = 140 };

struct tree {
    const struct workflow *w;
    struct buf *out;
    struct buf before; /* what stands left of the next line */
    size_t width;
};

/* One line, without anything a terminal would act on. */
static void plain_text(struct buf *out, struct str s)
{
    for (size_t i = 0, n; i < s.len; i += n) {
        n = utf8_span(s.at + i, s.len - i);
        unsigned char c = (unsigned char)s.at[i];
        if (n == 0 || c < 0x20 || c == 0x7f || c == 0xc2)
            buf_putc(out, ' ');
        else
            buf_add(out, s.at + i, n);
        n = MAX(n, (size_t)1);
    }
}

static void condition_text(struct buf *out, const struct task *t, const char *before,
                           const char *after)
{
    if (!t->condition_text.at)
        return;
    buf_puts(out, before);
    plain_text(out, str_trim(t->condition_text));
    buf_puts(out, after);
}

/* The task and what is below it; the cursor stands where its name belongs.
 * Recursion is at most TREE_TASKS_MAX deep. */
static void tree_draw(struct tree *k, uint32_t task)
{
    const struct task *t = &k->w->tasks[task];
    size_t before = k->before.len, start = k->out->len;
    buf_str(k->out, t->name);
    condition_text(k->out, t, t->down_count ? " (if " : "   if ", t->down_count ? ")" : "");
    size_t name = utf8_count(k->out->at + start, k->out->len - start);
    k->width = MAX(k->width, utf8_count(k->before.at ? k->before.at : "", before) + name);
    if (!t->down_count)
        buf_putc(k->out, '\n');
    for (uint32_t i = 0; i < t->down_count; i++) {
        bool only = t->down_count == 1, last = i + 1 == t->down_count;
        if (i) {
            buf_add(k->out, k->before.at, before);
            buf_printf(k->out, "%*s%s", (int)name, "", last ? "  └─▶ " : "  ├─▶ ");
        } else {
            buf_puts(k->out, only ? " ──▶ " : " ─┬─▶ ");
        }
        buf_printf(&k->before, "%*s%s", (int)name, "", only ? "     " : last ? "      " : "  │   ");
        tree_draw(k, t->down[i]);
        k->before.len = before;
    }
}

static bool is_small_forest(const struct workflow *w)
{
    for (uint32_t i = 0; i < w->task_count; i++)
        if (w->tasks[i].up_count > 1)
            return false;
    return w->task_count <= TREE_TASKS_MAX;
}

static bool tree_text(const struct workflow *w, struct buf *out)
{
    CLEANUP(buf_free) struct buf text = {0};
    struct tree k = {.w = w, .out = &text};
    if (!is_small_forest(w))
        return false;
    for (uint32_t i = 0; i < w->task_count; i++)
        if (!w->tasks[i].up_count)
            tree_draw(&k, i);
    buf_free(&k.before);
    if (k.width > TREE_WIDTH_MAX)
        return false;
    buf_add(out, text.at, text.len);
    return true;
}

static void list_text(const struct workflow *w, struct buf *out)
{
    for (uint32_t i = 0; i < w->task_count; i++) {
        const struct task *t = &w->tasks[i];
        for (uint32_t u = 0; u < t->up_count; u++) {
            buf_puts(out, u ? ", " : "");
            buf_str(out, w->tasks[t->up[u]].name);
        }
        buf_puts(out, t->up_count ? " ──▶ " : "");
        buf_str(out, t->name);
        condition_text(out, t, "   if ", "");
        buf_putc(out, '\n');
    }
}

void graph_text(const struct workflow *w, struct buf *out)
{
    if (!tree_text(w, out))
        list_text(w, out);
}
