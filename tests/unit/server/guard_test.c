/* SPDX-License-Identifier: MIT
 *
 * Who may ask what, and what is a request at all. */
#include "house.h"

#include "server/http.h"

static struct house house;

/* ---- every route, whoever asks ---- */

/* "/api/v1/runs/:run" with something in the place of names. */
static void address_of(const char *path, char out[256])
{
    size_t n = 0;
    for (; *path; path++) {
        if (*path == ':') {
            path += strcspn(path, "/") - 1;
            out[n++] = '1';
        } else {
            out[n++] = *path;
        }
    }
    out[n] = '\0';
}

static int status_as(const char *method, const char *path, const char *extra)
{
    char head[512];
    bool post = strcmp(method, "POST") == 0;
    snprintf(head, sizeof head, "%s%s", extra, post ? "Content-Type: application/json\r\n" : "");
    struct reply r = ask(&house, method, path, head, post ? "{}" : NULL);
    int status = r.status;
    CHECK(strstr(r.all.at, "Content-Security-Policy: default-src 'none'") != NULL);
    CHECK(strstr(r.all.at, "X-Content-Type-Options: nosniff") != NULL);
    CHECK(strstr(r.all.at, "Access-Control-") == NULL);
    reply_free(&r);
    return status;
}

TEST(no_route_answers_without_a_token)
{
    TEST_BEGIN;
    static const char wrong[] =
        "Authorization: Bearer 0000000000000000000000000000000000000000\r\n";
    int before = atomic_load(&house.wishes);
    for (size_t i = 0; i < route_count; i++) {
        char path[256];
        if (routes[i].flags & ROUTE_PUBLIC)
            continue;
        address_of(routes[i].path, path);
        CHECK_INT((int)i, status_as(routes[i].method, path, ""), 401);
        int status = status_as(routes[i].method, path, wrong);
        CHECK(status == 401 || status == 429);
        CHECK_INT((int)i, status_as(routes[i].method, path, "Cookie: gowtf_session=1.2\r\n"), 401);
        strcat(path, "/configs"); /* no exception by suffix */
        CHECK_INT((int)i, status_as(routes[i].method, path, ""), 401);
    }
    CHECK_INT(__LINE__, atomic_load(&house.wishes), before);
}

TEST(the_documentation_names_every_route)
{
    TEST_BEGIN;
    CLEANUP(buf_free) struct buf text = {0};
    CLEANUP(fd_close) int fd = -1;
    struct err e = {0};
    assert_true(fd_open_read(AT_FDCWD, API_PAGE, &fd, &e));
    assert_true(fd_read_all(fd, 1 << 20, &text, &e));
    size_t told = 0;
    for (const char *p = text.at; (p = strstr(p, "\n| `")); p++)
        told += strncmp(p, "\n| `GET ", 8) == 0 || strncmp(p, "\n| `POST ", 9) == 0;
    for (size_t i = 0; i < route_count; i++) {
        char row[256];
        snprintf(row, sizeof row, "\n| `%s %s` |", routes[i].method, routes[i].path);
        if (!strstr(text.at, row))
            fail_msg("docs/api.md has no row%s", row);
    }
    CHECK_INT(__LINE__, told, route_count);
}

/* ---- sessions ---- */

static void sign_in(char cookie[256])
{
    char code[SERVER_CODE_MAX], path[128];
    server_login_code(house.server, code);
    snprintf(path, sizeof path, "/login?code=%s", code);
    struct reply r = ask(&house, "GET", path, NULL, NULL);
    CHECK_INT(__LINE__, r.status, 303);
    char *set = strstr(r.all.at, "gowtf_session=");
    assert_non_null(set);
    CHECK(strstr(set, "HttpOnly; SameSite=Strict; Path=/") != NULL);
    snprintf(cookie, 256, "Cookie: %.*s\r\n", (int)strcspn(set, ";"), set);
    reply_free(&r);
    r = ask(&house, "GET", path, NULL, NULL); /* once */
    CHECK_INT(__LINE__, r.status, 403);
    reply_free(&r);
}

