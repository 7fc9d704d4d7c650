/* SPDX-License-Identifier: MIT
 *
 * model/problem.c: problems, from the moment they are found to the page.
 *
 * A person reads the first line and the caret; everything else is there for
 * those who need it. So the first line is complete in itself, and the caret
 * stands under the value that is wrong:
 *
 *     error[E0201]: no task named 'fetchh'
 *       --> nightly.yaml:12:18
 *        |
 *     10 |   - name: fetch
 *        |           ----- a task named 'fetch' is defined here
 *        :
 *     12 |     depends_on: [fetchh]
 *        |                  ^^^^^^ task 'validate' depends on it
 *        |
 *        = help: did you mean 'fetch'?
 *
 * What must stay true:
 *
 *   - nothing of the file reaches a terminal as a control character;
 *   - one cause gives one problem, and a file with a million mistakes still
 *     takes bounded memory.
 *
 * The form is fixed; tests/unit/model/bad holds it byte for byte. */
#include "model/problem.h"

#include "base/utf8.h"
#include "model/limits.h"
#include "model/source.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_WINDOW = 110, NAME_SHOWN = 60 }; /* characters */

/* Taken by what goes nowhere. */
static _Thread_local struct problem nowhere;

static struct str vprint(struct problems *ps, const char *fmt, va_list ap)
{
    char text[1024];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    ASSERT(n >= 0);
    return arena_str(&ps->arena, (struct str){text, MIN((size_t)n, sizeof text - 1)});
}

/* True the first time this code is found at this place. */
static bool first_time(struct problems *ps, enum code code, struct place at)
{
    static char there;
    uint64_t key = (uint64_t)code << 56 ^ (uint64_t)at.line << 26 ^ at.column;
    if (map_get(&ps->seen, (int64_t)key))
        return false;
    if (ps->count < PROBLEMS_MAX)
        map_put(&ps->seen, (int64_t)key, &there);
    return true;
}

struct problem *problem_add(struct problems *ps, enum code code, struct place at, const char *fmt,
                            ...)
{
    nowhere = (struct problem){0};
    if (!first_time(ps, code, at))
        return &nowhere;
    const char *text = code_info[code].text;
    ps->error_count += text[0] == 'E';
    if (ps->count == PROBLEMS_MAX)
        return &nowhere;
    ps->at = mem_grow(ps->at, &ps->cap, ps->count + 1, sizeof *ps->at);
    struct problem *p = &ps->at[ps->count++];
    *p = (struct problem){
        .severity = text[0] == 'E' ? SEVERITY_ERROR : SEVERITY_WARNING,
        .code = text,
        .line = at.line,
        .column = at.column,
        .end_line = at.end_line,
        .end_column = at.end_line > at.line ? at.end_column : MAX(at.end_column, at.column + 1),
    };
    va_list ap;
    va_start(ap, fmt);
    p->message = vprint(ps, fmt, ap);
    va_end(ap);
    return p;
}

void problem_under(struct problems *ps, struct problem *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (p != &nowhere)
        p->under = vprint(ps, fmt, ap);
    va_end(ap);
}

void problem_help(struct problems *ps, struct problem *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (p != &nowhere)
        p->help = vprint(ps, fmt, ap);
    va_end(ap);
}

void problem_note(struct problems *ps, struct problem *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (p != &nowhere)
        p->help = vprint(ps, fmt, ap);
    p->help_is_note = true;
    va_end(ap);
}

void problem_suggest(struct problems *ps, struct problem *p, struct str word)
{
    problem_help(ps, p, "did you mean '%s'?", problem_name(ps, word));
    if (p != &nowhere)
        p->fix = arena_str(&ps->arena, word);
}

void problem_label(struct problems *ps, struct problem *p, struct place at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (p != &nowhere) {
        struct label *l = arena_new(&ps->arena, struct label, 1);
        uint32_t end = at.end_line == at.line ? at.end_column : at.column + 1;
        *l = (struct label){at.line, at.column, end, vprint(ps, fmt, ap)};
        p->labels = l;
        p->label_count = 1;
    }
    va_end(ap);
}

static int by_place(const void *left, const void *right)
{
    const struct problem *a = left, *b = right;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return strcmp(a->code, b->code);
}

