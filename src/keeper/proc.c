/* SPDX-License-Identifier: MIT
 *
 * keeper/proc.c: see the header. Sources: proc(5), pidfd_open(2), and
 * include/uapi/linux/pidfd.h of Linux 6.15 for PIDFD_GET_INFO. */
#include "keeper/proc.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    ENVIRON_MAX = 4 << 20,
    CHILDREN_MAX = 64 << 10,
    TREE_MAX = 256,
    GROUP_MAX = 1024,
    OOM_OFFER = 200,
    OOM_MAX = 1000
};

/* The beginning of a small file of /proc; its length, or -1. */
static ssize_t proc_read(const char *path, char *buf, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, buf, cap - 1);
    close(fd);
    if (n >= 0)
        buf[n] = 0;
    return n;
}

/* The name may hold blanks and brackets, so the fields begin after the last one. */
static bool stat_parse(char *text, struct proc *p)
{
    char *open_at = strchr(text, '('), *close_at = strrchr(text, ')');
    unsigned long long user, sys, child_user, child_sys, ticks;
    long long rss;
    if (!open_at || !close_at || close_at < open_at)
        return false;
    snprintf(p->name, sizeof p->name, "%.*s", (int)(close_at - open_at - 1), open_at + 1);
    p->pid = (pid_t)strtol(text, NULL, 10);
    if (sscanf(close_at + 1,
               " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu %*d %*d %*d %*d %llu "
               "%*u %lld",
               &p->state, &p->parent, &p->session, &user, &sys, &child_user, &child_sys, &ticks,
               &rss) != 9)
        return false;
    uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);
    p->cpu_ms = (user + sys + child_user + child_sys) * 1000 / per_second;
    p->rss_kib = (uint64_t)MAX(rss, 0) * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
    p->ticks = ticks;
    return true;
}

bool proc_look(pid_t pid, struct proc *out)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    return proc_read(path, text, sizeof text) > 0 && stat_parse(text, out);
}

void procs_scan(struct procs *p)
{
    DIR *d = opendir("/proc");
    p->count = 0;
    if (!d)
        return;
    for (struct dirent *entry; (entry = readdir(d));) {
        uint32_t pid;
        struct proc one;
        if (!str_to_u32(str_of(entry->d_name), &pid) || !proc_look((pid_t)pid, &one))
            continue;
        p->at = mem_grow(p->at, &p->cap, p->count + 1, sizeof *p->at);
        p->at[p->count++] = one;
    }
    closedir(d);
}

void procs_free(struct procs *p)
{
    free(p->at);
    *p = (struct procs){0};
}

bool proc_cookie(pid_t pid, struct wire_name *out, bool *detached)
{
    CLEANUP(fd_close)
    int fd = -1;
    CLEANUP(buf_free)
    struct buf env = {0};
    struct err e;
    char path[64];
    bool found = false;
    static const char key[] = WIRE_COOKIE "=";
    *detached = false;
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !fd_read_all(fd, ENVIRON_MAX, &env, &e))
        return false;
    for (size_t at = 0; at < env.len;) {
        struct str text = {env.at + at, strnlen(env.at + at, env.len - at)};
        struct str value = {text.at + sizeof key - 1, text.len - (sizeof key - 1)};
        if (!found && str_starts(text, str_of(key)))
            found = wire_name_parse(value, out);
        *detached |= str_is(text, WIRE_COOKIE_DETACH);
        at += text.len + 1;
    }
    return found;
}

static const struct proc *procs_find(const struct procs *p, pid_t pid)
{
    size_t low = 0, high = p->count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (p->at[mid].pid < pid)
            low = mid + 1;
        else
            high = mid;
    }
    return low < p->count && p->at[low].pid == pid ? &p->at[low] : NULL;
}

static bool is_below(const struct procs *p, const struct proc *one, pid_t top)
{
    for (int depth = 0; one && depth < 4096; depth++) {
        if (one->parent == top)
            return true;
        one = one->parent > 1 ? procs_find(p, one->parent) : NULL;
    }
    return false;
}

static bool is_own_name(const struct family *f, const struct proc *one)
{
    struct wire_name name;
    bool detached;
    return proc_cookie(one->pid, &name, &detached) && wire_name_eq(&name, &f->name);
}

/* The number of a session stays taken while anybody is in it. So a living leader
 * with that number, when ours is gone, leads another session. */
static bool session_is_ours(const struct procs *p, const struct family *f)
{
    return f->leader > 0 && (f->leader_lives || !procs_find(p, f->leader));
}

static bool is_member(const struct procs *p, const struct family *f, const struct proc *one,
                      bool session_ours)
{
    if (one->state == 'Z' || one->pid == getpid() || one->pid == 1)
        return false;
    bool mine = is_below(p, one, getpid());
    if (!mine && !f->adopted)
        return false;
    if (session_ours && one->session == f->leader && (mine || f->leader_lives))
        return true;
    return is_own_name(f, one);
}

static bool is_in(const struct procs *p, const uint32_t *list, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (p->at[list[i]].pid == pid)
            return true;
    return false;
}

