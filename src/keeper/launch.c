/* SPDX-License-Identifier: MIT
 *
 * keeper/launch.c: from a keeper's thread to somebody's program.
 *
 * The child shares our memory until its exec, as after vfork: nothing is
 * copied, however big we are, and only the calling thread waits. It shares our
 * descriptor table too, until its first act, which is to take a table of its own
 * that holds nothing but standard input (/dev/null): no other descriptor of
 * ours ever reaches a task, and a task's log is never open in anybody but its own
 * family. So the lock on a log is held exactly as long as one of them lives.
 *
 * What must stay true of everything below child_main():
 *
 *   - system calls only: no malloc, no lock, no stdio, nothing that runs at exit;
 *   - it writes to *l and to its own stack and to nothing else;
 *   - all signals are blocked until the last step, and the keeper ignores and
 *     handles none, so that the program starts with every signal at its default.
 *
 * The threads of the keeper run with the umask and directory of the keeper; the
 * child has its own copy of both (no CLONE_FS). */
#include "keeper/launch.h"

#include <errno.h>
#include <fcntl.h>
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

static _Noreturn void child_fail(struct launch *l, enum launch_step step)
{
    l->error = errno;
    l->step = step;
    _exit(127);
}

/* The next free descriptor becomes the log, locked; or /dev/null, and nobody
 * fails for want of a place to write. */
static void child_open_log(struct launch *l, const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NOCTTY);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return;
    l->log_error = errno;
    if (fd >= 0)
        close(fd);
    if (open("/dev/null", O_WRONLY) < 0)
        child_fail(l, LAUNCH_SETUP);
}

/* A script without "#!" is given to the shell, as every shell does. */
static void child_exec_path(struct launch *l, const char *path)
{
    execve(path, l->argv, l->envp);
    if (errno != ENOEXEC)
        return;
    char *first = l->argv[0];
    l->argv[-1] = (char *)"/bin/sh";
    l->argv[0] = (char *)path;
    execve("/bin/sh", l->argv - 1, l->envp);
    l->argv[0] = first;
    errno = ENOEXEC;
}

/* Try each directory of `search`. The errno that counts is the first one that
 * is not "not here". */
static void child_exec_search(struct launch *l)
{
    int worth_telling = ENOENT;
    size_t name_len = strlen(l->argv[0]);
    for (const char *dir = l->search; dir;) {
        const char *end = strchr(dir, ':');
        size_t n = end ? (size_t)(end - dir) : strlen(dir);
        if (n && n + 1 + name_len < sizeof l->path) {
            memcpy(l->path, dir, n);
            l->path[n] = '/';
            memcpy(l->path + n + 1, l->argv[0], name_len + 1);
            child_exec_path(l, l->path);
            if (errno != ENOENT && errno != ENOTDIR && worth_telling == ENOENT)
                worth_telling = errno;
        }
        dir = end ? end + 1 : NULL;
    }
    l->path[0] = 0;
    errno = worth_telling;
}

static int child_main(void *arg)
{
    struct launch *l = arg;
    sigset_t none;
    if (close_range(1, ~0u, CLOSE_RANGE_UNSHARE))
        child_fail(l, LAUNCH_SETUP);
    setsid();
    child_open_log(l, l->out);
    child_open_log(l, l->err);
    umask(022);
    if (*l->workdir && chdir(l->workdir))
        child_fail(l, LAUNCH_WORKDIR);
    if (!l->may_gain_privileges)
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (strchr(l->argv[0], '/'))
        child_exec_path(l, l->argv[0]);
    else
        child_exec_search(l);
    child_fail(l, LAUNCH_EXEC);
}

pid_t launch_run(struct launch *l, void *stack)
{
    enum { FLAGS = CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PARENT_SETTID | SIGCHLD };
    return clone(child_main, (char *)stack + LAUNCH_STACK_BYTES, FLAGS, l, &l->pid);
}
