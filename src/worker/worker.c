/* SPDX-License-Identifier: MIT
 *
 * worker/worker.c: attempts out, facts in.
 *
 *     TASK_START ─▶ launch.c ─▶ line.c ═▶ keeper
 *     `attempts` ◀─ facts.c ◀─ line.c ◀═ keeper      ─▶ TASK_STARTED, TASK_ENDED
 *
 * What must stay true:
 *
 *   - a frame with a sequence number is acknowledged only when what it says is
 *     committed, and in order;
 *   - until the whole unacknowledged journal has been heard (the first ALIVE
 *     ends it) nothing is handed out: SLOTS says 0;
 *   - an attempt that rows call running and that the keeper does not know of
 *     has no end anybody saw: it is reported as such, never started again;
 *   - facts stay pending until their transaction has committed. */
#include "worker/worker.h"
#include "worker/facts.h"
#include "worker/launch.h"
#include "worker/line.h"
#include "worker.sql.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The numbers on the wire are those of the messages. */
_Static_assert((int)WIRE_EXIT == (int)END_EXIT && (int)WIRE_UNKNOWN == (int)END_UNKNOWN, "how");
_Static_assert((int)WIRE_SELF == (int)CAUSE_SELF && (int)WIRE_STALLED == (int)CAUSE_STALLED &&
                   (int)WIRE_SHUTDOWN == (int)CAUSE_SHUTDOWN,
               "cause");

enum {
    /* So many are handed out beyond the slots: they wait at the keeper, which starts one
     * the moment another ends, without a way to us and back in between, and tells
     * us of several ends at once. They cannot be reordered any more: so, few. */
    AHEAD = 8,
    RUNS_KEPT = 64,     /* runs without living attempts whose variables are kept ready */
    RETRY_FIRST_MS = 5, /* between tries to reach a keeper that is starting */
    RETRY_MAX_MS = 2000,
    STARTS_PER_TRIES = 25, /* start another one if it has not answered after so many tries */
};

static const struct str keeper_name = {"local", 5};

/* What is known of a run while attempts of it live. */
struct wrun {
    struct launch_run launch;
    int64_t version;
    uint32_t live;
    uint64_t used; /* for throwing out the one unused for longest */
};

enum phase { PHASE_DOWN, PHASE_REPLAY, PHASE_UP };

struct worker {
    struct worker_opts opts;
    struct corridor *corridor;
    struct store *store;
    struct versions *versions;
    struct launch_base base;
    char socket_path[4096], scripts_dir[4096];

    struct line line;
    enum phase phase;
    uint32_t lines; /* counts connections */
    uint8_t boot_id[16];
    ms_t due; /* PHASE_DOWN: the next try */
    ms_t patience;
    uint32_t tries;
    ms_t since;

    struct map runs;   /* by run id: struct wrun */
    struct map by_key; /* by the random half of the run's key: struct wrun */
    uint64_t uses;

    struct facts pending;
    struct signs signs, seen;       /* of those that live; of the frame being heard */
    uint64_t heard, written, acked; /* sequence numbers */
    bool keeper_dirty;
    /* Rows call these running; whoever is left when the journal is heard is lost. */
    struct attempt *expected;
    size_t expected_count, expected_cap;
    struct arena scratch;
};

static void post(struct worker *w, struct msg m)
{
    corridor_post(w->corridor, m);
}

struct worker *worker_new(const struct worker_opts *o, struct corridor *c, struct store *s,
                          struct versions *v)
{
    struct worker *w = mem_new(sizeof *w);
    w->opts = *o;
    w->corridor = c;
    w->store = s;
    w->versions = v;
    w->line.fd = w->line.pidfd = -1;
    w->due = 0;
    w->patience = RETRY_FIRST_MS;
    snprintf(w->socket_path, sizeof w->socket_path, "%s/keeper/socket", s->home);
    snprintf(w->scripts_dir, sizeof w->scripts_dir, "%s/scripts", s->home);
    launch_base_init(&w->base);
    return w;
}

