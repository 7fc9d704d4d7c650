/* SPDX-License-Identifier: MIT
 *
 * server/routes.c: everything that can be asked, and who answers it.
 *
 * The table is the API: docs/api.md is checked against it. A handler reads
 * through the views, or leaves a wish; it can do nothing else. */
#include "base/clock.h"
#include "server/body.h"
#include "server/http.h"
#include "server/logs_bytes.h"
#include "server/log_view.h"
#include "server/stream.h"

#include <unistd.h>

/* ---- the server itself ---- */

static bool get_healthz(struct call *c, struct err *e)
{
    (void)e;
    c->out.type = "text/plain; charset=utf-8";
    buf_puts(&c->out.body, "ok\n");
    return true;
}

static bool get_readyz(struct call *c, struct err *e)
{
    int64_t seq;
    if (!view_seq(&c->view, &seq, e))
        return err_set(e, ERR_DOWN, "the database does not answer");
    c->out.type = "text/plain; charset=utf-8";
    buf_puts(&c->out.body, "ready\n");
    return true;
}

static const char cookie_form[] =
    "gowtf_session=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%lld";

static bool get_login(struct call *c, struct err *e)
{
    char session[AUTH_SESSION_MAX];
    ms_t now = clock_wall();
    (void)e;
    if (!auth_code_use(c->server->auth, call_query(c, "code"), now)) {
        auth_failed(c->server->auth, str_of(conn_address(c->conn)), clock_boot());
        c->out.status = 403;
        c->out.type = "text/plain; charset=utf-8";
        buf_puts(&c->out.body, "This link was used before, or is older than 15 minutes.\n"
                               "For a new one: gowtf ui\n");
        return true;
    }
    auth_session_new(c->server->auth, now, session);
    c->out.status = 303;
    c->out.type = NULL;
    call_answer_header(c, "Location", "/");
    call_answer_header(c, "Set-Cookie", cookie_form, session, (long long)(AUTH_SESSION_MS / 1000));
    return true;
}

static bool post_login_codes(struct call *c, struct err *e)
{
    char code[AUTH_CODE_MAX];
    struct json j = json_to(&c->out.body);
    if (c->who == WHO_SESSION)
        return err_set(e, ERR_DENIED,
                       "a session cannot make sessions: use the socket or the token");
    auth_code_new(c->server->auth, clock_wall(), code);
    json_open(&j, NULL);
    json_str(&j, "code", str_of(code));
    json_str(&j, "path", str_of(arena_printf(&c->arena, "/login?code=%s", code)));
    json_str(&j, "address", str_of(c->server->address));
    json_close(&j);
    return true;
}

static bool post_logout(struct call *c, struct err *e)
{
    (void)e;
    buf_puts(&c->out.body, "{}");
    call_answer_header(c, "Set-Cookie", cookie_form, "", 0LL);
    return true;
}

static bool get_home(struct call *c, struct err *e)
{
    return view_home(&c->view, &c->out.body, e);
}

/* One caller counts; others take what was counted before. */
static int64_t log_bytes_now(struct server *s)
{
    ms_t now = clock_boot();
    pthread_mutex_lock(&s->lock);
    bool old = !s->log_bytes_at || now - s->log_bytes_at >= HTTP_LOG_SIZE_MS;
    int64_t known = s->log_bytes_at ? s->log_bytes : -1;
    if (old)
        s->log_bytes_at = now;
    s->log_bytes = known;
    pthread_mutex_unlock(&s->lock);
    if (!old)
        return known;
    int64_t counted = logs_bytes(s->home);
    pthread_mutex_lock(&s->lock);
    s->log_bytes = counted;
    pthread_mutex_unlock(&s->lock);
    return counted;
}

static bool get_system(struct call *c, struct err *e)
{
    struct view_self self = {.log_bytes = log_bytes_now(c->server),
                             .started_at = c->server->started_at,
                             .pid = getpid(),
                             .clients = streams_count(c->server->streams)};
    return view_system(&c->view, &self, &c->out.body, e);
}

