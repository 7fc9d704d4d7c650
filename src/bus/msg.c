/* SPDX-License-Identifier: MIT
 *
 * bus/msg.c: the names, routes and text form of messages, all from one list. */
#include "bus/msg.h"

#include <stdio.h>

const struct msg_info msg_info[MSG_KINDS] = {
#define X(name, from, to, payload) [MSG_##name] = {#name, ROOM_##from, ROOM_##to},
    MSG_LIST(X)
#undef X
};

/* What a payload is made of, for printing and reading back. */
struct part {
    const char *name;
    size_t offset, size;
    bool is_signed;
};
#define PART(label, member)                                                                        \
    {                                                                                              \
        label, offsetof(struct msg, member), sizeof(((struct msg *)0)->member),                    \
            (__typeof__(((struct msg *)0)->member))-1 < 1                                          \
    }
#define ATTEMPT_PARTS(at)                                                                          \
    PART("run", at.run), PART("task", at.task), PART("item", at.item), PART("try", at.try)

static const struct part workflow_parts[] = {PART("id", workflow.id),
                                             PART("version", workflow.version)};
static const struct part request_parts[] = {PART("ticket", request.ticket),
                                            PART("target", request.target)};
static const struct part run_parts[] = {PART("id", run.id), PART("workflow", run.workflow),
                                        PART("version", run.version)};
static const struct part attempt_parts[] = {ATTEMPT_PARTS(attempt)};
static const struct part start_parts[] = {ATTEMPT_PARTS(start.attempt),
                                          PART("version", start.version)};
static const struct part stop_parts[] = {ATTEMPT_PARTS(stop.attempt), PART("cause", stop.cause)};
static const struct part started_parts[] = {ATTEMPT_PARTS(started.attempt),
                                            PART("began", started.at)};
static const struct part ended_parts[] = {ATTEMPT_PARTS(ended.attempt), PART("how", ended.how),
                                          PART("code", ended.code),     PART("cause", ended.cause),
                                          PART("oom", ended.oom),       PART("ended", ended.at)};
static const struct part alive_parts[] = {ATTEMPT_PARTS(alive.attempt), PART("cpu", alive.cpu_ms),
                                          PART("log", alive.log_len)};
static const struct part watch_parts[] = {ATTEMPT_PARTS(watch.attempt),
                                          PART("stall", watch.stall_timeout)};
static const struct part keeper_parts[] = {PART("id", keeper.id), PART("why", keeper.why)};
static const struct part slots_parts[] = {PART("count", slots.count)};
static const struct part change_parts[] = {PART("seq", change.seq)};

static const struct {
    const struct part *at;
    size_t count;
} payloads[MSG_KINDS] = {
#define X(name, from, to, payload) [MSG_##name] = {payload##_parts, countof(payload##_parts)},
    MSG_LIST(X)
#undef X
};

static int64_t part_get(const struct msg *m, const struct part *p)
{
    const char *at = (const char *)m + p->offset;
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    switch (p->size) {
    case 1: return *(const uint8_t *)at;
    case 4:
        memcpy(&i32, at, 4);
        memcpy(&u32, at, 4);
        return p->is_signed ? i32 : (int64_t)u32;
    default: memcpy(&i64, at, 8); return i64;
    }
}

static bool part_set(struct msg *m, const struct part *p, int64_t value)
{
    char *at = (char *)m + p->offset;
    if (p->size == 8) {
        memcpy(at, &value, 8);
    } else {
        int64_t low = p->is_signed ? INT32_MIN : 0;
        int64_t high = p->size == 1 ? UINT8_MAX : p->is_signed ? INT32_MAX : UINT32_MAX;
        if (value < low || value > high)
            return false;
        uint32_t v = (uint32_t)value;
        memcpy(at, &v, p->size); /* little endian, as every machine we run on */
    }
    return true;
}

void msg_print(const struct msg *m, struct buf *out)
{
    ASSERT(m->kind < MSG_KINDS);
    buf_printf(out, "%lld %s", (long long)m->at, msg_info[m->kind].name);
    for (size_t i = 0; i < payloads[m->kind].count; i++) {
        const struct part *p = &payloads[m->kind].at[i];
        buf_printf(out, " %s=%lld", p->name, (long long)part_get(m, p));
    }
}

/* The next word of `*line`, which moves past it and one blank. */
static struct str next_word(struct str *line)
{
    struct str word = {line->at, 0};
    while (word.len < line->len && line->at[word.len] != ' ')
        word.len++;
    size_t used = MIN(word.len + 1, line->len);
    *line = (struct str){line->at + used, line->len - used};
    return word;
}

bool msg_parse(struct str line, struct msg *out, struct err *e)
{
    struct msg m = {0};
    if (!str_to_i64(next_word(&line), &m.at))
        return err_set(e, ERR_INVALID, "a message begins with its time");
    struct str name = next_word(&line);
    for (m.kind = 0; m.kind < MSG_KINDS; m.kind++)
        if (str_is(name, msg_info[m.kind].name))
            break;
    if (m.kind == MSG_KINDS)
        return err_set(e, ERR_INVALID, "no message is called '%.*s'", STR_ARG(name));
    for (size_t i = 0; i < payloads[m.kind].count; i++) {
        const struct part *p = &payloads[m.kind].at[i];
        struct str word = next_word(&line);
        size_t n = strlen(p->name);
        int64_t value;
        if (word.len <= n || memcmp(word.at, p->name, n) || word.at[n] != '=' ||
            !str_to_i64((struct str){word.at + n + 1, word.len - n - 1}, &value) ||
            !part_set(&m, p, value))
            return err_set(e, ERR_INVALID, "%s wants %s=NUMBER", msg_info[m.kind].name, p->name);
    }
    if (line.len)
        return err_set(e, ERR_INVALID, "more than a message");
    *out = m;
    return true;
}