static void wrun_free(struct wrun *r)
{
    launch_run_done(&r->launch);
    free(r);
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    line_close(&w->line);
    for (struct map_slot *s = NULL; (s = map_each(&w->runs, s));)
        wrun_free(s->value);
    map_free(&w->runs);
    map_free(&w->by_key);
    facts_free(&w->pending);
    free(w->signs.at);
    free(w->seen.at);
    free(w->expected);
    arena_free(&w->scratch);
    launch_base_done(&w->base);
    free(w);
}

/* ---- runs ---- */

static int64_t key_number(const struct ulid *key)
{
    int64_t n;
    memcpy(&n, key->bytes + 8, sizeof n);
    return n;
}

static void wrun_drop(struct worker *w, struct wrun *r)
{
    map_take(&w->runs, r->launch.id);
    map_take(&w->by_key, key_number(&r->launch.key));
    wrun_free(r);
}

static void make_room(struct worker *w)
{
    struct wrun *oldest = NULL;
    if (w->runs.count < RUNS_KEPT)
        return;
    for (struct map_slot *s = NULL; (s = map_each(&w->runs, s));) {
        struct wrun *r = s->value;
        if (!r->live && (!oldest || r->used < oldest->used))
            oldest = r;
    }
    if (oldest)
        wrun_drop(w, oldest);
}

static bool wrun_load(struct worker *w, int64_t id, struct wrun **out, struct err *e)
{
    CLEANUP(db_rows_close) struct db_rows rows = {0};
    struct run_facts_row row;
    const struct workflow *workflow;
    if (!sql_run_facts(&w->store->db, id, &rows, e))
        return false;
    if (!sql_run_facts_next(&rows, &row))
        return err_set(e, ERR_NOT_FOUND, "there is no run %lld", (long long)id);
    if (!versions_get(w->versions, row.version_id, &workflow, e))
        return false;
    struct wrun *r = mem_new(sizeof *r);
    struct launch_run *l = &r->launch;
    r->version = row.version_id;
    l->id = id;
    l->workflow = arena_str(&l->arena, row.workflow);
    l->dir = arena_str(&l->arena, row.dir);
    if (!ulid_parse(row.key, &l->key) ||
        !launch_run_init(l, &w->base, workflow, row.params,
                         row.slot_at ? row.slot_at : row.created_at, e)) {
        wrun_free(r);
        return false;
    }
    make_room(w);
    map_put(&w->runs, id, r);
    map_put(&w->by_key, key_number(&l->key), r);
    *out = r;
    return true;
}

static bool wrun_of(struct worker *w, int64_t id, struct wrun **out, struct err *e)
{
    struct wrun *r = map_get(&w->runs, id);
    if (!r && !wrun_load(w, id, &r, e))
        return false;
    r->used = ++w->uses;
    *out = r;
    return true;
}

/* From a name on the wire to the daemon's; false: of a run we do not have. */
static bool attempt_of(struct worker *w, const struct wire_name *n, struct attempt *out)
{
    struct wrun *r = map_get(&w->by_key, key_number(&n->run));
    int64_t id = 0;
    if (r && ulid_eq(&r->launch.key, &n->run)) {
        id = r->launch.id;
    } else {
        char text[ULID_TEXT_MAX];
        struct run_by_key_row row;
        struct err e;
        bool found;
        if (!sql_run_by_key_one(&w->store->db, str_of(ulid_text(&n->run, text)), &row, &found,
                                &e) ||
            !found || !wrun_of(w, row.id, &r, &e))
            return false;
        id = row.id;
    }
    *out = (struct attempt){id, n->task, n->item, n->try};
    return true;
}

static const struct task *task_of(struct worker *w, struct attempt a)
{
    struct wrun *r;
    const struct workflow *workflow;
    struct err e;
    if (!wrun_of(w, a.run, &r, &e) || !versions_get(w->versions, r->version, &workflow, &e) ||
        a.task >= workflow->task_count)
        return NULL;
    return &workflow->tasks[a.task];
}

static void live_count(struct worker *w, struct attempt a, int by)
{
    struct wrun *r = map_get(&w->runs, a.run);
    if (!r)
        return;
    if (by > 0)
        r->live++;
    else if (r->live > 0)
        r->live--;
}

