/* SPDX-License-Identifier: MIT */
#include "../check.h"
#include "../tempdir.h"

#include "executor/executor.h"

#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* A house with one room and a database; what the room says to the worker is
 * noted as text. */
struct house {
    char dir[TEMPDIR_MAX];
    struct store store;
    struct versions *versions;
    struct corridor corridor;
    struct door *door;
    int wake;
    struct executor *room;
    struct buf said;
    struct answer answer;
    bool answered;
    bool smooth; /* every transaction succeeds */
    uint64_t turns;
};

static void must(bool ok, const struct err *e)
{
    if (!ok)
        CHECK_STR(__LINE__, e->text, "no error");
}

static void sql(struct house *h, const char *text)
{
    struct err e = {0};
    must(db_exec(&h->store.db, text, &e), &e);
}

static void open_room(struct house *h)
{
    struct err e = {0};
    struct executor_opts o = {.run_limit = 1};
    h->versions = versions_new(&h->store.db, 1 << 20);
    corridor_init(&h->corridor, 64);
    h->corridor.now = 1000000;
    h->corridor.steady = 5000;
    h->room = executor_new(&o, &h->corridor, &h->store, h->versions, h->door, &e);
    must(h->room != NULL, &e);
}

static void close_room(struct house *h)
{
    executor_free(h->room);
    versions_free(h->versions);
    corridor_done(&h->corridor);
}

static struct house *house_new(const char *yaml)
{
    struct house *h = mem_new(sizeof *h);
    struct err e = {0};
    CHECK(tempdir_make(h->dir));
    h->wake = eventfd(0, EFD_CLOEXEC);
    h->door = door_new(h->wake);
    must(store_open(h->dir, DURABLE_NORMAL, &h->store, &e), &e);
    struct buf b = {0};
    buf_puts(&b, "INSERT INTO workflows (id, name, version_id, path, dir, state, created_at,"
                 " changed_at) VALUES (1, 'w', 1, 'w.yaml', '/', 'active', 1, 1);"
                 "INSERT INTO workflow_versions VALUES (1, 1, 1, 'hash', '");
    buf_puts(&b, yaml);
    buf_puts(&b, "', 'w.yaml', 1, 1);");
    sql(h, b.at);
    buf_free(&b);
    open_room(h);
    return h;
}

static void house_free(struct house *h)
{
    close_room(h);
    store_close(&h->store);
    door_free(h->door);
    close(h->wake);
    tempdir_remove(h->dir);
    buf_free(&h->said);
    free(h);
}

static void hear(struct house *h, const struct msg *m)
{
    if (msg_info[m->kind].to == ROOM_EXECUTOR) {
        executor_hear(h->room, m);
        return;
    }
    struct attempt a = m->start.attempt;
    buf_printf(&h->said, "%s%s %lld.%u#%u", h->said.len ? ", " : "",
               m->kind == MSG_TASK_START ? "start" : "stop", (long long)a.run, a.task, a.try);
}

static void think(struct house *h)
{
    struct msg m;
    do {
        while (corridor_take(&h->corridor, &m))
            hear(h, &m);
        executor_dispatch(h->room);
    } while (h->corridor.count);
}

static const char *turn(struct house *h)
{
    struct err e = {0};
    buf_clear(&h->said);
    if (executor_deadline(h->room) <= h->corridor.steady)
        executor_tick(h->room);
    think(h);
    h->turns++;
    if (executor_dirty(h->room)) {
        must(store_begin(&h->store, &e), &e);
        must(executor_write(h->room, &e), &e);
        if (!h->smooth && h->turns % 3 == 0) { /* now and then it does not work at once */
            store_rollback(&h->store);
            must(store_begin(&h->store, &e), &e);
            must(executor_write(h->room, &e), &e);
        }
        must(store_commit(&h->store, &e), &e);
        executor_committed(h->room);
        door_mark(h->door, h->store.commits);
        door_release(h->door, h->store.commits);
    }
    buf_puts(&h->said, "");
    return h->said.at;
}

/* A run as the scheduler makes it. */
static const char *create(struct house *h, int64_t run, int tasks)
{
    struct buf b = {0};
    buf_printf(&b,
               "INSERT INTO workflow_runs (id, key, workflow_id, version_id, state, trigger,"
               " created_at, tasks_total) VALUES (%lld, 'k%lld', 1, 1, 'queued', 'manual', 1, %d);"
               "BEGIN;",
               (long long)run, (long long)run, tasks);
    for (int i = 0; i < tasks; i++)
        buf_printf(&b, "INSERT INTO task_instances (run_id, task) VALUES (%lld, %d);",
                   (long long)run, i);
    buf_puts(&b, "COMMIT;");
    sql(h, b.at);
    buf_free(&b);
    corridor_post(&h->corridor, (struct msg){.kind = MSG_RUN_CREATED, .run = {run, 1, 1}});
    return turn(h);
}

