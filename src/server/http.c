/* SPDX-License-Identifier: MIT
 *
 * server/http.c: from a request to its answer.
 *
 *     head is there ──> audit ──> who ──> route ──> body ──> handler ──> answer
 *                         │         │        │                  │
 *                         └─────────┴────────┴── a problem      └─> door ─> answer
 *
 * What must stay true:
 *
 *   - who is asking is settled before any route is looked at, so there is no
 *     way to learn what exists without a token, and no route can forget to ask;
 *   - a handler reads one state of the database, however many questions it asks;
 *   - a wish at the door outlives neither the server nor its answer: the reply
 *     and the end of the server meet under one lock. */
#include "server/http.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

/* ---- answers ---- */

static const struct {
    unsigned status;
    const char *title;
} problem_titles[ERR_KINDS] = {
    [ERR_NONE] = {500, "internal error"},
    [ERR_INVALID] = {400, "invalid request"},
    [ERR_NOT_FOUND] = {404, "not found"},
    [ERR_CONFLICT] = {409, "conflict"},
    [ERR_LIMIT] = {503, "busy"},
    [ERR_DENIED] = {403, "forbidden"},
    [ERR_FULL] = {507, "disk full"},
    [ERR_DOWN] = {503, "engine not available"},
    [ERR_SYSTEM] = {500, "internal error"},
};

unsigned http_status(enum err_kind kind)
{
    return problem_titles[kind].status;
}

static const char *title_of(unsigned status)
{
    for (size_t i = 1; i < countof(problem_titles); i++)
        if (problem_titles[i].status == status)
            return problem_titles[i].title;
    return MHD_get_reason_phrase_for(status);
}

void call_problem(struct call *c, unsigned status, const char *detail)
{
    struct json j = json_to(&c->out.body);
    buf_clear(&c->out.body);
    c->out.status = status;
    c->out.type = "application/problem+json";
    c->out.header_count = 0;
    json_open(&j, NULL);
    json_str(&j, "type", S("about:blank"));
    json_str(&j, "title", str_of(title_of(status)));
    json_int(&j, "status", status);
    json_str(&j, "detail", str_of(detail));
    json_close(&j);
    if (status == 401)
        call_answer_header(c, "WWW-Authenticate", "Bearer");
    if (status == 405)
        call_answer_header(c, "Allow", "GET, HEAD, POST");
    if (status == 429 || status == 503)
        call_answer_header(c, "Retry-After", "%d", status == 429 ? 60 : 1);
}

void call_answer_header(struct call *c, const char *name, const char *fmt, ...)
{
    if (c->out.header_count == countof(c->out.headers))
        return;
    char(*h)[160] = c->out.headers[c->out.header_count++];
    va_list args;
    va_start(args, fmt);
    snprintf(h[0], sizeof h[0], "%s", name);
    vsnprintf(h[1], sizeof h[1], fmt, args);
    va_end(args);
}

/* On every answer there is. */
static const char *const headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
     "'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
     "require-trusted-types-for 'script'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
};

void http_headers(struct MHD_Response *r)
{
    for (size_t i = 0; i < countof(headers); i++)
        MHD_add_response_header(r, headers[i][0], headers[i][1]);
}

