/* SPDX-License-Identifier: MIT */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

bool fd_open_read(int dir, const char *path, int *out, struct err *e)
{
    struct stat st;
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        int no = errno;
        err_sys(e, "%s", path);
        if (no == ENOENT)
            e->kind = ERR_NOT_FOUND;
        return false;
    }
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(e, ERR_INVALID, "%s: not a regular file", path);
    }
    *out = fd;
    return true;
}

bool fd_read_all(int fd, size_t max, struct buf *out, struct err *e)
{
    char chunk[16384];
    size_t start = out->len;
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, "read");
        if (n == 0)
            return true;
        if (out->len - start + (size_t)n > max)
            return err_set(e, ERR_LIMIT, "longer than %zu bytes", max);
        buf_add(out, chunk, (size_t)n);
    }
}

bool fd_write_all(int fd, const void *bytes, size_t n, struct err *e)
{
    const char *p = bytes;
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_sys(e, "write");
        p += done;
        n -= (size_t)done;
    }
    return true;
}

bool fd_replace_file(const char *path, struct str bytes, struct err *e)
{
    CLEANUP(fd_close)
    int fd = -1;
    char temporary[4096];
    int n = snprintf(temporary, sizeof temporary, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof temporary)
        return err_set(e, ERR_INVALID, "%s: the path is too long", path);
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_sys(e, "%s", temporary);
    if (!fd_write_all(fd, bytes.at, bytes.len, e))
        return err_wrap(e, "%s", temporary);
    if (fdatasync(fd) || rename(temporary, path))
        return err_sys(e, "%s", path);
    return true;
}
