/* SPDX-License-Identifier: MIT
 *
 * server/server.c: opening the windows, and closing them.
 *
 * Two daemons of the library answer with the same functions: one on the
 * address, one on the unix socket. What must stay true:
 *
 *   - the library aborts if it is stopped while a connection is suspended, so
 *     everybody who waits is answered and resumed first;
 *   - a wish may still be at the door when the server is gone; whoever comes
 *     last, the reply or the owner, frees the server. */
#include "server/server.h"
#include "base/clock.h"
#include "base/fd.h"
#include "server/http.h"
#include "server/stream.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { THREADS = 2, BACKLOG = 128, CONNECTION_MEMORY = 48 << 10 };

/* ---- addresses ---- */

/* "HOST:PORT" or "[HOST]:PORT". */
static bool split(const char *listen_at, char host[100], char port[8], struct err *e)
{
    const char *colon = strrchr(listen_at, ':');
    const char *from = listen_at, *to = colon;
    uint32_t number;
    if (!colon || !str_to_u32(str_of(colon + 1), &number) || number > 65535)
        return err_set(e, ERR_INVALID, "'%s' is not an address such as 127.0.0.1:8700", listen_at);
    if (*from == '[' && to > from && to[-1] == ']') {
        from++;
        to--;
    }
    if (to <= from || to - from >= 100)
        return err_set(e, ERR_INVALID, "'%s' names no address", listen_at);
    snprintf(host, 100, "%.*s", (int)(to - from), from);
    snprintf(port, 8, "%u", number);
    return true;
}

static bool listen_on(const struct addrinfo *ai, int *out, struct err *e)
{
    CLEANUP(fd_close)
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd < 0)
        return err_sys(e, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, BACKLOG))
        return errno == EADDRINUSE ? err_set(e, ERR_CONFLICT, "the address is taken")
                                   : err_sys(e, "cannot listen");
    *out = fd;
    fd = -1;
    return true;
}

static bool port_of(int fd, char port[8], struct err *e)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    if (getsockname(fd, (struct sockaddr *)&addr, &len) ||
        getnameinfo((struct sockaddr *)&addr, len, NULL, 0, port, 8, NI_NUMERICSERV))
        return err_sys(e, "getsockname");
    return true;
}

static bool listen_tcp(struct server *s, const char *listen_at, int *out, struct err *e)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *ai = NULL;
    char host[100], port[8];
    if (!split(listen_at, host, port, e))
        return false;
    int code = getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints, &ai);
    if (code)
        return err_set(e, ERR_INVALID, "%s: %s", listen_at, gai_strerror(code));
    bool ok = listen_on(ai, out, e) && port_of(*out, s->host_port, e);
    freeaddrinfo(ai);
    if (!ok)
        return err_wrap(e, "%s", listen_at);
    snprintf(s->address, sizeof s->address, strchr(host, ':') ? "http://[%s]:%s" : "http://%s:%s",
             host, s->host_port);
    return true;
}

/* A socket left behind by a daemon that died is ours to replace: the lock on
 * the data directory is held by then. */
static bool listen_local(struct server *s, int *out, struct err *e)
{
    CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (fd < 0)
        return err_sys(e, "socket");
    if (strlen(s->socket_path) >= sizeof addr.sun_path)
        return err_set(e, ERR_INVALID, "%s: the path of a socket has at most %zu bytes",
                       s->socket_path, sizeof addr.sun_path - 1);
    memcpy(addr.sun_path, s->socket_path, strlen(s->socket_path) + 1);
    unlink(s->socket_path);
    mode_t old = umask(0177);
    int bound = bind(fd, (struct sockaddr *)&addr, sizeof addr);
    umask(old);
    if (bound || listen(fd, BACKLOG))
        return err_sys(e, "%s", s->socket_path);
    *out = fd;
    fd = -1;
    return true;
}

/* ---- names ---- */

static void learn_hosts(struct server *s, const struct server_opts *o)
{
    static const char *const ours[] = {"127.0.0.1", "[::1]", "localhost"};
    size_t count = 0;
    while (o->hosts && o->hosts[count])
        count++;
    s->hosts = mem_new((count + countof(ours) + 2) * sizeof *s->hosts);
    size_t n = 0;
    for (size_t i = 0; i < countof(ours); i++)
        s->hosts[n++] = mem_strdup(ours[i]);
    for (size_t i = 0; i < count; i++)
        s->hosts[n++] = mem_strdup(o->hosts[i]);
    const char *host = s->address + strlen("http://");
    char *own = mem_strdup(host);
    *strrchr(own, ':') = '\0';
    s->hosts[n] = own;
}

