/* SPDX-License-Identifier: MIT */
#include "wire/wire.h"
#include "../check.h"

static const uint32_t kinds[] = {
#define X(name, number, who) number,
    WIRE_LIST(X)
#undef X
};

static struct wire_name some_name(uint32_t task)
{
    struct wire_name n = {.task = task, .item = 7, .try = 2};
    CHECK(ulid_parse(S("01ARZ3NDEKTSV4RRFFQ69G5FAV"), &n.run));
    return n;
}

static struct log_ref some_log(void)
{
    return (struct log_ref){.kind = LOG_SEGMENT,
                            .number = 3,
                            .offset = 1ull << 40,
                            .out_len = 10,
                            .err_len = 20,
                            .out_dropped = 1,
                            .err_dropped = 2,
                            .marks_len = 48};
}

/* A frame of that kind with something in each field; lists are packed into `b`. */
static struct wire_frame sample(enum wire_kind kind, struct buf *b)
{
    struct wire_frame f = {.kind = kind};
    uint32_t argc = 0, envc = 0;
    size_t split;
    switch (kind) {
    case WIRE_HELLO: f.hello = (struct wire_hello){1, 99}; break;
    case WIRE_START:
        wire_texts_add(b, &argc, S("/bin/sh"));
        wire_texts_add(b, &argc, S(""));
        split = b->len;
        wire_texts_add(b, &envc, S("PATH=/bin"));
        f.start = (struct wire_start){.name = some_name(1),
                                      .workdir = S("/tmp"),
                                      .argv = {{b->at, split}, argc},
                                      .env = {{b->at + split, b->len - split}, envc},
                                      .timeout_ms = 1000,
                                      .grace_ms = 10,
                                      .stop_signal = 15,
                                      .flags = WIRE_START_DETACH,
                                      .log_max = 5};
        break;
    case WIRE_STOP: f.stop = (struct wire_stop){some_name(2), WIRE_STALLED}; break;
    case WIRE_ACK: f.ack.seq = UINT64_MAX; break;
    case WIRE_RETIRE: break;
    case WIRE_PING:
    case WIRE_PONG: f.ping.token = 77; break;
    case WIRE_WELCOME:
        f.welcome = (struct wire_welcome){1, {1, 2, 3}, 4242, 16, 12, S("cgroup exit-info")};
        break;
    case WIRE_STARTED:
        f.started = (struct wire_started){13, some_name(3), 4243, 1234567, 5, 1700000000000};
        break;
    case WIRE_ENDED:
        f.ended = (struct wire_ended){.seq = 14,
                                      .name = some_name(4),
                                      .how = WIRE_UNKNOWN,
                                      .cause = WIRE_SHUTDOWN,
                                      .code = -1,
                                      .needed_kill = true,
                                      .leftovers = true,
                                      .usage = {1, 2, 3, 4, 5},
                                      .started_at = 5,
                                      .at = 6,
                                      .log = some_log(),
                                      .text = S("why")};
        break;
    case WIRE_REFUSED:
        f.refused = (struct wire_refused){15, some_name(5), 11, S("try again")};
        break;
    case WIRE_ALIVE:
        wire_alive_add(b, &f.alive.count, &(struct wire_alive){some_name(6), 1, 2, 3, 4});
        wire_alive_add(b, &f.alive.count, &(struct wire_alive){some_name(7), 5, 6, 7, 0});
        f.alive.bytes = (struct str){b->at, b->len};
        break;
    }
    return f;
}

static void encode_sample(size_t i, struct buf *out)
{
    struct buf lists = {0};
    struct err e = {0};
    struct wire_frame f = sample((enum wire_kind)kinds[i], &lists);
    CHECK(wire_encode(&f, out, &e));
    buf_free(&lists);
}

