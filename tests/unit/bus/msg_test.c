/* SPDX-License-Identifier: MIT */
#include "bus/corridor.h"
#include "../check.h"

TEST(every_message_can_be_read_back_from_its_line)
{
    TEST_BEGIN;
    for (uint32_t kind = 0; kind < MSG_KINDS; kind++) {
        struct msg m = {.kind = kind, .at = 1767225600000}, back;
        struct err e = {0};
        struct buf line = {0}, again = {0};
        m.ended.attempt = (struct attempt){-3, 4, 5, 6};
        m.ended.how = END_SIGNAL;
        m.ended.at = 77;
        msg_print(&m, &line);
        if (!msg_parse((struct str){line.at, line.len}, &back, &e))
            CHECK_STR(__LINE__, e.text, line.at);
        msg_print(&back, &again);
        CHECK_STR(__LINE__, again.at, line.at);
        buf_free(&line);
        buf_free(&again);
    }
}

TEST(a_line_that_is_no_message_is_refused)
{
    TEST_BEGIN;
    static const char *const lines[] = {
        "",
        "1",
        "1 HELLO",
        "x RUN_CREATED id=1 workflow=2 version=3",
        "1 RUN_CREATED id=1 workflow=2",
        "1 RUN_CREATED id=1 workflow=2 version=x",
        "1 RUN_CREATED id=1 workflow=2 version=3 more=4",
        "1 SLOTS count=4294967296",
    };
    for (size_t i = 0; i < countof(lines); i++) {
        struct msg m;
        struct err e = {0};
        CHECK(!msg_parse(str_of(lines[i]), &m, &e));
    }
}

TEST(the_corridor_keeps_the_order_while_it_grows)
{
    TEST_BEGIN;
    struct corridor c;
    struct msg m;
    corridor_init(&c, 4);
    for (uint32_t i = 0; i < 3; i++)
        corridor_post(&c, (struct msg){.kind = MSG_SLOTS, .slots = {i}});
    CHECK(corridor_take(&c, &m) && m.slots.count == 0);
    for (uint32_t i = 3; i < 40; i++)
        corridor_post(&c, (struct msg){.kind = MSG_SLOTS, .slots = {i}});
    for (uint32_t i = 1; i < 40; i++)
        CHECK(corridor_take(&c, &m) && m.slots.count == i);
    CHECK(!corridor_take(&c, &m));
    corridor_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_can_be_read_back_from_its_line),
        cmocka_unit_test(a_line_that_is_no_message_is_refused),
        cmocka_unit_test(the_corridor_keeps_the_order_while_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
