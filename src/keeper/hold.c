/* SPDX-License-Identifier: MIT
 *
 * keeper/hold.c: the life of an attempt, from START to the word on its end.
 *
 *     hold_start ──> queue ──> launch ──> running ──> over ──> acknowledged
 *          │           │          │          │
 *       refused      stopped   refused    stopped, out of time
 *
 * What must stay true:
 *
 *   - STARTING is in the journal before the clone and ENDED before the reaping,
 *     so a name is never started twice and a pid is not given to somebody else
 *     before its end is written down;
 *   - a name is known from its START until its end is acknowledged, and a START of a
 *     known name is ignored;
 *   - every START accepted has room in the journal for all it may come to;
 *   - an attempt that was stopped is over only when nobody of its tree lives.
 *
 * STARTED waits a few milliseconds before it is told: a short task then costs
 * the daemon one reading instead of two. */
#include "keeper/house.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    EXIT_WAIT_MS = 2000, /* how long somebody else may take to reap an adopted one */
    EXIT_LOOK_MS = 50,
    ARGS_MAX = 1 << 16,
};

/* ---- who is known ---- */

static int64_t name_hash(const struct wire_name *n)
{
    uint64_t a, b;
    memcpy(&a, n->run.bytes, 8);
    memcpy(&b, n->run.bytes + 8, 8);
    b ^= (uint64_t)n->task << 32 ^ (uint64_t)n->item << 16 ^ n->try;
    return (int64_t)((a * 0x9e3779b97f4a7c15u) ^ (b * 0xc2b2ae3d27d4eb4fu));
}

struct held *hold_find(struct house *h, const struct wire_name *name)
{
    struct held *x = map_get(&h->known, name_hash(name));
    while (x && !wire_name_eq(&x->name, name))
        x = x->next_same_hash;
    return x;
}

struct held *hold_new(struct house *h, const struct wire_name *name)
{
    struct held *x = mem_new(sizeof *x);
    x->name = *name;
    x->pidfd = -1;
    x->id = ++h->next_id;
    x->next_same_hash = map_get(&h->known, name_hash(name));
    map_put(&h->known, name_hash(name), x);
    return x;
}

static void known_take(struct house *h, struct held *x)
{
    int64_t hash = name_hash(&x->name);
    struct held *first = map_get(&h->known, hash);
    if (first == x) {
        map_take(&h->known, hash);
        if (x->next_same_hash)
            map_put(&h->known, hash, x->next_same_hash);
        return;
    }
    while (first->next_same_hash != x)
        first = first->next_same_hash;
    first->next_same_hash = x->next_same_hash;
}

void hold_live(struct house *h, struct held *x)
{
    h->live = mem_grow(h->live, &h->live_cap, h->live_count + 1, sizeof *h->live);
    x->live_at = (uint32_t)h->live_count;
    h->live[h->live_count++] = x;
    if (h->live_count == 1)
        h->alive_at = h->boot + ALIVE_MS;
}

static void live_take(struct house *h, struct held *x)
{
    struct held *last = h->live[--h->live_count];
    h->live[x->live_at] = last;
    last->live_at = x->live_at;
    h->all_over = h->live_count == 0;
}

static void held_free_texts(struct held *x)
{
    free(x->texts);
    x->texts = NULL;
    x->launch = NULL;
}

void hold_forget(struct house *h, struct held *x)
{
    known_take(h, x);
    held_free_texts(x);
    free(x);
}

/* ---- the journal ---- */

struct record hold_record(const struct house *h, const struct held *x, enum record_kind kind)
{
    return (struct record){
        .kind = (uint8_t)kind,
        .cause = (uint8_t)x->cause,
        .name = x->name,
        .slot = x->slot ? x->slot->number : 0,
        .wall_at = h->wall,
        .boot_at = h->boot,
    };
}

/* Keep the records of everybody who is still known. */
bool hold_make_room(struct house *h, size_t records)
{
    struct journal *j = &h->journal;
    struct err e;
    if (journal_room(j) >= records)
        return true;
    const struct record **keep = mem_new(j->count * sizeof(struct record *));
    size_t kept = 0;
    for (size_t i = 1; i < j->count; i++)
        if (hold_find(h, &j->at[i].name))
            keep[kept++] = &j->at[i];
    size_t room = MAX(records + kept, JOURNAL_RECORDS - MIN(kept, JOURNAL_RECORDS));
    bool ok = journal_renew(j, keep, kept, room, &e);
    free(keep);
    if (!ok)
        house_warn("%s", e.text);
    return ok;
}

