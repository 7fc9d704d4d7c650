/* SPDX-License-Identifier: MIT
 *
 * What must stay true:
 *
 *   - one transaction a turn; what a room has pending is forgotten only after
 *     it has committed, so a turn that could not be written (a full disk) is
 *     written later, and until then nothing new is heard;
 *   - no answer leaves before the sync of the commit it rests on;
 *   - asleep means asleep: the two timers are armed for the next thing that is
 *     due, or not at all. */
#include "daemon/engine.h"
#include "base/clock.h"
#include "base/fd.h"
#include "daemon/keeper_start.h"
#include "executor/executor.h"
#include "health/health.h"
#include "scheduler/scheduler.h"
#include "server/server.h"
#include "watcher/watcher.h"
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CORRIDOR_CAP = 8192,
    WISHES_A_TURN = 128,
    TURN_SECONDS_MAX = 60, /* a turn that takes longer is a deadlock: SIGALRM ends us */
    LINGER_MS = 20,        /* how long a turn hears on before it is written down */
    STUCK_RETRY_MS = 500,
    VERSIONS_BYTES = 16 << 20, /* parsed definitions nobody needs right now */
    WAL_PAGES_IDLE = 500,      /* checkpoint when there is nothing else to do */
    WAL_PAGES_BUSY = 8000,     /* checkpoint even so: 32 MiB */
    RETAIN_EVERY_MS = 3600 * 1000,
    RETAIN_FIRST_MS = 60 * 1000,
    RETAIN_SLICE = 50,
    BOOT_WAIT_MS = 10000, /* for a keeper, before we serve without one */
};

/* ---- the clockwork of descriptors ---- */

static bool watch_fd(struct engine *g, int op, int fd, uint32_t events, struct err *e)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};
    if (epoll_ctl(g->epoll, op, fd, &ev))
        return err_sys(e, "epoll_ctl");
    return true;
}

static bool make_fds(struct engine *g, struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    g->epoll = epoll_create1(EPOLL_CLOEXEC);
    g->door_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g->boot_timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    g->wall_timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    g->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (g->epoll < 0 || g->door_fd < 0 || g->boot_timer < 0 || g->wall_timer < 0 || g->signals < 0)
        return err_sys(e, "cannot make timers and signals");
    g->boot_armed = g->wall_armed = MS_NEVER;
    return watch_fd(g, EPOLL_CTL_ADD, g->door_fd, EPOLLIN, e) &&
           watch_fd(g, EPOLL_CTL_ADD, g->boot_timer, EPOLLIN, e) &&
           watch_fd(g, EPOLL_CTL_ADD, g->wall_timer, EPOLLIN, e) &&
           watch_fd(g, EPOLL_CTL_ADD, g->signals, EPOLLIN, e);
}

/* Arm `timer` for `due`, unless it is armed for something earlier: deadlines
 * move on with every sign of life, and one waking too many is cheaper than
 * setting a timer each time. TFD_TIMER_CANCEL_ON_SET makes a change of the wall
 * clock wake us, so that what is due is computed anew. */
static void arm(int timer, ms_t due, ms_t now, ms_t *armed, int flags)
{
    struct itimerspec t = {0};
    if (due == *armed || (*armed <= due && *armed > now && due != MS_NEVER))
        return;
    *armed = due;
    if (due != MS_NEVER) {
        due = MAX(due, 1);
        t.it_value.tv_sec = due / 1000;
        t.it_value.tv_nsec = due % 1000 * 1000000;
    }
    if (timerfd_settime(timer, TFD_TIMER_ABSTIME | flags, &t, NULL) && errno != ECANCELED)
        ASSERT(!"a timer can be set");
}

/* The keeper's line comes and goes; epoll follows it. A closed descriptor has
 * left epoll by itself. */
