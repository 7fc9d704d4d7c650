/* SPDX-License-Identifier: MIT */
#include "sim.h"

static const char *const note_texts[] = {
#define X(name, text) text,
    NOTES(X)
#undef X
};

/* Source: Marsaglia, "Xorshift RNGs"; multiplier of Vigna's xorshift64*. */
static uint64_t draw(struct world *w)
{
    w->chance ^= w->chance >> 12;
    w->chance ^= w->chance << 25;
    w->chance ^= w->chance >> 27;
    return w->chance * 0x2545F4914F6CDD1Du;
}

void world_init(struct world *w, uint64_t seed)
{
    *w = (struct world){.chance = (seed + 1) * 0x9E3779B97F4A7C15u | 1,
                        .digest = 14695981039346656037u};
    for (int i = 0; i < 8; i++)
        draw(w);
}

uint32_t below(struct world *w, uint32_t n)
{
    ASSERT(n > 0);
    return (uint32_t)((draw(w) >> 16) % n);
}

bool chance(struct world *w, uint32_t per_mille)
{
    return per_mille && below(w, 1000) < per_mille;
}

/* FNV-1a over eight bytes at a time. */
static void digest(struct world *w, uint64_t v)
{
    w->digest = (w->digest ^ v) * 1099511628211u;
    w->digest ^= w->digest >> 29;
}

static void tell(struct sim *s, const char *text, struct attempt a, int64_t number,
                 const char *word)
{
    struct buf *b = s->world.told;
    buf_printf(b, "[%4lld] ", (long long)s->world.now);
    for (const char *p = text; *p; p++) {
        if (*p != '%') {
            buf_putc(b, *p);
            continue;
        }
        switch (*++p) {
        case 'r': buf_printf(b, "%lld", (long long)a.run); break;
        case 't':
            if (s->run_count > 1)
                buf_printf(b, "%lld.", (long long)a.run);
            buf_printf(b, "%s#%u", task_name(s, a), a.try);
            break;
        case 'n': buf_printf(b, "%lld", (long long)number); break;
        case 's': buf_puts(b, word); break;
        }
    }
    buf_putc(b, '\n');
}

void note(struct sim *s, enum note what, struct attempt a, int64_t number, const char *word)
{
    struct world *w = &s->world;
    w->notes++;
    digest(w, (uint64_t)what << 56 ^ (uint64_t)w->now);
    digest(w, (uint64_t)a.run << 40 ^ (uint64_t)a.task << 16 ^ a.try);
    digest(w, (uint64_t)number);
    for (const char *p = word; p && *p; p++)
        digest(w, (uint8_t)*p);
    if (w->told && !(w->quiet >> what & 1u))
        tell(s, note_texts[what], a, number, word ? word : "");
}