/* ---- starting ---- */

static void hold_refused(struct house *h, struct held *x, int code, const char *text)
{
    struct record r = hold_record(h, x, RECORD_REFUSED);
    r.ended.code = code;
    snprintf(r.ended.text, sizeof r.ended.text, "%s", text);
    link_send_record(h, journal_add(&h->journal, &r));
    x->state = HELD_OVER;
    hold_await_ack(h, x, h->journal.seq);
}

/* Without room for the record there is only the answer. */
void hold_refuse(struct house *h, const struct wire_name *name, int code, const char *text)
{
    if (hold_make_room(h, h->live_count * RECORDS_EACH + 1)) {
        hold_refused(h, hold_new(h, name), code, text);
        return;
    }
    struct wire_frame f = {
        .kind = WIRE_REFUSED,
        .refused = {
            .seq = ++h->journal.seq, .name = *name, .code = (uint32_t)code, .text = str_of(text)}};
    link_send(h, &f);
}

/* Pointers to each of the packed texts that `skip` does not begin. */
static size_t point_at(char **out, const char *bytes, size_t len, const char *skip)
{
    size_t n = 0;
    for (size_t at = 0; at < len; at += strlen(bytes + at) + 1)
        if (!skip || strncmp(bytes + at, skip, strlen(skip)) != 0)
            out[n++] = (char *)bytes + at;
    return n;
}

static const char *env_find(char **env, const char *key)
{
    size_t n = strlen(key);
    for (; *env; env++)
        if (strncmp(*env, key, n) == 0)
            return *env + n;
    return NULL;
}

/* All a child needs, in one block: the launch, the pointers, the texts. The cookie
 * comes first, where it is found fast. */
static void held_pack(struct held *x, const struct wire_start *s)
{
    static const char detach[] = WIRE_COOKIE_DETACH;
    char name[WIRE_NAME_TEXT_MAX];
    size_t argc = s->argv.count, envc = s->env.count;
    size_t pointers = 1 + argc + 1 + 2 + envc + 1;
    size_t texts = s->argv.bytes.len + s->env.bytes.len + s->workdir.len + 1 + sizeof detach +
                   sizeof WIRE_COOKIE + sizeof name;
    x->texts = mem_new(sizeof(struct launch) + pointers * sizeof(char *) + texts);
    struct launch *l = x->launch = (void *)x->texts;
    char **argv = (char **)(void *)(l + 1) + 1, **env = argv + argc + 1;
    char *text = (char *)(argv - 1 + pointers);

    memcpy(text, s->argv.bytes.at, s->argv.bytes.len);
    point_at(argv, text, s->argv.bytes.len, NULL);
    text += s->argv.bytes.len;
    env[0] = text;
    int cookie = snprintf(text, sizeof WIRE_COOKIE + sizeof name, "%s=%s", WIRE_COOKIE,
                          wire_name_text(&x->name, name));
    text += cookie + 1;
    size_t n = 1;
    if (x->flags & WIRE_START_DETACH)
        env[n++] = memcpy(text, detach, sizeof detach);
    text += sizeof detach;
    if (s->env.bytes.len)
        memcpy(text, s->env.bytes.at, s->env.bytes.len);
    point_at(env + n, text, s->env.bytes.len, WIRE_COOKIE);
    text += s->env.bytes.len;
    if (s->workdir.len)
        memcpy(text, s->workdir.at, s->workdir.len);

    const char *path = env_find(env, "PATH=");
    l->argv = argv;
    l->envp = env;
    l->workdir = text;
    l->search = path ? path : "/usr/local/bin:/usr/bin:/bin";
    l->may_gain_privileges = x->flags & WIRE_START_PRIVS;
    l->cgroup = -1;
    log_slot_path(x->slot->number, "out", l->out);
    log_slot_path(x->slot->number, "err", l->err);
}

static void queue_add(struct house *h, struct held *x)
{
    h->queue_count++;
    x->queue_next = NULL;
    *h->queue_last = x;
    h->queue_last = &x->queue_next;
}

