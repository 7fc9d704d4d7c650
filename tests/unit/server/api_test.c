/* SPDX-License-Identifier: MIT
 *
 * What the API answers, on a database with a little history. */
#include "house.h"

#include <jansson.h>

static struct house house;

static json_t *get(const char *path)
{
    struct reply r = ask_in(&house, "GET", path, NULL);
    json_error_t where;
    json_t *j = json_loads(r.body ? r.body : "", 0, &where);
    if (r.status != 200 || !j)
        fail_msg("%s: %d %s\n%s", path, r.status, where.text, r.body);
    reply_free(&r);
    return j;
}

static const char *text_at(json_t *j, const char *name)
{
    const char *s = json_string_value(json_object_get(j, name));
    return s ? s : "(none)";
}

TEST(every_get_answers_with_valid_json)
{
    TEST_BEGIN;
    static const char *const paths[] = {"/api/v1/home",
                                        "/api/v1/system",
                                        "/api/v1/schedule?n=3",
                                        "/api/v1/slots",
                                        "/api/v1/workflows",
                                        "/api/v1/workflows/payroll",
                                        "/api/v1/workflows/payroll/versions",
                                        "/api/v1/workflows/payroll/graph",
                                        "/api/v1/workflows/payroll/grid",
                                        "/api/v1/runs",
                                        "/api/v1/runs?state=running,queued",
                                        "/api/v1/runs?state=failed&workflow=payroll",
                                        "/api/v1/runs/1",
                                        "/api/v1/runs/1/tasks",
                                        "/api/v1/runs/1/tasks/transform",
                                        "/api/v1/runs/1/tasks/2",
                                        "/api/v1/runs/1/events",
                                        "/api/v1/runs/1/graph"};
    for (size_t i = 0; i < countof(paths); i++)
        json_decref(get(paths[i]));
}

TEST(a_failed_run_says_why)
{
    TEST_BEGIN;
    json_t *run = get("/api/v1/runs/1");
    CHECK_STR(__LINE__, text_at(run, "cause"),
              "transform: exit 3 after 3 attempts \xc2\xb7 column 'salary' missing");
    CHECK_STR(__LINE__, text_at(run, "workflow"), "payroll");
    CHECK_INT(__LINE__, json_integer_value(json_object_get(run, "duration_ms")), 3000);
    json_decref(run);
}

TEST(a_task_says_what_it_waits_for)
{
    TEST_BEGIN;
    json_t *tasks = get("/api/v1/runs/2/tasks");
    json_t *items = json_object_get(tasks, "items");
    CHECK_INT(__LINE__, json_array_size(items), 3);
    CHECK_STR(__LINE__, text_at(json_array_get(items, 1), "wait"), "waits for extract");
    CHECK_STR(__LINE__, text_at(json_array_get(items, 2), "wait"), "waits for transform");
    json_decref(tasks);
    tasks = get("/api/v1/runs/1/tasks/2");
    CHECK_STR(__LINE__, text_at(tasks, "cause"), "not run: a task before it failed");
    json_decref(tasks);
}

TEST(one_task_shows_its_command_and_environment)
{
    TEST_BEGIN;
    json_t *t = get("/api/v1/runs/1/tasks/transform");
    CHECK_STR(__LINE__, text_at(t, "command"), "/bin/false x");
    CHECK_STR(__LINE__, text_at(t, "workdir"), "/w");
    CHECK_INT(__LINE__, json_array_size(json_object_get(t, "attempts")), 3);
    json_t *env = json_array_get(json_object_get(t, "env"), 0);
    CHECK_STR(__LINE__, text_at(env, "name"), "A");
    CHECK_STR(__LINE__, text_at(env, "origin"), "workflow");
    json_decref(t);
}

TEST(what_is_not_there_is_404_and_nonsense_is_400)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *path;
        int status;
    } rows[] = {
        {__LINE__, "/api/v1/runs/99", 404},
        {__LINE__, "/api/v1/runs/x", 404},
        {__LINE__, "/api/v1/runs/-1", 404},
        {__LINE__, "/api/v1/runs/99999999999999999999", 404},
        {__LINE__, "/api/v1/runs/1/tasks/nope", 404},
        {__LINE__, "/api/v1/runs/1/tasks/3", 404},
        {__LINE__, "/api/v1/workflows/nope", 404},
        {__LINE__, "/api/v1/workflows/payroll/source?version=9", 404},
        {__LINE__, "/api/v1/nothing", 404},
        {__LINE__, "/api/v1/runs?state=sleeping", 400},
        {__LINE__, "/api/v1/runs?limit=-1", 400},
        {__LINE__, "/api/v1/runs?since=yesterday", 400},
        {__LINE__, "/api/v1/slots?outcome=maybe", 400},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct reply r = ask_in(&house, "GET", rows[i].path, NULL);
        CHECK_INT(rows[i].line, r.status, rows[i].status);
        CHECK(strstr(r.all.at, "application/problem+json") != NULL);
        reply_free(&r);
    }
}

