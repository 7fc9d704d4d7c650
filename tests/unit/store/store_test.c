/* SPDX-License-Identifier: MIT */
#include "store/store.h"
#include "store/schema.h"
#include "../check.h"
#include "../tempdir.h"

#include <unistd.h>

static char dir[TEMPDIR_MAX];

static int make_dir(void **state)
{
    (void)state;
    return tempdir_make(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return tempdir_remove(dir) ? 0 : -1;
}

TEST(a_new_directory_gets_the_newest_schema_and_opens_again)
{
    TEST_BEGIN;
    struct store s;
    struct err e = {0};
    for (int i = 0; i < 2; i++) {
        if (!store_open(dir, DURABLE_NORMAL, &s, &e))
            CHECK_STR(__LINE__, e.text, "no error");
        CHECK(store_begin(&s, &e));
        CHECK(event_add(&s, 5, "daemon", 0, 0, STR_NONE, S("{}"), &e));
        CHECK(store_commit(&s, &e));
        CHECK_INT(__LINE__, s.event_seq, i + 1);
        store_close(&s);
    }
}

TEST(a_second_daemon_is_refused_by_name_of_the_first)
{
    TEST_BEGIN;
    struct store first, second;
    struct err e = {0};
    char pid[32];
    CHECK(store_open(dir, DURABLE_NORMAL, &first, &e));
    CHECK(!store_open(dir, DURABLE_NORMAL, &second, &e));
    CHECK(e.kind == ERR_CONFLICT);
    snprintf(pid, sizeof pid, "(pid %ld)", (long)getpid());
    CHECK(strstr(e.text, pid));
    store_close(&first);
}

TEST(a_newer_schema_is_not_touched)
{
    TEST_BEGIN;
    struct store s;
    struct err e = {0};
    char sql[64];
    CHECK(store_open(dir, DURABLE_NORMAL, &s, &e));
    snprintf(sql, sizeof sql, "PRAGMA user_version=%d", schema_version + 1);
    CHECK(db_exec(&s.db, sql, &e));
    store_close(&s);
    CHECK(!store_open(dir, DURABLE_NORMAL, &s, &e));
    CHECK(e.kind == ERR_INVALID && strstr(e.text, "not touched"));
}

TEST(a_foreign_file_is_refused)
{
    TEST_BEGIN;
    struct store s;
    struct db db;
    struct err e = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/gowtf.db", dir);
    CHECK(db_open(path, DB_WRITER, &db, &e));
    CHECK(db_exec(&db, "CREATE TABLE mine (x)", &e));
    db_close(&db);
    CHECK(!store_open(dir, DURABLE_NORMAL, &s, &e));
    CHECK(strstr(e.text, "not a gowtf database"));
}

TEST(a_rolled_back_turn_leaves_no_trace)
{
    TEST_BEGIN;
    struct store s;
    struct err e = {0};
    CHECK(store_open(dir, DURABLE_NORMAL, &s, &e));
    CHECK(store_begin(&s, &e));
    CHECK(event_add(&s, 5, "daemon", 0, 0, STR_NONE, S("{}"), &e));
    store_rollback(&s);
    CHECK_INT(__LINE__, s.event_seq, 0);
    CHECK(store_begin(&s, &e));
    CHECK(event_add(&s, 6, "daemon", 0, 0, STR_NONE, S("{}"), &e));
    CHECK(store_commit(&s, &e));
    CHECK_INT(__LINE__, s.event_seq, 1);
    store_close(&s);
}

TEST(a_reader_cannot_write)
{
    TEST_BEGIN;
    struct store s;
    struct db reader;
    struct err e = {0};
    CHECK(!store_open_reader(dir, &reader, &e) && e.kind == ERR_NOT_FOUND);
    CHECK(store_open(dir, DURABLE_NORMAL, &s, &e));
    CHECK(store_open_reader(dir, &reader, &e));
    CHECK(!db_exec(&reader, "DELETE FROM events", &e));
    db_close(&reader);
    store_close(&s);
}

static void add_run(struct store *s, int id, const char *state, ms_t finished)
{
    struct err e = {0};
    char sql[512];
    snprintf(sql, sizeof sql,
             "INSERT INTO workflow_runs (id, key, workflow_id, version_id, state, trigger,"
             " created_at, finished_at, tasks_total) VALUES (%d, 'KEY%d', 1, 1, '%s', 'manual',"
             " 1, %lld, 0); INSERT INTO attempts (run_id, task, attempt, state)"
             " VALUES (%d, 0, 1, 'success');",
             id, id, state, (long long)finished, id);
    if (!db_exec(&s->db, sql, &e))
        CHECK_STR(__LINE__, e.text, "no error");
}

TEST(old_finished_runs_go_and_living_ones_stay)
{
    TEST_BEGIN;
    struct store s;
    struct err e = {0};
    struct buf keys = {0};
    struct retention r = {.keep_runs = 3, .keep_ms = 1000};
    bool more;
    CHECK(store_open(dir, DURABLE_NORMAL, &s, &e));
    CHECK(db_exec(&s.db, "PRAGMA foreign_keys=OFF", &e));
    for (int i = 1; i <= 6; i++)
        add_run(&s, i, i == 1 ? "running" : "success", i == 5 ? 100 : 5000);
    CHECK(store_retain(&s, &r, 5500, 100, &more, &keys, &e));
    /* 2 and 3 are beyond the newest three, 5 is too old, 1 still runs */
    CHECK_STR(__LINE__, keys.at, "KEY2\nKEY3\nKEY5\n");
    CHECK(!more);
    buf_free(&keys);
    store_close(&s);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        IN_DIR(a_new_directory_gets_the_newest_schema_and_opens_again),
        IN_DIR(a_second_daemon_is_refused_by_name_of_the_first),
        IN_DIR(a_newer_schema_is_not_touched),
        IN_DIR(a_foreign_file_is_refused),
        IN_DIR(a_rolled_back_turn_leaves_no_trace),
        IN_DIR(a_reader_cannot_write),
        IN_DIR(old_finished_runs_go_and_living_ones_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