static struct held *queue_take(struct house *h)
{
    struct held *x = h->queue_first;
    if (!x)
        return NULL;
    h->queue_count--;
    h->queue_first = x->queue_next;
    if (!h->queue_first)
        h->queue_last = &h->queue_first;
    return x;
}

static void queue_drop(struct house *h, struct held *x)
{
    struct held **at = &h->queue_first;
    while (*at != x)
        at = &(*at)->queue_next;
    h->queue_count--;
    *at = x->queue_next;
    if (h->queue_last == &x->queue_next)
        h->queue_last = at;
}

static void journal_starting(struct house *h, const struct held *x)
{
    struct record r = hold_record(h, x, RECORD_STARTING);
    r.starting.timeout_ms = x->timeout_ms;
    r.starting.grace_ms = x->grace_ms;
    r.starting.log_max = x->log_max;
    r.starting.stop_signal = (uint32_t)x->stop_signal;
    r.starting.flags = x->flags;
    journal_add(&h->journal, &r);
}

void hold_start(struct house *h, const struct wire_start *s)
{
    if (hold_find(h, &s->name))
        return;
    if (h->closing) {
        hold_refuse(h, &s->name, ESHUTDOWN, "the keeper is shutting down");
        return;
    }
    if (s->argv.count > ARGS_MAX || s->env.count > ARGS_MAX) {
        hold_refuse(h, &s->name, E2BIG, "too many arguments");
        return;
    }
    if (!hold_make_room(h, (h->live_count + 1) * RECORDS_EACH)) {
        hold_refuse(h, &s->name, ENOSPC, "no room for the journal");
        return;
    }
    struct slot *slot = slots_take(&h->slots);
    if (!slot) {
        hold_refuse(h, &s->name, EAGAIN, "no slot is free");
        return;
    }
    struct held *x = hold_new(h, &s->name);
    x->slot = slot;
    x->timeout_ms = s->timeout_ms;
    x->grace_ms = s->grace_ms;
    x->stop_signal = s->stop_signal ? (int)s->stop_signal : SIGTERM;
    x->flags = s->flags;
    x->log_max = s->log_max ? s->log_max : h->opts.log_max;
    held_pack(x, s);
    hold_live(h, x);
    queue_add(h, x);
}

/* It never was. */
static void hold_undo(struct house *h, struct held *x, int code)
{
    slot_release(x->slot, &(struct log_ref){.kind = LOG_NONE});
    x->slot = NULL;
    live_take(h, x);
    held_free_texts(x);
    hold_refused(h, x, code, strerror(code));
}

/* In a group of its own; or without, if that is why it cannot be. */
static pid_t launch_grouped(struct house *h, struct held *x)
{
    x->group = groups_take(&h->groups);
    if (x->group) {
        x->launch->cgroup = x->group->dir;
        pid_t pid = launch_run(x->launch, &h->pool);
        if (pid >= 0)
            return pid;
        groups_give_back(&h->groups, x->group);
        x->group = NULL;
        x->launch->cgroup = -1;
    }
    return launch_run(x->launch, &h->pool);
}

static void hold_launch(struct house *h, struct held *x)
{
    journal_starting(h, x);
    x->started_wall = h->wall;
    x->started_boot = h->boot;
    slot_begin(x->slot, &x->name, h->wall, x->log_max);
    pid_t pid = launch_grouped(h, x);
    if (pid < 0) {
        hold_undo(h, x, errno);
        return;
    }
    house_now(h); /* a new keeper compares it with the start of the process */
    x->state = HELD_RUNNING;
    x->pid = pid;
    map_put(&h->by_pid, pid, x);
    struct record r = hold_record(h, x, RECORD_CLONED);
    r.started.pid = (uint32_t)pid;
    journal_add(&h->journal, &r);
    house_wake_at(h, x->started_boot + TELL_LATE_MS);
}

/* No more run than there are slots: what a daemon hands out beyond them waits
 * here, and begins without asking it when one ends. */
static void launch_waiting(struct house *h, size_t ending)
{
    while (h->queue_first && h->live_count - h->queue_count - ending < h->opts.slots)
        hold_launch(h, queue_take(h));
}

void hold_launch_waiting(struct house *h)
{
    launch_waiting(h, 0);
}

