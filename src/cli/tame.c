/* SPDX-License-Identifier: MIT
 *
 * cli/tame.c: output of tasks, made harmless for a terminal.
 *
 * A log may hold anything: sequences that move the cursor, set the window's
 * title, answer questions or switch character sets. Of all of them only SGR,
 * colours and bold, go through. States follow the parser of Paul Williams
 * (vt100.net/emu/dec_ansi_parser), less what is thrown away alike. */
#include "cli/paint.h"

#include "base/utf8.h"

enum { PLAIN, ESCAPE, CSI, STRING, STRING_ESCAPE, CHARSET };

/* Turns an unfinished sequence into nothing. */
static void forget(struct tame *s)
{
    s->state = PLAIN;
    s->held_len = 0;
}

static void add_plain(struct tame *s, struct buf *out, unsigned char c)
{
    if (c == '\033')
        s->state = ESCAPE;
    else if (c == '\n' || c == '\t' || c >= 32)
        if (c != 127)
            buf_putc(out, (char)c);
}

static void add_csi(struct tame *s, struct buf *out, unsigned char c, bool colour)
{
    if (c >= 0x40 && c <= 0x7e) {
        if (c == 'm' && colour && s->held_len < sizeof s->held) {
            buf_puts(out, "\033[");
            buf_add(out, s->held, s->held_len);
            buf_putc(out, 'm');
        }
        forget(s);
        return;
    }
    bool number = c == ';' || c == ':' || (c >= '0' && c <= '9');
    if (!number || s->held_len >= sizeof s->held - 1)
        s->held_len = sizeof s->held; /* not one of ours: drop it when it ends */
    else
        s->held[s->held_len++] = (char)c;
}

static void add_escape(struct tame *s, unsigned char c)
{
    if (c == '[')
        s->state = CSI;
    else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
        s->state = STRING;
    else if (c >= 0x20 && c <= 0x2f)
        s->state = CHARSET;
    else
        forget(s);
}

static void add_one(struct tame *s, struct buf *out, unsigned char c, bool colour)
{
    if (c == '\n' && s->state != PLAIN) { /* no sequence goes beyond its line */
        forget(s);
        buf_putc(out, '\n');
        return;
    }
    switch (s->state) {
    case PLAIN: add_plain(s, out, c); break;
    case ESCAPE: add_escape(s, c); break;
    case CSI: add_csi(s, out, c, colour); break;
    case CHARSET: forget(s); break;
    case STRING:
        if (c == '\007')
            forget(s);
        else if (c == '\033')
            s->state = STRING_ESCAPE;
        break;
    default: forget(s); break; /* ESC \ ends a string, and so does ESC anything */
    }
}

/* Bytes of a C1 control at `p` ("\u0080" to "\u009f"), else 0. */
static size_t c1_span(const unsigned char *p, size_t n)
{
    return n >= 2 && p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0 ? 2 : 0;
}

void tame_add(struct tame *s, struct buf *out, const char *p, size_t n, bool colour)
{
    const unsigned char *u = (const unsigned char *)p;
    for (size_t i = 0; i < n; i++) {
        if (s->state == PLAIN && c1_span(u + i, n - i)) {
            i++;
            continue;
        }
        if (s->state == PLAIN && u[i] >= 0x80) {
            size_t span = utf8_span(p + i, n - i);
            if (span) {
                buf_add(out, p + i, span);
                i += span - 1;
            } else {
                buf_puts(out, "\xef\xbf\xbd");
            }
            continue;
        }
        add_one(s, out, u[i], colour);
    }
}
