/* SPDX-License-Identifier: MIT
 *
 * watcher/walk.h: a directory tree listed in small steps, and its files opened
 * without ever leaving it.
 *
 * Listed are names that end in .yaml or .yml. Hidden names and what editors
 * leave behind (x~, #x#, .x.swp) are passed over, and so are names that are not
 * UTF-8. A symbolic link to a file counts as the file as long as every step to
 * it stays below the tree (so the `..data` links of a ConfigMap work, an
 * absolute link does not); links to directories are not followed. */
#ifndef WATCHER_WALK_H
#define WATCHER_WALK_H

#include "base/err.h"
#include "watcher/sync.h"

enum { WALK_DEPTH_MAX = 32 };

struct walk_fns {
    /* A definition file, or (`odd` not NULL) something else of such a name. */
    void (*entry)(void *ctx, struct str path, const struct file_stat *stat, const char *odd);
    /* A directory, before anything of it is listed; `path` is "" for the root. */
    void (*dir)(void *ctx, int fd, struct str path);
    void *ctx;
};

struct walk;

/* ERR_NOT_FOUND: the root is not a directory that can be read. */
bool walk_new(const char *root, const struct walk_fns *fns, struct walk **out, struct err *e);
void walk_free(struct walk *w); /* NULL is fine */

/* List up to `most` names more. False: that was all. */
bool walk_step(struct walk *w, size_t most);

/* Names of this kind may be workflow files. */
bool walk_is_definition(struct str name);

/* Open a file below `root` for reading, never blocking. ERR_NOT_FOUND: there is
 * none. ERR_INVALID: it is not a regular file. */
bool walk_open(int root_fd, const char *path, int *out, struct file_stat *stat, struct err *e);
bool walk_stat(int fd, struct file_stat *out); /* of an open file */

#endif