/* ---- time ---- */

static bool get_schedule(struct call *c, struct err *e)
{
    int64_t n = 0;
    ms_t until = 0;
    return call_query_i64(c, "n", &n, e) && call_query_time(c, "until", &until, e) &&
           view_schedule(&c->view, n, until, &c->out.body, e);
}

static bool get_slots(struct call *c, struct err *e)
{
    struct slot_filter f = {.workflow = call_query(c, "workflow"),
                            .outcome = call_query(c, "outcome")};
    return call_query_time(c, "since", &f.since, e) && call_query_time(c, "until", &f.until, e) &&
           call_query_i64(c, "limit", &f.limit, e) && view_slots(&c->view, &f, &c->out.body, e);
}

/* ---- workflows ---- */

static bool get_workflows(struct call *c, struct err *e)
{
    return view_workflows(&c->view, &c->out.body, e);
}

static bool get_workflow(struct call *c, struct err *e)
{
    return view_workflow(&c->view, call_param(c, "name"), &c->out.body, e);
}

static bool get_source(struct call *c, struct err *e)
{
    int64_t number = 0;
    c->out.type = "text/yaml; charset=utf-8";
    return call_query_i64(c, "version", &number, e) &&
           view_source(&c->view, call_param(c, "name"), number, &c->out.body, e);
}

static bool get_versions(struct call *c, struct err *e)
{
    return view_versions(&c->view, call_param(c, "name"), &c->out.body, e);
}

static bool get_workflow_graph(struct call *c, struct err *e)
{
    int64_t number = 0;
    return call_query_i64(c, "version", &number, e) &&
           view_workflow_graph(&c->view, call_param(c, "name"), number, &c->out.body, e);
}

static bool get_grid(struct call *c, struct err *e)
{
    int64_t n = 0;
    return call_query_i64(c, "n", &n, e) &&
           view_grid(&c->view, call_param(c, "name"), n, &c->out.body, e);
}

static bool key_good(struct str key)
{
    for (size_t i = 0; i < key.len; i++)
        if (key.at[i] < 0x21 || key.at[i] > 0x7e)
            return false;
    return key.len >= 1 && key.len <= 200;
}

static bool post_run(struct call *c, struct err *e)
{
    struct wish w = {.kind = WISH_RUN,
                     .actor = c->actor,
                     .key = call_header(c, "Idempotency-Key"),
                     .body = {c->body.at, c->body.len}};
    struct str name = call_param(c, "name");
    if (w.key.at && !key_good(w.key))
        return err_set(e, ERR_INVALID, "Idempotency-Key: 1 to 200 printable characters");
    if (!body_check_run(w.body, e) || !view_workflow_id(&c->view, name, &w.target, e))
        return false;
    if (c->body.len == 0)
        w.body = S("{}");
    c->wish_workflow = name;
    return call_wish(c, &w, e);
}

static bool post_switch(struct call *c, bool on, struct err *e)
{
    struct wish w = {.kind = WISH_SWITCH, .on = on, .actor = c->actor};
    return body_reason((struct str){c->body.at, c->body.len}, &c->arena, &w.body, e) &&
           view_workflow_id(&c->view, call_param(c, "name"), &w.target, e) && call_wish(c, &w, e);
}
static bool post_enable(struct call *c, struct err *e)
{
    return post_switch(c, true, e);
}
static bool post_disable(struct call *c, struct err *e)
{
    return post_switch(c, false, e);
}

static bool post_validate(struct call *c, struct err *e)
{
    struct str text = {c->body.at ? c->body.at : "", c->body.len}, path = S("workflow.yaml");
    struct str type = call_header(c, "Content-Type");
    if (!str_starts(type, S("text/yaml")) && !body_text(text, &c->arena, &text, &path, e))
        return false;
    return view_validate(text, path, &c->out.body, e);
}

/* ---- runs ---- */

