/* SPDX-License-Identifier: MIT
 *
 * tests/unit/server/house.h: a data directory with a little history, a server on
 * it, and an engine that only answers the door. */
#ifndef TESTS_HOUSE_H
#define TESTS_HOUSE_H

#include "../check.h"
#include "../tempdir.h"
#include "base/clock.h"
#include "base/fd.h"
#include "bus/door.h"
#include "server/server.h"
#include "store/store.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct house {
    char home[TEMPDIR_MAX];
    struct store store;
    struct door *door;
    int wake_fd;
    struct server *server;
    char token[65];
    int port;
    /* the engine */
    pthread_t engine;
    atomic_bool stop, deaf; /* deaf: takes wishes and does not answer */
    atomic_int wishes, runs;
    struct wish last; /* of the last wish: kind, target, on */
    char last_body[4096], last_key[256], last_actor[64];
};

static inline void house_sql(struct house *h, const char *sql)
{
    struct err e = {0};
    if (!db_exec(&h->store.db, sql, &e)) {
        print_error("%s\n%s\n", sql, e.text);
        fail();
    }
}

static inline void house_answer(struct house *h, uint64_t ticket)
{
    const struct wish *w = door_wish(h->door, ticket);
    struct answer a = {.kind = ERR_NONE};
    h->last = *w;
    snprintf(h->last_body, sizeof h->last_body, "%.*s", STR_ARG(w->body));
    bool same = w->key.at && str_is(w->key, h->last_key);
    snprintf(h->last_key, sizeof h->last_key, "%.*s", STR_ARG(w->key));
    snprintf(h->last_actor, sizeof h->last_actor, "%.*s", STR_ARG(w->actor));
    if (w->kind == WISH_RUN) {
        a.repeated = same;
        a.id = same ? atomic_load(&h->runs) : atomic_fetch_add(&h->runs, 1) + 1;
    }
    if (w->kind == WISH_RETRY) {
        a.kind = ERR_CONFLICT;
        snprintf(a.text, sizeof a.text, "nothing of run #%lld failed", (long long)w->target);
    }
    atomic_fetch_add(&h->wishes, 1);
    if (!atomic_load(&h->deaf))
        door_answer(h->door, ticket, &a);
}

static inline void *house_engine(void *arg)
{
    struct house *h = arg;
    uint64_t commit = 0, count, ticket;
    while (!atomic_load(&h->stop)) {
        struct pollfd p = {.fd = h->wake_fd, .events = POLLIN};
        if (poll(&p, 1, -1) < 1 || read(h->wake_fd, &count, sizeof count) < 0)
            continue;
        while (door_take(h->door, &ticket))
            house_answer(h, ticket);
        door_mark(h->door, ++commit);
        door_release(h->door, commit);
    }
    return NULL;
}

static inline void house_wake(struct house *h)
{
    uint64_t one = 1;
    if (write(h->wake_fd, &one, sizeof one) < 0)
        fail();
}

static inline void house_token(struct house *h)
{
    char path[128];
    FILE *f;
    snprintf(path, sizeof path, "%s/token", h->home);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fread(h->token, 1, 64, f), 64);
    h->token[64] = '\0';
    fclose(f);
}

static inline void house_open(struct house *h, const struct asset *assets, size_t count)
{
    struct err e = {0};
    *h = (struct house){.wake_fd = eventfd(0, EFD_CLOEXEC)};
    assert_true(tempdir_make(h->home));
    if (!store_open(h->home, DURABLE_NORMAL, &h->store, &e))
        fail_msg("%s", e.text);
    h->door = door_new(h->wake_fd);
    struct server_opts o = {
        .home = h->home, .listen = "127.0.0.1:0", .assets = assets, .asset_count = count};
    if (!server_start(&o, h->door, &h->server, &e))
        fail_msg("%s", e.text);
    h->port = atoi(strrchr(server_address(h->server), ':') + 1);
    house_token(h);
    pthread_create(&h->engine, NULL, house_engine, h);
}

static inline void house_close(struct house *h)
{
    server_stop(h->server);
    atomic_store(&h->stop, true);
    house_wake(h);
    pthread_join(h->engine, NULL);
    door_free(h->door);
    store_close(&h->store);
    close(h->wake_fd);
    tempdir_remove(h->home);
}