/* ---- facts ---- */

static void expect_no_more(struct worker *w, struct attempt a)
{
    for (size_t i = 0; i < w->expected_count; i++)
        if (attempt_eq(w->expected[i], a)) {
            w->expected[i] = w->expected[--w->expected_count];
            return;
        }
}

static void watch(struct worker *w, struct attempt a)
{
    const struct task *t = task_of(w, a);
    post(w, (struct msg){.kind = MSG_TASK_WATCH, .watch = {a, t ? t->stall_timeout : 0}});
}

static void on_started(struct worker *w, const struct wire_started *s)
{
    struct attempt a;
    if (!attempt_of(w, &s->name, &a)) {
        struct err ignored; /* of a run that is gone: nobody wants it */
        (void)line_send(&w->line,
                        &(struct wire_frame){.kind = WIRE_STOP, .stop = {s->name, WIRE_STOPPED}},
                        &ignored);
        return;
    }
    struct fact *f = facts_of(&w->pending, a);
    f->state = ATTEMPT_RUNNING;
    f->pid = s->pid;
    f->started_at = s->at;
    f->log = (struct log_ref){.kind = LOG_SLOT, .number = s->slot, .name = s->name};
    expect_no_more(w, a);
    live_count(w, a, 1);
    post(w, (struct msg){.kind = MSG_TASK_STARTED, .started = {a, s->at}});
    watch(w, a);
}

static bool is_success(const struct task *t, int32_t code)
{
    if (!t)
        return code == 0;
    for (uint32_t i = 0; i < t->success_exit_codes.count; i++)
        if (t->success_exit_codes.at[i] == code)
            return true;
    return false;
}

static enum attempt_state verdict(const struct wire_ended *n, const struct task *t)
{
    static const enum attempt_state by_cause[] = {
        [WIRE_TIMEOUT] = ATTEMPT_TIMED_OUT,
        [WIRE_STOPPED] = ATTEMPT_KILLED,
        [WIRE_STALLED] = ATTEMPT_STALLED,
        [WIRE_SHUTDOWN] = ATTEMPT_KILLED,
    };
    if (n->how == WIRE_LAUNCH && n->cause == WIRE_SELF)
        return ATTEMPT_SPAWN_FAILED;
    if (n->how == WIRE_UNKNOWN)
        return ATTEMPT_LOST;
    if (n->cause != WIRE_SELF)
        return by_cause[n->cause];
    if (n->how == WIRE_EXIT && is_success(t, n->code))
        return ATTEMPT_SUCCESS;
    return ATTEMPT_FAILED;
}

static void on_ended(struct worker *w, const struct wire_ended *n)
{
    struct attempt a;
    if (!attempt_of(w, &n->name, &a))
        return;
    struct fact *f = facts_of(&w->pending, a);
    f->state = verdict(n, task_of(w, a));
    if (n->started_at > 0 && f->started_at == DB_NULL)
        f->started_at = n->started_at;
    f->finished_at = n->at;
    if (n->how == WIRE_EXIT)
        f->exit_code = n->code;
    if (n->how == WIRE_SIGNAL)
        f->signal = n->code;
    f->needed_kill = n->needed_kill;
    f->usage = n->usage;
    f->log = n->log;
    f->log.name = n->name;
    fact_explain(f, n->text);
    if (f->state != ATTEMPT_SUCCESS)
        excerpt_find(w->store->home_fd, &f->log, &f->excerpt);
    expect_no_more(w, a);
    live_count(w, a, -1);
    post(w, (struct msg){.kind = MSG_TASK_ENDED,
                         .ended = {a, n->code, (uint8_t)n->how, (uint8_t)n->cause, n->oom, n->at}});
    post(w, (struct msg){.kind = MSG_TASK_UNWATCH, .attempt = a});
}

