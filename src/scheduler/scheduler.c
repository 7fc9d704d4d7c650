/* SPDX-License-Identifier: MIT
 *
 * scheduler/scheduler.c: definitions, time and wishes in; runs out.
 *
 *     time ──> core ──> slots ──┐
 *                               ├──> rows ──(commit)──> RUN_CREATED, answers
 *     wishes ───────> runs ─────┘
 *
 * What must stay true:
 *
 *   - a run exists for others only when its rows are committed: RUN_CREATED
 *     and the answer at the door come from scheduler_committed();
 *   - a slot that fired has a run, in the same transaction;
 *   - ids of runs rise and are given here only;
 *   - a wish is answered exactly once: refused at once, or when its rows are
 *     committed.
 *
 * How many runs of a workflow are not over is known from above only: we hear
 * of beginnings, not of ends. So each workflow has an upper bound that grows
 * with every run, and the rows are counted only when it reaches a limit. */
#include "scheduler/scheduler.h"

#include "scheduler.sql.h"
#include "scheduler/core.h"
#include "scheduler/params.h"
#include "scheduler/rows.h"
#include "store/zones.h"

#include <sodium.h>

enum {
    EFFECTS_PER_TURN = 2000, /* keeps one transaction after a long sleep small */
    IDEM_KEY_MAX = 255,
    HASH_LEN = 16,
};

/* What is remembered of a workflow between two runs of it. */
struct flow {
    int64_t live_most; /* at most this many of its runs are not over; -1: unknown */
    int64_t pending;   /* of them not yet written down */
};

struct scheduler {
    struct corridor *corridor;
    struct store *store;
    struct door *door;
    struct versions *versions;
    struct zones *zones;
    const struct tz *zone;
    bool zone_guessed;
    struct sched *core;
    struct sched_effects effects;
    struct rows rows;
    struct map flows;
    int64_t last_run;
};

/* ---- entries ------------------------------------------------------------- */

struct entry_text {
    struct str entry, text, timezone;
    ms_t every;
};

/* An entry that was good when its file was read and is not now: its zone has
 * gone from the machine, say. */
static void entry_problem(struct scheduler *s, int64_t workflow, struct str entry, const char *why)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct json j = json_to(&b);
    json_open(&j, NULL);
    json_str(&j, "what", S("unschedulable"));
    json_str(&j, "entry", entry);
    json_str(&j, "reason", str_of(why));
    json_close(&j);
    struct event_row *ev = rows_event(&s->rows);
    *ev = (struct event_row){s->corridor->now, "workflow", workflow,
                             arena_str(&s->rows.arena, (struct str){b.at, b.len})};
}

static bool entry_def(struct scheduler *s, const struct entry_text *t, struct sched_def *d,
                      struct err *e)
{
    struct cron_error where;
    *d = (struct sched_def){.entry = t->entry, .every = t->every, .zone = s->zone};
    if (t->every)
        return true;
    if (!cron_parse(t->text, &d->cron, &where))
        return err_set(e, ERR_INVALID, "%s", where.text);
    struct str zone = d->cron.zone.at ? d->cron.zone : t->timezone;
    return !zone.at || zones_get(s->zones, zone, &d->zone, e);
}

struct entries {
    struct sched_def *at;
    size_t count, cap;
    struct arena arena;
};

static void entries_free(struct entries *en)
{
    free(en->at);
    arena_free(&en->arena);
    *en = (struct entries){0};
}

static void entries_add(struct scheduler *s, struct entries *en, int64_t workflow,
                        struct entry_text t, ms_t high_water)
{
    struct err e = {0};
    struct sched_def d;
    t.entry = arena_str(&en->arena, t.entry);
    if (!entry_def(s, &t, &d, &e)) {
        entry_problem(s, workflow, t.entry, e.text);
        return;
    }
    d.high_water = high_water;
    en->at = mem_grow(en->at, &en->cap, en->count + 1, sizeof *en->at);
    en->at[en->count++] = d;
}

/* ---- effects of the core become rows ------------------------------------- */

