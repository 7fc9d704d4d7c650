/* SPDX-License-Identifier: MIT
 *
 * server/stream.c: the pump and its listeners.
 *
 *     events ──> pump: read once, format once ──> buffer of each ──> the library
 *
 * What must stay true:
 *
 *   - the pump alone decides what a listener hears next, also the first time:
 *     so between what it missed and what is new there is no gap and nothing twice;
 *   - a listener is suspended only under the lock and only with an empty buffer,
 *     and whoever fills the buffer resumes it under the same lock. */
#include "server/stream.h"
#include "base/clock.h"
#include "base/fd.h"
#include "server/event_view.h"
#include "server/http.h"
#include "server/log_view.h"
#include "server/view_parts.h"
#include "read.sql.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    PLACES_MAX = 8,     /* attempts one listener may follow */
    LOG_PAUSE_MS = 100, /* between two looks at files that grow */
};

struct listener {
    struct streams *streams;
    struct MHD_Connection *connection;
    struct buf buffer; /* what is still to be sent */
    size_t torn;       /* bytes of the buffer that end the event being sent */
    int64_t after;     /* joining: events after this are wanted; -1: from now on */
    bool joined, suspended;
    struct log_place places[PLACES_MAX];
    size_t place_count;
    struct listener *next, *prev;
};

struct streams {
    struct server *server;
    pthread_mutex_t lock;
    struct listener *listeners;
    atomic_int count;
    int wake_fd;
    int files_fd; /* inotify on the files of running attempts; -1: nobody follows one */
    bool stopping;
    int64_t seq; /* told up to here; the pump's */
    pthread_t pump;
};

/* ---- listeners ---- */

/* Where the event that is being sent ends: never cut one in two. */
static size_t torn_len(const struct listener *l)
{
    if (!l->torn)
        return 0;
    const char *end = memmem(l->buffer.at, l->buffer.len, "\n\n", 2);
    return end ? (size_t)(end - l->buffer.at) + 2 : l->buffer.len;
}

static void resume(struct listener *l)
{
    if (l->suspended) {
        l->suspended = false;
        MHD_resume_connection(l->connection);
    }
}

static void say_resync(struct listener *l, int64_t seq)
{
    size_t keep = torn_len(l);
    l->buffer.len = MIN(l->buffer.len, keep);
    buf_printf(&l->buffer, "event: resync\ndata: {\"seq\":%lld}\n\n", (long long)seq);
}

static void say(struct listener *l, const struct buf *text, int64_t seq)
{
    if (l->buffer.len + text->len > STREAM_BUFFER_MAX)
        say_resync(l, seq);
    else
        buf_add(&l->buffer, text->at, text->len);
    resume(l);
}

/* Called by the library when it can send. */
static ssize_t give(void *cls, uint64_t pos, char *out, size_t max)
{
    struct listener *l = cls;
    struct streams *st = l->streams;
    ssize_t n = 0;
    (void)pos;
    pthread_mutex_lock(&st->lock);
    if (l->buffer.len) {
        size_t len = MIN(max, l->buffer.len);
        memcpy(out, l->buffer.at, len);
        buf_cut(&l->buffer, len);
        l->torn = len < 2 || memcmp(out + len - 2, "\n\n", 2) != 0;
        n = (ssize_t)len;
    } else if (st->stopping) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        l->suspended = true;
        MHD_suspend_connection(l->connection);
    }
    pthread_mutex_unlock(&st->lock);
    return n;
}

static void leave(void *cls)
{
    struct listener *l = cls;
    struct streams *st = l->streams;
    pthread_mutex_lock(&st->lock);
    *(l->prev ? &l->prev->next : &st->listeners) = l->next;
    if (l->next)
        l->next->prev = l->prev;
    atomic_fetch_sub(&st->count, 1);
    pthread_mutex_unlock(&st->lock);
    buf_free(&l->buffer);
    free(l);
}

static void enter(struct streams *st, struct listener *l)
{
    pthread_mutex_lock(&st->lock);
    l->next = st->listeners;
    if (l->next)
        l->next->prev = l;
    st->listeners = l;
    atomic_fetch_add(&st->count, 1);
    pthread_mutex_unlock(&st->lock);
}

static bool where_from(struct call *c, int64_t *after, struct err *e)
{
    struct str id = call_header(c, "Last-Event-ID");
    *after = -1;
    if (!call_query_i64(c, "after", after, e))
        return false;
    if (id.at && (!str_to_i64(id, after) || *after < 0))
        return err_set(e, ERR_INVALID, "Last-Event-ID is not a number of ours");
    return true;
}

