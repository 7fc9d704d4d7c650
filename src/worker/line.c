/* SPDX-License-Identifier: MIT */
#include "worker/line.h"
#include "base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 64 << 10 };

static bool connect_to(int fd, const char *path, struct err *e)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (snprintf(to.sun_path, sizeof to.sun_path, "%s", path) >= (int)sizeof to.sun_path)
        return err_set(e, ERR_INVALID, "%s: longer than a socket's name may be", path);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return true;
    bool down = errno == ECONNREFUSED || errno == ENOENT || errno == EAGAIN;
    err_sys(e, "%s", path);
    if (down)
        e->kind = ERR_DOWN;
    return false;
}

bool line_open(struct line *l, const char *socket_path, struct err *e)
{
    struct ucred peer;
    socklen_t n = sizeof peer;
    CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(e, "socket");
    if (!connect_to(fd, socket_path, e))
        return false;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n))
        return err_sys(e, "%s", socket_path);
    if (peer.uid != geteuid() && peer.uid != 0)
        return err_set(e, ERR_DENIED, "%s: a process of user %u listens there", socket_path,
                       (unsigned)peer.uid);
    l->pid = (uint32_t)peer.pid;
    l->pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    l->fd = fd;
    fd = -1;
    return true;
}

void line_close(struct line *l)
{
    fd_close(&l->fd);
    fd_close(&l->pidfd);
    buf_free(&l->in);
    buf_free(&l->out);
}

bool line_fill(struct line *l, struct err *e)
{
    char chunk[READ_BYTES];
    ssize_t n = read(l->fd, chunk, sizeof chunk);
    if (n > 0) {
        buf_add(&l->in, chunk, (size_t)n);
        return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n < 0 && errno != ECONNRESET)
        return err_sys(e, "read from keeper");
    return err_set(e, ERR_DOWN, "the keeper closed the connection");
}

bool line_next(struct line *l, size_t *at, struct wire_frame *out, bool *found, struct err *e)
{
    size_t used;
    *found = false;
    if (*at == l->in.len)
        return true;
    if (!wire_decode((struct str){l->in.at + *at, l->in.len - *at}, out, &used, e))
        return false;
    *found = used > 0;
    *at += used;
    return true;
}

void line_forget(struct line *l, size_t at)
{
    buf_cut(&l->in, at);
}

bool line_send(struct line *l, const struct wire_frame *f, struct err *e)
{
    return wire_encode(f, &l->out, e);
}

bool line_flush(struct line *l, struct err *e)
{
    size_t done = 0;
    while (done < l->out.len) {
        ssize_t n = send(l->fd, l->out.at + done, l->out.len - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            return err_sys(e, "write to keeper");
        done += (size_t)n;
    }
    buf_cut(&l->out, done);
    return true;
}