static struct flow *flow_of(struct scheduler *s, int64_t workflow)
{
    struct flow *f = map_get(&s->flows, workflow);
    if (!f) {
        f = mem_new(sizeof *f);
        f->live_most = -1;
        map_put(&s->flows, workflow, f);
    }
    return f;
}

/* True: fewer than `limit` runs of the workflow are not over. */
static bool has_room(struct scheduler *s, int64_t workflow, int64_t limit, bool *out, struct err *e)
{
    struct flow *f = flow_of(s, workflow);
    struct live_count_row n;
    bool found;
    *out = f->live_most >= 0 && f->live_most < limit;
    if (*out)
        return true;
    if (!sql_live_count_one(&s->store->db, workflow, limit, &n, &found, e))
        return false;
    *out = n.n + f->pending < limit;
    if (*out)
        f->live_most = n.n + f->pending;
    return true;
}

static struct run_row *run_add(struct scheduler *s, int64_t workflow,
                               const struct workflow_facts_row *facts)
{
    struct run_row *r = rows_run(&s->rows);
    struct flow *f = flow_of(s, workflow);
    r->id = ++s->last_run;
    r->workflow = workflow;
    r->version = facts->version_id;
    r->task_count = facts->task_count;
    r->at = s->corridor->now;
    f->live_most += f->live_most >= 0;
    f->pending++;
    return r;
}

/* Nothing is given, so the parameters are the defaults. */
static bool scheduled_run(struct scheduler *s, const struct workflow_facts_row *facts,
                          struct slot_row *t, struct err *e)
{
    const struct workflow *w;
    struct run_params p;
    if (!versions_get(s->versions, facts->version_id, &w, e) ||
        !params_merge(STR_NONE, w, &s->rows.arena, &p, e))
        return false;
    struct run_row *r = run_add(s, t->workflow, facts);
    r->trigger = "schedule";
    r->params = p.json;
    r->entry = t->entry;
    r->slot_at = t->at;
    t->run = r->id;
    return true;
}

/* The slot fires, or a reason why not. False: the rows could not be read. */
static bool fire(struct scheduler *s, struct slot_row *t, const char **why, struct err *e)
{
    struct workflow_facts_row facts;
    bool found, room;
    *why = NULL;
    if (!sql_workflow_facts_one(&s->store->db, t->workflow, &facts, &found, e) ||
        !has_room(s, t->workflow, SCHEDULER_SCHEDULED_MAX, &room, e))
        return false;
    if (!found || !facts.active)
        *why = "gone";
    else if (!room)
        *why = "overlap";
    else
        return scheduled_run(s, &facts, t, e);
    return true;
}

/* After the clock was set back an instant may come round again. */
static bool is_decided(struct scheduler *s, const struct sched_effect *f)
{
    struct slot_find_row row;
    struct err ignored;
    bool found;
    return sql_slot_find_one(&s->store->db, f->workflow, f->entry, f->at, &row, &found, &ignored) &&
           found && (row.fired || row.decided_at <= s->corridor->now);
}

static void take_slot(struct scheduler *s, const struct sched_effect *f)
{
    char wall[TZ_TEXT_MAX];
    struct err e = {0};
    const char *why = f->reason;
    if (is_decided(s, f))
        return;
    struct slot_row *t = rows_slot(&s->rows);
    t->workflow = f->workflow;
    t->entry = arena_str(&s->rows.arena, f->entry);
    t->at = f->at;
    t->decided_at = s->corridor->now;
    t->outcome = f->outcome;
    t->more = f->more;
    t->shifted_gap = f->shifted_gap;
    if (f->has_wall)
        t->wall = arena_str(&s->rows.arena, str_of(wall_format(f->wall, wall)));
    if (f->outcome == SLOT_FIRED && !fire(s, t, &why, &e)) {
        why = "error"; /* its definition or its rows cannot be read: say it, go on */
        entry_problem(s, f->workflow, t->entry, e.text);
    }
    t->reason = why;
    if (why && f->outcome == SLOT_FIRED)
        t->outcome = SLOT_SKIPPED;
}

