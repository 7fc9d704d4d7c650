/* SPDX-License-Identifier: MIT */
#include "raw.h"
#include "base/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { WIDTH_MAX = 64 };

struct raw {
    atomic_uint next;
    uint32_t count;
};
struct lane {
    struct raw *raw;
    uint32_t width;
};
struct task {
    pid_t pid; /* 0: none */
    int out, err;
};

static _Noreturn void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static void task_start(struct task *t)
{
    static char *const argv[] = {"sh", "-c", "true", NULL};
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        give_up("pipe");
    pid_t pid = vfork();
    if (pid == 0) {
        dup2(out[1], 1);
        dup2(err[1], 2);
        execve("/bin/sh", argv, environ);
        _exit(127);
    }
    if (pid < 0)
        give_up("vfork");
    close(out[1]);
    close(err[1]);
    *t = (struct task){pid, out[0], err[0]};
}

/* False: it still runs. */
static bool task_end(struct task *t, int flags)
{
    char buf[64];
    int status;
    pid_t got = waitpid(t->pid, &status, flags);
    if (got == 0)
        return false;
    if (got != t->pid || status != 0)
        give_up("a task failed");
    while (read(t->out, buf, sizeof buf) > 0 || read(t->err, buf, sizeof buf) > 0)
        continue;
    close(t->out);
    close(t->err);
    t->pid = 0;
    return true;
}

static void *lane_run(void *arg)
{
    struct lane *l = arg;
    struct task tasks[WIDTH_MAX] = {0};
    uint32_t live = 0, oldest = 0;
    for (;;) {
        for (uint32_t i = 0; i < l->width; i++)
            if (!tasks[i].pid && atomic_fetch_add(&l->raw->next, 1) < l->raw->count) {
                task_start(&tasks[i]);
                live++;
            }
        if (live == 0)
            return NULL;
        while (!tasks[oldest].pid)
            oldest = (oldest + 1) % l->width;
        live -= task_end(&tasks[oldest], 0);
        for (uint32_t i = 0; i < l->width; i++)
            if (tasks[i].pid)
                live -= task_end(&tasks[i], WNOHANG);
    }
}

int64_t raw_run(uint32_t width, uint32_t count)
{
    struct raw raw = {.count = count};
    struct lane lane = {&raw, width > 1 ? width / 2 : 1};
    uint32_t threads = width > 1 ? 2 : 1;
    pthread_t others[2];
    ASSERT(lane.width <= WIDTH_MAX);
    int64_t begin = clock_mono_us();
    for (uint32_t i = 0; i < threads; i++)
        if (pthread_create(&others[i], NULL, lane_run, &lane))
            give_up("pthread_create");
    for (uint32_t i = 0; i < threads; i++)
        pthread_join(others[i], NULL);
    return clock_mono_us() - begin;
}