/* ---- topics ---- */

/* "RUN/TASK/ATTEMPT" */
static bool place_of(const struct view *v, struct str text, struct log_place *out, struct err *e)
{
    const char *first = memchr(text.at, '/', text.len);
    const char *last = memrchr(text.at, '/', text.len);
    int64_t item;
    *out = (struct log_place){0};
    if (!first || first == last ||
        !str_to_i64((struct str){text.at, (size_t)(first - text.at)}, &out->run) ||
        !str_to_i64((struct str){last + 1, text.len - (size_t)(last + 1 - text.at)}, &out->attempt))
        return err_set(e, ERR_INVALID, "a log topic is log:RUN/TASK/ATTEMPT");
    return view_task_find(v, out->run, (struct str){first + 1, (size_t)(last - first - 1)},
                          &out->task, &item, e);
}

static bool topic_add(const struct view *v, struct str topic, struct listener *l, struct err *e)
{
    if (str_is(topic, "all") || topic.len == 0)
        return true;
    if (!str_starts(topic, S("log:")))
        return err_set(e, ERR_INVALID, "topics are all and log:RUN/TASK/ATTEMPT");
    if (l->place_count == PLACES_MAX)
        return err_set(e, ERR_LIMIT, "at most %d logs can be followed at once", PLACES_MAX);
    return place_of(v, (struct str){topic.at + 4, topic.len - 4}, &l->places[l->place_count++], e);
}

static bool topics_of(struct call *c, struct listener *l, struct err *e)
{
    struct str topics = call_query(c, "topics");
    struct reader *r;
    bool ok = true;
    if (!memmem(topics.at ? topics.at : "", topics.len, "log:", 4))
        return true;
    if (!reader_take(c->server, &r, e))
        return false;
    struct view v = {.db = &r->db, .zones = r->zones, .home = c->server->home};
    while (ok && topics.len) {
        const char *comma = memchr(topics.at, ',', topics.len);
        size_t n = comma ? (size_t)(comma - topics.at) : topics.len;
        ok = topic_add(&v, (struct str){topics.at, n}, l, e);
        n += comma != NULL;
        topics = (struct str){topics.at + n, topics.len - n};
    }
    reader_give(c->server, r);
    return ok;
}

bool stream_open(struct call *c, struct MHD_Response **out, struct err *e)
{
    struct streams *st = c->server->streams;
    int64_t after;
    if (!where_from(c, &after, e))
        return false;
    if (atomic_load(&st->count) >= STREAM_CLIENTS_MAX)
        return err_set(e, ERR_LIMIT, "%d streams are open already", STREAM_CLIENTS_MAX);
    struct listener *l = mem_new(sizeof *l);
    *l = (struct listener){.streams = st, .connection = c->connection, .after = after};
    buf_puts(&l->buffer, "retry: 1000\n\n");
    if (!topics_of(c, l, e)) {
        buf_free(&l->buffer);
        free(l);
        return false;
    }
    *out = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 << 10, give, l, leave);
    if (!*out) {
        buf_free(&l->buffer);
        free(l);
        return err_set(e, ERR_LIMIT, "out of memory");
    }
    enter(st, l);
    http_headers(*out);
    MHD_add_response_header(*out, "Content-Type", "text/event-stream; charset=utf-8");
    MHD_add_response_header(*out, "Cache-Control", "no-store");
    MHD_set_connection_option(c->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    streams_changed(st);
    return true;
}

/* ---- the pump ---- */

static void format(const struct events_after_row *ev, struct buf *out)
{
    struct json j;
    buf_printf(out, "id: %lld\nevent: %.*s\ndata: ", (long long)ev->seq, STR_ARG(ev->kind));
    j = json_to(out);
    json_open(&j, NULL);
    json_int(&j, "seq", ev->seq);
    json_time(&j, "at", ev->at);
    json_str(&j, "workflow", ev->workflow);
    json_str(&j, "actor", ev->actor);
    view_nint(&j, "run", ev->run);
    if (str_is(ev->kind, "run")) { /* as it is now, not as it was then */
        json_str(&j, "state", ev->state);
        view_nint(&j, "tasks_total", ev->tasks_total);
        view_nint(&j, "tasks_done", ev->tasks_done);
        view_nint(&j, "tasks_failed", ev->tasks_failed);
        view_nint(&j, "tasks_running", ev->tasks_running);
    }
    event_members(ev->kind, ev->data, &j);
    json_close(&j);
    buf_puts(out, "\n\n");
}