static const char *slots(struct house *h, uint32_t n)
{
    corridor_post(&h->corridor, (struct msg){.kind = MSG_SLOTS, .slots = {n}});
    return turn(h);
}

static void begin(struct house *h, int64_t run, uint32_t task, uint32_t try)
{
    struct msg m = {.kind = MSG_TASK_STARTED};
    m.started.attempt = (struct attempt){.run = run, .task = task, .try = try};
    m.started.at = h->corridor.now;
    corridor_post(&h->corridor, m);
}

static void end(struct house *h, int64_t run, uint32_t task, uint32_t try, int code)
{
    struct msg m = {.kind = MSG_TASK_ENDED};
    m.ended.attempt = (struct attempt){.run = run, .task = task, .try = try};
    m.ended.code = code;
    m.ended.at = h->corridor.now;
    corridor_post(&h->corridor, m);
}

static void pass(struct house *h, ms_t ms)
{
    h->corridor.now += ms;
    h->corridor.steady += ms;
}

static void replied(void *ctx, const struct answer *a)
{
    struct house *h = ctx;
    h->answer = *a;
    h->answered = true;
}

/* A wish about a run, and the turn that hears it. */
static const char *wish(struct house *h, enum wish_kind kind, int64_t run)
{
    struct err e = {0};
    uint64_t ticket;
    struct wish w = {.kind = kind, .target = run, .actor = S("uid 7")};
    h->answered = false;
    must(door_post(h->door, &w, replied, h, &e), &e);
    CHECK(door_take(h->door, &ticket));
    struct msg m = {.kind = kind == WISH_CANCEL ? MSG_RUN_CANCEL : MSG_RUN_RETRY};
    m.request.ticket = ticket;
    m.request.target = run;
    corridor_post(&h->corridor, m);
    const char *said = turn(h);
    door_mark(h->door, h->store.commits);
    door_release(h->door, h->store.commits);
    CHECK(h->answered);
    return said;
}

/* The first column of a query as text. */
static const char *look(struct house *h, const char *query)
{
    static char text[400];
    struct err e = {0};
    CLEANUP(db_rows_close) struct db_rows q = {0};
    text[0] = 0;
    must(db_prepare(&h->store.db, query, &q, &e), &e);
    while (db_next(&q)) {
        struct str s = db_get_text(&q, 0);
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%.*s", len ? " " : "", STR_ARG(s));
    }
    return text;
}

static const char tasks_as_text[] =
    "SELECT task || ':' || state || coalesce('(' || reason || ')', '') || '#' || attempt"
    " FROM task_instances ORDER BY run_id, task";
static const char runs_as_text[] =
    "SELECT id || ':' || state || CASE degraded WHEN 1 THEN '*' ELSE '' END || ' ' || tasks_done"
    " || '/' || tasks_failed || '/' || tasks_running FROM workflow_runs ORDER BY id";

#define SAYS(got, want) CHECK_STR(__LINE__, (got), (want))

static const char chain[] = "name: w\ntasks:\n"
                            "  - name: a\n    script: x\n    retries: 1\n    retry_delay: 5s\n"
                            "  - name: b\n    script: x\n    depends_on: [a]\n";

TEST(a_run_leaves_rows_events_and_usual_durations)
{
    TEST_BEGIN;
    struct house *h = house_new(chain);
    SAYS(slots(h, 2), "");
    SAYS(create(h, 1, 2), "start 1.0#1");
    SAYS(look(h, tasks_as_text), "0:pending#0 1:pending#0");
    CHECK(executor_deadline(h->room) == h->corridor.steady + 20);
    pass(h, 20); /* it is still queued: that is worth a row */
    SAYS(turn(h), "");
    SAYS(look(h, tasks_as_text), "0:queued#1 1:pending#0");
    SAYS(look(h, "SELECT queued_at FROM task_instances WHERE task = 0"), "1000000");
    CHECK(executor_deadline(h->room) == MS_NEVER);
    begin(h, 1, 0, 1);
    SAYS(turn(h), "");
    SAYS(look(h, runs_as_text), "1:running 0/0/1");
    pass(h, 40);
    end(h, 1, 0, 1, 0);
    SAYS(turn(h), "start 1.1#1");
    begin(h, 1, 1, 1);
    end(h, 1, 1, 1, 0);
    SAYS(turn(h), "");
    SAYS(look(h, tasks_as_text), "0:success#1 1:success#1");
    SAYS(look(h, runs_as_text), "1:success 2/0/0");
    SAYS(look(h, "SELECT started_at || '-' || finished_at FROM task_instances WHERE task = 0"),
         "1000020-1000060");
    SAYS(look(h, "SELECT task || '=' || p50_ms FROM stats ORDER BY task"), "=60 a=40 b=0");
    SAYS(look(h, "SELECT data FROM events ORDER BY seq LIMIT 1"),
         "{\"from\":\"queued\",\"to\":\"running\",\"reason\":null,\"tasks\":[]}");
    SAYS(look(h, "SELECT data FROM events ORDER BY seq DESC LIMIT 1"),
         "{\"from\":\"running\",\"to\":\"success\",\"reason\":null,\"tasks\":"
         "[[1,0,\"pending\",\"success\",1,null,0]]}");
    SAYS(look(h, "SELECT count(*) FROM events"), "5");
    house_free(h);
}

