/* SPDX-License-Identifier: MIT
 *
 * wire/wire.c: frames to bytes and back.
 *
 * Each kind has one function that writes its fields and one that reads them, in
 * the same order; a cursor that has run out of bytes, or met a value outside
 * its range, stays bad and gives zeros, so the readers need no checks of their
 * own. What must stay true:
 *
 *   - the cursor is the only one who touches the input;
 *   - a frame is accepted only if every byte of it was consumed, so that two
 *     programs cannot read two meanings into one frame. */
#include "wire/wire.h"

#include <stdio.h>

const char *wire_kind_word(enum wire_kind kind)
{
    switch (kind) {
#define X(name, number, who)                                                                       \
    case WIRE_##name: return #name;
        WIRE_LIST(X)
#undef X
    }
    return "?";
}

const char *wire_name_text(const struct wire_name *n, char text[WIRE_NAME_TEXT_MAX])
{
    char run[ULID_TEXT_MAX];
    snprintf(text, WIRE_NAME_TEXT_MAX, "%s.%u.%u.%u", ulid_text(&n->run, run), n->task, n->item,
             n->try);
    return text;
}

/* A number without sign or leading zeros, and the dot before it. */
static bool name_part(struct str *rest, uint32_t *out)
{
    struct str digits = *rest;
    if (digits.len < 2 || digits.at[0] != '.')
        return false;
    digits.at++;
    digits.len--;
    const char *dot = memchr(digits.at, '.', digits.len);
    if (dot)
        digits.len = (size_t)(dot - digits.at);
    if (digits.len == 0 || digits.at[0] < '0' || digits.at[0] > '9' ||
        (digits.at[0] == '0' && digits.len > 1) || !str_to_u32(digits, out))
        return false;
    rest->at += digits.len + 1;
    rest->len -= digits.len + 1;
    return true;
}

bool wire_name_parse(struct str text, struct wire_name *out)
{
    struct wire_name n = {0};
    size_t run_len = ULID_TEXT_MAX - 1;
    if (text.len < run_len || !ulid_parse((struct str){text.at, run_len}, &n.run))
        return false;
    struct str rest = {text.at + run_len, text.len - run_len};
    if (!name_part(&rest, &n.task) || !name_part(&rest, &n.item) || !name_part(&rest, &n.try) ||
        rest.len)
        return false;
    *out = n;
    return true;
}

/* ---- writing ---- */

static void put_uint(struct buf *b, uint64_t v, int bytes)
{
    uint8_t le[8];
    for (int i = 0; i < bytes; i++)
        le[i] = (uint8_t)(v >> (8 * i));
    buf_add(b, le, (size_t)bytes);
}
static void put_u8(struct buf *b, unsigned v)
{
    put_uint(b, v, 1);
}
static void put_u32(struct buf *b, uint32_t v)
{
    put_uint(b, v, 4);
}
static void put_u64(struct buf *b, uint64_t v)
{
    put_uint(b, v, 8);
}
static void put_ms(struct buf *b, ms_t v)
{
    put_uint(b, (uint64_t)v, 8);
}
static void put_str(struct buf *b, struct str s)
{
    put_u32(b, (uint32_t)s.len);
    buf_add(b, s.at, s.len);
}
static void put_texts(struct buf *b, const struct wire_texts *t)
{
    put_u32(b, t->count);
    put_str(b, t->bytes);
}
static void put_name(struct buf *b, const struct wire_name *n)
{
    buf_add(b, n->run.bytes, sizeof n->run.bytes);
    put_u32(b, n->task);
    put_u32(b, n->item);
    put_u32(b, n->try);
}
static void put_log(struct buf *b, const struct log_ref *l)
{
    put_u8(b, l->kind);
    put_u32(b, l->number);
    put_u64(b, l->offset);
    put_u64(b, l->out_len);
    put_u64(b, l->err_len);
    put_u64(b, l->out_dropped);
    put_u64(b, l->err_dropped);
    put_u32(b, l->marks_len);
}
static void put_usage(struct buf *b, const struct wire_usage *u)
{
    put_u64(b, u->user_us);
    put_u64(b, u->sys_us);
    put_u64(b, u->max_rss_kib);
    put_u64(b, u->read_blocks);
    put_u64(b, u->write_blocks);
}

/* ---- reading ---- */

struct cursor {
    const char *at;
    size_t left;
    bool bad;
};

