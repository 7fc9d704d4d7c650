/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/cron_fuzz.c: any bytes as a cron expression.
 *
 * The first byte chooses a zone, the next five when to begin. What is refused
 * has a place within the text; what is accepted fires later than asked for,
 * when the slow reference says so, and not between. */
#include "fuzz.h"

#include "../unit/model/cron_slow.h"

enum { WALK_MINUTES = 300 };

/* A version 2 file whose footer is all there is. */
static struct tz *zone(const char *rule)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct tz *z = NULL;
    struct err e;
    for (int block = 0; block < 2; block++) {
        uint8_t head[44] = "TZif2";
        head[39] = 1; /* types */
        head[43] = 4; /* bytes of names */
        buf_add(&b, head, sizeof head);
        buf_add(&b, "\0\0\0\0\0\0UTC", 10);
    }
    buf_printf(&b, "\n%s\n", rule);
    ASSERT(tz_parse((struct str){b.at, b.len}, &z, &e));
    return z;
}

static void check_fire(const struct cron *c, const struct tz *z, ms_t after)
{
    struct cron_fire f;
    struct tz_span s;
    cron_fire_next(c, z, after, &f);
    ASSERT(f.at > after);
    ASSERT(f.at == MS_NEVER || (f.at % 1000 == 0 && fires_at(c, z, f.at / 1000)));
    int64_t at = after / 1000 + 1;
    for (int i = 0; i < WALK_MINUTES && at * 1000 < f.at; i++) {
        ASSERT(!fires_at(c, z, at));
        tz_span_at(z, at, &s);
        at = MIN(at + 60 - (at + s.offset) % 60, s.until);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const rules[] = {"UTC0", "CET-1CEST,M3.5.0,M10.5.0/3",
                                        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
                                        "<-03>3<-02>,M11.1.0/0,M2.3.0/0"};
    struct cron c;
    struct cron_error where;
    uint64_t after = 0;
    if (size < 6)
        return 0;
    for (size_t i = 1; i < 6; i++)
        after = after << 8 | data[i];
    struct str text = {(const char *)data + 6, size - 6};
    if (!cron_parse(text, &c, &where)) {
        ASSERT(where.text[0] && where.at <= text.len);
        return 0;
    }
    CLEANUP(buf_free) struct buf words = {0};
    cron_words(&c, &words);
    ASSERT(words.len > 0 && words.len < 1000);
    struct tz *z = zone(rules[data[0] % countof(rules)]);
    check_fire(&c, z, (ms_t)(after % 4102444800000u));
    tz_free(z);
    return 0;
}
