/* SPDX-License-Identifier: MIT
 *
 * server/http.h: a request on its way through the server, and its answer.
 * Private to the server. */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include "bus/door.h"
#include "model/workflow.h"
#include "server/auth.h"
#include "server/server.h"
#include "server/view.h"
#include "store/store.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

enum {
    HTTP_LINE_MAX = 8 << 10,
    HTTP_HEADERS_MAX = 64,
    HTTP_HEADER_BYTES_MAX = 16 << 10,
    HTTP_BODY_MAX = 1 << 20,
    HTTP_CONNECTIONS_MAX = 512,
    HTTP_PER_ADDRESS_MAX = 64, /* loopback is not counted: everybody there is one address */
    HTTP_HEADER_MS = 5000,     /* to send the head of a request */
    HTTP_BODY_MS = 30000,      /* to send its body */
    HTTP_IDLE_MS = 60000,      /* between two requests */
    HTTP_PARAMS_MAX = 4,
    HTTP_LOG_SIZE_MS = 60000, /* how old the size of the logs may be */
};

enum method { METHOD_GET, METHOD_POST, METHODS };

/* Who asks. */
enum who { WHO_NOBODY, WHO_TOKEN, WHO_SESSION, WHO_SOCKET };

struct conn; /* a TCP or unix connection */

/* Named parts of a path and their decoded values. */
struct params {
    struct {
        struct str name, value;
    } at[HTTP_PARAMS_MAX];
    size_t count;
};

struct route;

struct answer_body {
    unsigned status;
    const char *type; /* Content-Type */
    struct buf body;
    char headers[4][2][160]; /* further ones: name, value */
    size_t header_count;
};

/* One request. Lives from its first line to the end of its answer; a wish that
 * is still at the door keeps it a little longer. */
struct call {
    struct server *server;
    struct MHD_Connection *connection;
    struct conn *conn;
    struct arena arena;
    enum method method;
    bool head;            /* HEAD: as GET, without the body */
    const char *raw_path; /* as it came, of the arena */
    struct strs segments; /* decoded, of the arena */
    enum who who;
    struct str actor; /* "token", "uid 1000" */
    const struct route *route;
    struct params params;
    struct buf body;
    bool refused; /* `out` holds an error and the connection closes */
    struct answer_body out;
    /* a wish */
    bool wished, answered;
    struct hope *hope; /* what the reply comes back to; not ours once answered */
    struct answer answer;
    struct str wish_workflow; /* to be said in the answer */
    struct call *next, *prev; /* of the server's waiting calls */
    struct view view;
};

typedef bool handler_fn(struct call *c, struct err *e);

enum { ROUTE_PUBLIC = 1, ROUTE_STREAM = 2, ROUTE_YAML = 4, ROUTE_NO_READER = 8 };
struct route {
    const char *method, *path; /* ":name" stands for one segment */
    handler_fn *handler;
    int flags;
    const char *help; /* what it answers; docs/api.md says the same */
};
extern const struct route routes[];
extern const size_t route_count;

/* The route of a path, or NULL: then `*other` tells whether another method would
 * have one. Fills `params`. */
const struct route *route_find(enum method m, const struct strs *segments, struct params *params,
                               bool *other);

/* ---- for handlers ---- */

struct str call_param(const struct call *c, const char *name); /* of the path; never absent */
struct str call_query(struct call *c, const char *name);       /* decoded; absent if not there */
struct str call_header(const struct call *c, const char *name);
bool call_param_i64(const struct call *c, const char *name, int64_t *out, struct err *e);
/* `*out` stays as it is when the query does not have it. */
bool call_query_i64(struct call *c, const char *name, int64_t *out, struct err *e);
bool call_query_time(struct call *c, const char *name, ms_t *out, struct err *e);
void call_answer_header(struct call *c, const char *name, const char *fmt, ...) PRINTF(3, 4);

/* Leave a wish at the door; the answer is made from what comes back. */
bool call_wish(struct call *c, const struct wish *w, struct err *e);
/* Under the lock: all who wait at the door hear that nobody will answer. */
void call_dismiss_all(struct server *s);

/* ---- the server ---- */

struct reader { /* a connection to the database with what belongs to it */
    struct db db;
    struct zones *zones;
    struct reader *next;
};

struct streams;

struct server {
    atomic_int refs; /* the owner, and every wish at the door */
    char home[3072], socket_path[200], address[128];
    char host_port[8]; /* "8700" */
    char **hosts;      /* names we answer to; ends with NULL */
    struct door *door;
    struct auth *auth;
    struct streams *streams;
    const struct asset *assets;
    size_t asset_count;
    struct MHD_Daemon *tcp, *local;
    ms_t started_at;
    pthread_mutex_t lock; /* for all below */
    bool stopping;
    struct reader *readers;
    int64_t log_bytes; /* as of log_bytes_at (CLOCK_BOOTTIME); 0: never looked */
    ms_t log_bytes_at;
    struct call *waiting; /* calls whose wish is at the door */
    struct conn *conns;
    size_t conn_count;
    pthread_t sweeper;
    int sweep_fd; /* eventfd: there is something to sweep, or an end */
};

bool reader_take(struct server *s, struct reader **out, struct err *e);
void reader_give(struct server *s, struct reader *r);

/* Security headers, the same on every answer. */
void http_headers(struct MHD_Response *r);

enum MHD_Result http_handle(void *cls, struct MHD_Connection *connection, const char *url,
                            const char *method, const char *version, const char *upload,
                            size_t *upload_len, void **con_cls);
void http_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                    enum MHD_RequestTerminationCode why);
/* The status and title of an error kind: the one place where this is decided. */
unsigned http_status(enum err_kind kind);
void server_unref(struct server *s);

/* conn.c: connections, and the patience we have with them. */
enum conn_phase { CONN_IDLE, CONN_HEAD, CONN_BODY, CONN_ANSWER };
bool conn_sweep_start(struct server *s, struct err *e);
void conn_sweep_stop(struct server *s);
enum MHD_Result conn_accept(void *cls, const struct sockaddr *addr, socklen_t len);
void conn_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
                 enum MHD_ConnectionNotificationCode what);
void *conn_line(void *cls, const char *uri, struct MHD_Connection *connection);
struct conn *conn_of(struct MHD_Connection *connection);
void conn_phase_set(struct server *s, struct conn *c, enum conn_phase phase);
bool conn_is_local(const struct conn *c);
uid_t conn_uid(const struct conn *c);
const char *conn_address(const struct conn *c);

/* audit.c: what a request must be before anybody looks at what it wants. Sets
 * the answer in `c->out` and returns false when it is not. */
bool audit(struct call *c, const char *url, const char *method, const char *version);
bool audit_body_type(struct call *c);
void call_problem(struct call *c, unsigned status, const char *detail);

/* The interface's files; false: `c->out` says why not. `c->out.status` is set. */
bool asset_answer(struct call *c, struct MHD_Response **out);

bool stream_open(struct call *c, struct MHD_Response **out, struct err *e);

#endif