static void follow_keeper(struct engine *g)
{
    struct err e;
    int fd = worker_fd(g->worker);
    uint32_t line = worker_line(g->worker);
    bool out = fd >= 0 && worker_wants_out(g->worker);
    bool same = fd == g->keeper_fd && line == g->keeper_line;
    if (same && out == g->keeper_out)
        return;
    g->keeper_fd = fd;
    g->keeper_line = line;
    g->keeper_out = out;
    if (fd >= 0 && !watch_fd(g, same ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
                             EPOLLIN | (out ? (uint32_t)EPOLLOUT : 0), &e))
        ASSERT(!"a socket can be waited for");
}

static void drain(int fd)
{
    uint64_t n;
    ssize_t ignored = read(fd, &n, sizeof n);
    (void)ignored;
}

static void set_time(struct engine *g)
{
    g->corridor.now = clock_wall();
    g->corridor.steady = clock_boot();
}

/* ---- hear ---- */

static const uint32_t wish_messages[] = {
    [WISH_RUN] = MSG_RUN_REQUESTED, [WISH_SWITCH] = MSG_SWITCH_SET, [WISH_CANCEL] = MSG_RUN_CANCEL,
    [WISH_RETRY] = MSG_RUN_RETRY,   [WISH_RESCAN] = MSG_RESCAN,
};

static void hear_door(struct engine *g)
{
    uint64_t ticket, one = 1;
    for (int i = 0; i < WISHES_A_TURN; i++) {
        if (!door_take(g->door, &ticket))
            return;
        const struct wish *w = door_wish(g->door, ticket);
        corridor_post(&g->corridor,
                      (struct msg){.kind = wish_messages[w->kind], .request = {ticket, w->target}});
    }
    ssize_t ignored = write(g->door_fd, &one, sizeof one); /* there are more */
    (void)ignored;
}

static void hear_signals(struct engine *g)
{
    struct signalfd_siginfo s;
    while (read(g->signals, &s, sizeof s) == sizeof s) {
        if (s.ssi_signo != SIGCHLD)
            g->told++;
        while (waitpid(-1, NULL, WNOHANG) > 0) /* a keeper that ended before us */
            ;
    }
}

static void hear_one(struct engine *g, int fd)
{
    if (fd == g->door_fd) {
        drain(fd);
        if (g->open)
            hear_door(g);
    } else if (fd == g->signals) {
        hear_signals(g);
    } else if (fd == g->boot_timer) {
        drain(fd);
        g->boot_armed = MS_NEVER;
    } else if (fd == g->wall_timer) {
        drain(fd);
        g->wall_armed = MS_NEVER;
    } else if (fd == g->keeper_fd) {
        worker_readable(g->worker);
    } else if (fd == g->watcher_fd) {
        watcher_ready(g->watcher);
    }
}

static ms_t steady_deadline(const struct engine *g)
{
    ms_t due = executor_deadline(g->executor);
    due = MIN(due, worker_deadline(g->worker));
    due = MIN(due, health_deadline(g->health));
    due = MIN(due, watcher_deadline(g->watcher));
    if (g->open)
        due = MIN(due, g->retain);
    return due;
}

static void tick_rooms(struct engine *g)
{
    ms_t now = g->corridor.steady;
    if (executor_deadline(g->executor) <= now)
        executor_tick(g->executor);
    if (worker_deadline(g->worker) <= now)
        worker_tick(g->worker);
    if (health_deadline(g->health) <= now)
        health_tick(g->health);
    if (watcher_deadline(g->watcher) <= now)
        watcher_tick(g->watcher);
    if (g->open && scheduler_deadline(g->scheduler) <= g->corridor.now)
        scheduler_tick(g->scheduler);
}

