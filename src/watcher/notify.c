/* SPDX-License-Identifier: MIT */
#include "watcher/notify.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/map.h"
#include "watcher/walk.h"

#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    HERE = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_CLOSE_WRITE |
           IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
    ABOVE = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_ONLYDIR | IN_DONT_FOLLOW,
    COMING_AND_GOING = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO,
};

/* A directory under watch. */
struct spot {
    int wd;
    char *path; /* "" for the root, else ending in '/'; NULL: the root's parent */
    uint64_t seen;
};

struct open_file {
    char *path;
    ms_t first, last; /* when it was written */
};

struct notify {
    int fd;
    bool works;
    uint64_t round;
    struct map spots; /* by watch descriptor + 1 */
    char *root_name;  /* in its parent */
    struct open_file open[OPEN_FILES_MAX];
    size_t open_count;
};

struct notify *notify_new(void)
{
    struct notify *n = mem_new(sizeof *n);
    n->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    n->works = n->fd >= 0;
    return n;
}

static void spot_free(struct spot *s)
{
    free(s->path);
    free(s);
}

void notify_free(struct notify *n)
{
    if (!n)
        return;
    for (struct map_slot *s = NULL; (s = map_each(&n->spots, s));)
        spot_free(s->value);
    map_free(&n->spots);
    for (size_t i = 0; i < n->open_count; i++)
        free(n->open[i].path);
    free(n->root_name);
    fd_close(&n->fd);
    free(n);
}

int notify_fd(const struct notify *n)
{
    return n->fd;
}

bool notify_works(const struct notify *n)
{
    return n->works;
}

/* Takes `path`. Watching what is watched gives the same descriptor again. */
static void watch(struct notify *n, const char *where, uint32_t mask, char *path)
{
    int wd = n->fd < 0 ? -1 : inotify_add_watch(n->fd, where, mask);
    if (wd < 0) {
        n->works = false;
        free(path);
        return;
    }
    struct spot *s = map_get(&n->spots, wd + 1);
    if (!s) {
        s = mem_new(sizeof *s);
        s->wd = wd;
        map_put(&n->spots, wd + 1, s);
    }
    free(s->path);
    s->path = path;
    s->seen = n->round;
}

void notify_begin(struct notify *n, const char *root)
{
    const char *slash = strrchr(root, '/');
    CLEANUP(mem_free_at)
    char *parent = mem_strdup(root);
    n->round++;
    n->works = n->fd >= 0;
    free(n->root_name);
    n->root_name = mem_strdup(slash ? slash + 1 : root);
    if (!slash || !slash[1])
        return; /* "/" has no parent */
    parent[slash == root ? 1 : slash - root] = 0;
    watch(n, parent, ABOVE, NULL);
}

void notify_dir(struct notify *n, int fd, struct str path)
{
    char where[40], *text = mem_new(path.len + 2);
    snprintf(where, sizeof where, "/proc/self/fd/%d", fd);
    if (path.len)
        snprintf(text, path.len + 2, "%.*s/", STR_ARG(path));
    watch(n, where, HERE, text);
}

void notify_end(struct notify *n)
{
    bool again = true;
    while (again) {
        again = false;
        for (struct map_slot *m = NULL; (m = map_each(&n->spots, m));) {
            struct spot *s = m->value;
            if (s->seen == n->round)
                continue;
            inotify_rm_watch(n->fd, s->wd);
            map_take(&n->spots, s->wd + 1);
            spot_free(s);
            again = true;
            break;
        }
    }
}

/* ---- files being written ---- */

static void open_drop(struct notify *n, size_t i)
{
    free(n->open[i].path);
    n->open[i] = n->open[--n->open_count];
}

static size_t open_find(const struct notify *n, const char *path)
{
    size_t i = 0;
    while (i < n->open_count && strcmp(n->open[i].path, path) != 0)
        i++;
    return i;
}

static void note_written(struct notify *n, const char *path, ms_t now)
{
    size_t i = open_find(n, path);
    if (i == OPEN_FILES_MAX)
        return;
    if (i == n->open_count)
        n->open[n->open_count++] = (struct open_file){mem_strdup(path), now, now};
    n->open[i].last = now;
}

static void note_closed(struct notify *n, const char *path)
{
    size_t i = open_find(n, path);
    if (i < n->open_count)
        open_drop(n, i);
}

static ms_t patience_with(const struct open_file *o)
{
    return MIN(o->last + OPEN_PAUSE_MS, o->first + OPEN_LONG_MS);
}

struct str notify_open_file(struct notify *n, size_t *i, ms_t steady)
{
    while (*i < n->open_count && patience_with(&n->open[*i]) <= steady)
        open_drop(n, *i);
    return *i < n->open_count ? str_of(n->open[(*i)++].path) : STR_NONE;
}

ms_t notify_patience(const struct notify *n)
{
    ms_t until = MS_NEVER;
    for (size_t i = 0; i < n->open_count; i++)
        until = MIN(until, patience_with(&n->open[i]));
    return until;
}

/* ---- events ---- */

/* Tasks may write files beside their workflow all day. So of names that are
 * no definitions only those matter that a link or a directory may bear. */
static bool matters(const struct notify *n, const struct spot *s, uint32_t mask, const char *name)
{
    if (!s->path)
        return strcmp(name, n->root_name) == 0;
    if (!*name || mask & IN_ISDIR || walk_is_definition(str_of(name)))
        return true;
    return mask & IN_MOVED_TO || (mask & COMING_AND_GOING && strncmp(name, "..", 2) == 0);
}

static void note_writer(struct notify *n, const struct spot *s, uint32_t mask, const char *name,
                        ms_t now)
{
    struct buf path = {0};
    if (!s->path || !walk_is_definition(str_of(name)))
        return;
    buf_printf(&path, "%s%s", s->path, name);
    if (mask & IN_MODIFY)
        note_written(n, path.at, now);
    else if (mask & (IN_CLOSE_WRITE | COMING_AND_GOING))
        note_closed(n, path.at);
    buf_free(&path);
}

static bool hear(struct notify *n, const struct inotify_event *ev, ms_t now)
{
    const char *name = ev->len ? ev->name : "";
    if (ev->mask & IN_Q_OVERFLOW) {
        while (n->open_count)
            open_drop(n, 0);
        return true;
    }
    struct spot *s = map_get(&n->spots, ev->wd + 1);
    if (!s)
        return false;
    if (ev->mask & IN_IGNORED) {
        map_take(&n->spots, ev->wd + 1);
        spot_free(s);
        return true;
    }
    note_writer(n, s, ev->mask, name, now);
    return matters(n, s, ev->mask, name);
}

bool notify_read(struct notify *n, ms_t steady)
{
    _Alignas(struct inotify_event) char chunk[16384];
    bool look = false;
    for (int rounds = 0; n->fd >= 0 && rounds < 16; rounds++) {
        ssize_t got = read(n->fd, chunk, sizeof chunk);
        if (got <= 0)
            break;
        for (char *p = chunk; p < chunk + got;) {
            const struct inotify_event *ev = (const void *)p;
            look |= hear(n, ev, steady);
            p += sizeof *ev + ev->len;
        }
    }
    return look;
}