TEST(a_wish_goes_to_the_door_and_its_answer_comes_back)
{
    TEST_BEGIN;
    const char *path = "/api/v1/workflows/payroll/runs";
    char extra[256];
    struct reply r = ask_in(&house, "POST", path, "{\"params\":{\"day\":\"x\"}}");
    CHECK_INT(__LINE__, r.status, 202);
    CHECK(strstr(r.body, "\"workflow\":\"payroll\"") != NULL);
    CHECK_STR(__LINE__, house.last_body, "{\"params\":{\"day\":\"x\"}}");
    CHECK_STR(__LINE__, house.last_actor, "token");
    reply_free(&r);
    snprintf(
        extra, sizeof extra,
        "Authorization: Bearer %s\r\nContent-Type: application/json\r\nIdempotency-Key: k1\r\n",
        house.token);
    for (int i = 0; i < 2; i++) {
        r = ask(&house, "POST", path, extra, "{}");
        CHECK_INT(__LINE__, r.status, i ? 200 : 202);
        CHECK(strstr(r.body, i ? "\"repeated\":true" : "\"repeated\":false") != NULL);
        reply_free(&r);
    }
    r = ask_in(&house, "POST", "/api/v1/runs/1/retry", "{}");
    CHECK_INT(__LINE__, r.status, 409);
    CHECK(strstr(r.body, "nothing of run #1 failed") != NULL);
    reply_free(&r);
    r = ask_in(&house, "POST", "/api/v1/workflows/payroll/disable", "{\"reason\":\"moving\"}");
    CHECK_INT(__LINE__, r.status, 200);
    CHECK_STR(__LINE__, house.last_body, "moving");
    CHECK(!house.last.on);
    reply_free(&r);
}

TEST(a_body_that_is_not_meant_reaches_nobody)
{
    TEST_BEGIN;
    static const char *const bodies[] = {
        "{",
        "[]",
        "{\"params\":1}",
        "{\"params\":{\"a\":{}}}",
        "{\"param\":{}}",
        "{} x",
        "{\"params\":{\"a\":\"1\",\"a\":\"2\"}}",
        "{\"params\":{\"a\":NaN}}",
        "nul",
        "{\"params\":{\"a\":\"\\ud800\"}}",
        "{\"params\":{\"a\":\"\xff\"}}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"};
    int before = atomic_load(&house.wishes);
    for (size_t i = 0; i < countof(bodies); i++) {
        struct reply r = ask_in(&house, "POST", "/api/v1/workflows/payroll/runs", bodies[i]);
        CHECK_INT(__LINE__ + (int)i * 1000, r.status, 400);
        CHECK(strstr(r.body, "GET") == NULL);
        reply_free(&r);
    }
    CHECK_INT(__LINE__, atomic_load(&house.wishes), before);
}

TEST(names_that_try_to_be_json_stay_names)
{
    TEST_BEGIN;
    house_sql(&house, "INSERT INTO workflows VALUES (2,'a\"},{\"b<script>\n\x01',1,'x.yaml','/w',"
                      "'active',CAST(x'ff22' AS TEXT),NULL,'[]',NULL,1,1,1);");
    json_t *all = get("/api/v1/workflows");
    CHECK_INT(__LINE__, json_array_size(json_object_get(all, "items")), 2);
    json_decref(all);
    house_sql(&house, "DELETE FROM workflows WHERE id = 2;");
}

TEST(a_known_asset_is_not_sent_again)
{
    TEST_BEGIN;
    static const struct asset assets[] = {
        {"/index.html", "text/html", "\"one\"", (const unsigned char *)"page", 4, false},
        {"/assets/app-1.js", "text/javascript", "\"two\"", (const unsigned char *)"code", 4, true},
    };
    struct house h;
    house_open(&h, assets, countof(assets));
    struct reply r = ask(&h, "GET", "/assets/app-1.js", "", NULL);
    CHECK_INT(__LINE__, r.status, 200);
    CHECK(strstr(r.all.at, "ETag: \"two\"") && strstr(r.all.at, "immutable"));
    CHECK(strstr(r.all.at, "Content-Encoding: gzip") != NULL);
    reply_free(&r);
    r = ask(&h, "GET", "/assets/app-1.js", "If-None-Match: \"two\"\r\n", NULL);
    CHECK_INT(__LINE__, r.status, 304);
    CHECK(strstr(r.all.at, "code") == NULL);
    reply_free(&r);
    r = ask(&h, "GET", "/r/1", "If-None-Match: \"two\"\r\n", NULL); /* a page of ours */
    CHECK_INT(__LINE__, r.status, 200);
    CHECK(strstr(r.all.at, "Cache-Control: no-cache") && strstr(r.all.at, "page"));
    reply_free(&r);
    house_close(&h);
}

static int begin(void **state)
{
    (void)state;
    house_open(&house, NULL, 0);
    house_history(&house);
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
        cmocka_unit_test(every_get_answers_with_valid_json),
        cmocka_unit_test(a_failed_run_says_why),
        cmocka_unit_test(a_task_says_what_it_waits_for),
        cmocka_unit_test(one_task_shows_its_command_and_environment),
        cmocka_unit_test(what_is_not_there_is_404_and_nonsense_is_400),
        cmocka_unit_test(a_wish_goes_to_the_door_and_its_answer_comes_back),
        cmocka_unit_test(a_body_that_is_not_meant_reaches_nobody),
        cmocka_unit_test(names_that_try_to_be_json_stay_names),
        cmocka_unit_test(a_known_asset_is_not_sent_again),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
