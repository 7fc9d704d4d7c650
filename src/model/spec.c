/* SPDX-License-Identifier: MIT
 *
 * model/spec.c: what every reader of a file asks: where a part of a text
 * stands, and which name is nearest to one that is wrong. */
#include "model/read.h"

#include "base/utf8.h"

/* Where byte `from` of a block text stands: the line it is on is an indentation
 * and then the line of the text. */
static bool block_place(struct spec *s, const struct yaml *y, size_t from, uint32_t *line_number,
                        struct str *line, size_t *at)
{
    size_t start = 0, lines = 0;
    for (size_t i = 0; i < from; i++)
        if (y->text.at[i] == '\n') {
            start = i + 1;
            lines++;
        }
    const char *end = memchr(y->text.at + start, '\n', y->text.len - start);
    struct str part = {y->text.at + start,
                       end ? (size_t)(end - y->text.at) - start : y->text.len - start};
    *line_number = y->at.line + 1 + (uint32_t)lines;
    *line = source_line(&s->source, *line_number);
    *at = line->len - part.len + (from - start);
    return str_ends(*line, part);
}

/* The same for a text on one line. */
static bool line_place(struct spec *s, const struct yaml *y, size_t from, uint32_t *line_number,
                       struct str *line, size_t *at)
{
    *line_number = y->at.line;
    *line = source_line(&s->source, y->at.line);
    *at = chars_to_bytes(*line, y->at.column - 1) + (y->style == YAML_QUOTED) + from;
    struct str rest = {line->at + MIN(*at - from, line->len),
                       line->len - MIN(*at - from, line->len)};
    return str_starts(rest, y->text);
}

struct place spec_part(struct spec *s, const struct yaml *y, size_t from, size_t to)
{
    uint32_t line_number;
    struct str line;
    size_t at;
    ASSERT(from <= to && to <= y->text.len);
    bool found = y->style == YAML_BLOCK ? block_place(s, y, from, &line_number, &line, &at)
                                        : line_place(s, y, from, &line_number, &line, &at);
    if (!found)
        return y->at;
    uint32_t start = (uint32_t)utf8_count(line.at, at) + 1;
    uint32_t width = (uint32_t)utf8_count(line.at + at, MIN(to - from, line.len - at));
    return (struct place){line_number, start, line_number, start + MAX(width, 1u)};
}

int spec_nearest(struct spec *s, struct str word, const struct str *names, size_t count)
{
    if (count > s->nearest_left)
        return -1;
    s->nearest_left -= count;
    return str_nearest(word, names, count, word.len < 4 ? 1 : 2);
}

int64_t spec_nearest_task(struct spec *s, struct str word)
{
    if (!s->names) {
        s->names = arena_new(&s->scratch, struct str, s->w->task_count);
        for (uint32_t i = 0; i < s->w->task_count; i++)
            s->names[i] = s->tasks[i].name;
    }
    return spec_nearest(s, word, s->names, s->w->task_count);
}