/* Rows after `after` up to `until` to one listener, or to all who have joined. */
static bool tell(struct streams *st, struct reader *r, int64_t after, int64_t until,
                 struct listener *only, struct err *e)
{
    CLEANUP(db_rows_close) struct db_rows rows = {0};
    CLEANUP(buf_free) struct buf text = {0};
    if (!sql_events_after(&r->db, after, until - after, &rows, e))
        return false;
    for (struct events_after_row ev; sql_events_after_next(&rows, &ev) && ev.seq <= until;) {
        buf_clear(&text);
        format(&ev, &text);
        pthread_mutex_lock(&st->lock);
        for (struct listener *l = only ? only : st->listeners; l; l = only ? NULL : l->next)
            if (only || l->joined)
                say(l, &text, until);
        pthread_mutex_unlock(&st->lock);
    }
    return db_rows_end(&rows, e);
}

static struct listener *newcomer(struct streams *st)
{
    struct listener *l = st->listeners;
    while (l && l->joined)
        l = l->next;
    return l;
}

/* What a newcomer missed. The lock is held throughout: nobody is to leave. */
static void catch_up(struct streams *st, struct reader *r, struct listener *l, int64_t first)
{
    CLEANUP(db_rows_close) struct db_rows rows = {0};
    CLEANUP(buf_free) struct buf text = {0};
    struct err ignored;
    int64_t gap = st->seq - l->after;
    l->joined = true;
    if (l->after < 0 || gap == 0)
        return;
    if (gap < 0 || gap > STREAM_GAP_MAX || l->after + 1 < first ||
        !sql_events_after(&r->db, l->after, gap, &rows, &ignored)) {
        say_resync(l, st->seq);
        resume(l);
        return;
    }
    for (struct events_after_row ev; sql_events_after_next(&rows, &ev) && ev.seq <= st->seq;) {
        buf_clear(&text);
        format(&ev, &text);
        say(l, &text, st->seq);
    }
}

static void join_all(struct streams *st, struct reader *r, int64_t first)
{
    pthread_mutex_lock(&st->lock);
    for (struct listener *l; (l = newcomer(st));)
        catch_up(st, r, l, first);
    pthread_mutex_unlock(&st->lock);
}

/* ---- output of attempts ---- */

/* What is new of one place. One that cannot be read any more is over. */
static void follow(struct streams *st, const struct view *v, struct listener *l,
                   struct log_place *at)
{
    CLEANUP(buf_free) struct buf text = {0};
    struct err ignored;
    buf_puts(&text, "event: log\ndata: ");
    size_t head = text.len;
    if (!view_log_follow(v, at, &text, &ignored)) {
        at->complete = ignored.kind != ERR_LIMIT && ignored.kind != ERR_CONFLICT;
        return;
    }
    if (text.len == head)
        return;
    buf_puts(&text, "\n\n");
    say(l, &text, st->seq);
}

/* True: somebody follows an attempt that may still write. */
static bool follow_all(struct streams *st, struct reader *r)
{
    struct view v = {.db = &r->db, .zones = r->zones, .home = st->server->home};
    struct err ignored;
    bool alive = false;
    if (!db_begin_read(v.db, &ignored))
        return false;
    pthread_mutex_lock(&st->lock);
    for (struct listener *l = st->listeners; l; l = l->next)
        for (size_t i = 0; i < l->place_count; i++) {
            if (!l->places[i].complete)
                follow(st, &v, l, &l->places[i]);
            alive = alive || !l->places[i].complete;
        }
    pthread_mutex_unlock(&st->lock);
    db_end_read(v.db);
    return alive;
}

static void watch_files(struct streams *st, bool wanted)
{
    char path[4096];
    if (!wanted) {
        fd_close(&st->files_fd);
        return;
    }
    if (st->files_fd >= 0)
        return;
    snprintf(path, sizeof path, "%s/logs/slots", st->server->home);
    st->files_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (st->files_fd >= 0 && inotify_add_watch(st->files_fd, path, IN_MODIFY) < 0)
        fd_close(&st->files_fd);
}