static void take_correction(struct scheduler *s, const struct sched_effect *f)
{
    struct event_row *ev = rows_event(&s->rows);
    *ev = (struct event_row){.at = s->corridor->now, .kind = "clock"};
    ev->data =
        str_of(arena_printf(&s->rows.arena, "{\"what\":\"corrected\",\"from\":%lld,\"to\":%lld}",
                            (long long)f->from, (long long)f->at));
}

static void take_effects(struct scheduler *s)
{
    for (size_t i = 0; i < s->effects.count; i++) {
        const struct sched_effect *f = &s->effects.at[i];
        if (f->kind == SCHED_SLOT)
            take_slot(s, f);
        else if (f->kind == SCHED_CORRECTED)
            take_correction(s, f);
        else
            *rows_mark(&s->rows) =
                (struct mark_row){f->workflow, arena_str(&s->rows.arena, f->entry), f->at};
    }
    s->effects.count = 0;
}

/* ---- definitions --------------------------------------------------------- */

/* High water of a stored entry: the newest slot, or the mark. */
static ms_t stored_high_water(const struct entries_all_row *r)
{
    if (r->mark == DB_NULL && r->newest == DB_NULL)
        return MS_NEVER;
    return MAX(r->mark, r->newest); /* DB_NULL is smaller than any time */
}

static void set_entries(struct scheduler *s, int64_t workflow, struct entries *en, bool enabled)
{
    sched_set(s->core, workflow, en->at, en->count, !enabled, s->corridor->now, &s->effects);
    take_effects(s);
    entries_free(en);
}

static bool load_all(struct scheduler *s, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    CLEANUP(entries_free)
    struct entries en = {0};
    struct entries_all_row r;
    int64_t workflow = 0;
    bool enabled = false;
    /* A slot far ahead of the clock was decided by a clock that was wrong. */
    if (!sql_entries_all(&s->store->db, s->corridor->now + SCHED_BACK_MS, &rows, e))
        return false;
    while (sql_entries_all_next(&rows, &r)) {
        if (r.workflow_id != workflow && workflow)
            set_entries(s, workflow, &en, enabled);
        workflow = r.workflow_id;
        enabled = r.enabled != 0;
        entries_add(s, &en, workflow, (struct entry_text){r.entry, r.text, r.timezone, r.every_ms},
                    stored_high_water(&r));
    }
    if (workflow)
        set_entries(s, workflow, &en, enabled);
    return db_rows_end(&rows, e);
}

static bool load_one(struct scheduler *s, int64_t workflow, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    CLEANUP(entries_free)
    struct entries en = {0};
    struct workflow_facts_row facts;
    struct entries_of_row r;
    bool found;
    if (!sql_workflow_facts_one(&s->store->db, workflow, &facts, &found, e) ||
        !sql_entries_of(&s->store->db, workflow, &rows, e))
        return false;
    while (sql_entries_of_next(&rows, &r))
        entries_add(s, &en, workflow, (struct entry_text){r.entry, r.text, r.timezone, r.every_ms},
                    MS_NEVER);
    if (!db_rows_end(&rows, e))
        return false;
    if (found && facts.active)
        set_entries(s, workflow, &en, facts.enabled != 0);
    else
        sched_remove(s->core, workflow);
    return true;
}

/* ---- wishes -------------------------------------------------------------- */

static bool no_workflow(struct err *e, int64_t workflow)
{
    return err_set(e, ERR_NOT_FOUND, "there is no workflow %lld", (long long)workflow);
}

static bool gone_workflow(struct scheduler *s, int64_t workflow, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct workflow_name_row r;
    if (!sql_workflow_name(&s->store->db, workflow, &rows, e))
        return false;
    if (!sql_workflow_name_next(&rows, &r))
        return no_workflow(e, workflow);
    return err_set(e, ERR_CONFLICT, "the file of '%.*s' is gone; put it back to run it",
                   STR_ARG(r.name));
}

static struct str hash_of(struct str text, struct arena *a)
{
    unsigned char hash[HASH_LEN];
    char hex[2 * HASH_LEN + 1];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)text.at, text.len, NULL, 0);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return arena_str(a, str_of(hex));
}

