/* SPDX-License-Identifier: MIT
 *
 * tests/sim/daemon.c: the turn. Hear, think, hand out, write down, tell, as the
 * engine thread does it, and a death at every edge. What a person asks for is
 * committed before the core hears of it. */
#include "sim.h"

static void step(struct sim *s, struct exec_event ev)
{
    ev.now = s->world.now;
    executor_core_step(s->daemon.executor, &ev, &s->daemon.fx);
}

void daemon_wish(struct sim *s, enum sim_wish_kind kind, int64_t run)
{
    static const char *const words[] = {"begin", "cancel", "retry"};
    struct sim_daemon *d = &s->daemon;
    d->asked = mem_grow(d->asked, &d->asked_cap, d->asked_count + 1, sizeof *d->asked);
    d->asked[d->asked_count++] = (struct sim_wish){kind, run};
    note(s, kind == SIM_CREATE ? NOTE_RUN_BEGINS : NOTE_WISH, (struct attempt){.run = run}, kind,
         words[kind]);
}

void daemon_grant(struct sim *s, struct sim_wish wish)
{
    struct sim_daemon *d = &s->daemon;
    d->granted = mem_grow(d->granted, &d->granted_cap, d->granted_count + 1, sizeof *d->granted);
    d->granted[d->granted_count++] = wish;
}

static void tell_run(struct sim *s, int64_t id)
{
    const struct sim_run *r = &s->runs[id];
    step(s, (struct exec_event){.kind = EXEC_RUN_CREATED,
                                .created = {.run = id,
                                            .workflow_id = 100 + r->workflow,
                                            .workflow = run_workflow(s, id),
                                            .state = r->state,
                                            .cancelled = r->cancel,
                                            .rows = r->rows}});
}

static void hear_one(struct sim *s, const struct entry *e)
{
    const struct hand *h = keeper_hand(s, e->attempt);
    if (!e->end) {
        step(s, (struct exec_event){.kind = EXEC_TASK_STARTED, .attempt = e->attempt});
        health_watch(s, e->attempt);
        return;
    }
    step(s, (struct exec_event){.kind = EXEC_TASK_ENDED,
                                .ended = {.attempt = h->attempt,
                                          .code = h->code,
                                          .how = h->how,
                                          .cause = h->cause,
                                          .oom = h->oom,
                                          .at = h->end_at}});
    health_unwatch(s, e->attempt);
}

static void hear_journal(struct sim *s)
{
    while (s->daemon.heard < s->keeper.journal_count)
        hear_one(s, &s->keeper.journal[s->daemon.heard++]);
}

/* The journal first, then the slots: so nothing is handed out unheard. */
static void connect(struct sim *s)
{
    keeper_hello(s);
    s->daemon.heard = s->keeper.acked;
    hear_journal(s);
    s->daemon.connected = true;
    health_keeper_up(s);
    s->daemon.met = s->keeper.births;
    step(s, (struct exec_event){.kind = EXEC_SLOTS, .slots = s->slots});
}

static void hear_keeper(struct sim *s)
{
    struct sim_daemon *d = &s->daemon;
    bool breaks = d->connected && (!s->keeper.up || d->met != s->keeper.births ||
                                   chance(&s->world, s->faults.connection));
    if (breaks) {
        d->connected = false;
        health_keeper_down(s);
        keeper_lose_letters(s);
        step(s, (struct exec_event){.kind = EXEC_SLOTS, .slots = 0});
    }
    if (d->connected)
        hear_journal(s);
    else if (s->keeper.up && !s->keeper.frozen)
        connect(s);
}

static bool is_on(const struct sim *s, struct attempt a)
{
    const struct task_row *row = &s->runs[a.run].rows[a.task];
    return row->attempts == a.try &&
           (row->state == TASK_RUNNING || (row->state == TASK_QUEUED && row->handed));
}