TEST(a_session_reads_and_acts_only_as_our_own_page)
{
    TEST_BEGIN;
    static const char path[] = "/api/v1/runs/1/cancel";
    char cookie[256], head[1024];
    sign_in(cookie);
    const struct {
        int line, status;
        const char *method, *path, *extra, *body;
    } rows[] = {
        {__LINE__, 200, "GET", "/api/v1/runs", "", NULL},
        {__LINE__, 403, "POST", path, "Content-Type: application/json\r\n", "{}"},
        {__LINE__, 415, "POST", path, "X-Gowtf: 1\r\nContent-Type: text/plain\r\n", "{}"},
        {__LINE__, 415, "POST", path, "X-Gowtf: 1\r\n", ""},
        {__LINE__, 403, "POST", path,
         "X-Gowtf: 1\r\nContent-Type: application/json\r\nOrigin: http://evil.test\r\n", "{}"},
        {__LINE__, 403, "POST", path,
         "X-Gowtf: 1\r\nContent-Type: application/json\r\nSec-Fetch-Site: cross-site\r\n", "{}"},
        {__LINE__, 403, "GET", "/api/v1/runs", "Sec-Fetch-Site: same-site\r\n", NULL},
        {__LINE__, 202, "POST", path, "X-Gowtf: 1\r\nContent-Type: application/json\r\n", "{}"},
        {__LINE__, 403, "POST", "/api/v1/login-codes",
         "X-Gowtf: 1\r\nContent-Type: application/json\r\n", "{}"},
        {__LINE__, 405, "GET", path, "", NULL},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        snprintf(head, sizeof head, "%s%s", cookie, rows[i].extra);
        struct reply r = ask(&house, rows[i].method, rows[i].path, head, rows[i].body);
        CHECK_INT(rows[i].line, r.status, rows[i].status);
        reply_free(&r);
    }
    cookie[strlen(cookie) - 4] ^= 1; /* one character of the proof */
    struct reply r = ask(&house, "GET", "/api/v1/runs", cookie, NULL);
    CHECK_INT(__LINE__, r.status, 401);
    reply_free(&r);
}

TEST(the_unix_socket_needs_no_token)
{
    TEST_BEGIN;
    int fd = dial_local(&house);
    struct reply r = ask_on(fd, &house, "GET", "/api/v1/runs", NULL, NULL);
    CHECK_INT(__LINE__, r.status, 200);
    reply_free(&r);
    r = ask_on(fd, &house, "POST", "/api/v1/login-codes", NULL, "");
    CHECK_INT(__LINE__, r.status, 200);
    reply_free(&r);
    close(fd);
}

/* ---- what is a request ---- */

struct raw {
    int line, status; /* 0: closed without an answer will do as well */
    const char *text;
};

/* $H: our Host line. */
static void raw_text(const struct raw *w, char out[4096])
{
    size_t n = 0;
    for (const char *p = w->text; *p; p++) {
        if (p[0] == '$' && p[1] == 'H') {
            n += (size_t)sprintf(out + n, "Host: 127.0.0.1:%d\r\n", house.port);
            p++;
        } else {
            out[n++] = *p;
        }
    }
    out[n] = '\0';
}