/* Sleep until something happens; true if something did. */
static bool hear(struct engine *g, int wait_ms)
{
    struct epoll_event events[64];
    follow_keeper(g);
    arm(g->boot_timer, steady_deadline(g), g->corridor.steady, &g->boot_armed, 0);
    arm(g->wall_timer, g->open ? scheduler_deadline(g->scheduler) : MS_NEVER, g->corridor.now,
        &g->wall_armed, TFD_TIMER_CANCEL_ON_SET);
    if (wait_ms)
        alarm(0);
    int n = epoll_wait(g->epoll, events, countof(events), wait_ms);
    if (wait_ms)
        alarm(TURN_SECONDS_MAX);
    set_time(g);
    for (int i = 0; i < n; i++)
        hear_one(g, events[i].data.fd);
    tick_rooms(g);
    return n > 0;
}

/* ---- think ---- */

static void deliver(struct engine *g, const struct msg *m)
{
    switch (msg_info[m->kind].to) {
    case ROOM_WATCHER: watcher_hear(g->watcher, m); break;
    case ROOM_SCHEDULER: scheduler_hear(g->scheduler, m); break;
    case ROOM_EXECUTOR: executor_hear(g->executor, m); break;
    case ROOM_WORKER: worker_hear(g->worker, m); break;
    case ROOM_HEALTH: health_hear(g->health, m); break;
    case ROOM_SERVER:
        if (g->server)
            server_changed(g->server, m->change.seq);
        break;
    case ROOM_DAEMON:
    case ROOM_COUNT: ASSERT(!"nobody writes to the daemon");
    }
}

static void think(struct engine *g)
{
    struct msg m;
    do {
        while (corridor_take(&g->corridor, &m))
            deliver(g, &m);
        executor_dispatch(g->executor);
    } while (g->corridor.count);
}

/* ---- write down ---- */

static bool any_dirty(const struct engine *g)
{
    return watcher_dirty(g->watcher) || scheduler_dirty(g->scheduler) ||
           executor_dirty(g->executor) || worker_dirty(g->worker);
}

static bool write_rooms(struct engine *g, struct err *e)
{
    return store_begin(&g->store, e) && watcher_write(g->watcher, e) &&
           scheduler_write(g->scheduler, e) && executor_write(g->executor, e) &&
           worker_write(g->worker, e) && store_commit(&g->store, e);
}

static void get_stuck(struct engine *g, const struct err *why)
{
    if (!g->stuck)
        fprintf(stderr, "gowtf: cannot write to the database, trying again: %s\n", why->text);
    g->stuck = true;
    g->retry = g->corridor.steady + STUCK_RETRY_MS;
    door_refuse(g->door, why->kind == ERR_FULL ? ERR_FULL : ERR_DOWN, why->text);
}

static void get_unstuck(struct engine *g)
{
    if (!g->stuck)
        return;
    fprintf(stderr, "gowtf: the database can be written again\n");
    g->stuck = false;
    if (g->open)
        door_refuse(g->door, ERR_NONE, "");
}

static void write_down(struct engine *g)
{
    struct err e = {0};
    if (!any_dirty(g))
        return;
    if (!write_rooms(g, &e)) {
        store_rollback(&g->store);
        get_stuck(g, &e);
        return;
    }
    get_unstuck(g);
    watcher_committed(g->watcher);
    scheduler_committed(g->scheduler);
    executor_committed(g->executor);
    worker_committed(g->worker);
}

/* ---- tell ---- */

static void synced(void *ctx, uint64_t commit)
{
    struct engine *g = ctx;
    door_release(g->door, commit);
}

static void tell(struct engine *g)
{
    struct err e;
    bool waits = door_waits(g->door);
    if (g->stuck)
        return;
    if (waits)
        door_mark(g->door, g->store.commits);
    if (g->store.durability == DURABLE_FULL || scribe_note(g->scribe, g->store.commits, waits))
        door_release(g->door, g->store.commits);
    if (scribe_failed(g->scribe, &e)) {
        fprintf(stderr, "gowtf: %s; stopping, because nothing more could be promised\n", e.text);
        abort(); /* the parent starts us again, and the log is read anew */
    }
    if (g->store.event_seq != g->told_seq) {
        g->told_seq = g->store.event_seq;
        if (g->server)
            server_changed(g->server, g->told_seq);
    }
}