void problems_sort(struct problems *ps)
{
    if (ps->count)
        qsort(ps->at, ps->count, sizeof *ps->at, by_place);
}

void problems_free(struct problems *ps)
{
    free(ps->at);
    map_free(&ps->seen);
    arena_free(&ps->arena);
    *ps = (struct problems){0};
}

/* One character at `p` for a terminal: itself, a blank for a tab, U+FFFD for
 * what is no character or would act on the terminal (C0, DEL, C1, and the
 * marks that turn the direction of writing). */
static size_t show_char(struct buf *out, const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t len = utf8_span(p, n);
    bool c1 = len == 2 && u[0] == 0xc2 && u[1] < 0xa0;
    bool bidi = len == 3 && u[0] == 0xe2 &&
                ((u[1] == 0x80 && u[2] >= 0xaa && u[2] <= 0xae) ||
                 (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9));
    if (*p == '\t')
        buf_putc(out, ' ');
    else if (len == 0 || u[0] < 0x20 || u[0] == 0x7f || c1 || bidi)
        buf_puts(out, "\xef\xbf\xbd");
    else
        buf_add(out, p, len);
    return MAX(len, (size_t)1);
}

static void show_text(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len;)
        i += show_char(out, s.at + i, s.len - i);
}

const char *problem_name(struct problems *ps, struct str name)
{
    CLEANUP(buf_free)
    struct buf b = {0};
    size_t chars = 0;
    for (size_t i = 0; i < name.len; chars++) {
        if (chars == NAME_SHOWN) {
            buf_puts(&b, "...");
            break;
        }
        i += show_char(&b, name.at + i, name.len - i);
    }
    return arena_copy(&ps->arena, b.at ? b.at : "", b.len);
}

/* A line of the file with a mark under part of it. */
struct mark {
    uint32_t line, column, end_column;
    char sign;
    struct str text;
};

struct page {
    struct source *source;
    struct buf *out;
    int gutter;
    const char *dim, *red, *blue, *bold, *off;
};

static void gutter(struct page *g, const char *sign)
{
    buf_printf(g->out, "%s%*s %s%s", g->blue, g->gutter, "", sign, g->off);
}

/* The line, cut to a window around columns `from`..`to` when it is long;
 * returns how many characters the caret must move left (negative: right). */
static int show_line(struct page *g, struct str line, uint32_t from)
{
    size_t chars = utf8_count(line.at, line.len), start = 0;
    if (chars > LINE_WINDOW && from > LINE_WINDOW * 2 / 3)
        start = MIN(from - LINE_WINDOW / 2, chars - LINE_WINDOW);
    size_t skip = chars_to_bytes(line, start);
    struct str rest = {line.at + skip, line.len - skip};
    struct str shown = {rest.at, chars_to_bytes(rest, LINE_WINDOW)};
    if (start)
        buf_puts(g->out, "...");
    show_text(g->out, shown);
    if (shown.len < rest.len)
        buf_puts(g->out, "...");
    buf_putc(g->out, '\n');
    return (int)start - (start ? 3 : 0);
}

static void show_mark(struct page *g, const struct mark *m, int shift)
{
    uint32_t width = m->end_column > m->column ? m->end_column - m->column : 1;
    gutter(g, "|");
    buf_printf(g->out, " %*s", (int)m->column - 1 - shift, "");
    buf_puts(g->out, m->sign == '^' ? g->red : g->blue);
    for (uint32_t i = 0; i < MIN(width, (uint32_t)LINE_WINDOW); i++)
        buf_putc(g->out, m->sign);
    if (m->text.len) {
        buf_putc(g->out, ' ');
        buf_str(g->out, m->text);
    }
    buf_printf(g->out, "%s\n", g->off);
}

static void show_marks(struct page *g, const struct mark *marks, size_t count)
{
    gutter(g, "|");
    buf_putc(g->out, '\n');
    int shift = 0;
    for (size_t i = 0; i < count; i++) {
        const struct mark *m = &marks[i];
        if (i && m->line > marks[i - 1].line + 1) {
            gutter(g, ":");
            buf_putc(g->out, '\n');
        }
        if (i == 0 || m->line != marks[i - 1].line) {
            struct str line = source_line(g->source, m->line);
            buf_printf(g->out, "%s%*u |%s%s", g->blue, g->gutter, m->line, g->off,
                       line.len ? " " : "");
            shift = show_line(g, line, m->column);
        }
        show_mark(g, m, shift);
    }
}

