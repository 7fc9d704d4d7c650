/* SPDX-License-Identifier: MIT */
#include "keeper/journal.h"
#include "../check.h"
#include "../tempdir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const uint8_t boot[16] = {1, 2, 3};

static int temporary_dir(char path[TEMPDIR_MAX])
{
    CHECK(tempdir_make(path));
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void remove_dir(int dir, const char *path)
{
    close(dir);
    CHECK(tempdir_remove(path));
}

static void open_new(struct journal *j, int dir)
{
    struct err e = {0};
    *j = (struct journal){.dir = dir};
    memcpy(j->boot_id, boot, sizeof boot);
    CHECK(journal_renew(j, NULL, 0, 8, &e));
}

static void add(struct journal *j, uint32_t task)
{
    struct record r = {.kind = RECORD_STARTING, .name = {.task = task}};
    journal_add(j, &r);
}

TEST(the_checksum_is_crc32c)
{
    TEST_BEGIN;
    CHECK_INT(__LINE__, crc32c("123456789", 9), 0xe3069283u);
    CHECK_INT(__LINE__, crc32c("", 0), 0);
}

TEST(a_journal_cut_at_any_byte_gives_the_records_before_the_cut)
{
    TEST_BEGIN;
    char path[TEMPDIR_MAX];
    int dir = temporary_dir(path);
    struct journal j;
    open_new(&j, dir);
    for (uint32_t i = 0; i < 3; i++)
        add(&j, i);
    size_t whole = 4 * sizeof(struct record);
    for (size_t n = 0; n <= whole; n++) {
        char *cut = malloc(n + 1);
        memcpy(cut, j.at, n);
        long want = n < sizeof(struct record) ? -1 : (long)(n / sizeof(struct record)) - 1;
        CHECK_INT(__LINE__, journal_count(cut, n), want);
        free(cut);
    }
    journal_close(&j);
    remove_dir(dir, path);
}

TEST(a_changed_byte_ends_the_journal_where_it_is)
{
    TEST_BEGIN;
    char path[TEMPDIR_MAX];
    int dir = temporary_dir(path);
    struct journal j;
    open_new(&j, dir);
    for (uint32_t i = 0; i < 3; i++)
        add(&j, i);
    char *bytes = (char *)j.at;
    for (size_t at = sizeof(struct record); at < 4 * sizeof(struct record); at++) {
        bytes[at] ^= 1;
        CHECK_INT(__LINE__, journal_count(bytes, 4 * sizeof(struct record)),
                  at / sizeof(struct record) - 1);
        bytes[at] ^= 1;
    }
    journal_close(&j);
    remove_dir(dir, path);
}

TEST(numbers_go_on_when_records_are_forgotten_and_when_the_keeper_is_new)
{
    TEST_BEGIN;
    char path[TEMPDIR_MAX];
    int dir = temporary_dir(path);
    struct journal j;
    struct journal_old old;
    struct err e = {0};
    open_new(&j, dir);
    for (uint32_t i = 0; i < 5; i++)
        add(&j, i);
    struct record kept = j.at[2];
    const struct record *keep[] = {&kept};
    CHECK(journal_renew(&j, keep, 1, 8, &e));
    CHECK_INT(__LINE__, j.count, 2);
    CHECK(journal_read_old(dir, boot, &old, &e));
    CHECK_INT(__LINE__, old.count, 1);
    CHECK_INT(__LINE__, old.at[0].name.task, 1);
    CHECK_INT(__LINE__, old.seq, 5);
    CHECK(old.same_boot);
    buf_free(&old.bytes);
    add(&j, 9);
    CHECK_INT(__LINE__, j.at[2].seq, 6);
    uint8_t other[16] = {9};
    CHECK(journal_read_old(dir, other, &old, &e));
    CHECK_INT(__LINE__, old.seq, 6);
    CHECK(!old.same_boot);
    buf_free(&old.bytes);
    journal_close(&j);
    remove_dir(dir, path);
}

TEST(no_journal_and_no_sense_are_no_records)
{
    TEST_BEGIN;
    char path[TEMPDIR_MAX];
    int dir = temporary_dir(path);
    struct journal_old old;
    struct err e = {0};
    CHECK(journal_read_old(dir, boot, &old, &e));
    CHECK_INT(__LINE__, old.count, 0);
    CHECK_INT(__LINE__, journal_count("nonsense", 8), -1);
    remove_dir(dir, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checksum_is_crc32c),
        cmocka_unit_test(a_journal_cut_at_any_byte_gives_the_records_before_the_cut),
        cmocka_unit_test(a_changed_byte_ends_the_journal_where_it_is),
        cmocka_unit_test(numbers_go_on_when_records_are_forgotten_and_when_the_keeper_is_new),
        cmocka_unit_test(no_journal_and_no_sense_are_no_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
