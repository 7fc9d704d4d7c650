/* SPDX-License-Identifier: MIT
 *
 * cli/paint.c: colours, signs and columns.
 *
 * Cells remember how many columns they take on the screen; bytes and columns
 * differ as soon as there is a sign. */
#include "cli/paint.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/fd.h"
#include "base/utf8.h"

static const char *const tone_codes[] = {
    [TONE_NONE] = "",    [TONE_DIM] = "2",   [TONE_BOLD] = "1",  [TONE_GOOD] = "32",
    [TONE_BAD] = "31;1", [TONE_BUSY] = "34", [TONE_WARN] = "33",
};

/* clang-format off */
static const struct sign task_signs[TASK_STATE_COUNT] = {
    [TASK_PENDING]         = {"◌", ".", TONE_DIM},
    [TASK_QUEUED]          = {"◎", ":", TONE_DIM},
    [TASK_RUNNING]         = {"◐", ">", TONE_BUSY},
    [TASK_RETRYING]        = {"↻", "~", TONE_WARN},
    [TASK_WAITING]         = {"⧗", "w", TONE_WARN},
    [TASK_SUCCESS]         = {"✔", "+", TONE_GOOD},
    [TASK_FAILED]          = {"✖", "x", TONE_BAD},
    [TASK_SKIPPED]         = {"⊖", "-", TONE_DIM},
    [TASK_UPSTREAM_FAILED] = {"⊗", "X", TONE_BAD},
    [TASK_CANCELLED]       = {"■", "#", TONE_DIM},
};
static const enum task_state run_looks_like[RUN_STATE_COUNT] = {
    [RUN_QUEUED] = TASK_QUEUED, [RUN_RUNNING] = TASK_RUNNING, [RUN_SUCCESS] = TASK_SUCCESS,
    [RUN_FAILED] = TASK_FAILED, [RUN_CANCELLED] = TASK_CANCELLED,
};
/* clang-format on */
const struct sign sign_paused = {"‖", "|", TONE_DIM};
const struct sign sign_warning = {"⚠", "!", TONE_WARN};
const struct sign sign_degraded = {"✔!", "+!", TONE_WARN};

static bool env_is(const char *value, const char *want)
{
    return value && strcmp(value, want) == 0;
}

bool paint_wants_colour(const char *when, bool tty, const char *(*env)(const char *name))
{
    if (env_is(when, "always"))
        return true;
    if (env_is(when, "never"))
        return false;
    const char *no = env("NO_COLOR"), *force = env("CLICOLOR_FORCE");
    if (no && *no)
        return false;
    if (force && *force && !env_is(force, "0"))
        return true;
    force = env("FORCE_COLOR");
    if (force && *force && !env_is(force, "0"))
        return true;
    return tty && !env_is(env("TERM"), "dumb");
}

bool paint_wants_ascii(const char *(*env)(const char *name))
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *asked = env("GOWTF_ASCII");
    if (asked && *asked)
        return !env_is(asked, "0");
    for (size_t i = 0; i < countof(names); i++) {
        const char *v = env(names[i]);
        if (v && *v)
            return !strcasestr(v, "utf-8") && !strcasestr(v, "utf8");
    }
    return false; /* nothing said: systemd units and containers speak UTF-8 */
}

static const char *env_real(const char *name)
{
    return getenv(name);
}

static int columns_from_env(void)
{
    const char *text = getenv("COLUMNS");
    int64_t n;
    return text && str_to_i64(str_of(text), &n) && n > 0 && n < 10000 ? (int)n : 0;
}

struct paint paint_for(int fd, const char *when)
{
    struct paint p = {.width = 80, .height = 24};
    struct winsize size = {0};

    p.tty = isatty(fd) == 1;
    p.colour = paint_wants_colour(when, p.tty, env_real);
    p.ascii = paint_wants_ascii(env_real);
    if (p.tty && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        p.width = size.ws_col;
        p.height = size.ws_row > 0 ? size.ws_row : 24;
    }
    if (columns_from_env())
        p.width = columns_from_env();
    return p;
}

void paint_add(const struct paint *p, struct buf *out, enum tone t, struct str text)
{
    if (!p->colour || t == TONE_NONE || text.len == 0) {
        buf_str(out, text);
        return;
    }
    buf_printf(out, "\033[%sm", tone_codes[t]);
    buf_str(out, text);
    buf_puts(out, "\033[0m");
}

void paint_puts(const struct paint *p, struct buf *out, enum tone t, const char *text)
{
    paint_add(p, out, t, str_of(text));
}

const struct sign *sign_of_task(enum task_state s)
{
    return &task_signs[s];
}

const struct sign *sign_of_run(enum run_state s)
{
    return &task_signs[run_looks_like[s]];
}

const struct sign *sign_of_word(struct str state)
{
    enum task_state s;
    return task_state_parse(state, &s) ? &task_signs[s] : &task_signs[TASK_PENDING];
}

void sign_add(const struct paint *p, struct buf *out, const struct sign *s)
{
    paint_puts(p, out, s->tone, p->ascii ? s->ascii : s->utf8);
}

/* Length of the SGR sequence at `p`, which is not text; 0 if there is none. */
static size_t sgr_span(const char *p, size_t n)
{
    size_t i = 2;
    if (n < 3 || p[0] != '\033' || p[1] != '[')
        return 0;
    while (i < n && (p[i] == ';' || (p[i] >= '0' && p[i] <= '9')))
        i++;
    return i < n && p[i] == 'm' ? i + 1 : 0;
}