/* Whatever decodes must encode to the very same bytes. */
static void check_canonical(struct str in)
{
    struct wire_frame f;
    struct buf again = {0};
    struct err e = {0};
    size_t used;
    if (!wire_decode(in, &f, &used, &e) || used == 0)
        return;
    CHECK(used <= in.len);
    CHECK(wire_encode(&f, &again, &e));
    CHECK(again.len == used && memcmp(again.at, in.at, used) == 0);
    buf_free(&again);
}

TEST(every_frame_comes_back_as_it_was_sent)
{
    TEST_BEGIN;
    for (size_t i = 0; i < countof(kinds); i++) {
        struct buf bytes = {0};
        struct wire_frame f;
        struct err e = {0};
        size_t used;
        encode_sample(i, &bytes);
        CHECK(wire_decode((struct str){bytes.at, bytes.len}, &f, &used, &e));
        CHECK_INT(__LINE__, used, bytes.len);
        CHECK_INT(__LINE__, f.kind, kinds[i]);
        check_canonical((struct str){bytes.at, bytes.len});
        buf_free(&bytes);
    }
}

TEST(a_frame_cut_anywhere_asks_for_more)
{
    TEST_BEGIN;
    for (size_t i = 0; i < countof(kinds); i++) {
        struct buf bytes = {0};
        encode_sample(i, &bytes);
        for (size_t n = 0; n < bytes.len; n++) {
            /* A copy of exactly n bytes, so that reading past it is seen by a sanitizer. */
            char *cut = malloc(n ? n : 1);
            struct wire_frame f;
            struct err e = {0};
            size_t used = 1;
            memcpy(cut, bytes.at, n);
            CHECK(wire_decode((struct str){cut, n}, &f, &used, &e));
            CHECK_INT(__LINE__, used, 0);
            free(cut);
        }
        buf_free(&bytes);
    }
}

TEST(a_frame_too_short_or_too_long_for_its_fields_is_refused)
{
    TEST_BEGIN;
    for (size_t i = 0; i < countof(kinds); i++) {
        struct buf bytes = {0};
        encode_sample(i, &bytes);
        size_t whole = bytes.len - 4;
        buf_add(&bytes, "\0\0\0\0", 4);
        for (size_t len = 1; len <= whole + 4; len++) {
            struct wire_frame f;
            struct err e = {0};
            size_t used;
            for (int k = 0; k < 4; k++)
                bytes.at[k] = (char)(len >> (8 * k));
            bool ok = wire_decode((struct str){bytes.at, len + 4}, &f, &used, &e);
            CHECK_INT(__LINE__, ok, len == whole);
        }
        buf_free(&bytes);
    }
}

TEST(any_byte_changed_gives_a_frame_or_an_error_and_never_two_meanings)
{
    TEST_BEGIN;
    for (size_t i = 0; i < countof(kinds); i++) {
        struct buf bytes = {0};
        encode_sample(i, &bytes);
        for (size_t at = 0; at < bytes.len; at++)
            for (int value = 0; value < 256; value += 1 + value / 3) {
                char was = bytes.at[at];
                bytes.at[at] = (char)value;
                check_canonical((struct str){bytes.at, bytes.len});
                bytes.at[at] = was;
            }
        buf_free(&bytes);
    }
}

TEST(absurd_lengths_and_unknown_kinds_are_refused_at_once)
{
    TEST_BEGIN;
    static const struct {
        int line;
        struct str bytes;
    } rows[] = {
        {__LINE__, S("\0\0\0\0")},         /* no kind */
        {__LINE__, S("\x01\0\x10\0\x01")}, /* one byte above the bound */
        {__LINE__, S("\xff\xff\xff\xff")}, /* four gigabytes */
        {__LINE__, S("\x05\0\0\0\x63")},   /* kind 99, before its bytes are there */
        {__LINE__, S("\x01\0\0\0\0")},     /* kind 0 */
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct wire_frame f;
        struct err e = {0};
        size_t used;
        CHECK_INT(rows[i].line, wire_decode(rows[i].bytes, &f, &used, &e), false);
        CHECK_INT(rows[i].line, e.kind, ERR_INVALID);
    }
}