static struct str get_bytes(struct cursor *c, size_t n)
{
    if (c->bad || n > c->left) {
        c->bad = true;
        return STR_NONE;
    }
    struct str s = {c->at, n};
    c->at += n;
    c->left -= n;
    return s;
}
static uint64_t get_uint(struct cursor *c, size_t bytes)
{
    struct str s = get_bytes(c, bytes);
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++)
        v |= (uint64_t)(uint8_t)s.at[i] << (8 * i);
    return v;
}
static uint32_t get_u32(struct cursor *c)
{
    return (uint32_t)get_uint(c, 4);
}
static uint64_t get_u64(struct cursor *c)
{
    return get_uint(c, 8);
}
static ms_t get_ms(struct cursor *c) /* never negative */
{
    uint64_t v = get_uint(c, 8);
    c->bad |= v > INT64_MAX;
    return c->bad ? 0 : (ms_t)v;
}
static unsigned get_below(struct cursor *c, unsigned end)
{
    unsigned v = (unsigned)get_uint(c, 1);
    c->bad |= v >= end;
    return c->bad ? 0 : v;
}
static bool get_bool(struct cursor *c)
{
    return get_below(c, 2) != 0;
}
static struct str get_str(struct cursor *c)
{
    return get_bytes(c, get_u32(c));
}
static struct wire_texts get_texts(struct cursor *c)
{
    struct wire_texts t;
    t.count = get_u32(c);
    t.bytes = get_str(c);
    uint32_t ends = 0;
    for (size_t i = 0; i < t.bytes.len; i++)
        ends += t.bytes.at[i] == 0;
    c->bad |= ends != t.count || (t.bytes.len && t.bytes.at[t.bytes.len - 1] != 0);
    return t;
}
static struct wire_name get_name(struct cursor *c)
{
    struct wire_name n = {0};
    struct str run = get_bytes(c, sizeof n.run.bytes);
    if (run.len)
        memcpy(n.run.bytes, run.at, run.len);
    n.task = get_u32(c);
    n.item = get_u32(c);
    n.try = get_u32(c);
    return n;
}
static struct log_ref get_log(struct cursor *c)
{
    struct log_ref l = {.kind = get_below(c, LOG_KINDS)};
    l.number = get_u32(c);
    l.offset = get_u64(c);
    l.out_len = get_u64(c);
    l.err_len = get_u64(c);
    l.out_dropped = get_u64(c);
    l.err_dropped = get_u64(c);
    l.marks_len = get_u32(c);
    return l;
}
static struct wire_usage get_usage(struct cursor *c)
{
    struct wire_usage u;
    u.user_us = get_u64(c);
    u.sys_us = get_u64(c);
    u.max_rss_kib = get_u64(c);
    u.read_blocks = get_u64(c);
    u.write_blocks = get_u64(c);
    return u;
}

/* ---- the kinds: a writer and a reader each ---- */

static void put_hello(struct buf *b, const struct wire_frame *f)
{
    put_u32(b, f->hello.version);
    put_u64(b, f->hello.acked);
}
static void get_hello(struct cursor *c, struct wire_frame *f)
{
    f->hello.version = get_u32(c);
    f->hello.acked = get_u64(c);
}

static void put_start(struct buf *b, const struct wire_frame *f)
{
    const struct wire_start *s = &f->start;
    put_name(b, &s->name);
    put_str(b, s->workdir);
    put_texts(b, &s->argv);
    put_texts(b, &s->env);
    put_ms(b, s->timeout_ms);
    put_ms(b, s->grace_ms);
    put_u32(b, s->stop_signal);
    put_u32(b, s->flags);
    put_u64(b, s->log_max);
}
static void get_start(struct cursor *c, struct wire_frame *f)
{
    struct wire_start *s = &f->start;
    s->name = get_name(c);
    s->workdir = get_str(c);
    s->argv = get_texts(c);
    s->env = get_texts(c);
    s->timeout_ms = get_ms(c);
    s->grace_ms = get_ms(c);
    s->stop_signal = get_u32(c);
    s->flags = get_u32(c);
    s->log_max = get_u64(c);
    c->bad |= s->argv.count == 0 || s->stop_signal > 64 || (s->flags & ~(unsigned)WIRE_START_FLAGS);
    c->bad |= s->workdir.len && memchr(s->workdir.at, 0, s->workdir.len) != NULL;
}

static void put_stop(struct buf *b, const struct wire_frame *f)
{
    put_name(b, &f->stop.name);
    put_u8(b, f->stop.cause);
}
static void get_stop(struct cursor *c, struct wire_frame *f)
{
    f->stop.name = get_name(c);
    f->stop.cause = get_below(c, WIRE_CAUSES);
}