static uint32_t utf8_point(const char *p, size_t span)
{
    const unsigned char *u = (const unsigned char *)p;
    if (span == 2)
        return (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
    if (span == 3)
        return (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
    if (span == 4)
        return (u[0] & 7u) << 18 | (u[1] & 0x3fu) << 12 | (u[2] & 0x3fu) << 6 | (u[3] & 0x3fu);
    return u[0];
}

/* East Asian wide and emoji blocks, combining marks: what terminals agree on.
 * Source: Unicode 15, EastAsianWidth.txt, blocks rather than characters. */
static unsigned point_columns(uint32_t c)
{
    static const struct {
        uint32_t from, to;
        unsigned columns;
    } blocks[] = {
        {0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0}, {0x20d0, 0x20ff, 0},
        {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2},
        {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2},
        {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < countof(blocks) && c >= blocks[i].from; i++)
        if (c <= blocks[i].to)
            return blocks[i].columns;
    return 1;
}

static size_t span_at(const char *p, size_t n)
{
    size_t span = utf8_span(p, n);
    return span ? span : 1;
}

size_t text_columns(const char *p, size_t n)
{
    size_t columns = 0;
    for (size_t i = 0, step; i < n; i += step) {
        step = sgr_span(p + i, n - i);
        if (step)
            continue;
        step = span_at(p + i, n - i);
        columns += point_columns(utf8_point(p + i, step));
    }
    return columns;
}

size_t text_fit(const char *p, size_t n, size_t columns)
{
    size_t used = 0, i = 0;
    while (i < n) {
        size_t step = sgr_span(p + i, n - i), wide = 0;
        if (!step) {
            step = span_at(p + i, n - i);
            wide = point_columns(utf8_point(p + i, step));
        }
        if (used + wide > columns)
            break;
        used += wide;
        i += step;
    }
    return i;
}

void table_init(struct table *t, const struct paint *p, uint32_t columns, uint32_t right)
{
    ASSERT(columns > 0 && columns <= 32);
    *t = (struct table){.paint = p, .columns = columns, .right = right};
}

void table_cell(struct table *t, enum tone tone, struct str text)
{
    if (t->count == t->cap)
        t->cells = mem_grow(t->cells, &t->cap, t->count + 1, sizeof *t->cells);
    t->cells[t->count++] = (struct cell){
        .at = (uint32_t)t->text.len,
        .len = (uint32_t)text.len,
        .wide = (uint32_t)text_columns(text.at ? text.at : "", text.len),
        .tone = (uint8_t)tone,
    };
    for (size_t i = 0; i < text.len; i++) { /* a cell is one line without columns of its own */
        unsigned char c = (unsigned char)text.at[i];
        buf_putc(&t->text, (c < 32 && c != '\033') || c == 127 ? ' ' : (char)c);
    }
    buf_putc(&t->text, '\0');
}

void table_text(struct table *t, const char *text)
{
    table_cell(t, TONE_NONE, str_of(text));
}

static void spaces(struct buf *out, size_t n)
{
    while (n--)
        buf_putc(out, ' ');
}

static void row_for_pipe(const struct table *t, size_t first, struct buf *out)
{
    for (uint32_t c = 0; c < t->columns; c++) {
        const struct cell *cell = &t->cells[first + c];
        if (c)
            buf_putc(out, '\t');
        buf_str(out, (struct str){t->text.at + cell->at, cell->len});
    }
    buf_putc(out, '\n');
}

static bool rest_is_empty(const struct table *t, size_t first, uint32_t column)
{
    for (uint32_t c = column; c < t->columns; c++)
        if (t->cells[first + c].len)
            return false;
    return true;
}

static void row_for_terminal(const struct table *t, size_t first, const uint32_t *wide,
                             struct buf *out)
{
    size_t used = 0, room = (size_t)t->paint->width;
    for (uint32_t c = 0; c < t->columns && used < room && !rest_is_empty(t, first, c); c++) {
        const struct cell *cell = &t->cells[first + c];
        struct str text = {t->text.at + cell->at, cell->len};
        size_t pad = wide[c] - cell->wide, columns = cell->wide;
        if (used + columns > room) {
            text.len = text_fit(text.at, text.len, used < room ? room - used : 0);
            columns = text_columns(text.at, text.len);
            pad = 0;
        }
        bool right = t->right & 1u << c;
        bool last = rest_is_empty(t, first, c + 1) || used + columns + pad + 2 >= room;
        if (right)
            spaces(out, MIN(pad, room - used - columns));
        paint_add(t->paint, out, cell->tone, text);
        if (!last)
            spaces(out, (right ? 0 : pad) + (wide[c] ? 2 : 0));
        used += columns + pad + 2;
    }
    buf_putc(out, '\n');
}

void table_print(struct table *t, struct buf *out)
{
    uint32_t wide[32] = {0};
    ASSERT(t->count % t->columns == 0);
    for (size_t i = 0; i < t->count; i++)
        wide[i % t->columns] = MAX(wide[i % t->columns], t->cells[i].wide);
    for (size_t i = 0; i < t->count; i += t->columns) {
        if (t->paint->tty)
            row_for_terminal(t, i, wide, out);
        else
            row_for_pipe(t, i, out);
    }
    t->count = 0;
    buf_clear(&t->text);
}

void table_free(struct table *t)
{
    buf_free(&t->text);
    free(t->cells);
    t->cells = NULL;
}

void out_flush(struct buf *out)
{
    struct err e = {0};
    if (out->len && !fd_write_all(STDOUT_FILENO, out->at, out->len, &e)) {
        if (errno == EPIPE)
            _exit(0);
        dprintf(STDERR_FILENO, "gowtf: stdout: %s\n", e.text);
        _exit(7);
    }
    buf_clear(out);
}
