/* SPDX-License-Identifier: MIT
 *
 * cli/paint.h: what a terminal can show, and signs, colours and columns for it.
 *
 * A state is a sign first, a word second and a colour third. Only the sixteen
 * colours of the terminal's own palette are used, so the reader's theme
 * decides. A pipe gets no colour, no cut text and tabs between columns. */
#ifndef CLI_PAINT_H
#define CLI_PAINT_H

#include "base/buf.h"
#include "model/state.h"

struct paint {
    bool tty;    /* columns are aligned and cut to the width; times are relative */
    bool colour; /* SGR sequences */
    bool ascii;  /* signs of one byte */
    int width, height;
};

enum tone { TONE_NONE, TONE_DIM, TONE_BOLD, TONE_GOOD, TONE_BAD, TONE_BUSY, TONE_WARN };

/* `when` is auto, always or never; see `gowtf help environment` for the order
 * in which the environment is asked. */
struct paint paint_for(int fd, const char *when);
/* The rule behind it, without a terminal: for tests. getenv-like `env`. */
bool paint_wants_colour(const char *when, bool tty, const char *(*env)(const char *name));
bool paint_wants_ascii(const char *(*env)(const char *name));

/* `text` in a tone; plain if there is no colour. */
void paint_add(const struct paint *p, struct buf *out, enum tone t, struct str text);
void paint_puts(const struct paint *p, struct buf *out, enum tone t, const char *text);

struct sign {
    const char *utf8, *ascii;
    enum tone tone;
};
extern const struct sign sign_paused, sign_warning, sign_degraded;
const struct sign *sign_of_task(enum task_state s);
const struct sign *sign_of_run(enum run_state s);
const struct sign *sign_of_word(struct str state); /* the word of a run or a task */
void sign_add(const struct paint *p, struct buf *out, const struct sign *s);

/* Columns. On a terminal cells are padded to the widest of their column and
 * the last one is cut to the width; in a pipe cells are separated by tabs. */
struct table {
    const struct paint *paint;
    struct buf text; /* all cells, each followed by a NUL */
    struct cell {
        uint32_t at, len, wide; /* wide: columns on the screen */
        uint8_t tone;
    } * cells;
    size_t count, cap;
    uint32_t columns, right; /* right: bit n: column n is a number */
};
void table_init(struct table *t, const struct paint *p, uint32_t columns, uint32_t right);
void table_cell(struct table *t, enum tone tone, struct str text);
void table_text(struct table *t, const char *text);
void table_print(struct table *t, struct buf *out); /* and empty it */
void table_free(struct table *t);

/* Columns a text takes on a terminal: characters, wide ones twice. */
size_t text_columns(const char *p, size_t n);
/* How many bytes of the text fit into `columns`. */
size_t text_fit(const char *p, size_t n, size_t columns);

/* Write out to stdout and forget it. A reader that went away ends us quietly. */
void out_flush(struct buf *out);

/* Copy terminal output so that it cannot harm the reader's terminal: of all
 * control sequences only colours (SGR) stay, and those only if `colour`;
 * other control characters but line ends and tabs go too. State over calls in
 * `s`; a piece should end at a whole character. */
struct tame {
    uint8_t state;
    char held[64]; /* of an unfinished sequence */
    uint8_t held_len;
};
void tame_add(struct tame *s, struct buf *out, const char *p, size_t n, bool colour);

#endif