/* ---- telling ---- */

static void hold_tell_started(struct house *h, struct held *x)
{
    struct record r = hold_record(h, x, RECORD_STARTED);
    r.wall_at = x->started_wall;
    r.boot_at = x->started_boot;
    r.started.pid = (uint32_t)x->pid;
    r.started.ticks = x->ticks;
    link_send_record(h, journal_add(&h->journal, &r));
    x->told = true;
}

static bool is_on_its_way(const struct held *x)
{
    return x->launch && !launch_is_away(x->launch);
}

/* Not before its exec: until then its memory is ours, and so is the score. */
static void hold_went_away(struct held *x)
{
    if (x->launch->error)
        return; /* its end will say so */
    proc_offer_to_oom(x->pid);
    held_free_texts(x);
}

/* It lives long enough to be worth a closer look. */
static void hold_settle(struct house *h, struct held *x)
{
    struct proc p;
    if (proc_look(x->pid, &p))
        x->ticks = p.ticks;
    hold_tell_started(h, x);
    slot_watch(&h->slots, x->slot, h->wall);
    house_wake_at(h, slots_deadline(&h->slots));
    if (x->timeout_ms)
        house_wake_at(h, x->started_boot + x->timeout_ms);
    house_wake_at(h, h->alive_at);
}

/* ---- the end ---- */

static void record_end(struct record *r, const struct held *x)
{
    r->how = (uint8_t)x->how;
    r->flags =
        (uint8_t)((x->needed_kill ? RECORD_NEEDED_KILL : 0) | (x->out_of_memory ? RECORD_OOM : 0));
    r->ended.code = x->code;
    r->ended.usage = x->usage;
    r->ended.started_at = x->started_wall;
}

static void reap_one(pid_t pid)
{
    siginfo_t info;
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
}

/* Let go of the process: from now on its pid may be anybody's. */
static void hold_let_go(struct house *h, struct held *x)
{
    if (x->pidfd >= 0) {
        close(x->pidfd);
        x->pidfd = -1;
        map_take(&h->by_id, x->id);
    } else if (x->pid > 0) {
        reap_one(x->pid);
    }
    if (x->pid > 0)
        map_take(&h->by_pid, x->pid);
}

void hold_over(struct house *h, struct held *x, const char *text)
{
    bool ran = x->how != WIRE_LAUNCH;
    bool held = ran && slot_is_held(x->slot);
    struct log_ref ref = slot_finish(&h->slots, x->slot, held, h->wall);
    if (ran && !x->told && x->started_boot)
        hold_tell_started(h, x);
    x->out_of_memory = group_was_out_of_memory(x->group);
    held |= group_is_populated(x->group);
    if (!held)
        groups_give_back(&h->groups, x->group);
    else if (!(x->flags & WIRE_START_DETACH))
        hunt_leftovers(h, x, x->pid);
    x->group = NULL; /* who is left alone keeps it */
    struct record r = hold_record(h, x, RECORD_ENDED);
    record_end(&r, x);
    r.flags |= held ? RECORD_LEFTOVERS : 0;
    r.ended.log = (struct record_log){.kind = ref.kind,
                                      .number = ref.number,
                                      .offset = ref.offset,
                                      .out_len = ref.out_len,
                                      .err_len = ref.err_len,
                                      .out_dropped = ref.out_dropped,
                                      .err_dropped = ref.err_dropped,
                                      .marks_len = ref.marks_len};
    snprintf(r.ended.text, sizeof r.ended.text, "%s", text);
    link_send_record(h, journal_add(&h->journal, &r));
    hold_await_ack(h, x, h->journal.seq);
    if (!x->exited)
        hold_let_go(h, x);
    slot_release(x->slot, &ref);
    x->slot = NULL;
    x->state = HELD_OVER;
    held_free_texts(x);
    live_take(h, x);
    if (h->sweep_at == MS_NEVER && ran) {
        h->sweep_at = h->boot + h->opts.linger_ms;
        house_wake_at(h, h->sweep_at);
    }
}