/* ---- housekeeping, when there is nothing better to do ---- */

static void checkpoint(struct engine *g, bool idle)
{
    struct err e;
    if (g->store.wal_pages < (idle ? WAL_PAGES_IDLE : WAL_PAGES_BUSY))
        return;
    if (!store_checkpoint(&g->store, &e))
        fprintf(stderr, "gowtf: %s\n", e.text);
}

static void throw_away(struct engine *g)
{
    struct err e;
    struct buf keys = {0};
    bool more = false;
    bool ok = store_begin(&g->store, &e) &&
              store_retain(&g->store, &g->opts.retention, g->corridor.now, RETAIN_SLICE, &more,
                           &keys, &e) &&
              store_commit(&g->store, &e);
    if (!ok)
        store_rollback(&g->store);
    else
        store_remove_logs(&g->store, (struct str){keys.at, keys.len});
    buf_free(&keys);
    g->retain = g->corridor.steady + (ok && more ? 0 : RETAIN_EVERY_MS);
}

static void keep_house(struct engine *g, bool idle)
{
    if (g->stuck)
        return;
    checkpoint(g, idle);
    if (g->open && g->retain <= g->corridor.steady)
        throw_away(g);
}

/* ---- the turn ---- */

/* Nothing is heard until what was decided is written down. */
static void wait_stuck(struct engine *g)
{
    ms_t left = MAX(g->retry - clock_boot(), 0);
    struct timespec pause = {left / 1000, left % 1000 * 1000000};
    alarm(0);
    nanosleep(&pause, NULL);
    alarm(TURN_SECONDS_MAX);
    set_time(g);
    hear_signals(g);
}

/* What was decided may be written down a little later, together with what
 * follows from it: nobody waits for it, and handing out does not either. */
static bool may_linger(struct engine *g)
{
    bool runs_wait = scheduler_dirty(g->scheduler) || watcher_dirty(g->watcher);
    bool waits = runs_wait || g->corridor.count || door_waits(g->door) || g->told;
    return !g->stuck && g->open && !waits && worker_dirty(g->worker);
}

static void hear_and_act(struct engine *g, int wait_ms)
{
    bool busy = g->corridor.count > 0 || watcher_busy(g->watcher);
    bool heard = hear(g, busy ? 0 : wait_ms);
    if (!heard && !g->corridor.count && !any_dirty(g))
        keep_house(g, true);
    think(g);
    worker_hand_out(g->worker);
}

void engine_turn(struct engine *g, int wait_ms)
{
    if (g->stuck) {
        wait_stuck(g);
    } else {
        hear_and_act(g, wait_ms);
        ms_t until = g->corridor.steady + LINGER_MS;
        while (may_linger(g) && g->corridor.steady < until)
            hear_and_act(g, (int)(until - g->corridor.steady));
    }
    write_down(g);
    tell(g);
    keep_house(g, false);
}

void engine_open(struct engine *g)
{
    g->open = true;
    g->retain = g->opts.single_file ? MS_NEVER : clock_boot() + RETAIN_FIRST_MS;
    door_refuse(g->door, ERR_NONE, "");
}

/* ---- coming and going ---- */

static bool start_keeper(void *ctx, struct err *e)
{
    struct engine *g = ctx;
    return keeper_start(g->store.home, g->opts.slots, e);
}