static void put_ack(struct buf *b, const struct wire_frame *f)
{
    put_u64(b, f->ack.seq);
}
static void get_ack(struct cursor *c, struct wire_frame *f)
{
    f->ack.seq = get_u64(c);
}

static void put_retire(struct buf *b, const struct wire_frame *f)
{
    (void)b, (void)f;
}
static void get_retire(struct cursor *c, struct wire_frame *f)
{
    (void)c, (void)f;
}

static void put_ping(struct buf *b, const struct wire_frame *f)
{
    put_u64(b, f->ping.token);
}
static void get_ping(struct cursor *c, struct wire_frame *f)
{
    f->ping.token = get_u64(c);
}

static void put_welcome(struct buf *b, const struct wire_frame *f)
{
    const struct wire_welcome *w = &f->welcome;
    put_u32(b, w->version);
    buf_add(b, w->boot_id, sizeof w->boot_id);
    put_u32(b, w->pid);
    put_u32(b, w->slots);
    put_u64(b, w->seq);
    put_str(b, w->features);
}
static void get_welcome(struct cursor *c, struct wire_frame *f)
{
    struct wire_welcome *w = &f->welcome;
    w->version = get_u32(c);
    struct str id = get_bytes(c, sizeof w->boot_id);
    if (id.len)
        memcpy(w->boot_id, id.at, id.len);
    w->pid = get_u32(c);
    w->slots = get_u32(c);
    w->seq = get_u64(c);
    w->features = get_str(c);
}

static void put_started(struct buf *b, const struct wire_frame *f)
{
    const struct wire_started *s = &f->started;
    put_u64(b, s->seq);
    put_name(b, &s->name);
    put_u32(b, s->pid);
    put_u64(b, s->start_ticks);
    put_u32(b, s->slot);
    put_ms(b, s->at);
}
static void get_started(struct cursor *c, struct wire_frame *f)
{
    struct wire_started *s = &f->started;
    s->seq = get_u64(c);
    s->name = get_name(c);
    s->pid = get_u32(c);
    s->start_ticks = get_u64(c);
    s->slot = get_u32(c);
    s->at = get_ms(c);
}

static void put_ended(struct buf *b, const struct wire_frame *f)
{
    const struct wire_ended *x = &f->ended;
    put_u64(b, x->seq);
    put_name(b, &x->name);
    put_u8(b, x->how);
    put_u8(b, x->cause);
    put_u32(b, (uint32_t)x->code);
    put_u8(b, x->needed_kill);
    put_u8(b, x->oom);
    put_u8(b, x->leftovers);
    put_usage(b, &x->usage);
    put_ms(b, x->started_at);
    put_ms(b, x->at);
    put_log(b, &x->log);
    put_str(b, x->text);
}
static void get_ended(struct cursor *c, struct wire_frame *f)
{
    struct wire_ended *x = &f->ended;
    x->seq = get_u64(c);
    x->name = get_name(c);
    x->how = get_below(c, WIRE_HOWS);
    x->cause = get_below(c, WIRE_CAUSES);
    x->code = (int32_t)get_u32(c);
    x->needed_kill = get_bool(c);
    x->oom = get_bool(c);
    x->leftovers = get_bool(c);
    x->usage = get_usage(c);
    x->started_at = get_ms(c);
    x->at = get_ms(c);
    x->log = get_log(c);
    x->log.name = x->name;
    x->text = get_str(c);
}

static void put_refused(struct buf *b, const struct wire_frame *f)
{
    put_u64(b, f->refused.seq);
    put_name(b, &f->refused.name);
    put_u32(b, f->refused.code);
    put_str(b, f->refused.text);
}
static void get_refused(struct cursor *c, struct wire_frame *f)
{
    f->refused.seq = get_u64(c);
    f->refused.name = get_name(c);
    f->refused.code = get_u32(c);
    f->refused.text = get_str(c);
}

static void put_alive(struct buf *b, const struct wire_frame *f)
{
    ASSERT(f->alive.bytes.len == (size_t)f->alive.count * WIRE_ALIVE_BYTES);
    put_u32(b, f->alive.count);
    buf_str(b, f->alive.bytes);
}
static struct wire_alive get_alive_one(struct cursor *c)
{
    struct wire_alive one = {.name = get_name(c)};
    one.cpu_ms = get_u64(c);
    one.rss_kib = get_u64(c);
    one.log_len = get_u64(c);
    one.output_at = get_ms(c);
    return one;
}
static void get_alive(struct cursor *c, struct wire_frame *f)
{
    f->alive.count = get_u32(c);
    f->alive.bytes = get_bytes(c, (size_t)f->alive.count * WIRE_ALIVE_BYTES);
    struct cursor check = {f->alive.bytes.at, f->alive.bytes.len, false};
    while (check.left && !check.bad)
        get_alive_one(&check);
    c->bad |= check.bad;
}