/* What is proven dead and will never be in the journal, the health monitor
 * says, and again after each restart. */
static void hear_health(struct sim *s)
{
    health_hear(s);
    for (size_t i = 0; i < s->keeper.hand_count; i++) {
        const struct hand *h = &s->keeper.hands[i];
        if (h->vanished && h->watched)
            health_unwatch(s, h->attempt);
        if (h->vanished && is_on(s, h->attempt))
            step(s, (struct exec_event){
                        .kind = EXEC_TASK_ENDED,
                        .ended = {.attempt = h->attempt, .how = END_UNKNOWN, .at = s->world.now}});
        else if (h->live && h->started && chance(&s->world, s->faults.stall))
            step(s, (struct exec_event){.kind = EXEC_TASK_STALLED, .attempt = h->attempt});
    }
}

/* Late, repeated and foreign news. */
static void hear_strangers(struct sim *s)
{
    struct world *w = &s->world;
    if (chance(w, s->faults.again) && s->daemon.heard > 0) {
        const struct entry *e = &s->keeper.journal[below(w, (uint32_t)s->daemon.heard)];
        note(s, NOTE_FOREIGN, e->attempt, e->end, "told twice");
        if (e->end)
            hear_one(s, e);
    }
    if (chance(w, s->faults.foreign)) {
        struct attempt a = {.run = SIM_RUNS + 1 + below(w, 3), .task = below(w, 3), .try = 1};
        if (keeper_hand(s, a))
            return;
        note(s, NOTE_FOREIGN, a, 0, "it lives");
        step(s, (struct exec_event){.kind = EXEC_TASK_STARTED, .attempt = a});
    }
}

static void hear_granted(struct sim *s)
{
    struct sim_daemon *d = &s->daemon;
    for (size_t i = 0; i < d->granted_count; i++) {
        if (d->granted[i].kind == SIM_CANCEL)
            step(s, (struct exec_event){.kind = EXEC_RUN_CANCEL, .run = d->granted[i].run});
        else
            tell_run(s, d->granted[i].run);
    }
    d->granted_count = 0;
}

/* Rows, then the journal; handing out begins after that. What is committed has
 * been thought to its end, so rows alone lead to nothing. */
void daemon_boot(struct sim *s)
{
    struct sim_daemon *d = &s->daemon;
    ASSERT(!d->executor);
    d->executor = executor_core_new(1);
    d->health = health_core_new();
    d->questioned = false;
    schedule_boot(s);
    d->fx.count = 0;
    d->connected = false;
    d->fresh = true;
    for (int64_t id = 1; id <= s->run_count; id++)
        if (s->runs[id].exists && !run_is_over(s->runs[id].state))
            tell_run(s, id);
    ASSERT(d->fx.count == 0 || s->late); /* I28 */
    d->heard = s->keeper.acked;
    if (s->keeper.up && !s->keeper.frozen) {
        keeper_hello(s);
        hear_journal(s);
    }
    note(s, NOTE_DAEMON_BACK, (struct attempt){0}, 0, NULL);
}

void daemon_kill(struct sim *s)
{
    struct sim_daemon *d = &s->daemon;
    executor_core_free(d->executor);
    d->executor = NULL;
    health_core_free(d->health);
    d->health = NULL;
    d->verdicts.count = 0;
    for (size_t i = 0; i < s->keeper.hand_count; i++)
        s->keeper.hands[i].watched = false;
    schedule_forget(s);
    keeper_lose_letters(s);
    d->dies = ALIVE;
    d->asked_count = d->granted_count = d->fx.count = 0;
    s->deaths++;
}

static bool dies(struct sim *s, enum death here, const char *where)
{
    if (s->daemon.dies != here && !chance(&s->world, s->faults.daemon))
        return false;
    note(s, NOTE_DAEMON_DIES, (struct attempt){0}, 0, where);
    daemon_kill(s);
    return true;
}

