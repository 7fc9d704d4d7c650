/* SPDX-License-Identifier: MIT */
#include "scheduler/scheduler.h"
#include "../model/zone.h"
#include "../tempdir.h"

#include <sys/eventfd.h>
#include <unistd.h>

#define MINUTE ((ms_t)60000)

static const char source[] = "name: etl\n"
                             "params: {day: today, mode: full}\n"
                             "tasks:\n"
                             "- {name: a, script: x}\n"
                             "- {name: b, script: x}\n";

/* A house with this one room, on a directory of its own. */
static struct {
    char dir[TEMPDIR_MAX];
    struct store store;
    struct versions *versions;
    struct corridor corridor;
    struct door *door;
    int wake;
    struct scheduler *room;
    uint64_t commit;
    struct answer answers[32];
    size_t answer_count;
} h;

static void sql(const char *text)
{
    struct err e = {0};
    if (!db_exec(&h.store.db, text, &e))
        CHECK_STR(__LINE__, e.text, "no error");
}

static int64_t number(const char *text)
{
    struct db_rows q;
    struct err e = {0};
    if (!db_prepare(&h.store.db, text, &q, &e))
        CHECK_STR(__LINE__, e.text, "no error");
    int64_t n = db_next(&q) ? db_get_int(&q, 0) : -1;
    db_rows_close(&q);
    return n;
}

static void room_open(void)
{
    struct err e = {0};
    struct scheduler_opts o = {.timezone = S("UTC"), .versions = h.versions};
    h.room = scheduler_new(&o, &h.corridor, &h.store, h.door, &e);
    if (!h.room)
        CHECK_STR(__LINE__, e.text, "no error");
}

static void turn(void)
{
    struct err e = {0};
    if (scheduler_dirty(h.room)) {
        CHECK(store_begin(&h.store, &e));
        if (!scheduler_write(h.room, &e))
            CHECK_STR(__LINE__, e.text, "no error");
        CHECK(store_commit(&h.store, &e));
        scheduler_committed(h.room);
    }
    door_mark(h.door, ++h.commit);
    door_release(h.door, h.commit);
}

static void tick_at(ms_t now)
{
    h.corridor.now = now;
    scheduler_tick(h.room);
    turn();
}

static void add_entry(const char *entry, ms_t every)
{
    char text[400];
    snprintf(text, sizeof text,
             "INSERT INTO schedules (workflow_id, entry, kind, text, every_ms, position)"
             " VALUES (1, '%s', '%s', '%s', %lld, (SELECT count(*) FROM schedules))",
             entry, every ? "every" : "cron", entry, (long long)every);
    sql(text);
}

static int begin(void **state)
{
    struct err e = {0};
    char text[1000];
    (void)state;
    memset(&h, 0, sizeof h);
    if (!tempdir_make(h.dir) || !store_open(h.dir, DURABLE_NORMAL, &h.store, &e))
        return -1;
    snprintf(text, sizeof text,
             "INSERT INTO workflows (id, name, version_id, path, dir, state, created_at,"
             " changed_at) VALUES (1, 'etl', 1, 'etl.yaml', '/', 'active', 0, 0);"
             "INSERT INTO workflow_versions VALUES (1, 1, 1, 'x', '%s', 'etl.yaml', 2, 0);"
             "INSERT INTO tasks (version_id, task, name, kind, line) VALUES"
             " (1, 0, 'a', 'script', 4), (1, 1, 'b', 'script', 5);",
             source);
    sql(text);
    h.versions = versions_new(&h.store.db, 1 << 20);
    h.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    h.door = door_new(h.wake);
    corridor_init(&h.corridor, 64);
    h.corridor.now = instant("2026-01-01 00:00:30");
    return 0;
}

static int end(void **state)
{
    (void)state;
    scheduler_free(h.room);
    door_free(h.door);
    close(h.wake);
    corridor_done(&h.corridor);
    versions_free(h.versions);
    store_close(&h.store);
    return tempdir_remove(h.dir) ? 0 : -1;
}

static void reply(void *ctx, const struct answer *a)
{
    (void)ctx;
    CHECK(h.answer_count < countof(h.answers));
    h.answers[h.answer_count++] = *a;
}

static void wish(struct wish w)
{
    struct err e = {0};
    struct msg m = {.kind = w.kind == WISH_SWITCH ? MSG_SWITCH_SET : MSG_RUN_REQUESTED};
    w.actor = S("token admin");
    CHECK(door_post(h.door, &w, reply, NULL, &e));
    CHECK(door_take(h.door, &m.request.ticket));
    m.request.target = w.target;
    scheduler_hear(h.room, &m);
}