/* Rooms that could not be made are NULL, which every X_free() takes. */
static bool make_rooms(struct engine *g, struct err *e)
{
    struct watcher_opts watch = {0};
    struct scheduler_opts schedule = {.versions = g->versions};
    struct executor_opts execute = {.run_limit = 1};
    struct worker_opts work = {g->opts.slots, start_keeper, g};
    *(g->opts.single_file ? &watch.file : &watch.root) = g->path;
    g->health = health_new(&g->corridor);
    g->worker = worker_new(&work, &g->corridor, &g->store, g->versions);
    g->executor = executor_new(&execute, &g->corridor, &g->store, g->versions, g->door, e);
    if (g->executor)
        g->scheduler = scheduler_new(&schedule, &g->corridor, &g->store, g->door, e);
    if (g->scheduler)
        g->watcher = watcher_new(&watch, &g->corridor, &g->store, g->door, e);
    return g->watcher != NULL;
}

/* Hear the journal and read the directory before anything is let in. */
static void settle(struct engine *g)
{
    ms_t until = clock_boot() + BOOT_WAIT_MS;
    while ((!worker_is_up(g->worker) && clock_boot() < until) || watcher_busy(g->watcher) ||
           g->corridor.count) {
        engine_turn(g, 20);
        if (g->told)
            return;
    }
    if (!worker_is_up(g->worker))
        fprintf(stderr, "gowtf: no keeper answers yet; nothing runs until one does\n");
    if (!g->opts.single_file && scheduler_guessed_zone(g->scheduler))
        fprintf(stderr, "gowtf: this machine does not say in which time zone it is; "
                        "schedules that name none go by UTC\n");
}

static uint32_t default_slots(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    return (uint32_t)MAX(4, 2 * cpus);
}

bool engine_new(const struct engine_opts *o, struct engine **out, struct err *e)
{
    char wal[4096];
    struct engine *g = mem_new(sizeof *g);
    g->opts = *o;
    g->opts.slots = o->slots ? o->slots : default_slots();
    g->store.home_fd = -1;
    g->keeper_fd = g->watcher_fd = -1;
    g->epoll = g->door_fd = g->boot_timer = g->wall_timer = g->signals = -1;
    umask(077);
    g->path = realpath(o->workflows, NULL);
    if (!g->path) {
        err_sys(e, "%s", o->workflows);
        free(g);
        return false;
    }
    corridor_init(&g->corridor, CORRIDOR_CAP);
    g->corridor.trace = o->trace;
    set_time(g);
    bool ok = store_open(o->home, o->durability, &g->store, e) && make_fds(g, e);
    if (ok) {
        snprintf(wal, sizeof wal, "%s/gowtf.db-wal", g->store.home);
        g->door = door_new(g->door_fd);
        door_refuse(g->door, ERR_DOWN, "the engine is starting");
        g->versions = versions_new(&g->store.db, VERSIONS_BYTES);
        ok = store_touch(&g->store, g->corridor.now, e) &&
             scribe_new(wal, synced, g, &g->scribe, e) && make_rooms(g, e);
    }
    if (ok) {
        g->watcher_fd = watcher_fd(g->watcher);
        ok = g->watcher_fd < 0 || watch_fd(g, EPOLL_CTL_ADD, g->watcher_fd, EPOLLIN, e);
    }
    if (!ok) {
        engine_free(g);
        return false;
    }
    settle(g);
    *out = g;
    return true;
}

static void close_fds(struct engine *g)
{
    fd_close(&g->epoll);
    fd_close(&g->door_fd);
    fd_close(&g->boot_timer);
    fd_close(&g->wall_timer);
    fd_close(&g->signals);
}

void engine_free(struct engine *g)
{
    struct err e;
    if (!g)
        return;
    alarm(0);
    if (g->worker)
        worker_retire(g->worker);
    scribe_free(g->scribe);
    door_free(g->door);
    watcher_free(g->watcher);
    scheduler_free(g->scheduler);
    executor_free(g->executor);
    worker_free(g->worker);
    health_free(g->health);
    versions_free(g->versions);
    if (g->store.db.handle)
        (void)store_checkpoint(&g->store, &e);
    store_close(&g->store);
    corridor_done(&g->corridor);
    close_fds(g);
    free(g->path);
    free(g);
}
