/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

size_t utf8_span(const char *p, size_t n)
{
    if (n == 0)
        return 0;
    unsigned char c = (unsigned char)p[0], low = 0x80, high = 0xbf;
    size_t len;
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf)
        len = 2;
    else if (c >= 0xe0 && c <= 0xef)
        len = 3;
    else if (c >= 0xf0 && c <= 0xf4)
        len = 4;
    else
        return 0;
    if (c == 0xe0)
        low = 0xa0; /* no overlong forms */
    if (c == 0xed)
        high = 0x9f; /* no surrogates */
    if (c == 0xf0)
        low = 0x90;
    if (c == 0xf4)
        high = 0x8f; /* nothing above U+10FFFF */
    if (n < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        unsigned char t = (unsigned char)p[i];
        if (t < low || t > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return len;
}

size_t utf8_count(const char *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; count++) {
        size_t len = utf8_span(p + i, n - i);
        i += len ? len : 1;
    }
    return count;
}