static const struct answer *ask(const char *body, struct str key)
{
    wish((struct wish){.kind = WISH_RUN, .target = 1, .key = key, .body = str_of(body)});
    turn();
    return &h.answers[h.answer_count - 1];
}

static void finish_runs(void)
{
    sql("UPDATE workflow_runs SET state = 'success'");
}

TEST(a_slot_that_fires_leaves_a_run_with_its_tasks_and_says_so_afterwards)
{
    TEST_BEGIN;
    struct msg m;
    add_entry("*/5 * * * *", 0);
    room_open();
    turn();
    CHECK_INT(__LINE__, scheduler_deadline(h.room), instant("2026-01-01 00:05"));
    h.corridor.now = instant("2026-01-01 00:05");
    scheduler_tick(h.room);
    CHECK(!corridor_take(&h.corridor, &m));
    turn();
    CHECK(corridor_take(&h.corridor, &m) && m.kind == MSG_RUN_CREATED);
    CHECK(m.run.id == 1 && m.run.workflow == 1 && m.run.version == 1);
    CHECK_INT(__LINE__,
              number("SELECT count(*) FROM workflow_runs WHERE id = 1 AND state = 'queued'"
                     " AND trigger = 'schedule' AND length(key) = 26 AND tasks_total = 2"
                     " AND params = '{\"day\":\"today\",\"mode\":\"full\"}'"
                     " AND entry = '*/5 * * * *' AND slot_at = created_at"),
              1);
    CHECK_INT(__LINE__, number("SELECT count(*) FROM task_instances WHERE state = 'pending'"), 2);
    CHECK_INT(__LINE__,
              number("SELECT count(*) FROM schedule_slots WHERE outcome = 'fired'"
                     " AND run_id = 1 AND wall = '2026-01-01 00:05'"),
              1);
    CHECK_INT(__LINE__, number("SELECT count(*) FROM events WHERE kind IN ('run', 'slot')"), 2);
    CHECK(!scheduler_dirty(h.room));
}

TEST(one_run_and_one_that_waits_then_overlap)
{
    TEST_BEGIN;
    add_entry("* * * * *", 0);
    room_open();
    ms_t t = instant("2026-01-01 00:00");
    tick_at(t + 4 * MINUTE); /* four at once */
    CHECK_INT(__LINE__, number("SELECT count(*) FROM workflow_runs"), 2);
    CHECK_INT(__LINE__, number("SELECT count(*) FROM schedule_slots WHERE reason = 'overlap'"), 2);
    finish_runs();
    tick_at(t + 5 * MINUTE);
    CHECK_INT(__LINE__, number("SELECT count(*) FROM workflow_runs"), 3);
}

TEST(after_a_restart_nothing_is_repeated_and_nothing_forgotten)
{
    TEST_BEGIN;
    add_entry("* * * * *", 0);
    add_entry("every 90s", 90000);
    room_open();
    ms_t t = instant("2026-01-01 00:00");
    tick_at(t + MINUTE);
    finish_runs();
    /* decided, and dead before it was written */
    h.corridor.now = t + 2 * MINUTE;
    scheduler_tick(h.room);
    scheduler_free(h.room);
    room_open();
    tick_at(t + 2 * MINUTE);
    tick_at(t + 2 * MINUTE);
    CHECK_INT(__LINE__, number("SELECT count(*) FROM schedule_slots WHERE outcome = 'fired'"), 3);
    CHECK_INT(__LINE__, number("SELECT count(DISTINCT run_id) FROM schedule_slots"), 3);
    finish_runs();
    scheduler_free(h.room);
    h.corridor.now = t + 60 * MINUTE;
    room_open();
    tick_at(h.corridor.now);
    CHECK_INT(__LINE__, number("SELECT count(*) FROM schedule_slots WHERE entry = '* * * * *'"),
              60);
    CHECK_INT(__LINE__, number("SELECT count(*) FROM schedule_slots WHERE entry = 'every 90s'"),
              40);
    CHECK_INT(__LINE__, number("SELECT count(*) FROM schedule_slots WHERE reason = 'late'"),
              52 + 35);
}

