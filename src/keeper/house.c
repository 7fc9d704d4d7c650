/* SPDX-License-Identifier: MIT
 *
 * keeper/house.c: the keeper as a process: its loop, its clock, its end.
 *
 * A turn: wait for events, do what there is to do, start what waits to be started, send
 * what there is to send.
 *
 * One timer, on the clock that counts sleep (CLOCK_BOOTTIME), is set to the earliest
 * moment anything in the house waits for; when nothing does, it is not set. */
#include "keeper/house.h"
#include "base/clock.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOCK_TRIES = 200, /* 5 ms apart */
    EVENTS_AT_ONCE = 8,
    LINGER_MS = 5000,
    LOG_MAX = 100 << 20,
    FDS_OWN = 64,
};

void house_warn(const char *fmt, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    dprintf(2, "gowtf keeper: %s\n", text);
}

/* ---- time ---- */

void house_wake_at(struct house *h, ms_t boot)
{
    if (boot >= h->timer_at)
        return;
    h->timer_at = boot;
    struct itimerspec at = {.it_value = {boot / 1000, boot % 1000 * 1000000}};
    timerfd_settime(h->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

void house_now(struct house *h)
{
    h->wall = clock_wall();
    h->boot = clock_boot();
}

static void on_timer(struct house *h)
{
    if (h->boot < h->timer_at)
        return; /* it was set to a later moment meanwhile */
    h->timer_at = MS_NEVER;
    slots_tick(&h->slots, h->wall, h->boot);
    ms_t hold_at = hold_tick(h), hunt_at = hunt_tick(h), slots_at = slots_deadline(&h->slots);
    ms_t next = MIN(hold_at, hunt_at);
    house_wake_at(h, MIN(next, slots_at));
}

/* ---- signals ---- */

static void on_term(struct house *h)
{
    h->closing = true;
    for (size_t i = h->live_count; i-- > 0;)
        if (i < h->live_count)
            hold_stop(h, h->live[i], WIRE_SHUTDOWN);
}

static void on_signals(struct house *h)
{
    struct signalfd_siginfo info[4];
    ssize_t n = read(h->signals, info, sizeof info);
    bool term = false;
    for (size_t i = 0; n > 0 && i < (size_t)n / sizeof info[0]; i++)
        term |= info[i].ssi_signo != SIGCHLD;
    hold_reap(h);
    if (term)
        on_term(h);
}

/* ---- the turn ---- */

static void on_event(struct house *h, uint64_t tag)
{
    uint64_t id = tag & (((uint64_t)1 << 56) - 1);
    struct held *x;
    switch (tag >> 56) {
    case EVENT_LISTENER: link_accept(h); break;
    case EVENT_SIGNALS: on_signals(h); break;
    case EVENT_TIMER: on_timer(h); break;
    case EVENT_INOTIFY:
        slots_hear(&h->slots, h->wall, h->boot);
        house_wake_at(h, slots_deadline(&h->slots));
        break;
    case EVENT_PEER: link_hear(h, id); break;
    case EVENT_PIDFD:
        x = map_get(&h->by_id, (int64_t)id);
        if (x)
            hold_pidfd(h, x);
        break;
    default: ASSERT(!"an event has a kind");
    }
}

static void check_done(struct house *h)
{
    bool leave = h->closing || (h->retire && !link_anybody(h));
    if (leave && h->live_count == 0 && !h->leftovers)
        h->done = true;
}

/* When the last living attempt has ended, the daemon knows what comes next within
 * a tenth of a millisecond. To fall asleep and be woken takes nearly as long, so
 * this one answer is waited for awake. */
static int wait_awake(struct house *h, struct epoll_event *events)
{
    int64_t until = clock_mono_us() + AWAKE_US;
    int n;
    do
        n = epoll_wait(h->epoll, events, EVENTS_AT_ONCE, 0);
    while (n == 0 && clock_mono_us() < until);
    return n;
}

static void turn(struct house *h)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    bool chain = h->daemon && h->all_over;
    int n = chain ? wait_awake(h, events) : 0;
    if (n == 0)
        n = epoll_wait(h->epoll, events, EVENTS_AT_ONCE, -1);
    h->all_over = false;
    house_now(h);
    for (int i = 0; i < n; i++)
        on_event(h, events[i].data.u64);
    hold_launch_waiting(h);
    link_flush(h);
    check_done(h);
}

/* ---- birth ---- */

/* A signal that is ignored here would be ignored by every task. Asked of the
 * kernel itself: libc keeps 32 and 33 for its threads and would refuse. */
static void reset_signals(void)
{
    static const uint64_t defaults[8]; /* longer than the kernel's struct sigaction, all zero */
    for (int i = 1; i < NSIG; i++)
        (void)syscall(SYS_rt_sigaction, i, defaults, NULL, sizeof(uint64_t));
}

/* Nothing of ours may depend on what we were started with. */
static bool settle_process(struct err *e)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    reset_signals();
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, 0) < 0)
        return err_sys(e, "/dev/null");
    for (int fd = 1; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            dup2(null, fd);
    if (null > 2)
        close(null);
    umask(077);
    setsid();
    mallopt(M_ARENA_MAX, 1);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return err_sys(e, "prctl");
    return true;
}

