/* SPDX-License-Identifier: MIT */
#include "bus/door.h"
#include "../check.h"

#include <sys/eventfd.h>
#include <unistd.h>

static struct answer heard[DOOR_TICKETS + 1];
static int heard_count;

static void reply(void *ctx, const struct answer *a)
{
    (void)ctx;
    heard[heard_count++] = *a;
}

TEST(an_answer_waits_for_the_commit_it_rests_on)
{
    TEST_BEGIN;
    int wake = eventfd(0, EFD_CLOEXEC);
    struct door *d = door_new(wake);
    struct err e = {0};
    uint64_t first, second;
    heard_count = 0;
    CHECK(door_post(d, &(struct wish){.kind = WISH_RUN, .target = 3, .key = S("k")}, reply, NULL,
                    &e));
    CHECK(door_post(d, &(struct wish){.kind = WISH_CANCEL, .target = 4}, reply, NULL, &e));
    CHECK(door_take(d, &first) && door_take(d, &second));
    CHECK(door_wish(d, first)->target == 3 && str_is(door_wish(d, first)->key, "k"));
    door_answer(d, first, &(struct answer){.id = 11});
    door_mark(d, 1);
    door_answer(d, second, &(struct answer){.id = 12});
    door_mark(d, 2);
    door_release(d, 0);
    CHECK(heard_count == 0 && door_waits(d));
    door_release(d, 1);
    CHECK(heard_count == 1 && heard[0].id == 11);
    door_release(d, 2);
    CHECK(heard_count == 2 && heard[1].id == 12 && !door_waits(d));
    door_free(d);
    close(wake);
}

TEST(a_full_or_shut_door_refuses_and_the_end_answers_all)
{
    TEST_BEGIN;
    int wake = eventfd(0, EFD_CLOEXEC);
    struct door *d = door_new(wake);
    struct err e = {0};
    heard_count = 0;
    door_refuse(d, ERR_FULL, "the disk is full");
    CHECK(!door_post(d, &(struct wish){0}, reply, NULL, &e) && e.kind == ERR_FULL);
    door_refuse(d, ERR_NONE, "");
    for (int i = 0; i < DOOR_TICKETS; i++)
        CHECK(door_post(d, &(struct wish){0}, reply, NULL, &e));
    CHECK(!door_post(d, &(struct wish){0}, reply, NULL, &e) && e.kind == ERR_LIMIT);
    door_free(d);
    CHECK(heard_count == DOOR_TICKETS && heard[0].kind == ERR_DOWN);
    close(wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_waits_for_the_commit_it_rests_on),
        cmocka_unit_test(a_full_or_shut_door_refuses_and_the_end_answers_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