static const struct raw raws[] = {
#define ROW(status, text)                                                                          \
    {                                                                                              \
        __LINE__, status, text                                                                     \
    }
    /* good ones, for comparison */
    ROW(200, "GET /healthz HTTP/1.1\r\n$H\r\n"),
    ROW(200, "HEAD /healthz HTTP/1.1\r\n$HConnection: close\r\n\r\n"),
    ROW(200, "GET /healthz HTTP/1.1\r\nHOST: localhost:$P\r\n\r\n"),
    /* lengths and codings */
    ROW(400, "POST /api/v1/logout HTTP/1.1\r\n$HContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
    ROW(400, "POST /api/v1/logout HTTP/1.1\r\n$HContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    ROW(400, "POST /api/v1/logout HTTP/1.1\r\n$HContent-Length: 2\r\nTransfer-Encoding: "
             "chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    ROW(411, "POST /api/v1/logout HTTP/1.1\r\n$HTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW(411, "POST /api/v1/logout HTTP/1.1\r\n$HTransfer-Encoding: gzip, chunked\r\n\r\n"),
    ROW(411, "POST /api/v1/logout HTTP/1.1\r\n$H\r\n"),
    ROW(400, "POST /api/v1/logout HTTP/1.1\r\n$HContent-Length: +5\r\n\r\n12345"),
    ROW(400, "POST /api/v1/logout HTTP/1.1\r\n$HContent-Length: 0x5\r\n\r\n12345"),
    ROW(400, "POST /api/v1/logout HTTP/1.1\r\n$HContent-Length: -1\r\n\r\n"),
    ROW(400, "POST /api/v1/logout HTTP/1.1\r\n$HContent-Length: 5, 5\r\n\r\n12345"),
    ROW(413, "POST /api/v1/logout HTTP/1.1\r\n$HContent-Length: 99999999\r\n\r\n"),
    ROW(400, "GET /healthz HTTP/1.1\r\n$HContent-Length: 3\r\n\r\nabc"),
    /* headers */
    ROW(400, "GET /healthz HTTP/1.1\r\n\r\n"),
    ROW(400, "GET /healthz HTTP/1.1\r\n$H$H\r\n"),
    ROW(400, "GET /healthz HTTP/1.1\r\n$HX y: 1\r\n\r\n"),
    ROW(400, "GET /healthz HTTP/1.1\r\n$HX : 1\r\n\r\n"),
    /* names that are not ours */
    ROW(421, "GET /healthz HTTP/1.1\r\nHost: evil.test\r\n\r\n"),
    ROW(421, "GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.test:80\r\n\r\n"),
    ROW(421, "GET /api/v1/stream HTTP/1.1\r\nHost: evil.test:8700\r\n\r\n"),
    ROW(421, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"),
    ROW(421, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    /* methods and forms */
    ROW(405, "TRACE /healthz HTTP/1.1\r\n$H\r\n"),
    ROW(405, "PUT /healthz HTTP/1.1\r\n$HContent-Length: 0\r\n\r\n"),
    ROW(405, "OPTIONS /healthz HTTP/1.1\r\n$H\r\n"),
    ROW(501, "BREW /healthz HTTP/1.1\r\n$H\r\n"),
    ROW(501, "get /healthz HTTP/1.1\r\n$H\r\n"),
    ROW(400, "GET http://127.0.0.1/healthz HTTP/1.1\r\n$H\r\n"),
    ROW(400, "GET * HTTP/1.1\r\n$H\r\n"),
    ROW(405, "OPTIONS * HTTP/1.1\r\n$H\r\n"),
    ROW(405, "CONNECT 127.0.0.1:22 HTTP/1.1\r\n$H\r\n"),
    ROW(0, "GET /healthz\r\n\r\n"),
    ROW(0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ROW(0, "\x16\x03\x01\x02\r\n\r\n"),
    /* paths */
    ROW(400, "GET /healthz HTTP/1.1\r\n$HX: a\rb\r\n\r\n"),
    ROW(404, "GET /../etc/passwd HTTP/1.1\r\n$H\r\n"),
    ROW(404, "GET /%2e%2e/etc/passwd HTTP/1.1\r\n$H\r\n"),
    ROW(404, "GET /a%2fb HTTP/1.1\r\n$H\r\n"),
    ROW(404, "GET /a%5cb HTTP/1.1\r\n$H\r\n"),
    ROW(404, "GET /a\\b HTTP/1.1\r\n$H\r\n"),
    ROW(404, "GET /healthz%00 HTTP/1.1\r\n$H\r\n"),
    ROW(404, "GET /%c0%ae%c0%ae/x HTTP/1.1\r\n$H\r\n"),
    ROW(404, "GET //healthz HTTP/1.1\r\n$H\r\n"),
    ROW(404, "GET /healthz/ HTTP/1.1\r\n$H\r\n"),
    ROW(404, "GET /%zz HTTP/1.1\r\n$H\r\n"),
    ROW(404, "GET /x.js HTTP/1.1\r\n$H\r\n"),
    ROW(404, "GET /healthz.json HTTP/1.1\r\n$H\r\n"),
#undef ROW
};

static void check_raw(const struct raw *w, int fd)
{
    struct reply r = hear(fd);
    bool refused = r.status == 0 || r.status >= 400;
    if (w->status ? r.status != w->status : !refused)
        CHECK_INT(w->line, r.status, w->status);
    if (r.status >= 400 && r.all.at)
        CHECK(strstr(r.all.at, "evil.test") == NULL);
    reply_free(&r);
}

TEST(what_is_not_one_clear_request_is_refused)
{
    TEST_BEGIN;
    for (size_t i = 0; i < countof(raws); i++) {
        char text[4096];
        raw_text(&raws[i], text);
        char *port = strstr(text, "$P");
        if (port) {
            char rest[64];
            snprintf(rest, sizeof rest, "%s", port + 2);
            sprintf(port, "%d%s", house.port, rest);
        }
        int fd = dial(&house);
        tell(fd, text);
        check_raw(&raws[i], fd);
        close(fd);
    }
}

/* The audited connection is closed: what follows is not another request. */
TEST(nothing_is_smuggled_behind_a_refused_request)
{
    TEST_BEGIN;
    char text[1024];
    snprintf(text, sizeof text,
             "POST /api/v1/logout HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 4\r\n"
             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n"
             "Host: 127.0.0.1:%d\r\n\r\n",
             house.port, house.port);
    int fd = dial(&house);
    tell(fd, text);
    struct buf all = {0};
    char bytes[4096];
    for (ssize_t n; (n = recv(fd, bytes, sizeof bytes, 0)) > 0;)
        buf_add(&all, bytes, (size_t)n);
    CHECK(strstr(all.at, "HTTP/1.1 400") != NULL);
    CHECK(strstr(all.at, "200 OK") == NULL);
    buf_free(&all);
    close(fd);
}

TEST(a_request_in_two_pieces_has_the_same_answer)
{
    TEST_BEGIN;
    char text[512];
    int on = 1;
    snprintf(text, sizeof text,
             "POST /api/v1/runs/1/cancel HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer "
             "%s\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
             house.port, house.token);
    int fd = dial(&house);
    (void)on;
    for (size_t cut = 1; cut < strlen(text); cut++) {
        send(fd, text, cut, MSG_NOSIGNAL);
        send(fd, text + cut, strlen(text) - cut, MSG_NOSIGNAL);
        struct reply r = hear(fd);
        CHECK_INT((int)cut, r.status, 202);
        reply_free(&r);
    }
    close(fd);
}

TEST(two_requests_at_once_have_two_answers)
{
    TEST_BEGIN;
    char text[512];
    snprintf(text, sizeof text,
             "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"
             "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n",
             house.port, house.port);
    int fd = dial(&house);
    tell(fd, text);
    struct buf all = {0};
    char bytes[4096];
    for (ssize_t n; (n = recv(fd, bytes, sizeof bytes, 0)) > 0;)
        buf_add(&all, bytes, (size_t)n);
    CHECK(strstr(all.at, "ok\n") != NULL && strstr(all.at, "ready\n") != NULL);
    buf_free(&all);
    close(fd);
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
        cmocka_unit_test(no_route_answers_without_a_token),
        cmocka_unit_test(the_documentation_names_every_route),
        cmocka_unit_test(a_session_reads_and_acts_only_as_our_own_page),
        cmocka_unit_test(the_unix_socket_needs_no_token),
        cmocka_unit_test(what_is_not_one_clear_request_is_refused),
        cmocka_unit_test(nothing_is_smuggled_behind_a_refused_request),
        cmocka_unit_test(a_request_in_two_pieces_has_the_same_answer),
        cmocka_unit_test(two_requests_at_once_have_two_answers),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