/* The body goes to the library, which frees it. */
static enum MHD_Result send_answer(struct call *c)
{
    struct answer_body *out = &c->out;
    struct MHD_Response *r = MHD_create_response_from_buffer(
        out->body.len, out->body.at ? out->body.at : (char *)"",
        out->body.at ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!r)
        return MHD_NO;
    out->body = (struct buf){0};
    http_headers(r);
    if (out->type)
        MHD_add_response_header(r, "Content-Type", out->type);
    bool cached = false;
    for (size_t i = 0; i < out->header_count; i++) {
        MHD_add_response_header(r, out->headers[i][0], out->headers[i][1]);
        cached = cached || strcmp(out->headers[i][0], "Cache-Control") == 0;
    }
    if (!cached)
        MHD_add_response_header(r, "Cache-Control", "no-store");
    if (c->refused)
        MHD_add_response_header(r, "Connection", "close");
    conn_phase_set(c->server, c->conn, CONN_ANSWER);
    enum MHD_Result ok = MHD_queue_response(c->connection, out->status, r);
    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result answer_error(struct call *c, const struct err *e)
{
    call_problem(c, http_status(e->kind), e->text);
    return send_answer(c);
}

/* ---- readers ---- */

bool reader_take(struct server *s, struct reader **out, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    struct reader *r = s->readers;
    if (r)
        s->readers = r->next;
    pthread_mutex_unlock(&s->lock);
    if (!r) {
        r = mem_new(sizeof *r);
        if (!store_open_reader(s->home, &r->db, e)) {
            free(r);
            return false;
        }
        r->zones = zones_new(NULL);
    }
    *out = r;
    return true;
}

void reader_give(struct server *s, struct reader *r)
{
    db_end_read(&r->db);
    pthread_mutex_lock(&s->lock);
    r->next = s->readers;
    s->readers = r;
    pthread_mutex_unlock(&s->lock);
}

static struct view view_of(const struct server *s, struct reader *r)
{
    return (struct view){.db = &r->db, .zones = r->zones, .home = s->home, .now = clock_wall()};
}

/* ---- who ---- */

static struct str cookie_session(const struct call *c)
{
    const char *value = NULL;
    size_t len = 0;
    if (MHD_lookup_connection_value_n(c->connection, MHD_COOKIE_KIND, "gowtf_session", 13, &value,
                                      &len) != MHD_YES ||
        !value)
        return STR_NONE;
    return (struct str){value, len};
}

static bool is_us(const struct call *c)
{
    uid_t uid = conn_uid(c->conn);
    return conn_is_local(c->conn) && (uid == 0 || uid == geteuid());
}

/* What was shown proves nothing: say so, and sooner or later say no more. */
static void wrong(struct call *c, const char *what)
{
    struct str address = str_of(conn_address(c->conn));
    if (auth_failed(c->server->auth, address, clock_boot()))
        call_problem(c, 429, "too many wrong tokens from this address; wait a minute");
    else
        call_problem(c, 401, what);
}

static bool identify(struct call *c)
{
    struct str bearer = call_header(c, "Authorization"), session = cookie_session(c);
    if (is_us(c)) {
        c->who = WHO_SOCKET;
        c->actor = str_of(arena_printf(&c->arena, "uid %u", (unsigned)conn_uid(c->conn)));
    } else if (bearer.at) {
        bool form = bearer.len > 7 && strncasecmp(bearer.at, "Bearer ", 7) == 0;
        if (!form ||
            !auth_token_good(c->server->auth, (struct str){bearer.at + 7, bearer.len - 7})) {
            wrong(c, "this token is not valid");
            return false;
        }
        c->who = WHO_TOKEN;
        c->actor = S("token");
    } else if (session.at && auth_session_good(c->server->auth, session, clock_wall())) {
        c->who = WHO_SESSION;
        c->actor = S("web");
    } else {
        call_problem(c, 401, "sign in: open the access link, or send Authorization: Bearer TOKEN");
        return false;
    }
    return true;
}

/* ---- the path of a request ---- */

static bool is_api(const struct call *c)
{
    return c->segments.count > 0 && str_is(c->segments.at[0], "api");
}

/* Everything that can be said about a request once its head is there. */
static bool admit(struct call *c, const char *url, const char *method, const char *version)
{
    bool other = false;
    if (!audit(c, url, method, version))
        return false;
    c->route = route_find(c->method, &c->segments, &c->params, &other);
    bool open = c->route ? (c->route->flags & ROUTE_PUBLIC) != 0 : !is_api(c);
    if (!open && !identify(c)) {
        c->refused = c->method == METHOD_POST;
        return false;
    }
    if (!c->route && other) {
        call_problem(c, 405, "not with this method");
        c->refused = c->method == METHOD_POST;
        return false;
    }
    if (!c->route && (is_api(c) || c->method == METHOD_POST)) {
        call_problem(c, 404, "there is nothing at this address");
        c->refused = c->method == METHOD_POST;
        return false;
    }
    return c->method == METHOD_GET || audit_body_type(c);
}

static enum MHD_Result send_made(struct call *c, struct MHD_Response *r, unsigned status)
{
    conn_phase_set(c->server, c->conn, CONN_ANSWER);
    enum MHD_Result ok = MHD_queue_response(c->connection, status, r);
    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result serve_asset(struct call *c)
{
    struct MHD_Response *r = NULL;
    if (asset_answer(c, &r))
        return send_made(c, r, c->out.status);
    return send_answer(c);
}

static enum MHD_Result serve_stream(struct call *c)
{
    struct MHD_Response *r = NULL;
    struct err e = {0};
    if (!stream_open(c, &r, &e))
        return answer_error(c, &e);
    return send_made(c, r, 200);
}

static bool with_reader(struct call *c, struct err *e)
{
    struct reader *r;
    if (c->route->flags & ROUTE_NO_READER)
        return c->route->handler(c, e);
    if (!reader_take(c->server, &r, e))
        return false;
    c->view = view_of(c->server, r);
    bool ok = db_begin_read(&r->db, e) && c->route->handler(c, e);
    reader_give(c->server, r);
    return ok;
}

static enum MHD_Result serve(struct call *c)
{
    struct err e = {0};
    if (!c->route)
        return serve_asset(c);
    if (c->route->flags & ROUTE_STREAM)
        return serve_stream(c);
    c->out.status = 200;
    c->out.type = "application/json";
    if (!with_reader(c, &e)) {
        c->wished = false;
        return answer_error(c, &e);
    }
    return c->wished ? MHD_YES : send_answer(c);
}

/* ---- wishes ---- */

/* What a reply comes back to: the server may be gone, the call may be over. */
struct hope {
    struct server *server;
    struct call *call; /* under the server's lock; NULL: nobody listens */
};

static void waiting_add(struct call *c)
{
    struct server *s = c->server;
    c->prev = NULL;
    c->next = s->waiting;
    if (c->next)
        c->next->prev = c;
    s->waiting = c;
}

static void waiting_remove(struct call *c)
{
    *(c->prev ? &c->prev->next : &c->server->waiting) = c->next;
    if (c->next)
        c->next->prev = c->prev;
}

static void replied(void *ctx, const struct answer *a)
{
    struct hope *h = ctx;
    struct server *s = h->server;
    pthread_mutex_lock(&s->lock);
    struct call *c = h->call;
    if (c && !c->answered) {
        c->answered = true;
        c->answer = *a;
        waiting_remove(c);
        MHD_resume_connection(c->connection);
    }
    pthread_mutex_unlock(&s->lock);
    free(h);
    server_unref(s);
}

/* Suspended first: the reply may come before door_post() is back. */
bool call_wish(struct call *c, const struct wish *w, struct err *e)
{
    struct server *s = c->server;
    struct hope *h = mem_new(sizeof *h);
    struct err why = {0};
    *h = (struct hope){s, c};
    c->wished = true;
    pthread_mutex_lock(&s->lock);
    bool stopping = s->stopping;
    if (!stopping) {
        waiting_add(c);
        c->hope = h;
        MHD_suspend_connection(c->connection);
    }
    pthread_mutex_unlock(&s->lock);
    if (stopping) {
        free(h);
        return err_set(e, ERR_DOWN, "the server is stopping");
    }
    atomic_fetch_add(&s->refs, 1);
    if (door_post(s->door, w, replied, h, &why))
        return true;
    struct answer no = {.kind = why.kind};
    snprintf(no.text, sizeof no.text, "%s", why.text);
    replied(h, &no);
    return true;
}

void call_dismiss_all(struct server *s)
{
    for (struct call *c; (c = s->waiting);) {
        c->answered = true;
        c->answer = (struct answer){.kind = ERR_DOWN, .text = "the server is stopping"};
        c->hope->call = NULL;
        waiting_remove(c);
        MHD_resume_connection(c->connection);
    }
}

static enum MHD_Result serve_answer(struct call *c)
{
    const struct answer *a = &c->answer;
    if (a->kind != ERR_NONE) {
        struct err e = {.kind = a->kind};
        snprintf(e.text, sizeof e.text, "%s", a->text);
        return answer_error(c, &e);
    }
    struct json j = json_to(&c->out.body);
    json_open(&j, NULL);
    if (c->wish_workflow.at) {
        json_int(&j, "id", a->id);
        json_str(&j, "workflow", c->wish_workflow);
        json_bool(&j, "repeated", a->repeated);
        c->out.status = a->repeated ? 200 : 202;
    }
    json_close(&j);
    c->wished = false;
    return send_answer(c);
}

/* ---- what the library calls ---- */

static struct call *call_new(struct server *s, struct MHD_Connection *connection)
{
    struct call *c = mem_new(sizeof *c);
    c->server = s;
    c->connection = connection;
    c->conn = conn_of(connection);
    return c;
}

static enum MHD_Result take_body(struct call *c, const char *upload, size_t *upload_len)
{
    if (!c->refused && c->body.len + *upload_len <= HTTP_BODY_MAX)
        buf_add(&c->body, upload, *upload_len);
    *upload_len = 0;
    return MHD_YES;
}

enum MHD_Result http_handle(void *cls, struct MHD_Connection *connection, const char *url,
                            const char *method, const char *version, const char *upload,
                            size_t *upload_len, void **con_cls)
{
    struct server *s = cls;
    struct call *c = *con_cls;
    if (!c) {
        c = call_new(s, connection);
        *con_cls = c;
        if (!c->conn)
            return MHD_NO;
        conn_phase_set(s, c->conn, CONN_BODY);
        return admit(c, url, method, version) ? MHD_YES : send_answer(c);
    }
    if (*upload_len)
        return take_body(c, upload, upload_len);
    if (!c->wished)
        return serve(c);
    pthread_mutex_lock(&s->lock);
    bool answered = c->answered;
    pthread_mutex_unlock(&s->lock);
    return answered ? serve_answer(c) : MHD_YES;
}

void http_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                    enum MHD_RequestTerminationCode why)
{
    struct server *s = cls;
    struct call *c = *con_cls;
    (void)connection;
    (void)why;
    if (!c)
        return;
    pthread_mutex_lock(&s->lock);
    if (c->hope && !c->answered) {
        c->hope->call = NULL;
        waiting_remove(c);
    }
    pthread_mutex_unlock(&s->lock);
    if (c->conn)
        conn_phase_set(s, c->conn, CONN_IDLE);
    buf_free(&c->body);
    buf_free(&c->out.body);
    arena_free(&c->arena);
    free(c);
    *con_cls = NULL;
}