TEST(a_frame_above_the_bound_is_not_written)
{
    TEST_BEGIN;
    struct buf out = {0};
    struct err e = {0};
    char *big = calloc(1, WIRE_FRAME_MAX);
    memset(big, 'x', WIRE_FRAME_MAX - 1);
    struct wire_frame f = {.kind = WIRE_REFUSED, .refused = {.text = str_of(big)}};
    buf_puts(&out, "before");
    CHECK(!wire_encode(&f, &out, &e));
    CHECK_INT(__LINE__, e.kind, ERR_LIMIT);
    CHECK_STR(__LINE__, out.at, "before");
    free(big);
    buf_free(&out);
}

TEST(texts_are_walked_as_they_were_packed)
{
    TEST_BEGIN;
    struct buf b = {0};
    uint32_t count = 0;
    wire_texts_add(&b, &count, S("one"));
    wire_texts_add(&b, &count, S(""));
    wire_texts_add(&b, &count, S("three"));
    struct wire_texts list = {{b.at, b.len}, count};
    struct buf seen = {0};
    struct str text;
    for (size_t at = 0; wire_texts_next(&list, &at, &text);)
        buf_printf(&seen, "[%.*s]", STR_ARG(text));
    CHECK_STR(__LINE__, seen.at, "[one][][three]");
    CHECK_INT(__LINE__, count, 3);
    buf_free(&b);
    buf_free(&seen);
}

TEST(the_name_of_an_attempt_has_one_text)
{
    TEST_BEGIN;
    char text[WIRE_NAME_TEXT_MAX];
    struct wire_name n = some_name(4294967295u), back;
    CHECK_STR(__LINE__, wire_name_text(&n, text), "01ARZ3NDEKTSV4RRFFQ69G5FAV.4294967295.7.2");
    CHECK(wire_name_parse(str_of(text), &back) && wire_name_eq(&n, &back));
    static const struct {
        int line;
        const char *text;
    } wrong[] = {
        {__LINE__, ""},
        {__LINE__, "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
        {__LINE__, "01ARZ3NDEKTSV4RRFFQ69G5FAV.1.2"},
        {__LINE__, "01ARZ3NDEKTSV4RRFFQ69G5FAV.1.2."},
        {__LINE__, "01ARZ3NDEKTSV4RRFFQ69G5FAV.1.2.3.4"},
        {__LINE__, "01ARZ3NDEKTSV4RRFFQ69G5FAV.1.2.3."},
        {__LINE__, "01ARZ3NDEKTSV4RRFFQ69G5FAV.01.2.3"},
        {__LINE__, "01ARZ3NDEKTSV4RRFFQ69G5FAV.+1.2.3"},
        {__LINE__, "01ARZ3NDEKTSV4RRFFQ69G5FAV.1.2.4294967296"},
        {__LINE__, "01arz3ndektsv4rrffq69g5fav.1.2.3"},
    };
    for (size_t i = 0; i < countof(wrong); i++)
        CHECK_INT(wrong[i].line, wire_name_parse(str_of(wrong[i].text), &back), false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_comes_back_as_it_was_sent),
        cmocka_unit_test(a_frame_cut_anywhere_asks_for_more),
        cmocka_unit_test(a_frame_too_short_or_too_long_for_its_fields_is_refused),
        cmocka_unit_test(any_byte_changed_gives_a_frame_or_an_error_and_never_two_meanings),
        cmocka_unit_test(absurd_lengths_and_unknown_kinds_are_refused_at_once),
        cmocka_unit_test(a_frame_above_the_bound_is_not_written),
        cmocka_unit_test(texts_are_walked_as_they_were_packed),
        cmocka_unit_test(the_name_of_an_attempt_has_one_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
