/* SPDX-License-Identifier: MIT
 *
 * keeper/groups.c: see the header.
 *
 *     BASE/keeper      ourselves: a group with children may not have processes of
 *                      its own once it counts memory
 *     BASE/a1, a2, ... one attempt after the other
 *
 * What must stay true: a group that is taken is empty. What still lives in one at the
 * end of its attempt keeps it; it comes back when they are gone.
 *
 * When is the group we are in ours to divide? If it was delegated: systemd says so in an
 * attribute; to anybody but root the kernel does, by letting us write; and the
 * root of a container's own tree (it has cgroup.events, the machine's root does
 * not) belongs to the container. */
#include "keeper/groups.h"
#include "base/buf.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { GROUP_PATH_MAX = 4096, TABLE_MAX = 1 << 20 };

static int file_open(int dir, const char *name, int flags)
{
    return openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW);
}

static bool file_write(int dir, const char *name, const char *text)
{
    CLEANUP(fd_close)
    int fd = file_open(dir, name, O_WRONLY);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* The number behind `key` in a flat keyed file; 0 if it is not there. */
static uint64_t file_number(int fd, const char *key)
{
    char text[512];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = 0;
    size_t len = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, len) == 0 && line[len] == ' ')
            return strtoull(line + len, NULL, 10);
    }
    return 0;
}

/* ---- which one ---- */

static bool table_read(const char *path, struct buf *out)
{
    CLEANUP(fd_close)
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct err e;
    if (fd < 0 || !fd_read_all(fd, TABLE_MAX, out, &e))
        return false;
    buf_puts(out, ""); /* ends with a NUL */
    return out->at != NULL;
}

/* The line of /proc/self/cgroup for version 2: "0::/path". */
static bool own_path(char out[GROUP_PATH_MAX])
{
    CLEANUP(buf_free)
    struct buf text = {0};
    char *rest = NULL;
    if (!table_read("/proc/self/cgroup", &text))
        return false;
    for (char *line = strtok_r(text.at, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, "0::", 3) == 0 && strlen(line + 3) < GROUP_PATH_MAX) {
            memcpy(out, line + 3, strlen(line + 3) + 1);
            return true;
        }
    return false;
}

/* A line of mountinfo: "36 35 0:30 ROOT POINT ... - cgroup2 ...", as in proc(5). */
static bool mount_parse(char *line, const char **root, const char **point)
{
    char *rest = NULL, *field = strtok_r(line, " ", &rest);
    for (int i = 0; field; i++, field = strtok_r(NULL, " ", &rest)) {
        if (i == 3)
            *root = field;
        if (i == 4)
            *point = field;
        if (i > 4 && strcmp(field, "-") == 0) {
            field = strtok_r(NULL, " ", &rest);
            return field && strcmp(field, "cgroup2") == 0;
        }
    }
    return false;
}