static void think(struct sim *s)
{
    hear_granted(s);
    hear_keeper(s);
    hear_health(s);
    hear_strangers(s);
    schedule_hear(s);
    step(s, (struct exec_event){.kind = EXEC_TICK});
    executor_core_check(s->daemon.executor);
    step(s, (struct exec_event){.kind = EXEC_DISPATCH});
    executor_core_check(s->daemon.executor);
}

static bool is_heard(const struct sim *s)
{
    return s->keeper.up && s->daemon.connected && s->daemon.met == s->keeper.births;
}

/* What is said when the keeper is gone is said to nobody. */
static void say(struct sim *s, const struct exec_effect *f)
{
    if (!is_heard(s))
        return;
    struct keeper *k = &s->keeper;
    if (k->frozen) {
        k->inbox = mem_grow(k->inbox, &k->inbox_cap, k->inbox_count + 1, sizeof *k->inbox);
        k->inbox[k->inbox_count++] = f->kind == EXEC_START
                                         ? (struct letter){f->attempt, false, CAUSE_SELF}
                                         : (struct letter){f->stop.attempt, true, f->stop.cause};
    } else if (f->kind == EXEC_START)
        keeper_start(s, f->attempt);
    else
        keeper_stop(s, f->stop.attempt, f->stop.cause);
}

static bool hand_out(struct sim *s)
{
    for (size_t i = 0; i < s->daemon.fx.count; i++) {
        const struct exec_effect *f = &s->daemon.fx.at[i];
        if (f->kind != EXEC_START && f->kind != EXEC_STOP)
            continue;
        if (s->keeper.up && chance(&s->world, s->faults.keeper))
            keeper_die(s);
        say(s, f);
        if (dies(s, DIES_IN_HAND_OUT, "while it hands out"))
            return false;
    }
    return true;
}

bool daemon_turn(struct sim *s)
{
    struct sim_daemon *d = &s->daemon;
    think(s);
    if (dies(s, DIES_BEFORE_HAND_OUT, "before it hands out") || !hand_out(s) ||
        dies(s, DIES_BEFORE_COMMIT, "before it commits"))
        return false;
    store_commit(s);
    d->fx.count = 0;
    d->fresh = false;
    if (dies(s, DIES_BEFORE_ACK, "before it acknowledges"))
        return false;
    if (d->connected && !s->keeper.frozen)
        keeper_ack(s, d->heard);
    check_health(s);
    if (is_heard(s) && !s->keeper.frozen && d->granted_count == 0)
        check_progress(s);
    return true;
}

ms_t daemon_next(const struct sim *s)
{
    const struct sim_daemon *d = &s->daemon;
    bool has_work = !d->executor || d->fresh || d->asked_count || d->granted_count ||
                    (s->keeper.up ? !d->connected && !s->keeper.frozen : d->connected) ||
                    (d->connected && d->met != s->keeper.births) ||
                    (d->connected && d->heard < s->keeper.journal_count) ||
                    (d->connected && !s->keeper.frozen && s->keeper.acked < d->heard);
    for (size_t i = 0; !has_work && i < s->keeper.hand_count; i++)
        has_work = s->keeper.hands[i].vanished && is_on(s, s->keeper.hands[i].attempt);
    for (uint32_t w = 0; w < s->workflow_count; w++)
        has_work |= s->tables[w].changed;
    if (has_work)
        return s->world.now;
    return MIN(executor_core_deadline(d->executor), MIN(health_next(s), schedule_next(s)));
}

void sim_done(struct sim *s)
{
    executor_core_free(s->daemon.executor);
    health_core_free(s->daemon.health);
    free(s->daemon.verdicts.at);
    schedule_done(s);
    free(s->daemon.fx.at);
    free(s->daemon.asked);
    free(s->daemon.granted);
    for (uint32_t i = 0; i < s->workflow_count; i++)
        make_free(s->workflows[i]);
    keeper_done(s);
}