static bool get_runs(struct call *c, struct err *e)
{
    struct run_filter f = {.workflow = call_query(c, "workflow"), .states = call_query(c, "state")};
    if (f.workflow.len == 0)
        f.workflow = STR_NONE;
    return call_query_time(c, "since", &f.since, e) && call_query_time(c, "until", &f.until, e) &&
           call_query_i64(c, "before", &f.before, e) && call_query_i64(c, "limit", &f.limit, e) &&
           view_runs(&c->view, &f, &c->out.body, e);
}

static bool get_run(struct call *c, struct err *e)
{
    int64_t run;
    return call_param_i64(c, "run", &run, e) && view_run(&c->view, run, &c->out.body, e);
}

static bool get_run_tasks(struct call *c, struct err *e)
{
    int64_t run;
    return call_param_i64(c, "run", &run, e) && view_run_tasks(&c->view, run, &c->out.body, e);
}

static bool get_run_task(struct call *c, struct err *e)
{
    int64_t run;
    return call_param_i64(c, "run", &run, e) &&
           view_run_task(&c->view, run, call_param(c, "task"), &c->out.body, e);
}

static bool get_run_events(struct call *c, struct err *e)
{
    int64_t run;
    return call_param_i64(c, "run", &run, e) && view_run_events(&c->view, run, &c->out.body, e);
}

static bool get_run_graph(struct call *c, struct err *e)
{
    int64_t run;
    return call_param_i64(c, "run", &run, e) && view_run_graph(&c->view, run, &c->out.body, e);
}

static bool post_of_run(struct call *c, enum wish_kind kind, struct err *e)
{
    struct wish w = {.kind = kind, .actor = c->actor};
    bool found;
    if (!call_param_i64(c, "run", &w.target, e) || !view_run_there(&c->view, w.target, &found, e))
        return false;
    if (!found)
        return err_set(e, ERR_NOT_FOUND, "there is no run #%lld", (long long)w.target);
    c->out.status = 202;
    return call_wish(c, &w, e);
}
static bool post_cancel(struct call *c, struct err *e)
{
    return post_of_run(c, WISH_CANCEL, e);
}
static bool post_retry(struct call *c, struct err *e)
{
    return post_of_run(c, WISH_RETRY, e);
}

static bool post_rescan(struct call *c, struct err *e)
{
    c->out.status = 202;
    return call_wish(c, &(struct wish){.kind = WISH_RESCAN, .actor = c->actor}, e);
}

/* ---- output ---- */

static bool log_query(struct call *c, struct log_query *q, struct err *e)
{
    struct str stream = call_query(c, "stream");
    *q = (struct log_query){.task = call_param(c, "task")};
    if (!log_stream_of(stream, &q->stream))
        return err_set(e, ERR_INVALID, "'stream' is one of both, out, err");
    return call_param_i64(c, "run", &q->run, e) && call_param_i64(c, "attempt", &q->attempt, e) &&
           call_query_i64(c, "offset", &q->offset, e) && call_query_i64(c, "limit", &q->limit, e) &&
           call_query_i64(c, "tail", &q->tail, e) && call_query_i64(c, "from", &q->from, e) &&
           call_query_i64(c, "count", &q->count, e);
}

/* The output went elsewhere while it was read: nobody's mistake. */
static bool moved(struct err *e)
{
    if (e->kind == ERR_CONFLICT)
        e->kind = ERR_LIMIT;
    return false;
}

static bool get_log(struct call *c, struct err *e)
{
    struct log_query q;
    struct log_told told;
    c->out.type = "text/plain; charset=utf-8";
    if (!log_query(c, &q, e))
        return false;
    if (!view_log(&c->view, &q, &c->out.body, &told, e))
        return moved(e);
    if (told.beyond) {
        call_problem(c, 416, "the log is not as long as that");
        return true;
    }
    call_answer_header(c, "X-Log-Bytes", "%lld", (long long)told.bytes);
    call_answer_header(c, "X-Log-Next", "%lld", (long long)told.next);
    call_answer_header(c, "X-Log-Complete", "%d", told.complete);
    if (str_is(call_query(c, "download"), "1"))
        call_answer_header(c, "Content-Disposition",
                           "attachment; filename=\"run-%lld-task-%lld-attempt-%lld.log\"",
                           (long long)q.run, (long long)told.task, (long long)q.attempt);
    return true;
}