/* The watch is there before the files are looked at: nothing grows unseen. */
static void follow_logs(struct streams *st, struct reader *r)
{
    bool any = false;
    pthread_mutex_lock(&st->lock);
    for (struct listener *l = st->listeners; l && !any; l = l->next)
        for (size_t i = 0; i < l->place_count; i++)
            any = any || !l->places[i].complete;
    pthread_mutex_unlock(&st->lock);
    if (any)
        watch_files(st, true);
    if (!any || !follow_all(st, r))
        watch_files(st, false);
}

static void pump_once(struct streams *st)
{
    struct reader *r;
    struct events_span_row span;
    struct err e = {0};
    bool found;
    if (!reader_take(st->server, &r, &e))
        return;
    if (sql_events_span_one(&r->db, &span, &found, &e)) {
        if (span.last > st->seq)
            (void)tell(st, r, st->seq, span.last, NULL, &e);
        st->seq = span.last;
        join_all(st, r, span.first);
        follow_logs(st, r);
    }
    reader_give(st->server, r);
}

static void comment_all(struct streams *st)
{
    static const char text[] = ": here\n\n";
    struct buf b = {(char *)text, sizeof text - 1, 0};
    pthread_mutex_lock(&st->lock);
    for (struct listener *l = st->listeners; l; l = l->next)
        say(l, &b, st->seq);
    pthread_mutex_unlock(&st->lock);
}

/* Files that grow are looked at after a pause, so that a torrent of output is
 * told in large pieces. */
static void drain_files(struct streams *st)
{
    struct pollfd p = {.fd = st->wake_fd, .events = POLLIN};
    char bytes[4096];
    poll(&p, 1, LOG_PAUSE_MS);
    while (read(st->files_fd, bytes, sizeof bytes) > 0)
        ;
}

static bool pump_wait(struct streams *st, ms_t due)
{
    struct pollfd p[2] = {{.fd = st->wake_fd, .events = POLLIN},
                          {.fd = st->files_fd, .events = POLLIN}};
    uint64_t count;
    bool anybody = atomic_load(&st->count) > 0;
    int wait = anybody ? (int)MAX(due - clock_boot(), 0) : -1;
    int n = poll(p, 2, wait);
    if (n > 0 && (p[1].revents & POLLIN))
        drain_files(st);
    if (n > 0 && (p[0].revents & POLLIN) && read(st->wake_fd, &count, sizeof count) < 0)
        return true;
    pthread_mutex_lock(&st->lock);
    bool go_on = !st->stopping;
    pthread_mutex_unlock(&st->lock);
    return go_on;
}

static void *pump_thread(void *arg)
{
    struct streams *st = arg;
    ms_t due = clock_boot() + STREAM_COMMENT_MS;
    while (pump_wait(st, due)) {
        if (clock_boot() >= due) {
            comment_all(st);
            due = clock_boot() + STREAM_COMMENT_MS;
        }
        pump_once(st);
    }
    return NULL;
}

/* ---- the whole ---- */

bool streams_start(struct server *s, struct streams **out, struct err *e)
{
    struct streams *st = mem_new(sizeof *st);
    st->server = s;
    st->files_fd = -1;
    pthread_mutex_init(&st->lock, NULL);
    st->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int code = st->wake_fd < 0 ? errno : pthread_create(&st->pump, NULL, pump_thread, st);
    if (code) {
        fd_close(&st->wake_fd);
        free(st);
        return err_set(e, ERR_SYSTEM, "cannot start a thread: %s", strerror(code));
    }
    *out = st;
    return true;
}

static void wake(struct streams *st)
{
    uint64_t one = 1;
    if (write(st->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        ASSERT(!"an eventfd takes a one");
}

void streams_changed(struct streams *st)
{
    if (atomic_load(&st->count) > 0)
        wake(st);
}

int64_t streams_count(struct streams *st)
{
    return atomic_load(&st->count);
}

void streams_stop(struct streams *st)
{
    pthread_mutex_lock(&st->lock);
    st->stopping = true;
    pthread_mutex_unlock(&st->lock);
    wake(st);
    pthread_join(st->pump, NULL);
    pthread_mutex_lock(&st->lock);
    for (struct listener *l = st->listeners; l; l = l->next)
        resume(l);
    pthread_mutex_unlock(&st->lock);
}

void streams_free(struct streams *st)
{
    if (!st)
        return;
    ASSERT(!st->listeners);
    fd_close(&st->wake_fd);
    fd_close(&st->files_fd);
    pthread_mutex_destroy(&st->lock);
    free(st);
}