/* A wish with a key that is known: the run it made then, 0 if there is none. */
static bool find_repeat(struct scheduler *s, const struct run_row *want, int64_t *run,
                        struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct run_by_key_row r;
    bool same = true;
    *run = 0;
    for (size_t i = 0; i < s->rows.run_count; i++) {
        const struct run_row *p = &s->rows.runs[i];
        if (p->workflow != want->workflow || !p->idem_key.at ||
            !str_eq(p->idem_key, want->idem_key))
            continue;
        *run = p->id;
        same = str_eq(p->idem_hash, want->idem_hash);
    }
    if (!*run) {
        if (!sql_run_by_key(&s->store->db, want->workflow, want->idem_key, &rows, e))
            return false;
        if (sql_run_by_key_next(&rows, &r)) {
            *run = r.id;
            same = str_eq(r.hash, want->idem_hash);
        }
        if (!db_rows_end(&rows, e))
            return false;
    }
    return same || err_set(e, ERR_CONFLICT,
                           "this idempotency key belongs to run %lld, which was asked for with "
                           "other parameters",
                           (long long)*run);
}

struct asked {
    struct run_row row; /* without id and numbers */
    struct workflow_facts_row facts;
    int64_t repeat; /* the run that is the answer already, or 0 */
};

/* Everything that can be wrong with a wish for a run. */
static bool check_wish(struct scheduler *s, const struct wish *w, struct asked *a, struct err *e)
{
    const struct workflow *workflow;
    struct run_params p;
    struct arena *arena = &s->rows.arena;
    bool found, room;
    if (w->key.len > IDEM_KEY_MAX)
        return err_set(e, ERR_INVALID, "an idempotency key may have %d bytes", IDEM_KEY_MAX);
    if (!sql_workflow_facts_one(&s->store->db, w->target, &a->facts, &found, e))
        return false;
    if (!found || !a->facts.active)
        return gone_workflow(s, w->target, e);
    if (!versions_get(s->versions, a->facts.version_id, &workflow, e) ||
        !params_merge(w->body, workflow, arena, &p, e))
        return false;
    a->row = (struct run_row){.workflow = w->target, .trigger = p.trigger, .params = p.json};
    a->row.actor = w->actor.at ? arena_str(arena, w->actor) : STR_NONE;
    if (w->key.at) {
        a->row.idem_key = arena_str(arena, w->key);
        a->row.idem_hash = hash_of(p.given, arena);
        if (!find_repeat(s, &a->row, &a->repeat, e))
            return false;
        if (a->repeat)
            return true;
    }
    if (!has_room(s, w->target, SCHEDULER_LIVE_MAX, &room, e))
        return false;
    return room || err_set(e, ERR_LIMIT, "'%.*s' has %d runs that are not over; try again later",
                           STR_ARG(workflow->name), SCHEDULER_LIVE_MAX);
}

static bool ask_run(struct scheduler *s, const struct wish *w, struct reply *out, struct err *e)
{
    struct asked a = {0};
    if (!check_wish(s, w, &a, e))
        return false;
    out->repeated = a.repeat != 0;
    out->run = a.repeat;
    if (a.repeat)
        return true;
    struct run_row *r = run_add(s, w->target, &a.facts);
    r->trigger = a.row.trigger;
    r->params = a.row.params;
    r->actor = a.row.actor;
    r->idem_key = a.row.idem_key;
    r->idem_hash = a.row.idem_hash;
    out->run = r->id;
    return true;
}

static bool set_switch(struct scheduler *s, const struct wish *w, struct reply *out, struct err *e)
{
    struct workflow_facts_row facts;
    struct arena *a = &s->rows.arena;
    bool found;
    (void)out;
    if (!sql_workflow_facts_one(&s->store->db, w->target, &facts, &found, e))
        return false;
    if (!found)
        return no_workflow(e, w->target);
    *rows_toggle(&s->rows) = (struct toggle_row){w->target, w->on, s->corridor->now,
                                                 w->actor.at ? arena_str(a, w->actor) : STR_NONE,
                                                 w->body.len ? arena_str(a, w->body) : STR_NONE};
    sched_pause(s->core, w->target, !w->on);
    return true;
}