static bool own_directory(char out[GROUP_PATH_MAX])
{
    CLEANUP(buf_free)
    struct buf text = {0};
    char path[GROUP_PATH_MAX], *rest = NULL;
    if (!own_path(path) || !table_read("/proc/self/mountinfo", &text))
        return false;
    for (char *line = strtok_r(text.at, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char *root = "/", *point = "", *below = path;
        if (!mount_parse(line, &root, &point))
            continue;
        if (strcmp(root, "/") != 0) {
            if (strncmp(path, root, strlen(root)) != 0)
                continue;
            below += strlen(root);
        }
        if (snprintf(out, GROUP_PATH_MAX, "%s%s", point, below) < GROUP_PATH_MAX)
            return true;
    }
    return false;
}

static bool says_delegated(const char *path, const char *attribute)
{
    char value[8];
    return getxattr(path, attribute, value, sizeof value) > 0 && value[0] == '1';
}

static bool is_ours(const char *path)
{
    char own[GROUP_PATH_MAX], file[GROUP_PATH_MAX + 32];
    snprintf(file, sizeof file, "%s/cgroup.events", path);
    if (access(file, F_OK))
        return false;
    return geteuid() != 0 || says_delegated(path, "trusted.delegate") ||
           says_delegated(path, "user.delegate") || (own_path(own) && strcmp(own, "/") == 0);
}

/* ---- dividing it ---- */

/* Empty ones of a keeper before us. */
static void remove_empty(int base)
{
    char name[24];
    for (uint32_t i = 1, missing = 0; missing < 64; i++) {
        snprintf(name, sizeof name, "a%u", i);
        missing = unlinkat(base, name, AT_REMOVEDIR) && errno == ENOENT ? missing + 1 : 0;
    }
}

static bool divide(struct groups *g, const char *path, struct err *e)
{
    g->base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (g->base < 0)
        return err_sys(e, "%s", path);
    if ((mkdirat(g->base, "keeper", 0755) && errno != EEXIST) ||
        !file_write(g->base, "keeper/cgroup.procs", "0")) {
        err_sys(e, "%s/keeper", path);
        fd_close(&g->base);
        return false;
    }
    file_write(g->base, "cgroup.subtree_control", "+memory"); /* or not: others may live there */
    remove_empty(g->base);
    return true;
}

bool groups_open(struct groups *g, const char *path, struct err *e)
{
    char own[GROUP_PATH_MAX];
    struct err ignored;
    *g = (struct groups){.base = -1};
    if (path)
        return divide(g, path, e);
    if (own_directory(own) && is_ours(own))
        divide(g, own, &ignored);
    return true;
}

/* One that a keeper before us left with somebody in it keeps its number. */
static int group_make(struct groups *g)
{
    char name[24];
    for (;;) {
        snprintf(name, sizeof name, "a%u", ++g->count);
        if (mkdirat(g->base, name, 0755) == 0)
            return file_open(g->base, name, O_RDONLY | O_DIRECTORY);
        if (errno != EEXIST)
            return -1;
    }
}

struct group *groups_take(struct groups *g)
{
    struct group *one = g->free;
    if (one) {
        g->free = one->next;
        return one;
    }
    int dir = g->base < 0 ? -1 : group_make(g);
    if (dir < 0)
        return NULL;
    one = mem_new(sizeof *one);
    *one = (struct group){.next_all = g->all,
                          .dir = dir,
                          .events = file_open(dir, "cgroup.events", O_RDONLY),
                          .memory = file_open(dir, "memory.events", O_RDONLY)};
    g->all = one;
    return one;
}

void groups_give_back(struct groups *g, struct group *one)
{
    if (!one)
        return;
    one->next = g->free;
    g->free = one;
}

void groups_close(struct groups *g)
{
    for (struct group *one; (one = g->all);) {
        g->all = one->next_all;
        fd_close(&one->dir);
        fd_close(&one->events);
        fd_close(&one->memory);
        free(one);
    }
    if (g->base >= 0)
        remove_empty(g->base);
    fd_close(&g->base);
}

/* ---- one of them ---- */

bool group_is_populated(const struct group *one)
{
    return one && file_number(one->events, "populated") != 0;
}

void group_kill(const struct group *one)
{
    if (one)
        file_write(one->dir, "cgroup.kill", "1");
}

bool group_was_out_of_memory(struct group *one)
{
    if (!one || one->memory < 0)
        return false;
    uint64_t before = one->oom_kills;
    one->oom_kills = file_number(one->memory, "oom_kill");
    return one->oom_kills > before;
}

size_t group_members(const struct group *one, int *out, size_t max)
{
    char text[8192];
    size_t count = 0;
    CLEANUP(fd_close)
    int fd = one ? file_open(one->dir, "cgroup.procs", O_RDONLY) : -1;
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (n <= 0)
        return 0;
    text[n] = 0;
    for (char *at = text, *end; count < max; at = end) {
        long pid = strtol(at, &end, 10);
        if (end == at)
            break;
        out[count++] = (int)pid;
    }
    return count;
}
