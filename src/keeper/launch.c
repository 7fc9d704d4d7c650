/* SPDX-License-Identifier: MIT
 *
 * keeper/launch.c: from the keeper to somebody's program.
 *
 * The child shares our memory until its exec, as after vfork: nothing is
 * copied, however big we are. But nobody waits for it: it runs on a stack from a
 * small pool, beside us, and the kernel clears the stack's `busy` when the child lets
 * go of our memory (CLONE_CHILD_CLEARTID: at its exec or its end). So one thread
 * starts tasks as fast as it can clone.
 *
 * The child shares our descriptor table too, until its first act, which is to take a
 * table of its own that holds nothing but standard input (/dev/null): no other
 * descriptor of ours ever reaches a task, and a task's log is never open in anybody but
 * its own family. So the lock on a log is held exactly as long as one of them lives.
 *
 * What must stay true of everything below child_main():
 *
 *   - naked system calls only: no malloc, no lock, no stdio, and not even errno,
 *     which is ours: we run at the same time;
 *   - it writes to *l and to its own stack and to nothing else;
 *   - all signals are blocked until the last step, and the keeper ignores and
 *     handles none, so that the program starts with every signal at its default.
 *
 * Where naked system calls are not written down for a processor, we wait for
 * the child (CLONE_VFORK), and errno is its own that long.
 *
 * The child has its own copy of our umask and directory (no CLONE_FS). */
#include "keeper/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif

/* ---- naked system calls: the result, or -errno ---- */

#if defined __x86_64__
enum { CHILD_WAIT = 0 };

/* clone3, and in the child f(arg), which does not come back. Its stack is the new one. */
static long raw_clone3(const struct clone_args *args, int (*f)(void *), void *arg)
{
    register long r8 __asm__("r8") = (long)f;
    register long r9 __asm__("r9") = (long)arg;
    long result;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r9, %%rdi\n\t"
                     "call *%%r8\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(result)
                     : "a"(SYS_clone3), "D"(args), "S"(sizeof *args), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static long raw5(long nr, long a, long b, long c, long d, long e)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined __aarch64__
enum { CHILD_WAIT = 0 };

static long raw_clone3(const struct clone_args *args, int (*f)(void *), void *arg)
{
    register long x8 __asm__("x8") = SYS_clone3;
    register long x0 __asm__("x0") = (long)args;
    register long x1 __asm__("x1") = sizeof *args;
    register long x2 __asm__("x2") = (long)f;
    register long x3 __asm__("x3") = (long)arg;
    __asm__ volatile("svc 0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, xzr\n\t"
                     "mov x0, x3\n\t"
                     "blr x2\n\t"
                     "brk 1\n"
                     "1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
                     : "memory");
    return x0;
}

static long raw5(long nr, long a, long b, long c, long d, long e)
{
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}
#else
enum { CHILD_WAIT = CLONE_VFORK };

static long raw_clone3(const struct clone_args *args, int (*f)(void *), void *arg)
{
    (void)args, (void)f, (void)arg;
    return -ENOSYS;
}

static long raw5(long nr, long a, long b, long c, long d, long e)
{
    long result = syscall(nr, a, b, c, d, e);
    return result < 0 ? -errno : result;
}
#endif

static long raw(long nr, long a, long b, long c)
{
    return raw5(nr, a, b, c, 0, 0);
}

static long raw_open(const char *path, int flags)
{
    return raw(SYS_openat, AT_FDCWD, (long)path, flags);
}

/* ---- the child ---- */

static _Noreturn void child_fail(struct launch *l, enum launch_step step, long error)
{
    l->step = step;
    l->error = (int)-error;
    for (;;)
        raw(SYS_exit_group, 127, 0, 0);
}

/* The next free descriptor becomes the log, locked; or /dev/null, and nobody
 * fails for want of a place to write. */
static void child_open_log(struct launch *l, const char *path)
{
    long fd = raw_open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NOCTTY), error = fd;
    if (fd >= 0 && (error = raw(SYS_flock, fd, LOCK_EX | LOCK_NB, 0)) == 0)
        return;
    l->log_error = (int)-error;
    if (fd >= 0)
        raw(SYS_close, fd, 0, 0);
    if ((error = raw_open("/dev/null", O_WRONLY)) < 0)
        child_fail(l, LAUNCH_SETUP, error);
}

/* A script without "#!" is given to the shell, as every shell does. */
static long child_exec_path(struct launch *l, const char *path)
{
    long error = raw(SYS_execve, (long)path, (long)l->argv, (long)l->envp);
    if (error != -ENOEXEC)
        return error;
    char *first = l->argv[0];
    l->argv[-1] = (char *)"/bin/sh";
    l->argv[0] = (char *)path;
    raw(SYS_execve, (long)"/bin/sh", (long)(l->argv - 1), (long)l->envp);
    l->argv[0] = first;
    return -ENOEXEC;
}