static const char *launch_error_text(const struct held *x, char text[RECORD_TEXT_MAX])
{
    const struct launch *l = x->launch;
    const char *what = l->step == LAUNCH_WORKDIR ? l->workdir
                       : l->step == LAUNCH_EXEC  ? l->argv[0]
                                                 : "setting up";
    const char *kind = l->step == LAUNCH_WORKDIR ? "working directory " : "";
    const char *why = strerror(l->error);
    int room = (int)(RECORD_TEXT_MAX - 3 - strlen(kind) - strlen(why));
    int len = (int)strlen(what), cut = MAX(len - MAX(room, 0), 0);
    snprintf(text, RECORD_TEXT_MAX, "%s%s: %s", kind, what + cut, why);
    return text;
}

void hold_exited(struct house *h, struct held *x)
{
    char text[RECORD_TEXT_MAX] = "";
    if (x->launch && x->launch->error) {
        x->how = WIRE_LAUNCH;
        x->code = x->launch->error;
        launch_error_text(x, text);
    } else if (x->cause != WIRE_SELF && x->hunt.stage == HUNT_NONE) {
        hunt_begin(h, x); /* it was not away when the stop came, but may have forked since */
    }
    if (x->hunt.stage == HUNT_NONE) {
        if (x->how == WIRE_UNKNOWN)
            snprintf(text, sizeof text, "exit status unknown: the keeper was killed");
        hold_over(h, x, text);
        return;
    }
    struct record r = hold_record(h, x, RECORD_EXITED);
    record_end(&r, x);
    journal_add(&h->journal, &r);
    x->exited = true;
    hold_let_go(h, x);
    house_wake_at(h, h->boot + 1);
}

static void set_usage(struct held *x, const struct rusage *u)
{
    x->usage = (struct wire_usage){
        .user_us = (uint64_t)u->ru_utime.tv_sec * 1000000 + (uint64_t)u->ru_utime.tv_usec,
        .sys_us = (uint64_t)u->ru_stime.tv_sec * 1000000 + (uint64_t)u->ru_stime.tv_usec,
        .max_rss_kib = (uint64_t)u->ru_maxrss,
        .read_blocks = (uint64_t)u->ru_inblock,
        .write_blocks = (uint64_t)u->ru_oublock,
    };
}

/* The peek gives status and usage and takes nothing away. */
static pid_t peek(siginfo_t *info, struct rusage *used)
{
    info->si_pid = 0;
    if (syscall(SYS_waitid, P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT, used))
        return 0;
    return info->si_pid;
}

void hold_reap(struct house *h)
{
    siginfo_t info;
    struct rusage used;
    for (pid_t pid; (pid = peek(&info, &used)) > 0;) {
        struct held *x = map_get(&h->by_pid, pid);
        if (!x || x->state == HELD_OVER || x->exited) {
            reap_one(pid); /* an orphan that came home */
            continue;
        }
        if (x->cause == WIRE_SELF)
            launch_waiting(h, 1); /* the next one first: it runs while we do the rest */
        x->how = info.si_code == CLD_EXITED ? WIRE_EXIT : WIRE_SIGNAL;
        x->code = info.si_status;
        set_usage(x, &used);
        hold_exited(h, x);
    }
}

/* An adopted process is somebody else's child: its status can be had only once
 * they have reaped it, and only from a kernel that keeps it. */
void hold_pidfd(struct house *h, struct held *x)
{
    int status;
    if (x->exited)
        return;
    if (pidfd_exit_status(x->pidfd, &status)) {
        x->how = WIFEXITED(status) ? WIRE_EXIT : WIRE_SIGNAL;
        x->code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
        hold_exited(h, x);
        return;
    }
    if (!x->exited_boot)
        x->exited_boot = h->boot;
    if (pidfd_can_tell() && h->boot - x->exited_boot < EXIT_WAIT_MS) {
        house_wake_at(h, h->boot + EXIT_LOOK_MS);
        return;
    }
    x->how = WIRE_UNKNOWN;
    x->code = 0;
    hold_exited(h, x);
}

/* Before its exec nobody could tell it from us: neither session nor cookie is its own. */
static bool can_be_hunted(const struct held *x)
{
    return !is_on_its_way(x);
}