TEST(a_write_that_is_undone_is_written_again)
{
    TEST_BEGIN;
    struct err e = {0};
    add_entry("* * * * *", 0);
    room_open();
    h.corridor.now = instant("2026-01-01 00:01");
    scheduler_tick(h.room);
    CHECK(store_begin(&h.store, &e) && scheduler_write(h.room, &e));
    store_rollback(&h.store);
    CHECK_INT(__LINE__, number("SELECT count(*) FROM workflow_runs"), 0);
    CHECK(scheduler_dirty(h.room));
    turn();
    CHECK_INT(__LINE__, number("SELECT count(*) FROM workflow_runs"), 1);
    CHECK_INT(__LINE__, number("SELECT count(*) FROM schedule_slots"), 1);
}

TEST(a_switch_is_stored_and_outlives_a_restart)
{
    TEST_BEGIN;
    add_entry("* * * * *", 0);
    room_open();
    wish((struct wish){.kind = WISH_SWITCH, .target = 1, .on = false, .body = S("audit")});
    CHECK_INT(__LINE__, h.answer_count, 0);
    turn();
    CHECK(h.answer_count == 1 && h.answers[0].kind == ERR_NONE);
    CHECK_INT(__LINE__,
              number("SELECT count(*) FROM workflow_switches WHERE enabled = 0"
                     " AND actor = 'token admin' AND reason = 'audit' AND at > 0"),
              1);
    tick_at(instant("2026-01-01 00:01"));
    scheduler_free(h.room);
    room_open();
    tick_at(instant("2026-01-01 00:02"));
    CHECK_INT(__LINE__, number("SELECT count(*) FROM schedule_slots WHERE reason = 'paused'"), 2);
    CHECK_INT(__LINE__, ask("", STR_NONE)->kind, ERR_NONE); /* a person may */
    wish((struct wish){.kind = WISH_SWITCH, .target = 1, .on = true});
    turn();
    tick_at(instant("2026-01-01 00:03"));
    CHECK_INT(__LINE__, number("SELECT count(*) FROM schedule_slots WHERE outcome = 'fired'"), 1);
}

static const char *head_of(const char *text, size_t len)
{
    static char head[500];
    snprintf(head, sizeof head, "%.*s", (int)len, text);
    return head;
}

TEST(a_wish_brings_parameters_and_wrong_ones_are_refused)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *body, *params, *text;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("", "{\"day\":\"today\",\"mode\":\"full\"}", NULL),
        ROW("{\"params\":{\"day\":\"x\"}}", "{\"day\":\"x\",\"mode\":\"full\"}", NULL),
        ROW("{\"params\":{\"day\":7,\"mode\":true}}", "{\"day\":\"7\",\"mode\":\"true\"}", NULL),
        ROW("{\"params\":{\"dya\":\"x\"}}", NULL,
            "'etl' has no parameter 'dya'; did you mean 'day'?"),
        ROW("{\"params\":{\"day\":null}}", NULL,
            "parameter 'day' must be a text, a number or a boolean"),
        ROW("{\"params\":[]}", NULL, "'params' must be an object"),
        ROW("[]", NULL, "the request must be a JSON object"),
        ROW("{\"parms\":{}}", NULL, "a request for a run has no 'parms', but 'params'"),
        ROW("{", NULL, "the request is not JSON"),
#undef ROW
    };
    room_open();
    for (size_t i = 0; i < countof(rows); i++) {
        int64_t before = number("SELECT count(*) FROM workflow_runs");
        const struct answer *a = ask(rows[i].body, STR_NONE);
        CHECK_INT(rows[i].line, a->kind, rows[i].text ? ERR_INVALID : ERR_NONE);
        CHECK_INT(rows[i].line, number("SELECT count(*) FROM workflow_runs"),
                  before + !rows[i].text);
        if (rows[i].text) {
            CHECK_STR(rows[i].line, head_of(a->text, strlen(rows[i].text)), rows[i].text);
            continue;
        }
        char want[200];
        snprintf(want, sizeof want, "INSERT OR REPLACE INTO meta VALUES ('want', '%s')",
                 rows[i].params);
        sql(want);
        CHECK_INT(rows[i].line, number("SELECT max(id) FROM workflow_runs"), a->id);
        CHECK_INT(rows[i].line,
                  number("SELECT count(*) FROM workflow_runs r JOIN meta m ON m.value = r.params"
                         " WHERE r.id = (SELECT max(id) FROM workflow_runs)"
                         " AND trigger = 'manual' AND actor = 'token admin'"),
                  1);
    }
}