/* A workflow of three tasks, two versions, a run that failed, one that runs. */
static inline void house_history(struct house *h)
{
    house_sql(
        h,
        "INSERT INTO workflows VALUES (1,'payroll',2,'payroll.yaml','/w','active','pays','ana',"
        " '[\"fin\"]',NULL,1,1000,1000);"
        "INSERT INTO workflow_versions VALUES"
        " (1,1,1,'aa','name: payroll\ntasks: [{name: extract, script: \"true\"}]\n',"
        "  'payroll.yaml',3,1000),"
        " (2,1,2,'bb','name: payroll\nenv: {A: b}\ntasks:\n  - {name: extract, script: echo hi}\n"
        "  - {name: transform, depends_on: [extract], command: [/bin/false, x]}\n"
        "  - {name: load, depends_on: [transform], script: \"true\"}\n','payroll.yaml',3,2000);"
        "INSERT INTO tasks(version_id,task,name,kind,line,retries) VALUES"
        " (2,0,'extract','script',4,0),(2,1,'transform','command',5,2),(2,2,'load','script',6,0);"
        "INSERT INTO task_dependencies VALUES (2,1,0),(2,2,1);"
        "INSERT INTO schedules VALUES (1,'0 3 * * * Europe/Berlin','cron','0 3 * * *',"
        " 'Europe/Berlin',0,0);"
        "INSERT INTO workflow_runs(id,key,workflow_id,version_id,state,trigger,actor,created_at,"
        " started_at,finished_at,tasks_total,tasks_done,tasks_failed,failed_task) VALUES"
        " (1,'01ARZ3NDEKTSV4RRFFQ69G5FAV',1,2,'failed','api','token',5000,5001,8001,3,3,1,1);"
        "INSERT INTO workflow_runs(id,key,workflow_id,version_id,state,trigger,created_at,"
        " started_at,tasks_total,tasks_running) VALUES"
        " (2,'01ARZ3NDEKTSV4RRFFQ69G5FAW',1,2,'running','schedule',9000,9001,3,1);"
        "INSERT INTO task_instances(run_id,task,state,reason,attempt,exit_code,queued_at,"
        " started_at,finished_at) VALUES (1,0,'success',NULL,1,0,5001,5002,6002),"
        " (1,1,'failed','exit',3,3,6002,6003,8000),"
        " (1,2,'upstream_failed','upstream_failed',0,NULL,NULL,NULL,8000),"
        " (2,0,'running',NULL,1,NULL,9001,9002,NULL),(2,1,'pending',NULL,0,NULL,NULL,NULL,NULL),"
        " (2,2,'pending',NULL,0,NULL,NULL,NULL,NULL);"
        "INSERT INTO attempts(run_id,task,attempt,state,exit_code,error_excerpt,first_error_line)"
        " VALUES (1,1,1,'failed',3,NULL,NULL),(1,1,2,'failed',3,NULL,NULL),"
        " (1,1,3,'failed',3,'column ''salary'' missing',201);"
        "INSERT INTO events VALUES (1,5001,'run',1,1,'token','{\"from\":null,\"to\":\"running\","
        "\"reason\":null,\"tasks\":[]}');");
}

/* ---- a client of few words ---- */

static inline int dial(const struct house *h)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)h->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 10};
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&a, sizeof a))
        fail_msg("connect");
    return fd;
}

static inline int dial_local(const struct house *h)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(a.sun_path, sizeof a.sun_path, "%s/server.sock", h->home);
    if (connect(fd, (struct sockaddr *)&a, sizeof a))
        fail_msg("connect");
    return fd;
}

struct reply {
    int status; /* 0: the connection was closed without an answer */
    struct buf all;
    char *body;
};

/* One answer with a Content-Length, or whatever comes until the end. */
static inline struct reply hear(int fd)
{
    struct reply r = {0};
    size_t want = SIZE_MAX;
    while (r.all.len < want) {
        char bytes[16384];
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        if (n <= 0)
            break;
        buf_add(&r.all, bytes, (size_t)n);
        char *end = strstr(r.all.at, "\r\n\r\n");
        char *len = end ? strcasestr(r.all.at, "\r\nContent-Length:") : NULL;
        if (len && len < end)
            want = (size_t)(end - r.all.at) + 4 + strtoul(len + 17, NULL, 10);
    }
    if (r.all.len) {
        sscanf(r.all.at, "HTTP/1.%*c %d", &r.status);
        r.body = strstr(r.all.at, "\r\n\r\n");
        r.body = r.body ? r.body + 4 : r.all.at + r.all.len;
    }
    return r;
}

static inline void reply_free(struct reply *r)
{
    buf_free(&r->all);
}

static inline void tell(int fd, const char *text)
{
    size_t n = strlen(text);
    if (send(fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
        print_message("# the server closed early\n");
}

/* `extra`: further header lines, each ended; `body` NULL: none. */
static inline struct reply ask_on(int fd, const struct house *h, const char *method,
                                  const char *path, const char *extra, const char *body)
{
    struct buf b = {0};
    buf_printf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", method, path, h->port,
               extra ? extra : "");
    if (body)
        buf_printf(&b, "Content-Length: %zu\r\n", strlen(body));
    buf_printf(&b, "\r\n%s", body ? body : "");
    tell(fd, b.at);
    buf_free(&b);
    return hear(fd);
}

static inline struct reply ask(const struct house *h, const char *method, const char *path,
                               const char *extra, const char *body)
{
    int fd = dial(h);
    struct reply r = ask_on(fd, h, method, path, extra, body);
    close(fd);
    return r;
}

/* With the token and, for a body, its type. */
static inline struct reply ask_in(const struct house *h, const char *method, const char *path,
                                  const char *body)
{
    char extra[256];
    snprintf(extra, sizeof extra, "Authorization: Bearer %s\r\n%s", h->token,
             body ? "Content-Type: application/json\r\n" : "");
    return ask(h, method, path, extra, body);
}

#endif
