/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/wire_fuzz.c: any bytes as what a peer says.
 *
 * What decodes encodes to the same bytes, and its lists can be walked. */
#include "fuzz.h"
#include "wire/wire.h"

static uint32_t walk(const struct wire_texts *list)
{
    uint32_t count = 0;
    struct str text;
    for (size_t at = 0; wire_texts_next(list, &at, &text);)
        count++;
    return count;
}

static void check_lists(const struct wire_frame *f)
{
    if (f->kind == WIRE_START)
        ASSERT(walk(&f->start.argv) == f->start.argv.count &&
               walk(&f->start.env) == f->start.env.count);
    for (uint32_t i = 0; f->kind == WIRE_ALIVE && i < f->alive.count; i++)
        ASSERT(wire_alive_at(&f->alive, i).output_at >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_free) struct buf again = {0};
    struct wire_frame f;
    struct err e;
    struct wire_name name;
    char text[WIRE_NAME_TEXT_MAX];
    struct str rest = {(const char *)data, size};
    for (size_t used; wire_decode(rest, &f, &used, &e) && used;) {
        buf_clear(&again);
        ASSERT(wire_encode(&f, &again, &e));
        ASSERT(again.len == used && memcmp(again.at, rest.at, used) == 0);
        check_lists(&f);
        rest.at += used;
        rest.len -= used;
    }
    if (wire_name_parse((struct str){(const char *)data, size}, &name))
        ASSERT(str_eq(str_of(wire_name_text(&name, text)), (struct str){(const char *)data, size}));
    return 0;
}
