/* SPDX-License-Identifier: MIT */
#include "executor/record.h"

#include "executor.sql.h"

/* More changes than this become further events, so that no reader has to take
 * in megabytes at once. */
enum { EVENT_TASKS_MAX = 2000 };
/* So many durations of a run's tasks are remembered. */
enum { SAMPLES_MAX = 250 };

struct run_record *record_add(struct records *rs, int64_t id, int64_t workflow_id,
                              int64_t version_id, const struct workflow *w)
{
    struct run_record *r = mem_new(sizeof *r);
    r->id = id;
    r->workflow_id = workflow_id;
    r->version_id = version_id;
    r->workflow = w;
    r->failed_task = -1;
    r->counts[TASK_PENDING] = w->task_count;
    r->change_at = mem_new(w->task_count * sizeof *r->change_at);
    r->states = mem_new(w->task_count * sizeof *r->states);
    r->started = mem_new(w->task_count * sizeof *r->started);
    map_put(&rs->runs, id, r);
    return r;
}

struct run_record *record_find(const struct records *rs, int64_t id)
{
    return map_get(&rs->runs, id);
}

static void set_state(struct run_record *r, uint32_t task, enum task_state state)
{
    ASSERT(!(r->states[task] & RECORD_LATE));
    r->counts[r->states[task]]--;
    r->counts[state]++;
    r->states[task] = (uint8_t)state;
    if (state == TASK_FAILED && r->failed_task < 0)
        r->failed_task = task;
}

void record_init_task(struct run_record *r, uint32_t task, enum task_state state, ms_t started)
{
    int64_t failed_task = r->failed_task;
    set_state(r, task, state);
    r->failed_task = failed_task;
    r->started[task] = started;
}

static void touch(struct records *rs, struct run_record *r)
{
    if (r->dirty)
        return;
    r->dirty = true;
    rs->dirty = mem_grow(rs->dirty, &rs->dirty_cap, rs->dirty_count + 1, sizeof *rs->dirty);
    rs->dirty[rs->dirty_count++] = r;
}

static struct task_change *change_of(struct run_record *r, uint32_t task)
{
    if (!r->change_at[task]) {
        r->changes = mem_grow(r->changes, &r->change_cap, r->change_count + 1, sizeof *r->changes);
        r->changes[r->change_count] = (struct task_change){
            .task = task,
            .from = r->states[task],
        };
        r->change_at[task] = (uint32_t)++r->change_count;
    }
    return &r->changes[r->change_at[task] - 1];
}

static void sample_add(struct records *rs, const struct run_record *r, struct str task, ms_t took)
{
    rs->samples = mem_grow(rs->samples, &rs->sample_cap, rs->sample_count + 1, sizeof *rs->samples);
    rs->samples[rs->sample_count++] = (struct sample){r->workflow_id, task, MAX(took, 0)};
}

/* Of a large workflow each run measures some tasks, and each run others. */
static bool is_sampled(const struct run_record *r, uint32_t task)
{
    uint32_t share = 1 + r->workflow->task_count / SAMPLES_MAX;
    return ((uint64_t)r->id + task) % share == 0;
}

static bool is_late(const struct run_record *r, uint32_t task)
{
    return r->states[task] & RECORD_LATE;
}

static void put_off(struct records *rs, struct run_record *r, uint32_t task, ms_t now, ms_t due)
{
    if (rs->late_head == rs->late_count)
        rs->late_head = rs->late_count = 0;
    rs->late = mem_grow(rs->late, &rs->late_cap, rs->late_count + 1, sizeof *rs->late);
    rs->late[rs->late_count++] = (struct late){r->id, task, due};
    r->states[task] |= RECORD_LATE;
    r->started[task] = now;
}

/* What was put off is part of the change after all. */
static void catch_up(struct run_record *r, uint32_t task)
{
    if (!is_late(r, task))
        return;
    r->states[task] &= (uint8_t)~RECORD_LATE;
    ms_t queued_at = r->started[task];
    r->started[task] = 0;
    struct task_change *c = change_of(r, task);
    if (c->from != TASK_QUEUED)
        c->queued_at = queued_at;
}

