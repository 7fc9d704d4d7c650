/* SPDX-License-Identifier: MIT */
#include "model/source.h"

#include "base/utf8.h"

/* Length of the line break at `p`: LF, CR, CR LF, NEL, LS, PS; 0: none. */
static size_t line_break(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    if (u[0] == '\n')
        return 1;
    if (u[0] == '\r')
        return n > 1 && u[1] == '\n' ? 2 : 1;
    if (n > 1 && u[0] == 0xc2 && u[1] == 0x85)
        return 2;
    return n > 2 && u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9) ? 3 : 0;
}

static size_t line_end(struct str text, size_t from)
{
    while (from < text.len && !line_break(text.at + from, text.len - from))
        from++;
    return from;
}

/* Where the next line begins; the end of the text if there is none. */
static size_t line_after(struct str text, size_t from)
{
    size_t end = line_end(text, from);
    return end < text.len ? end + line_break(text.at + end, text.len - end) : end;
}

static void build(struct source *s)
{
    size_t at = str_starts(s->text, S("\xef\xbb\xbf")) ? 3 : 0;
    for (size_t line = 0; line == 0 || at < s->text.len; line++) {
        if (line % SOURCE_STEP == 0) {
            s->starts = mem_grow(s->starts, &s->start_cap, s->start_count + 1, sizeof *s->starts);
            s->starts[s->start_count++] = (uint32_t)at;
        }
        at = line_after(s->text, at);
    }
}

struct str source_line(struct source *s, uint32_t line)
{
    ASSERT(line > 0);
    if (!s->start_count)
        build(s);
    size_t step = (line - 1) / SOURCE_STEP;
    if (step >= s->start_count)
        return (struct str){s->text.at + s->text.len, 0};
    size_t at = s->starts[step];
    for (size_t i = step * SOURCE_STEP; i < line - 1; i++)
        at = line_after(s->text, at);
    return (struct str){s->text.at + at, line_end(s->text, at) - at};
}

void source_free(struct source *s)
{
    free(s->starts);
    *s = (struct source){0};
}

size_t chars_to_bytes(struct str s, size_t chars)
{
    size_t i = 0;
    for (; chars && i < s.len; chars--)
        i += MAX(utf8_span(s.at + i, s.len - i), (size_t)1);
    return i;
}
