/* SPDX-License-Identifier: MIT
 *
 * keeper/link.c: the socket, and what comes and goes on it.
 *
 * Anybody of our own user may connect; whoever says HELLO last is the daemon, and the one
 * before is let go. A daemon that is gone is no event: what it should have
 * heard is in the journal, and the next one hears it.
 *
 * Sockets are watched edge by edge, and a reading shorter than the buffer has
 * emptied the socket, so a frame costs one system call to hear. */
#include "keeper/house.h"
#include "base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 64 << 10 };

bool link_open(struct house *h, struct err *e)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "keeper/socket"};
    h->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (h->listener < 0)
        return err_sys(e, "socket");
    unlink(at.sun_path);
    if (bind(h->listener, (struct sockaddr *)&at, sizeof at) || chmod(at.sun_path, 0600) ||
        listen(h->listener, PEERS_MAX))
        return err_sys(e, "%s", at.sun_path);
    return true;
}

static void peer_close(struct house *h, struct peer *p)
{
    if (h->daemon == p)
        h->daemon = NULL;
    fd_close(&p->fd);
    p->turn++;
    p->greeted = p->blocked = false;
    buf_free(&p->in);
    buf_free(&p->out);
}

static uint64_t peer_tag(const struct house *h, const struct peer *p)
{
    return event_tag(EVENT_PEER, (uint64_t)(p - h->peers) | (uint64_t)(p->turn & 0xffffff) << 16);
}

static bool peer_watch(struct house *h, struct peer *p, int how, uint32_t events)
{
    struct epoll_event ev = {.events = events | EPOLLIN | EPOLLRDHUP | EPOLLET,
                             .data.u64 = peer_tag(h, p)};
    return epoll_ctl(h->epoll, how, p->fd, &ev) == 0;
}

static bool is_ours(int fd)
{
    struct ucred who;
    socklen_t len = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
           (who.uid == geteuid() || who.uid == 0);
}

static struct peer *peer_free(struct house *h)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (h->peers[i].fd < 0)
            return &h->peers[i];
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (&h->peers[i] != h->daemon) {
            peer_close(h, &h->peers[i]);
            return &h->peers[i];
        }
    return NULL;
}

void link_accept(struct house *h)
{
    for (int fd; (fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
        struct peer *p = is_ours(fd) ? peer_free(h) : NULL;
        if (!p) {
            close(fd);
            continue;
        }
        p->fd = fd;
        if (!peer_watch(h, p, EPOLL_CTL_ADD, 0))
            peer_close(h, p);
    }
}

/* ---- out ---- */

static void peer_send(struct peer *p, const struct wire_frame *f)
{
    struct err e;
    if (!wire_encode(f, &p->out, &e))
        house_warn("%s", e.text);
}

void link_send(struct house *h, const struct wire_frame *f)
{
    if (h->daemon)
        peer_send(h->daemon, f);
}

static struct wire_frame started_frame(const struct record *r)
{
    return (struct wire_frame){.kind = WIRE_STARTED,
                               .started = {.seq = r->seq,
                                           .name = r->name,
                                           .pid = r->started.pid,
                                           .start_ticks = r->started.ticks,
                                           .slot = r->slot,
                                           .at = r->wall_at}};
}

static struct wire_frame ended_frame(const struct record *r)
{
    const struct record_log *l = &r->ended.log;
    return (struct wire_frame){.kind = WIRE_ENDED,
                               .ended = {.seq = r->seq,
                                         .name = r->name,
                                         .how = r->how,
                                         .cause = r->cause,
                                         .code = r->ended.code,
                                         .needed_kill = r->flags & RECORD_NEEDED_KILL,
                                         .oom = r->flags & RECORD_OOM,
                                         .leftovers = r->flags & RECORD_LEFTOVERS,
                                         .usage = r->ended.usage,
                                         .started_at = r->ended.started_at,
                                         .at = r->wall_at,
                                         .log = {.kind = l->kind,
                                                 .number = l->number,
                                                 .offset = l->offset,
                                                 .out_len = l->out_len,
                                                 .err_len = l->err_len,
                                                 .out_dropped = l->out_dropped,
                                                 .err_dropped = l->err_dropped,
                                                 .marks_len = l->marks_len},
                                         .text = str_of(r->ended.text)}};
}

static struct wire_frame refused_frame(const struct record *r)
{
    return (struct wire_frame){.kind = WIRE_REFUSED,
                               .refused = {.seq = r->seq,
                                           .name = r->name,
                                           .code = (uint32_t)r->ended.code,
                                           .text = str_of(r->ended.text)}};
}

void link_send_record(struct house *h, const struct record *r)
{
    if (!h->news_at)
        h->news_at = h->boot;
    if (!h->daemon)
        return;
    struct wire_frame f = r->kind == RECORD_ENDED     ? ended_frame(r)
                          : r->kind == RECORD_REFUSED ? refused_frame(r)
                                                      : started_frame(r);
    peer_send(h->daemon, &f);
}

static void peer_flush(struct house *h, struct peer *p)
{
    while (p->out.len) {
        ssize_t n = send(p->fd, p->out.at, p->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            buf_cut(&p->out, (size_t)n);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN && p->out.len <= PEER_OUT_MAX &&
            peer_watch(h, p, EPOLL_CTL_MOD, EPOLLOUT)) {
            p->blocked = true;
            return;
        }
        peer_close(h, p);
        return;
    }
    if (p->blocked)
        peer_watch(h, p, EPOLL_CTL_MOD, 0);
    p->blocked = false;
}

/* While there is enough to start by ourselves, news can wait for company: then
 * the daemon wakes up once for several ends. */
static bool news_can_wait(struct house *h)
{
    bool wait = h->queue_count > QUEUE_LOW && h->news_at && h->boot < h->news_at + TELL_LATE_MS;
    if (wait)
        house_wake_at(h, h->news_at + TELL_LATE_MS);
    else
        h->news_at = 0;
    return wait;
}

void link_flush(struct house *h)
{
    if (news_can_wait(h))
        return;
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (h->peers[i].fd >= 0 && h->peers[i].out.len)
            peer_flush(h, &h->peers[i]);
}

void link_close(struct house *h)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        peer_close(h, &h->peers[i]);
}