void records_ripen(struct records *rs, const struct executor_core *core, ms_t steady, ms_t now,
                   ms_t shift)
{
    struct task_row row;
    for (int n = 0; n < RECORD_LATE_MAX && records_deadline(rs) <= steady; rs->late_head++) {
        const struct late *l = &rs->late[rs->late_head];
        struct run_record *r = record_find(rs, l->run);
        if (!r || !is_late(r, l->task) || !executor_core_task(core, l->run, l->task, &row))
            continue;
        catch_up(r, l->task);
        record_task(rs, r, l->task, &row, now, now, shift);
        n++;
    }
}

ms_t records_deadline(const struct records *rs)
{
    return rs->late_head < rs->late_count ? rs->late[rs->late_head].due : MS_NEVER;
}

void record_task(struct records *rs, struct run_record *r, uint32_t task,
                 const struct task_row *row, ms_t now, ms_t at, ms_t shift)
{
    if (row->state == TASK_QUEUED && !r->change_at[task]) {
        if (!is_late(r, task))
            put_off(rs, r, task, now, now - shift + RECORD_LATE_MS);
        return;
    }
    catch_up(r, task);
    struct task_change *c = change_of(r, task);
    bool moved = r->states[task] != row->state;
    touch(rs, r);
    c->row = *row;
    c->due_at = row->state == TASK_RETRYING ? row->since + shift : 0;
    c->wait_since = row->wait == WAIT_NONE ? 0 : row->wait == WAIT_RETRY ? at : row->since + shift;
    if (row->state == TASK_QUEUED && moved && !c->queued_at)
        c->queued_at = now;
    if (row->state == TASK_RUNNING && moved)
        c->started_at = r->started[task] = at;
    if (task_is_over(row->state) && moved)
        c->finished_at = MAX(at, r->started[task]);
    if (row->state == TASK_SUCCESS && moved && r->started[task] && is_sampled(r, task))
        sample_add(rs, r, r->workflow->tasks[task].name, c->finished_at - r->started[task]);
    if (moved)
        set_state(r, task, row->state);
}

void record_run(struct records *rs, struct run_record *r, enum run_state state, bool degraded,
                ms_t now)
{
    touch(rs, r);
    r->state = state;
    r->degraded = degraded;
    if (state == RUN_RUNNING && !r->started_at)
        r->started_at = now;
    if (!run_is_over(state))
        return;
    r->is_over = true;
    r->finished_at = now;
    if (state == RUN_SUCCESS && r->started_at)
        sample_add(rs, r, S(""), now - r->started_at);
}

/* ---- writing ---- */

static struct str word(const char *s)
{
    return *s ? str_of(s) : STR_NONE;
}

static int64_t some(int64_t v)
{
    return v ? v : DB_NULL;
}

static struct str wait_word(enum wait_code w)
{
    static const char *const words[WAIT_CODES] = {"", "slots", "max_parallel", "retry"};
    ASSERT((size_t)w < countof(words));
    return word(words[w]);
}

static bool write_task(const struct run_record *r, const struct task_change *c, struct db *db,
                       struct err *e)
{
    const struct task_row *row = &c->row;
    return sql_task_put(db, r->id, c->task, word(task_state_word(row->state)),
                        word(reason_word(row->reason)), row->attempts, row->charged,
                        some(c->due_at), row->has_exit_code ? row->exit_code : DB_NULL,
                        some(c->queued_at), some(c->started_at), some(c->finished_at),
                        wait_word(row->wait), some(c->wait_since), e);
}

static uint32_t count_done(const struct run_record *r)
{
    uint32_t n = 0;
    for (int s = 0; s < TASK_STATE_COUNT; s++)
        n += task_is_over((enum task_state)s) ? r->counts[s] : 0;
    return n;
}

static bool write_run(const struct run_record *r, struct db *db, struct err *e)
{
    int64_t failed_task = r->failed_task < 0 ? DB_NULL : r->failed_task;
    if (r->state == r->written)
        return sql_run_count(db, r->id, count_done(r), r->counts[TASK_FAILED],
                             r->counts[TASK_RUNNING], failed_task, e);
    return sql_run_put(db, r->id, word(run_state_word(r->state)), r->degraded, some(r->started_at),
                       some(r->finished_at), count_done(r), r->counts[TASK_FAILED],
                       r->counts[TASK_RUNNING], r->failed_task < 0 ? DB_NULL : r->failed_task, e);
}

