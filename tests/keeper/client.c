/* SPDX-License-Identifier: MIT */
#include "client.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

static pid_t keeper_to_end; /* a test that gives up leaves nobody behind */

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "# gave up: %s\n", what);
    if (keeper_to_end)
        kill(keeper_to_end, SIGKILL);
    abort();
}

/* The tasks of a dead keeper come home to the test: nobody else may be relied on to
 * reap them soon. */
static void reap_orphans(const struct client *c)
{
    siginfo_t info = {0};
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid &&
           info.si_pid != c->keeper) {
        waitpid(info.si_pid, NULL, 0);
        info.si_pid = 0;
    }
}

static void in_dir(const struct client *c, const char *path, char out[256])
{
    snprintf(out, 256, "%s/%s", c->dir, path);
}

void client_spawn(struct client *c)
{
    int ready[2];
    char text[3][24];
    if (pipe2(ready, O_CLOEXEC))
        give_up("pipe");
    snprintf(text[0], sizeof text[0], "%u", c->slots);
    snprintf(text[1], sizeof text[1], "%lld", (long long)c->linger_ms);
    snprintf(text[2], sizeof text[2], "%llu", (unsigned long long)c->log_max);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    c->keeper = keeper_to_end = fork();
    if (c->keeper == 0) {
        dup2(ready[1], 1);
        execl(KEEPER_PATH, "gowtf-keeper", c->dir, text[0], text[1], text[2],
              c->cgroup ? c->cgroup : getenv("KEEPER_CGROUP"), NULL);
        _exit(127);
    }
    close(ready[1]);
    char byte;
    if (read(ready[0], &byte, 1) != 1)
        give_up("the keeper did not get ready");
    close(ready[0]);
}

void client_kill(struct client *c)
{
    kill(c->keeper, SIGKILL);
    waitpid(c->keeper, NULL, 0);
    c->keeper = keeper_to_end = 0;
    client_disconnect(c);
}

void client_connect(struct client *c)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/keeper/socket", c->dir);
    client_disconnect(c);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(c->fd, (struct sockaddr *)&at, sizeof at))
        give_up("connect");
    client_send(c, &(struct wire_frame){.kind = WIRE_HELLO, .hello = {WIRE_VERSION, c->acked}});
}

void client_disconnect(struct client *c)
{
    fd_close(&c->fd);
    buf_clear(&c->in);
    c->in_used = 0;
}

void client_open(struct client *c)
{
    struct err e;
    char base[64];
    const char *tmp = getenv("TMPDIR");
    snprintf(base, sizeof base, "%.40s/gowtf-k-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(base) || !ulid_new(clock_wall(), &c->run, &e))
        give_up("a directory");
    memcpy(c->dir, base, sizeof base);
    c->fd = -1;
    client_spawn(c);
    client_connect(c);
    client_expect(c, WIRE_ALIVE);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st, (void)kind, (void)walk;
    return remove(path);
}

void client_close(struct client *c)
{
    client_disconnect(c);
    if (c->keeper) {
        kill(c->keeper, SIGTERM);
        waitpid(c->keeper, NULL, 0);
    }
    keeper_to_end = 0;
    nftw(c->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    buf_free(&c->in);
}

void client_send(struct client *c, const struct wire_frame *f)
{
    CLEANUP(buf_free)
    struct buf b = {0};
    struct err e;
    if (!wire_encode(f, &b, &e) || send(c->fd, b.at, b.len, MSG_NOSIGNAL) != (ssize_t)b.len)
        give_up("send");
}

static bool decode(struct client *c, struct wire_frame *out)
{
    struct err e;
    size_t used;
    struct str rest = {c->in.at + c->in_used, c->in.len - c->in_used};
    if (!wire_decode(rest, out, &used, &e))
        give_up(e.text);
    c->in_used += used;
    return used > 0;
}

bool client_next(struct client *c, struct wire_frame *out, ms_t wait_ms)
{
    struct pollfd p = {c->fd, POLLIN, 0};
    char chunk[65536];
    ms_t until = clock_boot() + wait_ms;
    while (!decode(c, out)) {
        buf_cut(&c->in, c->in_used);
        c->in_used = 0;
        ms_t left = until - clock_boot();
        if (left < 0)
            return false;
        reap_orphans(c);
        if (poll(&p, 1, (int)MIN(left, 20)) <= 0)
            continue;
        ssize_t n = recv(c->fd, chunk, sizeof chunk, 0);
        if (n <= 0)
            return false;
        buf_add(&c->in, chunk, (size_t)n);
    }
    return true;
}

struct wire_frame client_expect(struct client *c, enum wire_kind kind)
{
    struct wire_frame f;
    do {
        if (!client_next(c, &f, PATIENCE_MS))
            give_up(wire_kind_word(kind));
    } while (f.kind != kind);
    return f;
}

struct wire_ended client_ended(struct client *c)
{
    struct wire_ended ended = client_expect(c, WIRE_ENDED).ended;
    snprintf(c->text, sizeof c->text, "%.*s", STR_ARG(ended.text));
    return ended;
}

void client_ack(struct client *c, uint64_t seq)
{
    c->acked = seq;
    client_send(c, &(struct wire_frame){.kind = WIRE_ACK, .ack = {seq}});
}

struct wire_name client_name(const struct client *c, uint32_t task)
{
    return (struct wire_name){.run = c->run, .task = task, .try = 1};
}

static struct wire_texts pack(struct buf *b, const char *const *texts)
{
    struct wire_texts list = {0};
    for (; texts && *texts; texts++)
        wire_texts_add(b, &list.count, str_of(*texts));
    list.bytes = (struct str){b->at, b->len};
    return list;
}

void client_start(struct client *c, uint32_t task, const char *const *argv, const char *const *env,
                  const char *workdir, void (*change)(struct wire_start *s))
{
    CLEANUP(buf_free)
    struct buf a = {0};
    CLEANUP(buf_free)
    struct buf b = {0};
    struct wire_frame f = {.kind = WIRE_START,
                           .start = {.name = client_name(c, task),
                                     .workdir = str_of(workdir),
                                     .argv = pack(&a, argv),
                                     .env = pack(&b, env),
                                     .grace_ms = 5000}};
    if (change)
        change(&f.start);
    client_send(c, &f);
}

void client_sh(struct client *c, uint32_t task, const char *script,
               void (*change)(struct wire_start *s))
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    const char *env[] = {"PATH=/usr/bin:/bin", NULL};
    client_start(c, task, argv, env, c->dir, change);
}

void client_stop(struct client *c, uint32_t task, enum wire_cause cause)
{
    client_send(c, &(struct wire_frame){.kind = WIRE_STOP, .stop = {client_name(c, task), cause}});
}

static void nap(void)
{
    poll(NULL, 0, 2);
}

void client_await_file(struct client *c, const char *path)
{
    char full[256];
    struct stat st;
    in_dir(c, path, full);
    for (ms_t until = clock_boot() + PATIENCE_MS; stat(full, &st) || st.st_size == 0; nap())
        if (clock_boot() > until)
            give_up(path);
}

void client_await_gone(pid_t pid)
{
    for (ms_t until = clock_boot() + PATIENCE_MS;
         waitpid(pid, NULL, WNOHANG) == 0 || kill(pid, 0) == 0; nap())
        if (clock_boot() > until)
            give_up("a process did not end");
}

long client_read_number(struct client *c, const char *path)
{
    char full[256];
    long n = 0;
    in_dir(c, path, full);
    FILE *f = fopen(full, "re");
    if (!f || fscanf(f, "%ld", &n) != 1)
        give_up(path);
    fclose(f);
    return n;
}