/* Try each directory of `search`. The error that counts is the first one that
 * is not "not here". */
static long child_exec_search(struct launch *l)
{
    long worth_telling = -ENOENT;
    size_t name_len = strlen(l->argv[0]);
    for (const char *dir = l->search; dir;) {
        const char *end = strchr(dir, ':');
        size_t n = end ? (size_t)(end - dir) : strlen(dir);
        if (n && n + 1 + name_len < sizeof l->path) {
            memcpy(l->path, dir, n);
            l->path[n] = '/';
            memcpy(l->path + n + 1, l->argv[0], name_len + 1);
            long error = child_exec_path(l, l->path);
            if (error != -ENOENT && error != -ENOTDIR && worth_telling == -ENOENT)
                worth_telling = error;
        }
        dir = end ? end + 1 : NULL;
    }
    l->path[0] = 0;
    return worth_telling;
}

static int child_main(void *arg)
{
    struct launch *l = arg;
    uint64_t no_signals = 0;
    long error = raw(SYS_close_range, 1, ~0u, CLOSE_RANGE_UNSHARE);
    if (error < 0)
        child_fail(l, LAUNCH_SETUP, error);
    raw(SYS_setsid, 0, 0, 0);
    child_open_log(l, l->out);
    child_open_log(l, l->err);
    raw(SYS_umask, 022, 0, 0);
    if (*l->workdir && (error = raw(SYS_chdir, (long)l->workdir, 0, 0)) < 0)
        child_fail(l, LAUNCH_WORKDIR, error);
    if (!l->may_gain_privileges)
        raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0);
    raw5(SYS_rt_sigprocmask, SIG_SETMASK, (long)&no_signals, 0, sizeof no_signals, 0);
    child_fail(l, LAUNCH_EXEC,
               strchr(l->argv[0], '/') ? child_exec_path(l, l->argv[0]) : child_exec_search(l));
}

/* ---- the parent ---- */

/* One child's stack, at the end of its own block. */
struct launch_stack {
    pid_t busy; /* cleared by the kernel */
    const struct launch *user;
    char *bytes;
};

static bool stack_is_free(const struct launch_stack *s)
{
    return __atomic_load_n(&s->busy, __ATOMIC_ACQUIRE) == 0;
}

static struct launch_stack *stack_take(struct launch_pool *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (stack_is_free(p->at[i]))
            return p->at[i];
    struct launch_stack *s = mem_new(sizeof *s);
    s->bytes = aligned_alloc(4096, LAUNCH_STACK_BYTES);
    ASSERT(s->bytes);
    p->at = mem_grow(p->at, &p->cap, p->count + 1, sizeof *p->at);
    p->at[p->count++] = s;
    return s;
}

enum {
    SHARED = CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID | CHILD_WAIT,
    FLAGS = SHARED | SIGCHLD
};

static pid_t clone_into_cgroup(struct launch *l, struct launch_stack *s)
{
    struct clone_args args = {.flags = CLONE_INTO_CGROUP | (uint64_t)SHARED,
                              .exit_signal = SIGCHLD,
                              .stack = (uintptr_t)s->bytes,
                              .stack_size = LAUNCH_STACK_BYTES,
                              .child_tid = (uintptr_t)&s->busy,
                              .cgroup = (unsigned)l->cgroup};
    long pid = raw_clone3(&args, child_main, l);
    if (pid < 0)
        errno = (int)-pid;
    return pid < 0 ? -1 : (pid_t)pid;
}

pid_t launch_run(struct launch *l, struct launch_pool *p)
{
    struct launch_stack *s = stack_take(p);
    s->busy = 1;
    s->user = l;
    l->stack = s;
    pid_t pid = l->cgroup >= 0 ? clone_into_cgroup(l, s)
                               : clone(child_main, s->bytes + LAUNCH_STACK_BYTES, FLAGS, l, NULL,
                                       NULL, &s->busy);
    if (pid < 0)
        s->busy = 0;
    return pid;
}

bool launch_is_away(const struct launch *l)
{
    return l->stack->user != l || stack_is_free(l->stack);
}

/* A child still on its stack keeps it: we are about to exit, and it is not. */
void launch_pool_free(struct launch_pool *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (stack_is_free(p->at[i])) {
            free(p->at[i]->bytes);
            free(p->at[i]);
        }
    free(p->at);
    *p = (struct launch_pool){0};
}
