/* SPDX-License-Identifier: MIT
 *
 * Events as they happen, for those who come back, those who are slow, and those
 * who still listen when the server ends. */
#include "house.h"

#include "server/stream.h"

#include <dirent.h>
#include <jansson.h>

static struct house house;
static int64_t seq;

static void happen(int count)
{
    struct err e = {0};
    char sql[256];
    assert_true(db_begin(&house.store.db, &e));
    for (int i = 0; i < count; i++) {
        snprintf(sql, sizeof sql,
                 "INSERT INTO events VALUES (%lld,5000,'run',1,1,'x','{\"from\":\"a\",\"to\":"
                 "\"b\",\"reason\":null,\"tasks\":[]}')",
                 (long long)++seq);
        house_sql(&house, sql);
    }
    assert_true(db_commit(&house.store.db, &e));
    server_changed(house.server, seq);
}

static int listen_to(const char *query, const char *extra)
{
    char text[512];
    int fd = dial(&house);
    snprintf(text, sizeof text,
             "GET /api/v1/stream%s HTTP/1.0\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer "
             "%s\r\n%s\r\n",
             query, house.port, house.token, extra);
    tell(fd, text);
    return fd;
}

/* Read until `what` is there. */
static void hear_until(int fd, struct buf *all, const char *what)
{
    char bytes[65536];
    while (!all->len || !memmem(all->at, all->len, what, strlen(what))) {
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        if (n <= 0)
            fail_msg("the stream ended before '%s':\n%.2000s", what, all->at ? all->at : "");
        buf_add(all, bytes, (size_t)n);
    }
}

/* The ids told are exactly `first`..`last`, in order. */
static void check_ids(int line, const struct buf *all, int64_t first, int64_t last)
{
    int64_t want = first;
    for (const char *p = all->at; (p = strstr(p, "\nid: ")); p++, want++)
        CHECK_INT(line, strtoll(p + 5, NULL, 10), want);
    CHECK_INT(line, want, last + 1);
}

static void hear_id(int fd, struct buf *all, int64_t id)
{
    char what[64];
    snprintf(what, sizeof what, "data: {\"seq\":%lld,", (long long)id);
    hear_until(fd, all, what);
}

TEST(what_happens_is_told_once_and_in_order)
{
    TEST_BEGIN;
    struct buf all = {0};
    char query[64];
    snprintf(query, sizeof query, "?topics=all&after=%lld", (long long)seq);
    int64_t first = seq + 1;
    int fd = listen_to(query, "");
    hear_until(fd, &all, "text/event-stream");
    for (int i = 0; i < 50; i++)
        happen(i % 3 + 1);
    hear_id(fd, &all, seq);
    check_ids(__LINE__, &all, first, seq);
    CHECK(strstr(all.at, "\"workflow\":\"payroll\"") != NULL);
    CHECK(strstr(all.at, "\"from\":\"a\",\"to\":\"b\"") != NULL);
    buf_free(&all);
    close(fd);
}

TEST(one_who_comes_back_hears_what_was_missed)
{
    TEST_BEGIN;
    struct buf all = {0};
    char extra[64];
    int64_t first = seq + 1;
    snprintf(extra, sizeof extra, "Last-Event-ID: %lld\r\n", (long long)seq);
    happen(300);
    int fd = listen_to("", extra);
    happen(5);
    hear_id(fd, &all, seq);
    check_ids(__LINE__, &all, first, seq);
    buf_free(&all);
    close(fd);
}

TEST(one_who_missed_too_much_is_told_to_load_again)
{
    TEST_BEGIN;
    struct buf all = {0};
    happen(STREAM_GAP_MAX + 10);
    int fd = listen_to("", "Last-Event-ID: 1\r\n");
    hear_until(fd, &all, "event: resync");
    CHECK(strstr(all.at, "\nid: ") == NULL);
    happen(1);
    hear_id(fd, &all, seq);
    check_ids(__LINE__, &all, seq, seq);
    buf_free(&all);
    close(fd);
    fd = listen_to("", "Last-Event-ID: 99999999\r\n"); /* of another life */
    buf_clear(&all);
    hear_until(fd, &all, "event: resync");
    buf_free(&all);
    close(fd);
}

TEST(one_who_does_not_read_holds_nobody_up)
{
    TEST_BEGIN;
    struct buf quick = {0}, slow = {0};
    int slow_fd = listen_to("", ""), quick_fd = listen_to("", "");
    hear_until(quick_fd, &quick, "retry:");
    for (int i = 0; i < 120; i++) { /* some 5 MB: more than buffer and sockets hold */
        happen(200);
        if (i % 10 == 9)
            hear_id(quick_fd, &quick, seq);
    }
    hear_id(quick_fd, &quick, seq);
    hear_until(slow_fd, &slow, "event: resync");
    /* what was torn is whole: every event ends with an empty line */
    happen(1);
    hear_id(slow_fd, &slow, seq);
    buf_free(&quick);
    buf_free(&slow);
    close(slow_fd);
    close(quick_fd);
}