static void allow_descriptors(uint32_t slots)
{
    struct rlimit r;
    rlim_t want = 2 * (rlim_t)slots + FDS_OWN;
    if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= want)
        return;
    r.rlim_cur = MIN(want, r.rlim_max);
    setrlimit(RLIMIT_NOFILE, &r);
}

static bool enter_data_dir(const char *path, struct err *e)
{
    struct stat st;
    if ((mkdir(path, 0700) && errno != EEXIST) || chdir(path) || stat(".", &st))
        return err_sys(e, "%s", path);
    if (st.st_mode & 022)
        return err_set(e, ERR_DENIED, "%s may be written by others: chmod go-w it", path);
    if (mkdir("keeper", 0700) && errno != EEXIST)
        return err_sys(e, "%s/keeper", path);
    return true;
}

/* ERR_CONFLICT: somebody else is the keeper here. */
/* The lock of a keeper that was killed lives until its last thread is gone,
 * which may be a moment after its socket has closed. */
static bool lock_patiently(int fd)
{
    static const struct timespec moment = {.tv_nsec = 5000000};
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        nanosleep(&moment, NULL);
    }
    return false;
}

static bool take_lock(struct house *h, struct err *e)
{
    char text[32] = "";
    h->dir = open("keeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (h->dir < 0)
        return err_sys(e, "keeper");
    h->lock = openat(h->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (h->lock < 0)
        return err_sys(e, "keeper/lock");
    if (!lock_patiently(h->lock)) {
        ssize_t n = pread(h->lock, text, sizeof text - 1, 0);
        text[n > 0 ? n - (text[n - 1] == '\n') : 0] = 0;
        return err_set(e, ERR_CONFLICT, "another keeper holds this directory (pid %s)", text);
    }
    int n = snprintf(text, sizeof text, "%d\n", getpid());
    if (ftruncate(h->lock, 0) || pwrite(h->lock, text, (size_t)n, 0) != n)
        return err_sys(e, "keeper/lock");
    return fd_replace_file("keeper/pid", (struct str){text, (size_t)n}, e);
}

static bool watch(struct house *h, int fd, unsigned kind, struct err *e)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = event_tag(kind, 0)};
    return epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &ev) == 0 || err_sys(e, "epoll_ctl");
}

static bool open_events(struct house *h, struct err *e)
{
    sigset_t heard;
    sigemptyset(&heard);
    sigaddset(&heard, SIGCHLD);
    sigaddset(&heard, SIGTERM);
    sigaddset(&heard, SIGINT);
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    h->signals = signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
    h->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (h->epoll < 0 || h->signals < 0 || h->timer < 0)
        return err_sys(e, "cannot wait for events");
    return watch(h, h->signals, EVENT_SIGNALS, e) && watch(h, h->timer, EVENT_TIMER, e);
}

