/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/replay.c: a main for a fuzz target, without a fuzzer. It runs the
 * target on every file of the directories given, and on pieces of each file, so
 * that a corpus is an ordinary test of any compiler's build. */
#include "base/fd.h"
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

enum { FILE_BYTES = 1 << 20, PIECES = 48 };

/* In memory of exactly its size, so that a sanitizer sees the end of it. */
static void run_exact(const char *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    ASSERT(copy);
    if (n)
        memcpy(copy, bytes, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static bool run_file(int dir, const char *name)
{
    CLEANUP(fd_close) int fd = -1;
    CLEANUP(buf_free) struct buf b = {0};
    struct err e = {0};
    if (!fd_open_read(dir, name, &fd, &e) || !fd_read_all(fd, FILE_BYTES, &b, &e)) {
        fprintf(stderr, "%s: %s\n", name, e.text);
        return false;
    }
    run_exact(b.at, b.len);
    for (size_t i = 1; i < PIECES; i++) {
        run_exact(b.at, b.len * i / PIECES);
        run_exact(b.at + b.len * i / PIECES, b.len - b.len * i / PIECES);
    }
    return true;
}

static bool run_dir(const char *path, size_t *files)
{
    DIR *d = opendir(path);
    bool ok = d;
    if (!d)
        fprintf(stderr, "%s: cannot be opened\n", path);
    for (struct dirent *f; d && (f = readdir(d));) {
        if (f->d_name[0] == '.')
            continue;
        ok = run_file(dirfd(d), f->d_name) && ok;
        ++*files;
    }
    if (d)
        closedir(d);
    return ok;
}

int main(int argc, char **argv)
{
    size_t files = 0;
    bool ok = argc > 1;
    run_exact("", 0);
    for (int i = 1; i < argc; i++)
        ok = run_dir(argv[i], &files) && ok;
    printf("%zu files\n", files);
    return ok && files ? 0 : 1;
}