static void json_change(const struct task_change *c, struct buf *b)
{
    buf_printf(b, "[%u,0,\"%s\",\"%s\",%u,", c->task, task_state_word(c->from),
               task_state_word(c->row.state), c->row.attempts);
    if (c->row.reason == REASON_NONE)
        buf_puts(b, "null,");
    else
        buf_printf(b, "\"%s\",", reason_word(c->row.reason));
    if (c->row.has_exit_code)
        buf_printf(b, "%d]", c->row.exit_code);
    else
        buf_puts(b, "null]");
}

static bool is_worth_telling(const struct task_change *c)
{
    return c->from != c->row.state || c->row.state == TASK_RUNNING;
}

/* One event for what happened to the run; `*next` is where to go on. */
static bool write_event(struct records *rs, const struct run_record *r, size_t *next,
                        struct store *s, ms_t now, struct err *e)
{
    struct buf *b = &rs->json;
    bool moved = *next == 0 && r->state != r->written, any = false;
    buf_clear(b);
    if (moved)
        buf_printf(b, "{\"from\":\"%s\",\"to\":\"%s\",\"reason\":null,\"tasks\":[",
                   run_state_word(r->written), run_state_word(r->state));
    else
        buf_puts(b, "{\"from\":null,\"to\":null,\"reason\":null,\"tasks\":[");
    size_t end = MIN(*next + EVENT_TASKS_MAX, r->change_count);
    for (; *next < end; ++*next) {
        if (!is_worth_telling(&r->changes[*next]))
            continue;
        if (any)
            buf_putc(b, ',');
        json_change(&r->changes[*next], b);
        any = true;
    }
    buf_puts(b, "]}");
    if (!moved && !any)
        return true;
    return event_add(s, now, "run", r->workflow_id, r->id, STR_NONE, (struct str){b->at, b->len},
                     e);
}

static bool write_record(struct records *rs, const struct run_record *r, struct store *s, ms_t now,
                         struct err *e)
{
    for (size_t i = 0; i < r->change_count; i++)
        if (!write_task(r, &r->changes[i], &s->db, e))
            return false;
    if (!write_run(r, &s->db, e))
        return false;
    size_t next = 0;
    do {
        if (!write_event(rs, r, &next, s, now, e))
            return false;
    } while (next < r->change_count);
    return true;
}

bool records_write(struct records *rs, struct store *s, ms_t now, struct err *e)
{
    for (size_t i = 0; i < rs->dirty_count; i++)
        if (!write_record(rs, rs->dirty[i], s, now, e))
            return false;
    for (size_t i = 0; i < rs->sample_count; i++) {
        const struct sample *sample = &rs->samples[i];
        if (!sql_stats_add(&s->db, sample->workflow_id, sample->task, sample->took, e))
            return false;
    }
    return true;
}

/* A turn that changed a hundred thousand tasks is no reason to keep the room
 * for it. */
static void forget_changes(struct run_record *r)
{
    enum { KEEP = 1024 };
    for (size_t i = 0; i < r->change_count; i++)
        r->change_at[r->changes[i].task] = 0;
    r->change_count = 0;
    r->written = r->state;
    r->dirty = false;
    if (r->change_cap > KEEP) {
        free(r->changes);
        r->changes = NULL;
        r->change_cap = 0;
    }
}

void records_committed(struct records *rs, void (*drop)(void *ctx, struct run_record *r), void *ctx)
{
    rs->sample_count = 0;
    for (size_t i = 0; i < rs->dirty_count; i++) {
        struct run_record *r = rs->dirty[i];
        forget_changes(r);
        if (!r->is_over)
            continue;
        map_take(&rs->runs, r->id);
        drop(ctx, r);
    }
    rs->dirty_count = 0;
}

void record_free(struct run_record *r)
{
    free(r->changes);
    free(r->change_at);
    free(r->states);
    free(r->started);
    free(r);
}

void records_done(struct records *rs)
{
    for (struct map_slot *s = NULL; (s = map_each(&rs->runs, s));)
        record_free(s->value);
    map_free(&rs->runs);
    free(rs->dirty);
    free(rs->late);
    free(rs->samples);
    buf_free(&rs->json);
}
