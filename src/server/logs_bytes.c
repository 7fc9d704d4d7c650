/* SPDX-License-Identifier: MIT
 *
 * server/logs_bytes.c: a walk through three levels of folders, with a bound.
 *
 * Files come and go meanwhile; what cannot be looked at counts as nothing. */
#include "server/logs_bytes.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct walk {
    int64_t bytes;
    int files;
};

static void walk_dir(struct walk *w, int at, const char *name, int depth);

static void look_at(struct walk *w, int dir, const char *name, int depth)
{
    struct stat st;
    if (name[0] == '.' || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    w->files++;
    if (S_ISREG(st.st_mode))
        w->bytes += st.st_size;
    else if (S_ISDIR(st.st_mode) && depth < LOGS_DEPTH_MAX)
        walk_dir(w, dir, name, depth + 1);
}

static void walk_dir(struct walk *w, int at, const char *name, int depth)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (const struct dirent *f; w->files <= LOGS_FILES_MAX && (f = readdir(d));)
        look_at(w, dirfd(d), f->d_name, depth);
    closedir(d);
}

int64_t logs_bytes(const char *home)
{
    struct walk w = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/logs", home);
    walk_dir(&w, AT_FDCWD, path, 1);
    return w.files > LOGS_FILES_MAX ? -1 : w.bytes;
}
