/* SPDX-License-Identifier: MIT */
#include "worker/excerpt.h"
#include "base/utf8.h"

enum {
    TAIL_BYTES = 8192,        /* where the line is looked for */
    COUNT_BYTES_MAX = 4 << 20 /* lines are numbered up to here: the engine waits for it */
};

/* Without terminal sequences and control characters; cut at a character. */
static void clean(struct str line, char out[EXCERPT_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < line.len;) {
        size_t span = utf8_span(line.at + i, line.len - i);
        unsigned char c = (unsigned char)line.at[i];
        if (c == 0x1b && i + 1 < line.len && line.at[i + 1] == '[') {
            i += 2;
            while (i < line.len && !(line.at[i] >= '@' && line.at[i] <= '~'))
                i++;
            i += i < line.len;
            continue;
        }
        size_t put = span && c >= 0x20 && c != 0x7f ? span : 0;
        if (n + put > EXCERPT_MAX)
            break;
        if (put)
            memcpy(out + n, line.at + i, put);
        else if (c == '\t' && n < EXCERPT_MAX)
            out[n++] = ' ';
        n += put;
        i += span ? span : 1;
    }
    out[n] = 0;
}

/* The last line of `text` with something on it; where it begins, or -1. */
static int64_t last_line(struct str text, struct str *out)
{
    struct str s = str_trim(text);
    if (!s.len)
        return -1;
    size_t begin = (size_t)(s.at - text.at) + s.len;
    while (begin > 0 && text.at[begin - 1] != '\n')
        begin--;
    *out = str_trim((struct str){text.at + begin, (size_t)(s.at - text.at) + s.len - begin});
    return (int64_t)begin;
}

/* From an offset in one stream to one in both as one. */
static bool offset_in_both(struct log_reader *r, enum log_stream s, uint64_t at, uint64_t *out)
{
    struct log_piece p;
    for (uint32_t i = 0; log_piece_at(r, i, &p); i++)
        if (p.stream == s && at >= p.offset && at < p.offset + p.len) {
            *out = p.both_at + (at - p.offset);
            return true;
        }
    return false;
}

static int64_t line_number(struct log_reader *r, uint64_t until)
{
    struct buf b = {0};
    struct err ignored;
    int64_t line = 1;
    if (until > COUNT_BYTES_MAX || log_dropped(r, LOG_BOTH).len)
        return 0;
    for (uint64_t at = 0, next = 0; at < until; at = next) {
        buf_clear(&b);
        if (!log_read(r, LOG_BOTH, at, (size_t)MIN(until - at, 65536u), &b, &next, &ignored) ||
            next <= at) {
            line = 0;
            break;
        }
        for (size_t i = 0; i < b.len; i++)
            line += b.at[i] == '\n';
    }
    buf_free(&b);
    return line;
}

static bool find_in(struct log_reader *r, enum log_stream s, struct excerpt *out)
{
    struct buf b = {0};
    struct err ignored;
    struct str line;
    uint64_t size = log_size(r, s), from = size > TAIL_BYTES ? size - TAIL_BYTES : 0, next, both;
    bool found = false;
    if (size && log_read(r, s, from, TAIL_BYTES, &b, &next, &ignored)) {
        int64_t at = last_line((struct str){b.at, b.len}, &line);
        if (at >= 0) {
            clean(line, out->text);
            found = out->text[0] != 0;
            if (found && offset_in_both(r, s, from + (uint64_t)at, &both))
                out->line = line_number(r, both);
        }
    }
    buf_free(&b);
    return found;
}

void excerpt_find(int home, const struct log_ref *ref, struct excerpt *out)
{
    CLEANUP(log_close_at)
    struct log_reader *r = NULL;
    struct err ignored;
    *out = (struct excerpt){0};
    if (ref->kind == LOG_NONE || !log_open(home, ref, &r, &ignored))
        return;
    if (!find_in(r, LOG_ERR, out))
        (void)find_in(r, LOG_OUT, out);
}