static void hear_wish(struct scheduler *s, uint64_t ticket)
{
    const struct wish *w = door_wish(s->door, ticket);
    struct reply reply = {.ticket = ticket};
    struct err e = {0};
    bool good = w->kind == WISH_SWITCH ? set_switch(s, w, &reply, &e) : ask_run(s, w, &reply, &e);
    if (good) {
        *rows_reply(&s->rows) = reply;
        return;
    }
    struct answer no = {.kind = e.kind};
    memcpy(no.text, e.text, sizeof no.text);
    door_answer(s->door, ticket, &no);
    if (!rows_any(&s->rows))
        rows_clear(&s->rows); /* what the refused wish left in the arena */
}

/* ---- the room ------------------------------------------------------------ */

static bool find_zone(struct scheduler *s, struct str name, struct err *e)
{
    struct str local;
    bool said;
    if (name.at)
        return zones_get(s->zones, name, &s->zone, e);
    s->zone = zones_local(s->zones, &local, &said);
    s->zone_guessed = !said;
    return true;
}

struct scheduler *scheduler_new(const struct scheduler_opts *o, struct corridor *c,
                                struct store *st, struct door *d, struct err *e)
{
    struct scheduler *s = mem_new(sizeof *s);
    struct run_last_row last;
    bool found;
    s->corridor = c;
    s->store = st;
    s->door = d;
    s->versions = o->versions;
    s->zones = zones_new(NULL);
    s->core = sched_new();
    if (find_zone(s, o->timezone, e) && sql_run_last_one(&st->db, &last, &found, e)) {
        s->last_run = last.id;
        if (load_all(s, e))
            return s;
    }
    scheduler_free(s);
    err_wrap(e, "schedules");
    return NULL;
}

void scheduler_free(struct scheduler *s)
{
    if (!s)
        return;
    for (struct map_slot *m = NULL; (m = map_each(&s->flows, m));)
        free(m->value);
    map_free(&s->flows);
    sched_free(s->core);
    free(s->effects.at);
    rows_free(&s->rows);
    zones_free(s->zones);
    free(s);
}

bool scheduler_guessed_zone(const struct scheduler *s)
{
    return s->zone_guessed;
}

void scheduler_hear(struct scheduler *s, const struct msg *m)
{
    struct err e = {0};
    switch (m->kind) {
    case MSG_WORKFLOW_CHANGED:
        if (!load_one(s, m->workflow.id, &e))
            entry_problem(s, m->workflow.id, STR_NONE, e.text);
        break;
    case MSG_WORKFLOW_GONE: sched_remove(s->core, m->workflow.id); break;
    case MSG_RUN_REQUESTED:
    case MSG_SWITCH_SET: hear_wish(s, m->request.ticket); break;
    default: break;
    }
}

bool scheduler_dirty(const struct scheduler *s)
{
    return rows_any(&s->rows);
}

bool scheduler_write(struct scheduler *s, struct err *e)
{
    return rows_write(&s->rows, s->store, e);
}

void scheduler_committed(struct scheduler *s)
{
    struct rows *r = &s->rows;
    for (size_t i = 0; i < r->run_count; i++) {
        const struct run_row *run = &r->runs[i];
        flow_of(s, run->workflow)->pending = 0;
        corridor_post(s->corridor, (struct msg){.kind = MSG_RUN_CREATED,
                                                .run = {run->id, run->workflow, run->version}});
    }
    for (size_t i = 0; i < r->reply_count; i++)
        door_answer(s->door, r->replys[i].ticket,
                    &(struct answer){.id = r->replys[i].run, .repeated = r->replys[i].repeated});
    rows_clear(r);
}

ms_t scheduler_deadline(const struct scheduler *s)
{
    return sched_deadline(s->core, s->corridor->now);
}

void scheduler_tick(struct scheduler *s)
{
    sched_tick(s->core, s->corridor->now, EFFECTS_PER_TURN, &s->effects);
    take_effects(s);
}