void hold_stop(struct house *h, struct held *x, enum wire_cause cause)
{
    if (x->state == HELD_OVER)
        return;
    if (x->cause != WIRE_SELF) {
        if (cause == WIRE_SHUTDOWN && x->hunt.stage == HUNT_ASKED)
            x->hunt.kill_at = MIN(x->hunt.kill_at, h->boot + x->grace_ms);
        return;
    }
    x->cause = cause;
    struct record r = hold_record(h, x, RECORD_STOPPING);
    journal_add(&h->journal, &r);
    if (x->state == HELD_QUEUED) {
        queue_drop(h, x);
        x->how = WIRE_LAUNCH;
        x->code = ECANCELED;
        hold_over(h, x, "stopped before it was started");
    } else if (can_be_hunted(x)) {
        hunt_begin(h, x);
    } else {
        house_wake_at(h, h->boot + 1);
    }
}

void hold_acked(struct house *h, uint64_t seq)
{
    while (h->over_first && h->over_first->over_seq <= seq) {
        struct held *x = h->over_first;
        h->over_first = x->queue_next;
        if (!h->over_first)
            h->over_last = &h->over_first;
        hold_forget(h, x);
    }
}

/* What is over waits in the order of its records. */
void hold_await_ack(struct house *h, struct held *x, uint64_t seq)
{
    x->over_seq = seq;
    x->queue_next = NULL;
    *h->over_last = x;
    h->over_last = &x->queue_next;
}

/* ---- time ---- */

void hold_send_alive(struct house *h)
{
    struct buf b = {0};
    struct wire_frame f = {.kind = WIRE_ALIVE};
    for (size_t i = 0; i < h->live_count; i++) {
        struct held *x = h->live[i];
        struct wire_alive one = {.name = x->name};
        if (x->pid > 0 && !x->exited)
            proc_tree_usage(x->pid, &one.cpu_ms, &one.rss_kib);
        one.log_len = x->slot->len[0] + x->slot->len[1];
        one.output_at = x->slot->output_at;
        wire_alive_add(&b, &f.alive.count, &one);
    }
    f.alive.bytes = (struct str){b.at, b.len};
    link_send(h, &f);
    buf_free(&b);
}

static void alive_tick(struct house *h)
{
    for (size_t i = 0; i < h->live_count; i++)
        if (h->live[i]->state == HELD_RUNNING)
            slot_look(h->live[i]->slot, h->wall);
    if (h->daemon)
        hold_send_alive(h);
    h->alive_at = h->boot + ALIVE_MS;
}

static void held_tick(struct house *h, struct held *x)
{
    if (x->state != HELD_RUNNING || x->exited)
        return;
    if (!x->told && h->boot >= x->started_boot + TELL_LATE_MS)
        hold_settle(h, x);
    if (x->told && x->launch && !is_on_its_way(x))
        hold_went_away(x);
    if (x->timeout_ms && x->cause == WIRE_SELF && h->boot >= x->started_boot + x->timeout_ms)
        hold_stop(h, x, WIRE_TIMEOUT);
    if (x->cause != WIRE_SELF && x->hunt.stage == HUNT_NONE && can_be_hunted(x))
        hunt_begin(h, x);
    if (x->exited_boot)
        hold_pidfd(h, x);
}

static ms_t held_deadline(const struct house *h, const struct held *x)
{
    ms_t at = MS_NEVER;
    if (x->state != HELD_RUNNING || x->exited)
        return at;
    if (!x->told)
        at = MIN(at, x->started_boot + TELL_LATE_MS);
    if (is_on_its_way(x))
        at = MIN(at, h->boot + TELL_LATE_MS);
    if (x->timeout_ms && x->cause == WIRE_SELF)
        at = MIN(at, x->started_boot + x->timeout_ms);
    if (x->cause != WIRE_SELF && x->hunt.stage == HUNT_NONE)
        at = MIN(at, h->boot + 1);
    if (x->exited_boot)
        at = MIN(at, x->exited_boot + EXIT_WAIT_MS);
    return at;
}

ms_t hold_tick(struct house *h)
{
    ms_t next = MS_NEVER;
    for (size_t i = h->live_count; i-- > 0;)
        if (i < h->live_count)
            held_tick(h, h->live[i]);
    if (h->live_count && h->boot >= h->alive_at)
        alive_tick(h);
    for (size_t i = 0; i < h->live_count; i++) {
        ms_t at = held_deadline(h, h->live[i]);
        next = MIN(next, at);
    }
    return h->live_count ? MIN(next, h->alive_at) : next;
}
