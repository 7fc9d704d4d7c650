/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

static void reserve(struct buf *b, size_t more)
{
    if (b->cap - b->len <= more) /* len < cap, or both are 0 */
        b->at = mem_grow(b->at, &b->cap, b->len + more + 1, 1);
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
    reserve(b, n);
    if (n)
        memcpy(b->at + b->len, bytes, n);
    b->len += n;
    b->at[b->len] = 0;
}

void buf_str(struct buf *b, struct str s)
{
    buf_add(b, s.at, s.len);
}

void buf_puts(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
    reserve(b, 1);
    b->at[b->len++] = c;
    b->at[b->len] = 0;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    reserve(b, (size_t)n);
    vsnprintf(b->at + b->len, (size_t)n + 1, fmt, again);
    va_end(again);
    b->len += (size_t)n;
}

void buf_cut(struct buf *b, size_t n)
{
    ASSERT(n <= b->len);
    if (!n)
        return;
    memmove(b->at, b->at + n, b->len - n);
    b->len -= n;
    b->at[b->len] = 0;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->at)
        b->at[0] = 0;
}

void buf_free(struct buf *b)
{
    free(b->at);
    *b = (struct buf){0};
}

struct json json_to(struct buf *out)
{
    return (struct json){out, true};
}

/* Eight bytes at once (Hacker's Delight, 6-1): each is 0x20..0x7e, no quote and
 * no backslash. May say no to eight that are, never yes to eight that are not. */
static bool is_plain(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t quote = x ^ ones * '"', slash = x ^ ones * '\\', del = x ^ ones * 0x7f;
    uint64_t bad = x | (x - ones * 0x20) | (quote - ones) | (slash - ones) | (del - ones);
    return !(bad & tops);
}

/* Bytes from the start of `p` that stand for themselves in a JSON text. */
static size_t plain_span(const char *p, size_t n)
{
    size_t i = 0;
    for (uint64_t eight; i + 8 <= n; i += 8) {
        memcpy(&eight, p + i, 8);
        if (!is_plain(eight))
            break;
    }
    while (i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
        i++;
    return i;
}

static void quote(struct buf *b, struct str s)
{
    reserve(b, s.len + 2);
    b->at[b->len++] = '"';
    for (size_t i = 0; i < s.len;) {
        size_t plain = plain_span(s.at + i, s.len - i);
        buf_add(b, s.at + i, plain);
        i += plain;
        if (i == s.len)
            break;
        size_t n = utf8_span(s.at + i, s.len - i);
        unsigned char c = (unsigned char)s.at[i];
        if (n == 0) {
            buf_puts(b, "\xef\xbf\xbd");
            n = 1;
        } else if (c == '"' || c == '\\') {
            buf_putc(b, '\\');
            buf_putc(b, (char)c);
        } else if (c == '\n') {
            buf_puts(b, "\\n");
        } else if (c == '\t') {
            buf_puts(b, "\\t");
        } else if (c < 0x20 || c == 0x7f) {
            buf_printf(b, "\\u%04x", c);
        } else {
            buf_add(b, s.at + i, n);
        }
        i += n;
    }
    buf_putc(b, '"');
}

static void before(struct json *j, const char *key)
{
    if (!j->first)
        buf_putc(j->out, ',');
    j->first = false;
    if (key) {
        quote(j->out, str_of(key));
        buf_putc(j->out, ':');
    }
}

void json_open(struct json *j, const char *key)
{
    before(j, key);
    buf_putc(j->out, '{');
    j->first = true;
}

void json_close(struct json *j)
{
    buf_putc(j->out, '}');
    j->first = false;
}

void json_list(struct json *j, const char *key)
{
    before(j, key);
    buf_putc(j->out, '[');
    j->first = true;
}

void json_list_end(struct json *j)
{
    buf_putc(j->out, ']');
    j->first = false;
}

void json_none(struct json *j, const char *key)
{
    before(j, key);
    buf_puts(j->out, "null");
}

void json_str(struct json *j, const char *key, struct str value)
{
    if (!value.at) {
        json_none(j, key);
        return;
    }
    before(j, key);
    quote(j->out, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
    char digits[24], *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    before(j, key);
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    buf_add(j->out, at, (size_t)(digits + sizeof digits - at));
}

void json_bool(struct json *j, const char *key, bool value)
{
    before(j, key);
    buf_puts(j->out, value ? "true" : "false");
}

void json_raw(struct json *j, const char *key, struct str json)
{
    if (!json.at) {
        json_none(j, key);
        return;
    }
    before(j, key);
    buf_str(j->out, json);
}

void json_time(struct json *j, const char *key, ms_t at)
{
    char text[CLOCK_TEXT_MAX];
    if (at <= 0 || at == MS_NEVER)
        json_none(j, key);
    else
        json_str(j, key, str_of(clock_rfc3339(at, text)));
}