TEST(a_retry_is_due_by_the_wall_clock_after_a_restart)
{
    TEST_BEGIN;
    struct house *h = house_new(chain);
    slots(h, 2);
    create(h, 1, 2);
    begin(h, 1, 0, 1);
    end(h, 1, 0, 1, 3);
    SAYS(turn(h), "");
    SAYS(look(h, tasks_as_text), "0:retrying(exit)#1 1:pending#0");
    SAYS(look(h, "SELECT wait_code || exit_code || (due_at BETWEEN 1004500 AND 1005500)"
                 " FROM task_instances WHERE task = 0"),
         "retry31");
    close_room(h);
    open_room(h);
    h->corridor.steady = 77; /* the machine was started anew */
    slots(h, 2);
    ms_t due = executor_deadline(h->room);
    CHECK(due >= 4500 && due <= 10500);
    pass(h, 10500);
    SAYS(turn(h), "start 1.0#2");
    house_free(h);
}

TEST(a_restart_takes_up_what_was_handed_out_and_what_waits)
{
    TEST_BEGIN;
    struct house *h = house_new(chain);
    slots(h, 1);
    SAYS(create(h, 1, 2), "start 1.0#1");
    SAYS(create(h, 2, 2), "");
    close_room(h);
    open_room(h);
    SAYS(slots(h, 1), "start 1.0#1"); /* nobody knows whether it was heard */
    begin(h, 1, 0, 1);
    end(h, 1, 0, 1, 0);
    SAYS(turn(h), "start 1.1#1");
    end(h, 1, 1, 1, 1);
    SAYS(turn(h), "start 2.0#1");
    SAYS(look(h, runs_as_text), "1:failed 2/1/0 2:running 0/0/0");
    SAYS(look(h, "SELECT failed_task FROM workflow_runs WHERE id = 1"), "1");
    house_free(h);
}

TEST(a_cancellation_is_stored_before_it_has_any_effect)
{
    TEST_BEGIN;
    struct house *h = house_new(chain);
    slots(h, 2);
    create(h, 1, 2);
    begin(h, 1, 0, 1);
    turn(h);
    SAYS(wish(h, WISH_CANCEL, 1), "");
    CHECK(h->answer.kind == ERR_NONE && h->answer.id == 1);
    SAYS(look(h, "SELECT cancel_at || cancel_actor FROM workflow_runs"), "1000000uid 7");
    close_room(h); /* it dies here */
    open_room(h);
    SAYS(slots(h, 2), "stop 1.0#1");
    end(h, 1, 0, 1, 1);
    turn(h);
    SAYS(look(h, runs_as_text), "1:cancelled 2/0/0");
    SAYS(look(h, tasks_as_text), "0:cancelled(cancelled)#1 1:cancelled(cancelled)#0");
    wish(h, WISH_CANCEL, 1);
    CHECK(h->answer.kind == ERR_CONFLICT);
    wish(h, WISH_CANCEL, 9);
    CHECK(h->answer.kind == ERR_NOT_FOUND);
    house_free(h);
}