TEST(one_key_is_one_run)
{
    TEST_BEGIN;
    room_open();
    const char *body = "{\"params\":{\"day\":\"x\"}}";
    struct wish w = {.kind = WISH_RUN, .target = 1, .key = S("k"), .body = str_of(body)};
    wish(w);
    wish(w); /* in the same turn */
    turn();
    CHECK_INT(__LINE__, h.answer_count, 2);
    CHECK(h.answers[0].id == 1 && !h.answers[0].repeated);
    CHECK(h.answers[1].id == 1 && h.answers[1].repeated);
    const struct answer *a = ask("{ \"params\": {\"day\": \"x\"} }", S("k"));
    CHECK(a->kind == ERR_NONE && a->id == 1 && a->repeated);
    CHECK_INT(__LINE__, ask("", S("k"))->kind, ERR_CONFLICT);
    a = ask(body, S("other"));
    CHECK(a->kind == ERR_NONE && a->id == 2 && !a->repeated);
    scheduler_free(h.room);
    room_open();
    a = ask(body, S("k"));
    CHECK(a->id == 1 && a->repeated);
    CHECK_INT(__LINE__, number("SELECT count(*) FROM workflow_runs"), 2);
}

TEST(what_cannot_run_is_refused_at_once)
{
    TEST_BEGIN;
    room_open();
    wish((struct wish){.kind = WISH_RUN, .target = 9});
    turn();
    CHECK_INT(__LINE__, h.answers[0].kind, ERR_NOT_FOUND);
    sql("UPDATE workflows SET state = 'gone'");
    CHECK_INT(__LINE__, ask("", STR_NONE)->kind, ERR_CONFLICT);
    sql("UPDATE workflows SET state = 'active';"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
        "INSERT INTO workflow_runs (id, key, workflow_id, version_id, state, trigger, created_at,"
        " tasks_total) SELECT i, 'k' || i, 1, 1, 'running', 'api', 1, 0 FROM n");
    scheduler_free(h.room);
    room_open();
    CHECK_INT(__LINE__, ask("", STR_NONE)->kind, ERR_LIMIT);
    sql("UPDATE workflow_runs SET state = 'success' WHERE id = 5");
    const struct answer *a = ask("", STR_NONE);
    CHECK(a->kind == ERR_NONE && a->id == 10001);
    CHECK_INT(__LINE__, ask("", STR_NONE)->kind, ERR_LIMIT);
}

TEST(an_edit_begins_now_and_a_lost_file_stops)
{
    TEST_BEGIN;
    add_entry("* * * * *", 0);
    room_open();
    turn();
    h.corridor.now = instant("2026-01-01 10:00:10");
    sql("DELETE FROM schedules");
    add_entry("30 * * * *", 0);
    scheduler_hear(h.room, &(struct msg){.kind = MSG_WORKFLOW_CHANGED, .workflow = {1, 1}});
    turn();
    CHECK_INT(__LINE__, scheduler_deadline(h.room), instant("2026-01-01 10:30"));
    CHECK_INT(__LINE__, number("SELECT count(*) FROM schedule_slots"), 0);
    scheduler_hear(h.room, &(struct msg){.kind = MSG_WORKFLOW_GONE, .workflow = {1, 1}});
    CHECK(scheduler_deadline(h.room) == MS_NEVER);
}

TEST(an_entry_whose_zone_is_unknown_is_said_and_harms_no_other)
{
    TEST_BEGIN;
    add_entry("CRON_TZ=Europe/Atlantis 0 0 * * *", 0);
    add_entry("0 * * * *", 0);
    room_open();
    turn();
    CHECK_INT(__LINE__, scheduler_deadline(h.room), instant("2026-01-01 01:00"));
    CHECK_INT(__LINE__, number("SELECT count(*) FROM events WHERE data LIKE '%Atlantis%'"), 1);
}

int main(void)
{
#define IN_HOUSE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        IN_HOUSE(a_slot_that_fires_leaves_a_run_with_its_tasks_and_says_so_afterwards),
        IN_HOUSE(one_run_and_one_that_waits_then_overlap),
        IN_HOUSE(after_a_restart_nothing_is_repeated_and_nothing_forgotten),
        IN_HOUSE(a_write_that_is_undone_is_written_again),
        IN_HOUSE(a_switch_is_stored_and_outlives_a_restart),
        IN_HOUSE(a_wish_brings_parameters_and_wrong_ones_are_refused),
        IN_HOUSE(one_key_is_one_run),
        IN_HOUSE(what_cannot_run_is_refused_at_once),
        IN_HOUSE(an_edit_begins_now_and_a_lost_file_stops),
        IN_HOUSE(an_entry_whose_zone_is_unknown_is_said_and_harms_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