/* An end that no keeper tells: it was never started, or nobody saw it end. */
static void end_unseen(struct worker *w, struct attempt a, enum end_how how, int32_t code,
                       const char *why)
{
    struct fact *f = facts_of(&w->pending, a);
    f->state = how == END_UNKNOWN ? ATTEMPT_LOST : ATTEMPT_SPAWN_FAILED;
    f->finished_at = w->corridor->now;
    f->log = (struct log_ref){.kind = LOG_NONE};
    fact_explain(f, str_of(why));
    post(w, (struct msg){.kind = MSG_TASK_ENDED,
                         .ended = {a, code, (uint8_t)how, CAUSE_SELF, false, w->corridor->now}});
    post(w, (struct msg){.kind = MSG_TASK_UNWATCH, .attempt = a});
}

/* Another time it may go: then it is not the task's fault. */
static bool is_passing(uint32_t code)
{
    return code == EAGAIN || code == ENOMEM || code == ENOSPC || code == ESHUTDOWN;
}

static void on_refused(struct worker *w, const struct wire_refused *r)
{
    struct attempt a;
    char text[256];
    if (!attempt_of(w, &r->name, &a))
        return;
    snprintf(text, sizeof text, "%.*s", STR_ARG(r->text));
    end_unseen(w, a, is_passing(r->code) ? END_REFUSED : END_LAUNCH, (int32_t)r->code, text);
}

/* ---- signs of life ---- */

static void replay_is_over(struct worker *w)
{
    while (w->expected_count) {
        struct attempt a = w->expected[--w->expected_count];
        end_unseen(w, a, END_UNKNOWN, 0, "exit status unknown: its keeper knows nothing of it");
    }
    w->phase = PHASE_UP;
    post(w, (struct msg){.kind = MSG_KEEPER_UP});
    post(w, (struct msg){.kind = MSG_SLOTS, .slots = {w->opts.slots + AHEAD}});
}

static void add_sign(struct signs *l, struct attempt a, const struct wire_alive *one)
{
    l->at = mem_grow(l->at, &l->cap, l->count + 1, sizeof *l->at);
    l->at[l->count++] = (struct sign){.attempt = a,
                                      .cpu_ms = (int64_t)one->cpu_ms,
                                      .rss_kib = (int64_t)one->rss_kib,
                                      .output_at = one->output_at};
}

static void on_alive(struct worker *w, const struct wire_living *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        struct wire_alive one = wire_alive_at(l, i);
        struct attempt a;
        if (!attempt_of(w, &one.name, &a))
            continue;
        expect_no_more(w, a);
        if (w->phase == PHASE_REPLAY) /* a beginning that is acknowledged is not told again */
            watch(w, a);
        post(w, (struct msg){.kind = MSG_TASK_ALIVE,
                             .alive = {a, (int64_t)one.cpu_ms, (int64_t)one.log_len}});
        add_sign(&w->seen, a, &one);
    }
    signs_replace(&w->signs, &w->seen);
    if (w->phase == PHASE_REPLAY)
        replay_is_over(w);
    post(w, (struct msg){.kind = MSG_KEEPER_ALIVE});
}

/* ---- the line ---- */

static void line_broke(struct worker *w, const char *why)
{
    bool was_up = w->phase != PHASE_DOWN;
    line_close(&w->line);
    w->phase = PHASE_DOWN;
    w->due = w->corridor->steady;
    w->patience = RETRY_FIRST_MS;
    w->tries = 0;
    w->keeper_dirty = true;
    if (!was_up)
        return;
    fprintf(stderr, "gowtf: lost the keeper: %s\n", why);
    post(w, (struct msg){.kind = MSG_KEEPER_DOWN});
    post(w, (struct msg){.kind = MSG_SLOTS, .slots = {0}});
}

static bool load_expected(struct worker *w, struct err *e)
{
    CLEANUP(db_rows_close) struct db_rows rows = {0};
    struct attempts_running_row row;
    w->expected_count = 0;
    if (!sql_attempts_running(&w->store->db, &rows, e))
        return false;
    while (sql_attempts_running_next(&rows, &row)) {
        w->expected =
            mem_grow(w->expected, &w->expected_cap, w->expected_count + 1, sizeof *w->expected);
        w->expected[w->expected_count++] = (struct attempt){
            row.run_id, (uint32_t)row.task, (uint32_t)row.item, (uint32_t)row.attempt};
    }
    return db_rows_end(&rows, e);
}