/* The data of every event in `all`, read strictly. */
static size_t check_strictly(const struct buf *all)
{
    size_t n = 0;
    for (const char *p = all->at; (p = strstr(p, "\ndata: ")); n++) {
        const char *end = strchr(p += 7, '\n');
        if (!end)
            break; /* still on its way */
        json_error_t where;
        json_t *o = json_loadb(p, (size_t)(end - p), JSON_REJECT_DUPLICATES, &where);
        if (!o)
            fail_msg("%s: %.*s", where.text, (int)(end - p), p);
        const char *at = json_string_value(json_object_get(o, "at"));
        CHECK(at && at[strlen(at) - 1] == 'Z');
        json_decref(o);
    }
    return n;
}

TEST(every_kind_of_event_is_an_object_without_a_key_twice)
{
    TEST_BEGIN;
    static const char *const rows[][2] = {
        {"run", "{\"from\":\"queued\",\"to\":\"running\",\"reason\":null,\"tasks\":[[0,0,"
                "\"pending\",\"queued\",0,null,null]]}"},
        {"slot", "{\"entry\":\"0 3 * * *\",\"slot_at\":1700000000123,\"outcome\":\"fired\","
                 "\"reason\":null,\"run\":1}"},
        {"workflow", "{\"what\":\"added\",\"path\":\"a.yaml\",\"version\":2,\"seq\":3}"},
        {"switch", "{\"enabled\":false,\"reason\":\"say \\\"no\\\"\",\"actor\":\"y\"}"},
        {"keeper", "{\"what\":\"up\"}"},
        {"daemon", "{}"},
        {"clock", "{\"what\":\"corrected\",\"from\":1700000000000,\"to\":1700000001000}"},
        {"unheard", "{\"of\":1}"},
        {"run", "no JSON"},
    };
    struct buf all = {0};
    char sql[512], query[64];
    snprintf(query, sizeof query, "?after=%lld", (long long)seq);
    for (size_t i = 0; i < countof(rows); i++) {
        snprintf(sql, sizeof sql, "INSERT INTO events VALUES (%lld,5000,'%s',1,%s,'x','%s')",
                 (long long)++seq, rows[i][0], i % 3 == 2 ? "NULL" : "1", rows[i][1]);
        house_sql(&house, sql);
    }
    server_changed(house.server, seq);
    int fd = listen_to(query, "");
    happen(1);
    hear_id(fd, &all, seq); /* so all before it is here whole */
    CHECK(check_strictly(&all) >= countof(rows));
    CHECK(strstr(all.at, "\"slot_at\":\"2023-11-14T22:13:20.123Z\"") != NULL);
    CHECK(strstr(all.at, "\"to\":\"2023-11-14T22:13:21.000Z\"") != NULL);
    CHECK(strstr(all.at, "\"run\":null") != NULL);
    CHECK(strstr(all.at, "\"version\":2") != NULL);
    buf_free(&all);
    close(fd);
}

static int fds_open(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

TEST(the_server_ends_while_many_wait)
{
    TEST_BEGIN;
    enum { STREAMS = 20, WISHES = 10 };
    int fds[STREAMS + WISHES], before = fds_open();
    struct house h;
    house_open(&h, NULL, 0);
    house_history(&h);
    atomic_store(&h.deaf, true);
    char text[512];
    for (int i = 0; i < STREAMS + WISHES; i++) {
        fds[i] = dial(&h);
        if (i < STREAMS)
            snprintf(text, sizeof text,
                     "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer "
                     "%s\r\n\r\n",
                     h.port, h.token);
        else
            snprintf(text, sizeof text,
                     "POST /api/v1/runs/1/cancel HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                     "Authorization: Bearer %s\r\nContent-Length: 0\r\n\r\n",
                     h.port, h.token);
        tell(fds[i], text);
    }
    for (int i = 0; i < STREAMS; i++) {
        struct buf all = {0};
        hear_until(fds[i], &all, "retry:");
        buf_free(&all);
    }
    while (atomic_load(&h.wishes) < WISHES)
        usleep(1000);
    house_close(&h); /* the door answers after the server is gone */
    for (int i = 0; i < STREAMS + WISHES; i++)
        close(fds[i]);
    CHECK(fds_open() <= before); /* the other house may still have been closing one */
}

static int begin(void **state)
{
    (void)state;
    house_open(&house, NULL, 0);
    house_history(&house);
    seq = 1;
    return 0;
}
static int end(void **state)
{
    (void)state;
    house_close(&house);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happens_is_told_once_and_in_order),
        cmocka_unit_test(one_who_comes_back_hears_what_was_missed),
        cmocka_unit_test(one_who_missed_too_much_is_told_to_load_again),
        cmocka_unit_test(one_who_does_not_read_holds_nobody_up),
        cmocka_unit_test(every_kind_of_event_is_an_object_without_a_key_twice),
        cmocka_unit_test(the_server_ends_while_many_wait),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