static const struct codec {
    void (*put)(struct buf *b, const struct wire_frame *f);
    void (*get)(struct cursor *c, struct wire_frame *f);
} codecs[256] = {
    [WIRE_HELLO] = {put_hello, get_hello},       [WIRE_START] = {put_start, get_start},
    [WIRE_STOP] = {put_stop, get_stop},          [WIRE_ACK] = {put_ack, get_ack},
    [WIRE_RETIRE] = {put_retire, get_retire},    [WIRE_PING] = {put_ping, get_ping},
    [WIRE_WELCOME] = {put_welcome, get_welcome}, [WIRE_STARTED] = {put_started, get_started},
    [WIRE_ENDED] = {put_ended, get_ended},       [WIRE_REFUSED] = {put_refused, get_refused},
    [WIRE_ALIVE] = {put_alive, get_alive},       [WIRE_PONG] = {put_ping, get_ping},
};

/* ---- whole frames ---- */

bool wire_encode(const struct wire_frame *f, struct buf *out, struct err *e)
{
    size_t start = out->len;
    ASSERT((unsigned)f->kind < countof(codecs) && codecs[f->kind].put);
    put_u32(out, 0);
    put_u8(out, f->kind);
    codecs[f->kind].put(out, f);
    size_t len = out->len - start - 4;
    if (len > WIRE_FRAME_MAX) {
        out->len = start;
        out->at[start] = 0;
        return err_set(e, ERR_LIMIT, "a %s frame of %zu bytes is longer than %d",
                       wire_kind_word(f->kind), len, WIRE_FRAME_MAX);
    }
    for (int i = 0; i < 4; i++)
        out->at[start + (size_t)i] = (char)(len >> (8 * i));
    return true;
}

bool wire_decode(struct str in, struct wire_frame *out, size_t *used, struct err *e)
{
    struct cursor c = {in.at, in.len, false};
    struct wire_frame f = {0};
    if (in.len < 4) {
        *used = 0;
        return true;
    }
    size_t len = get_u32(&c);
    if (len < 1 || len > WIRE_FRAME_MAX)
        return err_set(e, ERR_INVALID, "a frame of %zu bytes", len);
    if (c.left < 1) {
        *used = 0;
        return true;
    }
    uint8_t kind = (uint8_t)c.at[0];
    if (!codecs[kind].get)
        return err_set(e, ERR_INVALID, "no frame has the number %u", kind);
    if (c.left < len) {
        *used = 0;
        return true;
    }
    c = (struct cursor){c.at + 1, len - 1, false};
    f.kind = (enum wire_kind)kind;
    codecs[kind].get(&c, &f);
    if (c.bad || c.left)
        return err_set(e, ERR_INVALID, "a broken %s frame", wire_kind_word(f.kind));
    *out = f;
    *used = len + 4;
    return true;
}

/* ---- lists ---- */

void wire_texts_add(struct buf *out, uint32_t *count, struct str text)
{
    ASSERT(text.len == 0 || !memchr(text.at, 0, text.len));
    buf_add(out, text.at, text.len);
    buf_putc(out, 0);
    ++*count;
}

bool wire_texts_next(const struct wire_texts *list, size_t *at, struct str *out)
{
    if (*at >= list->bytes.len)
        return false;
    const char *p = list->bytes.at + *at;
    *out = (struct str){p, strlen(p)};
    *at += out->len + 1;
    return true;
}

void wire_alive_add(struct buf *out, uint32_t *count, const struct wire_alive *one)
{
    put_name(out, &one->name);
    put_u64(out, one->cpu_ms);
    put_u64(out, one->rss_kib);
    put_u64(out, one->log_len);
    put_ms(out, one->output_at);
    ++*count;
}

struct wire_alive wire_alive_at(const struct wire_living *l, uint32_t i)
{
    ASSERT(i < l->count);
    struct cursor c = {l->bytes.at + (size_t)i * WIRE_ALIVE_BYTES, WIRE_ALIVE_BYTES, false};
    return get_alive_one(&c);
}
