/* SPDX-License-Identifier: MIT
 *
 * server/conn.c: connections, and how long we wait for them.
 *
 * The library knows one limit, on silence; somebody who sends a byte now and
 * then is never silent. So each phase of a request has a time by which it must
 * be over, and a thread that shuts down those that are not. While nobody is
 * connected the thread sleeps without a timer. */
#include "base/clock.h"
#include "base/fd.h"
#include "server/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct conn {
    int fd;
    bool local; /* unix socket */
    uid_t uid;  /* if local */
    bool loopback;
    char address[INET6_ADDRSTRLEN];
    ms_t due; /* boot time by which this phase must be over; MS_NEVER: no limit */
    struct conn *next, *prev;
};

static const ms_t phase_ms[] = {[CONN_IDLE] = HTTP_IDLE_MS,
                                [CONN_HEAD] = HTTP_HEADER_MS,
                                [CONN_BODY] = HTTP_BODY_MS,
                                [CONN_ANSWER] = MS_NEVER};

static bool is_loopback(const struct sockaddr *addr)
{
    if (addr->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) >> 24) == 127;
    if (addr->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)addr)->sin6_addr);
    return true;
}

static void address_text(const struct sockaddr *addr, char text[INET6_ADDRSTRLEN])
{
    const void *bytes = addr->sa_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)addr)->sin_addr
                            : (const void *)&((const struct sockaddr_in6 *)addr)->sin6_addr;
    snprintf(text, INET6_ADDRSTRLEN, "local");
    if (addr->sa_family == AF_INET || addr->sa_family == AF_INET6)
        inet_ntop(addr->sa_family, bytes, text, INET6_ADDRSTRLEN);
}

enum MHD_Result conn_accept(void *cls, const struct sockaddr *addr, socklen_t len)
{
    struct server *s = cls;
    char text[INET6_ADDRSTRLEN];
    int same = 0;
    (void)len;
    if (is_loopback(addr))
        return MHD_YES;
    address_text(addr, text);
    pthread_mutex_lock(&s->lock);
    for (struct conn *c = s->conns; c; c = c->next)
        same += strcmp(c->address, text) == 0;
    pthread_mutex_unlock(&s->lock);
    return same < HTTP_PER_ADDRESS_MAX ? MHD_YES : MHD_NO;
}

static void conn_learn(struct conn *c, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof addr;
    struct ucred peer;
    socklen_t peer_len = sizeof peer;
    int user_timeout_ms = 60000;
    c->fd = fd ? fd->connect_fd : -1;
    c->uid = (uid_t)-1;
    if (getpeername(c->fd, (struct sockaddr *)&addr, &len))
        return;
    address_text((struct sockaddr *)&addr, c->address);
    c->local = addr.ss_family == AF_UNIX;
    if (!c->local)
        setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof user_timeout_ms);
    else if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_len) == 0)
        c->uid = peer.uid;
}

static void wake(struct server *s)
{
    uint64_t one = 1;
    if (write(s->sweep_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        ASSERT(!"an eventfd takes a one");
}

static void conn_add(struct server *s, struct MHD_Connection *connection, void **socket_context)
{
    struct conn *c = mem_new(sizeof *c);
    conn_learn(c, connection);
    c->due = clock_boot() + HTTP_HEADER_MS;
    pthread_mutex_lock(&s->lock);
    c->next = s->conns;
    if (c->next)
        c->next->prev = c;
    s->conns = c;
    s->conn_count++;
    pthread_mutex_unlock(&s->lock);
    wake(s);
    *socket_context = c;
}

static void conn_remove(struct server *s, struct conn *c)
{
    pthread_mutex_lock(&s->lock);
    *(c->prev ? &c->prev->next : &s->conns) = c->next;
    if (c->next)
        c->next->prev = c->prev;
    s->conn_count--;
    pthread_mutex_unlock(&s->lock);
    free(c);
}

void conn_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
                 enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        conn_add(cls, connection, socket_context);
    else if (*socket_context)
        conn_remove(cls, *socket_context);
}

struct conn *conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* The first line of a request is there. */
void *conn_line(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)uri;
    struct conn *c = conn_of(connection);
    if (c)
        conn_phase_set(cls, c, CONN_HEAD);
    return NULL;
}

void conn_phase_set(struct server *s, struct conn *c, enum conn_phase phase)
{
    ms_t wait = phase_ms[phase];
    pthread_mutex_lock(&s->lock);
    c->due = wait == MS_NEVER ? MS_NEVER : clock_boot() + wait;
    pthread_mutex_unlock(&s->lock);
}

bool conn_is_local(const struct conn *c)
{
    return c->local;
}
uid_t conn_uid(const struct conn *c)
{
    return c->uid;
}
const char *conn_address(const struct conn *c)
{
    return c->address;
}

/* ---- the sweeper ---- */

enum { SWEEP_LAZY_MS = 15000 }; /* while all there is are streams */

/* Shuts down what is overdue; how long until the next one may be, -1: nobody. */
static int sweep(struct server *s, ms_t now)
{
    ms_t next = MS_NEVER;
    pthread_mutex_lock(&s->lock);
    for (struct conn *c = s->conns; c; c = c->next) {
        if (c->due <= now) {
            shutdown(c->fd, SHUT_RDWR);
            c->due = MS_NEVER;
        }
        next = MIN(next, c->due);
    }
    bool anybody = s->conns != NULL;
    pthread_mutex_unlock(&s->lock);
    if (!anybody)
        return -1;
    return next == MS_NEVER ? SWEEP_LAZY_MS : (int)MIN(MAX(next - now, 500), HTTP_HEADER_MS);
}

static void *sweep_thread(void *arg)
{
    struct server *s = arg;
    for (;;) {
        struct pollfd p = {.fd = s->sweep_fd, .events = POLLIN};
        uint64_t count;
        int wait = sweep(s, clock_boot());
        if (poll(&p, 1, wait) > 0 && read(s->sweep_fd, &count, sizeof count) < 0)
            continue;
        pthread_mutex_lock(&s->lock);
        bool end = s->stopping;
        pthread_mutex_unlock(&s->lock);
        if (end)
            return NULL;
    }
}

bool conn_sweep_start(struct server *s, struct err *e)
{
    s->sweep_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->sweep_fd < 0)
        return err_sys(e, "eventfd");
    int code = pthread_create(&s->sweeper, NULL, sweep_thread, s);
    if (code) {
        fd_close(&s->sweep_fd);
        return err_set(e, ERR_SYSTEM, "cannot start a thread: %s", strerror(code));
    }
    return true;
}

void conn_sweep_stop(struct server *s)
{
    wake(s);
    pthread_join(s->sweeper, NULL);
    fd_close(&s->sweep_fd);
}