static bool say_hello(struct worker *w, struct err *e)
{
    struct keeper_acked_row row;
    bool found;
    if (!load_expected(w, e) || !sql_keeper_acked_one(&w->store->db, keeper_name, &row, &found, e))
        return false;
    w->heard = w->written = w->acked = (uint64_t)row.acked_seq;
    struct wire_frame f = {.kind = WIRE_HELLO, .hello = {WIRE_VERSION, w->acked}};
    return line_send(&w->line, &f, e) && line_flush(&w->line, e);
}

static bool on_welcome(struct worker *w, const struct wire_welcome *m, struct err *e)
{
    if (m->version != WIRE_VERSION)
        return err_set(e, ERR_INVALID, "the keeper speaks protocol %u, this program %d",
                       (unsigned)m->version, WIRE_VERSION);
    memcpy(w->boot_id, m->boot_id, sizeof w->boot_id);
    w->since = w->corridor->now;
    w->keeper_dirty = true;
    /* A journal that was begun anew counts from the start. */
    if (m->seq < w->heard)
        w->heard = w->written = w->acked = 0;
    return true;
}

static bool in_order(struct worker *w, uint64_t seq)
{
    if (seq <= w->heard)
        return false; /* told before */
    w->heard = seq;
    return true;
}

static bool on_frame(struct worker *w, const struct wire_frame *f, struct err *e)
{
    switch (f->kind) {
    case WIRE_WELCOME: return on_welcome(w, &f->welcome, e);
    case WIRE_STARTED:
        if (in_order(w, f->started.seq))
            on_started(w, &f->started);
        return true;
    case WIRE_ENDED:
        if (in_order(w, f->ended.seq))
            on_ended(w, &f->ended);
        return true;
    case WIRE_REFUSED:
        if (in_order(w, f->refused.seq))
            on_refused(w, &f->refused);
        return true;
    case WIRE_ALIVE: on_alive(w, &f->alive); return true;
    case WIRE_PONG: post(w, (struct msg){.kind = MSG_KEEPER_ALIVE}); return true;
    default: return err_set(e, ERR_INVALID, "a keeper does not say %s", wire_kind_word(f->kind));
    }
}

static bool hear_frames(struct worker *w, struct err *e)
{
    size_t at = 0;
    for (;;) {
        struct wire_frame f;
        bool found;
        if (!line_next(&w->line, &at, &f, &found, e) || (found && !on_frame(w, &f, e)))
            return false;
        if (!found)
            break;
    }
    line_forget(&w->line, at);
    return true;
}

void worker_readable(struct worker *w)
{
    struct err e = {0};
    if (w->line.fd < 0)
        return;
    if (!line_fill(&w->line, &e) || !hear_frames(w, &e))
        line_broke(w, e.text);
}

static void connect_now(struct worker *w)
{
    struct err e = {0};
    if (line_open(&w->line, w->socket_path, &e)) {
        w->phase = PHASE_REPLAY;
        w->lines++;
        if (!say_hello(w, &e))
            line_broke(w, e.text);
        return;
    }
    if (w->tries++ % STARTS_PER_TRIES == 0 && !w->opts.keeper_start(w->opts.ctx, &e))
        fprintf(stderr, "gowtf: cannot start a keeper: %s\n", e.text);
    w->due = w->corridor->steady + w->patience;
    w->patience = MIN(w->patience * 2, RETRY_MAX_MS);
    if (w->tries < 20)
        w->patience = MIN(w->patience, 20);
}

ms_t worker_deadline(const struct worker *w)
{
    return w->phase == PHASE_DOWN ? w->due : MS_NEVER;
}

void worker_tick(struct worker *w)
{
    if (w->phase == PHASE_DOWN && w->due <= w->corridor->steady)
        connect_now(w);
}

int worker_fd(const struct worker *w)
{
    return w->line.fd;
}

uint32_t worker_line(const struct worker *w)
{
    return w->lines;
}

bool worker_wants_out(const struct worker *w)
{
    return w->line.out.len > 0;
}

bool worker_is_up(const struct worker *w)
{
    return w->phase == PHASE_UP;
}

