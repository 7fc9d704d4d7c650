/* SPDX-License-Identifier: MIT */
#include "watcher/walk.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct level {
    DIR *dir;
    size_t path_len; /* of the directory's path within walk.path */
};

struct walk {
    struct walk_fns fns;
    int root_fd;
    struct buf path; /* of the directory being listed, "" or ending in '/' */
    struct level levels[WALK_DEPTH_MAX];
    size_t depth;
};

static bool is_plain_text(struct str s)
{
    for (size_t i = 0; i < s.len;) {
        size_t n = utf8_span(s.at + i, s.len - i);
        if (n == 0 || (unsigned char)s.at[i] < ' ' || s.at[i] == 0x7f)
            return false;
        i += n;
    }
    return true;
}

bool walk_is_definition(struct str name)
{
    return (str_ends(name, S(".yaml")) || str_ends(name, S(".yml"))) && name.at[0] != '.' &&
           name.at[0] != '#' && is_plain_text(name);
}

static void stat_of(const struct stat *st, struct file_stat *out)
{
    *out = (struct file_stat){
        .dev = (int64_t)st->st_dev,
        .ino = (int64_t)st->st_ino,
        .size = (int64_t)st->st_size,
        .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
        .ctime_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
    };
}

/* openat2() with RESOLVE_BENEATH; where a sandbox does not know it, without
 * following a link at the end. */
static int open_beneath(int root_fd, const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)flags,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS)
        return openat(root_fd, path, flags | O_NOFOLLOW);
    return (int)fd;
}

static const char *odd_kind(mode_t mode)
{
    static const struct {
        mode_t mode;
        const char *what;
    } kinds[] = {
        {S_IFDIR, "a directory"},        {S_IFIFO, "a FIFO"},         {S_IFSOCK, "a socket"},
        {S_IFCHR, "a character device"}, {S_IFBLK, "a block device"},
    };
    for (size_t i = 0; i < countof(kinds); i++)
        if ((mode & S_IFMT) == kinds[i].mode)
            return kinds[i].what;
    return S_ISREG(mode) ? NULL : "not a regular file";
}

bool walk_stat(int fd, struct file_stat *out)
{
    struct stat st;
    if (fstat(fd, &st))
        return false;
    stat_of(&st, out);
    return true;
}

bool walk_open(int root_fd, const char *path, int *out, struct file_stat *stat, struct err *e)
{
    struct stat st;
    CLEANUP(fd_close)
    int fd = open_beneath(root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        bool vanished = errno == ENOENT;
        err_sys(e, "cannot be read");
        e->kind = vanished ? ERR_NOT_FOUND : ERR_SYSTEM;
        return false;
    }
    if (fstat(fd, &st))
        return err_sys(e, "cannot be read");
    if (odd_kind(st.st_mode))
        return err_set(e, ERR_INVALID, "%s", odd_kind(st.st_mode));
    stat_of(&st, stat);
    *out = fd;
    fd = -1;
    return true;
}

static bool push(struct walk *w, int fd)
{
    DIR *dir = w->depth < WALK_DEPTH_MAX ? fdopendir(fd) : NULL;
    if (!dir) {
        close(fd);
        return false;
    }
    w->levels[w->depth++] = (struct level){dir, w->path.len};
    struct str path = {w->path.at, w->path.len ? w->path.len - 1 : 0};
    w->fns.dir(w->fns.ctx, dirfd(dir), path);
    return true;
}

static void pop(struct walk *w)
{
    closedir(w->levels[--w->depth].dir);
    if (w->depth) {
        w->path.len = w->levels[w->depth - 1].path_len;
        w->path.at[w->path.len] = 0;
    }
}

bool walk_new(const char *root, const struct walk_fns *fns, struct walk **out, struct err *e)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int root_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0 || root_fd < 0) {
        fd_close(&fd);
        err_sys(e, "%s", root);
        e->kind = ERR_NOT_FOUND;
        return false;
    }
    struct walk *w = mem_new(sizeof *w);
    w->fns = *fns;
    w->root_fd = root_fd;
    buf_puts(&w->path, "");
    if (!push(w, fd)) {
        err_sys(e, "%s", root);
        walk_free(w);
        return false;
    }
    *out = w;
    return true;
}

void walk_free(struct walk *w)
{
    if (!w)
        return;
    while (w->depth)
        pop(w);
    fd_close(&w->root_fd);
    buf_free(&w->path);
    free(w);
}

static void enter(struct walk *w, int parent, const char *name)
{
    size_t len = w->path.len;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return; /* removed meanwhile, or not ours to read */
    buf_printf(&w->path, "%s/", name);
    if (!push(w, fd)) {
        w->path.len = len;
        w->path.at[len] = 0;
    }
}

/* What is at the end of the link `path`. */
static const char *follow(struct walk *w, const char *path, struct stat *st)
{
    CLEANUP(fd_close)
    int fd = open_beneath(w->root_fd, path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == EXDEV   ? "a link that leads out of the directory"
               : errno == ELOOP ? "a link that leads nowhere"
                                : "a link to something that is not there";
    return fstat(fd, st) ? "a link to something that is not there" : odd_kind(st->st_mode);
}

static void list_file(struct walk *w, const char *name, struct stat *st)
{
    size_t len = w->path.len;
    struct file_stat fs;
    buf_puts(&w->path, name);
    const char *odd = S_ISLNK(st->st_mode) ? follow(w, w->path.at, st) : odd_kind(st->st_mode);
    if (!odd && str_is(str_of(name), "_defaults.yaml"))
        odd = "directory defaults are not in this version";
    stat_of(st, &fs);
    w->fns.entry(w->fns.ctx, (struct str){w->path.at, w->path.len}, &fs, odd);
    w->path.len = len;
    w->path.at[len] = 0;
}

static void list_one(struct walk *w, const struct dirent *d)
{
    int parent = dirfd(w->levels[w->depth - 1].dir);
    struct str name = str_of(d->d_name);
    struct stat st;
    bool definition = walk_is_definition(name);
    if (name.at[0] == '.' || (!definition && d->d_type != DT_DIR && d->d_type != DT_UNKNOWN))
        return;
    if (fstatat(parent, d->d_name, &st, AT_SYMLINK_NOFOLLOW))
        return;
    if (definition)
        list_file(w, d->d_name, &st);
    else if (S_ISDIR(st.st_mode) && is_plain_text(name))
        enter(w, parent, d->d_name);
}

bool walk_step(struct walk *w, size_t most)
{
    for (size_t i = 0; i < most && w->depth; i++) {
        const struct dirent *d = readdir(w->levels[w->depth - 1].dir);
        if (d)
            list_one(w, d);
        else
            pop(w);
    }
    return w->depth > 0;
}