TEST(a_retried_run_goes_on_with_new_attempts_once_that_is_committed)
{
    TEST_BEGIN;
    struct house *h = house_new(chain);
    slots(h, 2);
    create(h, 1, 2);
    wish(h, WISH_RETRY, 1);
    CHECK(h->answer.kind == ERR_CONFLICT);
    end(h, 1, 0, 1, 0);
    turn(h);
    end(h, 1, 1, 1, 1);
    turn(h);
    SAYS(look(h, runs_as_text), "1:failed 2/1/0");
    sql(h, "INSERT INTO attempts (run_id, task, attempt, state) VALUES (1, 1, 4, 'killed')");
    SAYS(wish(h, WISH_RETRY, 1), "");
    CHECK(h->answer.kind == ERR_NONE);
    SAYS(look(h, tasks_as_text), "0:success#1 1:pending#4");
    SAYS(look(h, runs_as_text), "1:queued 1/0/0");
    CHECK(executor_deadline(h->room) <= h->corridor.steady);
    SAYS(turn(h), "start 1.1#5");
    end(h, 1, 1, 5, 0);
    turn(h);
    SAYS(look(h, runs_as_text), "1:success 2/0/0");
    SAYS(look(h, tasks_as_text), "0:success#1 1:success#5");
    wish(h, WISH_RETRY, 1);
    CHECK(h->answer.kind == ERR_CONFLICT);
    house_free(h);
}

static int64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

TEST(who_waits_long_enough_is_written_down_with_the_reason)
{
    TEST_BEGIN;
    struct house *h = house_new("name: w\nmax_parallel: 2\ntasks:\n"
                                "  - {name: a, script: x}\n  - {name: b, script: x}\n"
                                "  - {name: c, script: x}\n");
    slots(h, 1);
    SAYS(create(h, 1, 3), "start 1.0#1");
    pass(h, 20);
    turn(h);
    static const char waits[] = "SELECT coalesce(wait_code, 'none') || coalesce(wait_since, '')"
                                " FROM task_instances ORDER BY task";
    SAYS(look(h, waits), "none slots1000000 slots1000000");
    SAYS(slots(h, 8), "start 1.1#1");
    end(h, 1, 0, 1, 0);
    SAYS(turn(h), "start 1.2#1");
    end(h, 1, 1, 1, 0);
    end(h, 1, 2, 1, 0);
    turn(h);
    SAYS(look(h, waits), "none none none");
    SAYS(look(h, "SELECT queued_at FROM task_instances"), "1000000 1000000 1000000");
    SAYS(look(h, runs_as_text), "1:success 3/0/0");
    house_free(h);
}

TEST(a_crash_before_anything_was_written_loses_nothing)
{
    TEST_BEGIN;
    struct house *h = house_new(chain);
    slots(h, 2);
    SAYS(create(h, 1, 2), "start 1.0#1");
    begin(h, 1, 0, 1);
    end(h, 1, 0, 1, 0);
    think(h); /* b is handed out, and none of it is committed */
    close_room(h);
    buf_clear(&h->said);
    open_room(h);
    begin(h, 1, 0, 1); /* the journal, from the beginning */
    end(h, 1, 0, 1, 0);
    begin(h, 1, 1, 1);
    SAYS(turn(h), "");
    SAYS(slots(h, 2), "");
    end(h, 1, 1, 1, 0);
    SAYS(turn(h), "");
    SAYS(look(h, tasks_as_text), "0:success#1 1:success#1");
    SAYS(look(h, runs_as_text), "1:success 2/0/0");
    house_free(h);
}

TEST(a_thousand_tasks_cost_little_each)
{
    TEST_BEGIN;
    enum { TASKS = 1000 };
    struct buf yaml = {0};
    buf_puts(&yaml, "name: w\ntasks:\n");
    for (int i = 0; i < TASKS; i++)
        buf_printf(&yaml, "  - {name: t%d, script: x}\n", i);
    struct house *h = house_new(yaml.at);
    buf_free(&yaml);
    slots(h, 4);
    create(h, 1, TASKS);
    h->smooth = true;
    int64_t started = cpu_us();
    uint32_t over = 0;
    for (uint32_t i = 0; i < TASKS; i += 2) { /* two a turn, as at full speed */
        for (uint32_t k = i; k < i + 2; k++, over++) {
            begin(h, 1, k, 1);
            end(h, 1, k, 1, 0);
        }
        turn(h);
    }
    int64_t took = cpu_us() - started;
    print_message("# %.1f us a task\n", (double)took / TASKS);
    SAYS(look(h, runs_as_text), "1:success 1000/0/0");
    house_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_leaves_rows_events_and_usual_durations),
        cmocka_unit_test(a_retry_is_due_by_the_wall_clock_after_a_restart),
        cmocka_unit_test(a_restart_takes_up_what_was_handed_out_and_what_waits),
        cmocka_unit_test(a_cancellation_is_stored_before_it_has_any_effect),
        cmocka_unit_test(a_retried_run_goes_on_with_new_attempts_once_that_is_committed),
        cmocka_unit_test(who_waits_long_enough_is_written_down_with_the_reason),
        cmocka_unit_test(a_crash_before_anything_was_written_loses_nothing),
        cmocka_unit_test(a_thousand_tasks_cost_little_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