static void fill_opts(struct house *h, const struct keeper_opts *opts)
{
    long cpus = MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
    h->opts = *opts;
    if (!h->opts.slots)
        h->opts.slots = (uint32_t)MAX(2 * cpus, 8);
    h->opts.slots = MIN(h->opts.slots, SLOTS_MAX);
    if (!h->opts.log_max)
        h->opts.log_max = LOG_MAX;
    if (!h->opts.linger_ms)
        h->opts.linger_ms = LINGER_MS;
}

static void house_init(struct house *h, const struct keeper_opts *opts)
{
    *h = (struct house){.dir = -1,
                        .lock = -1,
                        .listener = -1,
                        .signals = -1,
                        .timer = -1,
                        .epoll = -1,
                        .groups = {.base = -1},
                        .timer_at = MS_NEVER,
                        .alive_at = MS_NEVER,
                        .sweep_at = MS_NEVER};
    h->queue_last = &h->queue_first;
    h->over_last = &h->over_first;
    for (size_t i = 0; i < PEERS_MAX; i++)
        h->peers[i].fd = -1;
    fill_opts(h, opts);
    house_now(h);
}

static bool house_open(struct house *h, struct err *e)
{
    if (!settle_process(e) || !enter_data_dir(h->opts.data_dir, e) || !take_lock(h, e) ||
        !boot_id_read(h->boot_id, e))
        return false;
    allow_descriptors(h->opts.slots);
    h->journal.dir = h->dir;
    memcpy(h->journal.boot_id, h->boot_id, sizeof h->boot_id);
    if (!groups_open(&h->groups, h->opts.cgroup, e))
        return false;
    snprintf(h->features, sizeof h->features, "%s%s", h->groups.base >= 0 ? "cgroup " : "",
             pidfd_can_tell() ? "exit-info" : "");
    if (!slots_open(&h->slots, h->opts.slots, e) || !open_events(h, e) || !adopt_all(h, e) ||
        !link_open(h, e) || !watch(h, h->listener, EVENT_LISTENER, e))
        return false;
    if (h->slots.inotify >= 0 && !watch(h, h->slots.inotify, EVENT_INOTIFY, e))
        return false;
    house_wake_at(h, h->boot);
    return true;
}

static void tell_ready(const struct house *h)
{
    if (h->opts.ready_fd <= 2)
        return;
    ssize_t ignored = write(h->opts.ready_fd, "\n", 1);
    (void)ignored;
    close(h->opts.ready_fd);
}

/* ---- life and death ---- */

static void house_live(struct house *h)
{
    tell_ready(h);
    while (!h->done)
        turn(h);
}

static void held_free_all(struct house *h)
{
    for (struct map_slot *m; (m = map_each(&h->known, NULL));)
        hold_forget(h, m->value);
    map_free(&h->known);
    map_free(&h->by_id);
    map_free(&h->by_pid);
    free(h->live);
    free(h->members);
    procs_free(&h->procs);
}

static void house_close(struct house *h)
{
    if (h->listener >= 0)
        unlink("keeper/socket");
    if (h->listener >= 0)
        unlink("keeper/pid");
    held_free_all(h);
    link_close(h);
    slots_close(&h->slots);
    journal_close(&h->journal);
    launch_pool_free(&h->pool);
    groups_close(&h->groups);
    int *const all[] = {&h->listener, &h->signals, &h->timer, &h->epoll, &h->dir, &h->lock};
    for (size_t i = 0; i < countof(all); i++)
        fd_close(all[i]);
}

int keeper_main(const struct keeper_opts *opts)
{
    struct house h;
    struct err e = {0};
    house_init(&h, opts);
    bool ok = house_open(&h, &e);
    if (ok)
        house_live(&h);
    else
        house_warn("%s", e.text);
    house_close(&h);
    return ok ? 0 : e.kind == ERR_CONFLICT ? KEEPER_TAKEN : 1;
}
