/* SPDX-License-Identifier: MIT
 *
 * cli/follow.c: inotify on the write-ahead log, where every commit goes, and on
 * the slots' folder, where living tasks write. A wake-up only means "look
 * again", so merged or missed events do no harm: a look a second is the net. */
#include "cli/follow.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"

enum { NET_MS = 1000 };

void follow_open(struct follow *f, const char *home)
{
    static const char *const below[] = {"gowtf.db-wal", "logs/slots", "logs/files", ""};
    char path[4200];
    f->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    for (size_t i = 0; f->fd >= 0 && i < countof(below); i++) {
        snprintf(path, sizeof path, "%s/%s", home, below[i]);
        (void)inotify_add_watch(f->fd, path, IN_MODIFY | IN_CREATE);
    }
}

void follow_close(struct follow *f)
{
    fd_close(&f->fd);
}

bool follow_wait(struct follow *f, ms_t most_ms)
{
    struct pollfd p = {.fd = f->fd, .events = POLLIN};
    char events[4096];
    int rc = poll(&p, 1, (int)MIN(most_ms, NET_MS));
    if (rc < 0 && errno == EINTR)
        return false;
    while (rc > 0 && read(f->fd, events, sizeof events) > 0)
        ;
    return true;
}
