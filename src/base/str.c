/* SPDX-License-Identifier: MIT */
#include "base/str.h"

int str_cmp(struct str a, struct str b)
{
    size_t n = MIN(a.len, b.len);
    int c = n ? memcmp(a.at, b.at, n) : 0;
    if (c)
        return c;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str head)
{
    return s.len >= head.len && str_eq((struct str){s.at, head.len}, head);
}

bool str_ends(struct str s, struct str tail)
{
    return s.len >= tail.len && str_eq((struct str){s.at + s.len - tail.len, tail.len}, tail);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.at[0]))
        s = (struct str){s.at + 1, s.len - 1};
    while (s.len && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

struct str arena_str(struct arena *a, struct str s)
{
    if (!s.at)
        return s;
    return (struct str){arena_copy(a, s.at, s.len), s.len};
}

bool str_to_i64(struct str s, int64_t *out)
{
    bool minus = s.len && s.at[0] == '-';
    size_t i = minus || (s.len && s.at[0] == '+');
    int64_t n = 0;
    if (i == s.len)
        return false;
    for (; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
        int digit = s.at[i] - '0';
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, minus ? -digit : digit, &n))
            return false;
    }
    *out = n;
    return true;
}

bool str_to_u32(struct str s, uint32_t *out)
{
    int64_t n;
    if (!str_to_i64(s, &n) || n < 0 || n > UINT32_MAX)
        return false;
    *out = (uint32_t)n;
    return true;
}

enum { WORD_MAX = 64 }; /* longer words are typos of nothing */

/* Optimal string alignment distance: three rows of the classic table. */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t same = a.at[i - 1] == b.at[j - 1] ? 0 : 1;
            size_t d = MIN(MIN(last[j] + 1, row[j - 1] + 1), last[j - 1] + same);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1])
                d = MIN(d, before[j - 2] + 1);
            row[j] = d;
        }
        size_t *t = before;
        before = last;
        last = row;
        row = t;
    }
    return last[b.len];
}

int str_nearest(struct str word, const struct str *candidates, size_t count, size_t max)
{
    int best = -1;
    if (word.len > WORD_MAX)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].len > WORD_MAX)
            continue;
        size_t d = distance(word, candidates[i]);
        if (d <= max && d < MAX(word.len, candidates[i].len)) {
            best = (int)i;
            if (d == 0)
                return best;
            max = d - 1;
        }
    }
    return best;
}