/* Where the caret ends: a problem over several lines is marked to the end of
 * its first. */
static uint32_t caret_end(const struct problem *p, struct source *source)
{
    struct str line = source_line(source, p->line);
    while (line.len && (line.at[line.len - 1] == ' ' || line.at[line.len - 1] == '\t'))
        line.len--;
    uint32_t last = (uint32_t)utf8_count(line.at, line.len) + 1;
    return p->end_line > p->line ? last : MIN(p->end_column, MAX(last, p->column + 1));
}

static int gutter_width(const struct mark *marks, size_t count)
{
    int width = 2;
    for (size_t i = 0; i < count; i++)
        width = MAX(width, snprintf(NULL, 0, "%u", marks[i].line));
    return width;
}

static const char *severity_word(const struct problem *p)
{
    return p->severity == SEVERITY_ERROR ? "error" : "warning";
}

void problem_print(const struct problem *p, struct str path, struct str text, bool colour,
                   struct buf *out)
{
    CLEANUP(source_free)
    struct source source = {.text = text};
    struct mark marks[2] = {{p->line, p->column, caret_end(p, &source), '^', p->under}};
    size_t count = 1;
    if (p->label_count) {
        const struct label *l = p->labels;
        struct mark m = {l->line, l->column, l->end_column, '-', l->text};
        bool before = l->line < p->line || (l->line == p->line && l->column < p->column);
        marks[1] = before ? marks[0] : m;
        if (before)
            marks[0] = m;
        count = 2;
    }
    bool error = p->severity == SEVERITY_ERROR;
    struct page g = {&source, out, gutter_width(marks, count), "", "", "", "", ""};
    if (colour) {
        g.red = error ? "\x1b[1;31m" : "\x1b[1;33m";
        g.blue = "\x1b[34m";
        g.bold = "\x1b[1m";
        g.off = "\x1b[0m";
    }
    buf_printf(out, "%s%s[%s]%s%s: ", g.red, severity_word(p), p->code, g.off, g.bold);
    buf_str(out, p->message);
    buf_printf(out, "%s\n%s%*s-->%s ", g.off, g.blue, g.gutter, "", g.off);
    show_text(out, path);
    buf_printf(out, ":%u:%u\n", p->line, p->column);
    show_marks(&g, marks, count);
    if (!p->help.at)
        return;
    gutter(&g, "|");
    buf_putc(out, '\n');
    gutter(&g, "=");
    buf_puts(out, p->help_is_note ? " note: " : " help: ");
    buf_str(out, p->help);
    buf_putc(out, '\n');
}

void problem_print_short(const struct problem *p, struct str path, struct buf *out)
{
    show_text(out, path);
    buf_printf(out, ":%u:%u: %s[%s]: ", p->line, p->column, severity_word(p), p->code);
    buf_str(out, p->message);
    buf_putc(out, '\n');
}

void problem_json(const struct problem *p, struct str path, struct json *j, const char *key)
{
    json_open(j, key);
    json_str(j, "code", str_of(p->code));
    json_str(j, "severity", str_of(severity_word(p)));
    json_str(j, "file", path);
    json_int(j, "line", p->line);
    json_int(j, "column", p->column);
    json_int(j, "end_line", p->end_line);
    json_int(j, "end_column", p->end_column);
    json_str(j, "message", p->message);
    json_str(j, "under", p->under);
    json_list(j, "labels");
    for (uint32_t i = 0; i < p->label_count; i++) {
        json_open(j, NULL);
        json_int(j, "line", p->labels[i].line);
        json_int(j, "column", p->labels[i].column);
        json_int(j, "end_column", p->labels[i].end_column);
        json_str(j, "text", p->labels[i].text);
        json_close(j);
    }
    json_list_end(j);
    json_str(j, "help", p->help_is_note ? STR_NONE : p->help);
    json_str(j, "note", p->help_is_note ? p->help : STR_NONE);
    json_str(j, "fix", p->fix);
    json_close(j);
}