static bool get_lines(struct call *c, struct err *e)
{
    struct log_query q;
    return log_query(c, &q, e) && (view_lines(&c->view, &q, &c->out.body, e) || moved(e));
}

#define API     "/api/v1"
#define ATTEMPT API "/runs/:run/tasks/:task/attempts/:attempt"

/* clang-format off */
const struct route routes[] = {
    {"GET",  "/healthz",                        get_healthz,        ROUTE_PUBLIC | ROUTE_NO_READER, "`ok` while the server runs"},
    {"GET",  "/readyz",                         get_readyz,         ROUTE_PUBLIC,    "`ready` while the database answers"},
    {"GET",  "/login",                          get_login,          ROUTE_PUBLIC | ROUTE_NO_READER, "sets the session cookie and leads to `/`"},
    {"POST", API "/login-codes",                post_login_codes,   ROUTE_NO_READER, "a new login code"},
    {"POST", API "/logout",                     post_logout,        ROUTE_NO_READER, "takes the cookie back"},
    {"GET",  API "/home",                       get_home,           0, "what needs attention, what runs, what comes next"},
    {"GET",  API "/system",                     get_system,         0, "version, parts, slots, keepers, sizes"},
    {"GET",  API "/stream",                     NULL,               ROUTE_STREAM, "events as they happen"},
    {"GET",  API "/schedule",                   get_schedule,       0, "the next fires of all workflows"},
    {"GET",  API "/slots",                      get_slots,          0, "instants that were due and what became of them"},
    {"POST", API "/validate",                   post_validate,      ROUTE_YAML | ROUTE_NO_READER, "all problems of a workflow text"},
    {"GET",  API "/workflows",                  get_workflows,      0, "all workflows with their last runs"},
    {"GET",  API "/workflows/:name",            get_workflow,       0, "one workflow"},
    {"GET",  API "/workflows/:name/source",     get_source,         0, "its YAML"},
    {"GET",  API "/workflows/:name/versions",   get_versions,       0, "every version there was"},
    {"GET",  API "/workflows/:name/graph",      get_workflow_graph, 0, "coordinates to draw it"},
    {"GET",  API "/workflows/:name/grid",       get_grid,           0, "tasks by runs"},
    {"POST", API "/workflows/:name/runs",       post_run,           0, "starts a run"},
    {"POST", API "/workflows/:name/enable",     post_enable,        0, "resumes its schedule"},
    {"POST", API "/workflows/:name/disable",    post_disable,       0, "pauses its schedule"},
    {"GET",  API "/runs",                       get_runs,           0, "runs, newest first"},
    {"GET",  API "/runs/:run",                  get_run,            0, "one run"},
    {"GET",  API "/runs/:run/tasks",            get_run_tasks,      0, "its tasks"},
    {"GET",  API "/runs/:run/tasks/:task",      get_run_task,       0, "one task with its attempts"},
    {"GET",  ATTEMPT "/log",                    get_log,            0, "output as text"},
    {"GET",  ATTEMPT "/lines",                  get_lines,          0, "output as numbered lines"},
    {"GET",  API "/runs/:run/events",           get_run_events,     0, "every change of the run"},
    {"GET",  API "/runs/:run/graph",            get_run_graph,      0, "coordinates to draw it"},
    {"POST", API "/rescan",                     post_rescan,        0, "looks at the directory now"},
    {"POST", API "/runs/:run/cancel",           post_cancel,        0, "stops a run"},
    {"POST", API "/runs/:run/retry",            post_retry,         0, "runs again what failed"},
};
/* clang-format on */
const size_t route_count = countof(routes);