static void send_frame(struct worker *w, const struct wire_frame *f)
{
    struct err e = {0};
    if (w->line.fd >= 0 && !line_send(&w->line, f, &e))
        line_broke(w, e.text);
}

void worker_hand_out(struct worker *w)
{
    struct err e = {0};
    if (w->line.fd >= 0 && w->line.out.len && !line_flush(&w->line, &e))
        line_broke(w, e.text);
    arena_free(&w->scratch);
}

void worker_retire(struct worker *w)
{
    send_frame(w, &(struct wire_frame){.kind = WIRE_RETIRE});
    worker_hand_out(w);
}

/* ---- what rooms want ---- */

static void start(struct worker *w, struct attempt a)
{
    struct err e = {0};
    struct wrun *r;
    struct wire_frame f = {.kind = WIRE_START};
    const struct task *t = task_of(w, a);
    if (!t)
        err_set(&e, ERR_NOT_FOUND, "its definition cannot be read");
    if (!t || !wrun_of(w, a.run, &r, &e) ||
        !launch_start(&r->launch, t, a, w->scripts_dir, &w->scratch, &f.start, &e) ||
        (w->line.fd >= 0 && !line_send(&w->line, &f, &e)))
        end_unseen(w, a, END_LAUNCH, 0, e.text);
}

static void stop(struct worker *w, struct attempt a, uint32_t cause)
{
    struct wrun *r;
    struct err e;
    if (!wrun_of(w, a.run, &r, &e))
        return;
    struct wire_frame f = {
        .kind = WIRE_STOP,
        .stop = {{r->launch.key, a.task, a.item, a.try}, (enum wire_cause)cause}};
    send_frame(w, &f);
}

static void replace_keeper(struct worker *w)
{
    if (w->line.pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, w->line.pidfd, SIGKILL, NULL, 0);
    line_broke(w, "it did not answer; it is being replaced");
}

void worker_hear(struct worker *w, const struct msg *m)
{
    switch (m->kind) {
    case MSG_TASK_START: start(w, m->start.attempt); break;
    case MSG_TASK_STOP: stop(w, m->stop.attempt, m->stop.cause); break;
    case MSG_KEEPER_ASK:
        send_frame(w, &(struct wire_frame){.kind = WIRE_PING, .ping = {(uint64_t)m->at}});
        break;
    case MSG_KEEPER_SILENT: replace_keeper(w); break;
    default: ASSERT(!"a message for this room");
    }
}

/* ---- write down ---- */

static bool write_keeper(struct worker *w, struct err *e)
{
    char hex[33];
    for (int i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", w->boot_id[i]);
    bool up = w->phase != PHASE_DOWN;
    return sql_keeper_put(&w->store->db, keeper_name, str_of(hex), up ? w->line.pid : DB_NULL,
                          w->opts.slots, str_of(up ? "up" : "down"), (int64_t)w->heard,
                          w->corridor->now, e) &&
           event_add(w->store, w->corridor->now, "keeper", 0, 0, STR_NONE,
                     up ? S("{\"what\":\"up\"}") : S("{\"what\":\"down\"}"), e);
}

bool worker_dirty(const struct worker *w)
{
    return w->pending.count || w->heard != w->acked || w->keeper_dirty || signs_fresh(&w->signs);
}

bool worker_write(struct worker *w, struct err *e)
{
    if (!facts_write(&w->pending, &w->store->db, keeper_name, e) ||
        !signs_write(&w->signs, &w->store->db, e))
        return false;
    if (w->keeper_dirty && !write_keeper(w, e))
        return false;
    if (w->heard != w->acked && !sql_keeper_ack(&w->store->db, keeper_name, (int64_t)w->heard, e))
        return false;
    w->written = w->heard;
    return true;
}

void worker_committed(struct worker *w)
{
    facts_clear(&w->pending);
    signs_written(&w->signs);
    w->keeper_dirty = false;
    if (w->written == w->acked)
        return;
    w->acked = w->written;
    send_frame(w, &(struct wire_frame){.kind = WIRE_ACK, .ack = {w->acked}});
    worker_hand_out(w);
}