static size_t add_group(const struct procs *p, const struct group *g, uint32_t **out, size_t *cap,
                        size_t count)
{
    int pids[GROUP_MAX];
    size_t found = group_members(g, pids, GROUP_MAX);
    for (size_t i = 0; i < found; i++) {
        const struct proc *one = procs_find(p, pids[i]);
        if (!one || one->state == 'Z' || is_in(p, *out, count, one->pid))
            continue;
        *out = mem_grow(*out, cap, count + 1, sizeof **out);
        (*out)[count++] = (uint32_t)(one - p->at);
    }
    return count;
}

size_t family_find(const struct procs *p, const struct family *f, uint32_t **out, size_t *cap)
{
    size_t count = 0, before;
    bool session_ours = session_is_ours(p, f);
    for (size_t i = 0; i < p->count; i++)
        if (is_member(p, f, &p->at[i], session_ours)) {
            *out = mem_grow(*out, cap, count + 1, sizeof **out);
            (*out)[count++] = (uint32_t)i;
        }
    count = add_group(p, f->group, out, cap, count);
    do { /* children of members, until there are no more */
        before = count;
        for (size_t i = 0; i < p->count; i++) {
            const struct proc *one = &p->at[i];
            if (one->state == 'Z' || is_in(p, *out, count, one->pid) ||
                !is_in(p, *out, count, one->parent))
                continue;
            *out = mem_grow(*out, cap, count + 1, sizeof **out);
            (*out)[count++] = (uint32_t)i;
        }
    } while (count > before);
    return count;
}

bool proc_signal(const struct proc *p, int signal)
{
    CLEANUP(fd_close)
    int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    struct proc now;
    return fd >= 0 && proc_look(p->pid, &now) && now.ticks == p->ticks &&
           syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
}

/* Numbers in a children file, appended. */
static size_t children_of(const char *path, pid_t *out, size_t count, size_t max)
{
    char text[CHILDREN_MAX];
    if (proc_read(path, text, sizeof text) <= 0)
        return count;
    for (char *at = text, *end; count < max; at = end) {
        long pid = strtol(at, &end, 10);
        if (end == at)
            break;
        out[count++] = (pid_t)pid;
    }
    return count;
}

static size_t process_children(pid_t pid, pid_t *out, size_t count, size_t max)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    if (!d)
        return count;
    for (struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/children", pid, entry->d_name);
        count = children_of(path, out, count, max);
    }
    closedir(d);
    return count;
}

size_t proc_children(pid_t *out, size_t max)
{
    return process_children(getpid(), out, 0, max);
}

void proc_tree_usage(pid_t leader, uint64_t *cpu_ms, uint64_t *rss_kib)
{
    pid_t tree[TREE_MAX] = {leader};
    *cpu_ms = *rss_kib = 0;
    for (size_t i = 0, count = 1; i < count; i++) {
        struct proc p;
        if (!proc_look(tree[i], &p))
            continue;
        *cpu_ms += p.cpu_ms;
        *rss_kib += p.rss_kib;
        count = process_children(tree[i], tree, count, TREE_MAX);
    }
}

void proc_offer_to_oom(pid_t pid)
{
    char path[64], text[16];
    if (proc_read("/proc/self/oom_score_adj", text, sizeof text) <= 0)
        return;
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", pid);
    CLEANUP(fd_close)
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
        dprintf(fd, "%ld", MIN(strtol(text, NULL, 10) + OOM_OFFER, OOM_MAX));
}

/* The kernel's struct of 6.15; older headers do not have it. */
struct exit_info {
    uint64_t mask, cgroup_id;
    uint32_t pid, tgid, parent, ids[8];
    int32_t exit_code;
};
_Static_assert(sizeof(struct exit_info) == 64, "PIDFD_INFO_SIZE_VER0");
enum { INFO_EXIT = 1 << 3 };
#define GET_INFO _IOWR(0xFF, 11, struct exit_info)

bool pidfd_exit_status(int pidfd, int *status)
{
    struct exit_info info = {.mask = INFO_EXIT};
    if (ioctl(pidfd, GET_INFO, &info) || !(info.mask & INFO_EXIT))
        return false;
    *status = info.exit_code;
    return true;
}

/* A living process cannot be asked whether its end will be remembered. */
bool pidfd_can_tell(void)
{
    struct utsname u;
    unsigned major, minor;
    return uname(&u) == 0 && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
           (major > 6 || (major == 6 && minor >= 15));
}

bool boot_id_read(uint8_t out[16], struct err *e)
{
    char text[64];
    if (proc_read("/proc/sys/kernel/random/boot_id", text, sizeof text) < 36)
        return err_sys(e, "/proc/sys/kernel/random/boot_id");
    for (int i = 0, at = 0; i < 16; i++) {
        unsigned byte;
        if (text[at] == '-')
            at++;
        if (sscanf(text + at, "%2x", &byte) != 1)
            return err_set(e, ERR_SYSTEM, "the boot id is no uuid");
        out[i] = (uint8_t)byte;
        at += 2;
    }
    return true;
}