bool link_anybody(const struct house *h)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (h->peers[i].fd >= 0)
            return true;
    return false;
}

/* ---- in ---- */

static void replay(struct house *h, uint64_t acked)
{
    for (size_t i = 1; i < h->journal.count; i++) {
        const struct record *r = &h->journal.at[i];
        bool told =
            r->kind == RECORD_STARTED || r->kind == RECORD_ENDED || r->kind == RECORD_REFUSED;
        if (told && r->seq > acked && hold_find(h, &r->name))
            link_send_record(h, r);
    }
    hold_send_alive(h);
}

static void on_hello(struct house *h, struct peer *p, const struct wire_frame *f)
{
    if (h->daemon && h->daemon != p)
        peer_close(h, h->daemon);
    h->daemon = p;
    p->greeted = true;
    h->retire = false;
    h->journal.seq = MAX(h->journal.seq, f->hello.acked);
    struct wire_frame welcome = {.kind = WIRE_WELCOME,
                                 .welcome = {.version = WIRE_VERSION,
                                             .pid = (uint32_t)getpid(),
                                             .slots = h->opts.slots,
                                             .seq = h->journal.seq,
                                             .features = str_of(h->features)}};
    memcpy(welcome.welcome.boot_id, h->boot_id, sizeof h->boot_id);
    peer_send(p, &welcome);
    hold_acked(h, f->hello.acked);
    replay(h, f->hello.acked);
}

static void on_stop(struct house *h, const struct wire_frame *f)
{
    struct held *x = hold_find(h, &f->stop.name);
    if (x)
        hold_stop(h, x, f->stop.cause);
    else /* its START never came: it must not come any more, and the daemon waits for an end */
        hold_refuse(h, &f->stop.name, ECANCELED, "stopped before it was started");
}

/* False: this peer talks nonsense. */
static bool peer_said(struct house *h, struct peer *p, const struct wire_frame *f)
{
    if (f->kind == WIRE_HELLO && f->hello.version == WIRE_VERSION) {
        on_hello(h, p, f);
        return true;
    }
    if (f->kind == WIRE_PING) {
        peer_send(p, &(struct wire_frame){.kind = WIRE_PONG, .ping = f->ping});
        return true;
    }
    if (!p->greeted)
        return false;
    switch (f->kind) {
    case WIRE_START: hold_start(h, &f->start); return true;
    case WIRE_STOP: on_stop(h, f); return true;
    case WIRE_ACK: hold_acked(h, f->ack.seq); return true;
    case WIRE_RETIRE: h->retire = true; return true;
    default: return false;
    }
}

/* All whole frames of what was read; false: nonsense. */
static bool peer_decode(struct house *h, struct peer *p)
{
    size_t at = 0, used;
    struct wire_frame f;
    struct err e;
    uint32_t turn = p->turn;
    do {
        struct str rest = {p->in.at + at, p->in.len - at};
        if (!wire_decode(rest, &f, &used, &e)) {
            house_warn("a peer said: %s", e.text);
            return false;
        }
        if (used && !peer_said(h, p, &f))
            return false;
        if (p->turn != turn)
            return true; /* closed meanwhile */
        at += used;
    } while (used && at < p->in.len);
    buf_cut(&p->in, at);
    return true;
}

/* Once it has read less than it asked for, the socket is empty. */
static bool peer_read(struct house *h, struct peer *p)
{
    for (ssize_t n = READ_BYTES; n == READ_BYTES;) {
        p->in.at = mem_grow(p->in.at, &p->in.cap, p->in.len + READ_BYTES + 1, 1);
        n = recv(p->fd, p->in.at + p->in.len, READ_BYTES, MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n == 0)
            return false;
        p->in.len += (size_t)n;
        if (!peer_decode(h, p))
            return false;
        if (p->fd < 0)
            return true;
    }
    return true;
}

void link_hear(struct house *h, uint64_t id)
{
    struct peer *p = &h->peers[id & 0xffff];
    if (p->fd < 0 || (p->turn & 0xffffff) != id >> 16)
        return;
    if (!peer_read(h, p))
        peer_close(h, p);
}
