/* SPDX-License-Identifier: MIT */
#include "base/ulid.h"

#include <sys/random.h>

static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool ulid_new(ms_t now, struct ulid *out, struct err *e)
{
    struct ulid u;
    if (getrandom(u.bytes, sizeof u.bytes, 0) != sizeof u.bytes)
        return err_sys(e, "getrandom");
    for (int i = 0; i < 6; i++)
        u.bytes[i] = (uint8_t)((uint64_t)now >> (40 - 8 * i));
    *out = u;
    return true;
}

/* Character i holds bits 5i-2 .. 5i+2 of the 128: the first has only three. */
const char *ulid_text(const struct ulid *u, char text[ULID_TEXT_MAX])
{
    for (int i = 0; i < 26; i++) {
        unsigned value = 0;
        for (int bit = 5 * i - 2; bit < 5 * i + 3; bit++)
            value = value << 1 | (bit < 0 ? 0 : u->bytes[bit / 8] >> (7 - bit % 8) & 1u);
        text[i] = letters[value];
    }
    text[26] = 0;
    return text;
}

bool ulid_parse(struct str text, struct ulid *out)
{
    struct ulid u = {0};
    if (text.len != 26)
        return false;
    for (int i = 0; i < 26; i++) {
        const char *at = text.at[i] ? strchr(letters, text.at[i]) : NULL;
        if (!at || (i == 0 && at - letters > 7))
            return false;
        unsigned value = (unsigned)(at - letters);
        for (int k = 0, bit = 5 * i - 2; k < 5; k++, bit++)
            if (bit >= 0 && (value >> (4 - k) & 1u))
                u.bytes[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
    }
    *out = u;
    return true;
}