/* ---- the library ---- */

/* Percent signs are left alone: a path is cut first and decoded then, once. */
static size_t leave_alone(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static void be_quiet(void *cls, const char *fmt, va_list args)
{
    (void)cls;
    (void)fmt;
    (void)args;
}

static struct MHD_Daemon *daemon_on(struct server *s, int fd, unsigned threads)
{
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem pool[] = {
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        flags, 0, conn_accept, s, http_handle, s, MHD_OPTION_EXTERNAL_LOGGER, be_quiet, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_MS / 1000,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_NOTIFY_COMPLETED, http_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
        conn_notify, s, MHD_OPTION_URI_LOG_CALLBACK, conn_line, s, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_alone, NULL, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

/* The descriptor belongs to the daemon afterwards. */
static bool open_daemon(struct server *s, int *fd, unsigned threads, struct MHD_Daemon **out,
                        struct err *e)
{
    *out = daemon_on(s, *fd, threads);
    if (!*out)
        return err_set(e, ERR_SYSTEM, "cannot start the HTTP server");
    *fd = -1;
    return true;
}

/* ---- beginning and end ---- */

static bool start(struct server *s, const struct server_opts *o, struct err *e)
{
    CLEANUP(fd_close) int tcp = -1;
    CLEANUP(fd_close) int local = -1;
    struct reader *r;
    if (!auth_open(s->home, &s->auth, e) || !reader_take(s, &r, e))
        return false;
    reader_give(s, r);
    if (!listen_tcp(s, o->listen, &tcp, e) || !listen_local(s, &local, e))
        return false;
    learn_hosts(s, o);
    return conn_sweep_start(s, e) && streams_start(s, &s->streams, e) &&
           open_daemon(s, &tcp, THREADS, &s->tcp, e) && open_daemon(s, &local, 1, &s->local, e);
}

bool server_start(const struct server_opts *o, struct door *door, struct server **out,
                  struct err *e)
{
    struct server *s = mem_new(sizeof *s);
    atomic_init(&s->refs, 1);
    pthread_mutex_init(&s->lock, NULL);
    snprintf(s->home, sizeof s->home, "%s", o->home);
    if (o->socket)
        snprintf(s->socket_path, sizeof s->socket_path, "%s", o->socket);
    else
        snprintf(s->socket_path, sizeof s->socket_path, "%.180s/server.sock", o->home);
    s->door = door;
    s->assets = o->assets;
    s->asset_count = o->asset_count;
    s->started_at = clock_wall();
    s->sweep_fd = -1;
    if (!start(s, o, e)) {
        server_stop(s);
        return false;
    }
    *out = s;
    return true;
}

void server_changed(struct server *s, int64_t seq)
{
    (void)seq;
    streams_changed(s->streams);
}

const char *server_address(const struct server *s)
{
    return s->address;
}

_Static_assert((int)SERVER_CODE_MAX == (int)AUTH_CODE_MAX, "a code is a code");

void server_login_code(struct server *s, char code[SERVER_CODE_MAX])
{
    auth_code_new(s->auth, clock_wall(), code);
}

static void free_readers(struct server *s)
{
    for (struct reader *r; (r = s->readers);) {
        s->readers = r->next;
        db_close(&r->db);
        zones_free(r->zones);
        free(r);
    }
}

void server_unref(struct server *s)
{
    if (atomic_fetch_sub(&s->refs, 1) > 1)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Whoever waits for the engine is told that it will not answer here. */
static void dismiss(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    call_dismiss_all(s);
    pthread_mutex_unlock(&s->lock);
}

static void close_daemon(struct MHD_Daemon *d)
{
    if (d)
        MHD_stop_daemon(d);
}

void server_stop(struct server *s)
{
    if (!s)
        return;
    dismiss(s);
    if (s->streams)
        streams_stop(s->streams);
    close_daemon(s->tcp);
    close_daemon(s->local);
    if (s->sweep_fd >= 0) /* connections still came in until now */
        conn_sweep_stop(s);
    if (s->local)
        unlink(s->socket_path);
    streams_free(s->streams);
    free_readers(s);
    auth_free(s->auth);
    for (char **h = s->hosts; h && *h; h++)
        free(*h);
    free(s->hosts);
    s->auth = NULL;
    server_unref(s);
}
