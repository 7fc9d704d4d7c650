/* SPDX-License-Identifier: MIT */
#include "server/view_parts.h"
#include "server/words.h"
#include "store/versions.h"
#include "model/cron.h"
#include "read.sql.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LAST_RUNS = 20,
    NEXT_FIRES = 5,
    GRID_RUNS = 30,
    GRID_RUNS_MAX = 200,
};
static const ms_t month_ms = 30LL * 24 * 3600 * 1000;

/* ---- parts of a workflow ---- */

static void write_switch(const struct workflow_row *w, struct json *j)
{
    if (w->switch_at == DB_NULL) {
        json_none(j, "switched");
        return;
    }
    json_open(j, "switched");
    json_time(j, "at", w->switch_at);
    json_str(j, "actor", w->switch_actor);
    json_str(j, "reason", w->switch_reason);
    json_close(j);
}

static struct view_entry entry_of(const struct workflow_schedules_row *s)
{
    return (struct view_entry){s->kind, s->text, s->timezone, s->every_ms};
}

static void entry_words(const struct workflow_schedules_row *s, struct buf *out)
{
    struct cron c;
    struct cron_error ignored;
    if (str_is(s->kind, "every")) {
        buf_puts(out, "every ");
        words_duration(out, s->every_ms);
    } else if (cron_parse(s->text, &c, &ignored)) {
        cron_words(&c, out);
    }
}

/* The schedules, and when the first of them fires next. */
static bool write_schedules(const struct view *v, int64_t id, ms_t *next, struct json *j,
                            struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    *next = MS_NEVER;
    if (!sql_workflow_schedules(v->db, id, &rows, e))
        return false;
    json_list(j, "schedules");
    for (struct workflow_schedules_row s; sql_workflow_schedules_next(&rows, &s);) {
        CLEANUP(buf_free)
        struct buf words = {0};
        struct view_entry entry = entry_of(&s);
        ms_t at = view_fire_next(v, &entry, v->now);
        *next = MIN(*next, at);
        entry_words(&s, &words);
        json_open(j, NULL);
        json_str(j, "entry", s.entry);
        view_text(j, "words", &words);
        json_str(j, "timezone", s.timezone);
        json_close(j);
    }
    json_list_end(j);
    return db_rows_end(&rows, e);
}

static bool write_last_runs(const struct view *v, int64_t id, struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_workflow_last_runs(v->db, id, LAST_RUNS, &rows, e))
        return false;
    json_list(j, "last_runs");
    for (struct workflow_last_runs_row r; sql_workflow_last_runs_next(&rows, &r);) {
        CLEANUP(buf_free)
        struct buf cause = {0};
        if (str_is(r.state, "failed") && !view_run_cause(v, r.id, &cause, e))
            return false;
        json_open(j, NULL);
        json_int(j, "id", r.id);
        json_int(j, "version", r.version);
        json_str(j, "state", r.state);
        json_bool(j, "degraded", r.degraded != 0);
        json_str(j, "reason", r.reason);
        view_time(j, "started_at", r.started_at);
        view_time(j, "finished_at", r.finished_at);
        view_duration(j, "duration_ms", r.started_at, r.finished_at, v->now);
        view_text(j, "cause", &cause);
        json_close(j);
    }
    json_list_end(j);
    return db_rows_end(&rows, e);
}

static bool write_workflow(const struct view *v, const struct workflow_row *w, struct json *j,
                           struct err *e)
{
    ms_t next;
    json_int(j, "id", w->id);
    json_str(j, "name", w->name);
    json_str(j, "state", w->state);
    json_bool(j, "enabled", w->enabled != 0);
    write_switch(w, j);
    json_str(j, "description", w->description);
    json_str(j, "owner", w->owner);
    json_raw(j, "tags", w->tags);
    json_int(j, "version", w->version);
    json_int(j, "task_count", w->task_count);
    json_str(j, "path", w->path);
    if (!write_schedules(v, w->id, &next, j, e))
        return false;
    json_time(j, "next_at", w->enabled && str_is(w->state, "active") ? next : 0);
    view_nint(j, "usual_ms", w->usual_ms);
    return view_problems(v, w->path, j, "problems", e) && write_last_runs(v, w->id, j, e);
}

/* ---- all ---- */

static bool write_one(const struct view *v, int64_t id, struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct workflow_row w;
    if (!sql_workflow(v->db, id, &rows, e))
        return false;
    if (sql_workflow_next(&rows, &w)) {
        json_open(j, NULL);
        if (!write_workflow(v, &w, j, e))
            return false;
        json_close(j);
    }
    return db_rows_end(&rows, e);
}

bool view_workflows(const struct view *v, struct buf *out, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows ids = {0};
    struct json j = json_to(out);
    json_open(&j, NULL);
    if (!view_head(v, "gowtf.workflows/1", &j, e) || !sql_workflow_ids(v->db, &ids, e))
        return false;
    json_list(&j, "items");
    for (struct workflow_ids_row row; sql_workflow_ids_next(&ids, &row);)
        if (!write_one(v, row.id, &j, e))
            return false;
    json_list_end(&j);
    if (!view_broken(v, &j, "broken", e))
        return false;
    json_close(&j);
    return db_rows_end(&ids, e);
}

/* ---- one ---- */

/* Parameters are told by the definition itself. */
static void write_params(const struct view *v, int64_t version, struct json *j)
{
    struct versions *versions = versions_new(v->db, 0);
    const struct workflow *w;
    struct err ignored;
    json_list(j, "params");
    if (versions_get(versions, version, &w, &ignored))
        for (uint32_t i = 0; i < w->params.count; i++) {
            json_open(j, NULL);
            json_str(j, "name", w->params.at[i].name);
            json_str(j, "default", w->params.at[i].value);
            json_close(j);
        }
    json_list_end(j);
    versions_free(versions);
}

/* Two walks side by side: tasks and edges come in the same order. */
static bool write_tasks(const struct view *v, int64_t version, struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows tasks = {0};
    CLEANUP(db_rows_close)
    struct db_rows edges = {0};
    struct version_edges_row edge;
    if (!sql_version_tasks(v->db, version, &tasks, e) ||
        !sql_version_edges(v->db, version, &edges, e))
        return false;
    bool more = sql_version_edges_next(&edges, &edge);
    json_list(j, "tasks");
    for (struct version_tasks_row t; sql_version_tasks_next(&tasks, &t);) {
        json_open(j, NULL);
        json_int(j, "task", t.task);
        json_str(j, "name", t.name);
        json_str(j, "description", t.description);
        json_str(j, "kind", t.kind);
        json_str(j, "condition", t.condition);
        json_int(j, "retries", t.retries);
        json_int(j, "retry_delay_ms", t.retry_delay_ms);
        json_int(j, "timeout_ms", t.timeout_ms);
        json_list(j, "depends_on");
        for (; more && edge.task == t.task; more = sql_version_edges_next(&edges, &edge))
            json_int(j, NULL, edge.upstream);
        json_list_end(j);
        json_close(j);
    }
    json_list_end(j);
    return db_rows_end(&tasks, e) && db_rows_end(&edges, e);
}

struct entry_at {
    struct view_entry entry;
    struct str text;
    ms_t at;
};

/* The next fires of all entries together, in order of time. */
static bool write_next(const struct view *v, int64_t id, struct json *j, struct err *e)
{
    enum { ENTRIES = 64 };
    CLEANUP(arena_free)
    struct arena a = {0};
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct entry_at entries[ENTRIES];
    size_t count = 0;
    if (!sql_workflow_schedules(v->db, id, &rows, e))
        return false;
    for (struct workflow_schedules_row s; sql_workflow_schedules_next(&rows, &s);) {
        if (count == ENTRIES)
            continue;
        struct view_entry entry = {arena_str(&a, s.kind), arena_str(&a, s.text),
                                   arena_str(&a, s.timezone), s.every_ms};
        entries[count++] =
            (struct entry_at){entry, arena_str(&a, s.entry), view_fire_next(v, &entry, v->now)};
    }
    json_list(j, "next");
    for (int n = 0; n < NEXT_FIRES && count; n++) {
        struct entry_at *first = &entries[0];
        struct str zone;
        for (size_t i = 1; i < count; i++)
            if (entries[i].at < first->at)
                first = &entries[i];
        if (first->at == MS_NEVER)
            break;
        json_open(j, NULL);
        json_time(j, "at", first->at);
        json_str(j, "entry", first->text);
        view_local(j, "local", view_zone(v, &first->entry, &zone), first->at);
        json_close(j);
        first->at = view_fire_next(v, &first->entry, first->at);
    }
    json_list_end(j);
    return db_rows_end(&rows, e);
}

static bool write_totals(const struct view *v, int64_t id, struct json *j, struct err *e)
{
    struct workflow_totals_row t;
    bool found;
    if (!sql_workflow_totals_one(v->db, id, v->now - month_ms, &t, &found, e))
        return false;
    json_int(j, "run_count", t.runs);
    if (t.ended == 0) {
        json_none(j, "success_rate_30d");
        return true;
    }
    char text[32];
    int n = snprintf(text, sizeof text, "%.4f", (double)t.good / (double)t.ended);
    json_raw(j, "success_rate_30d", (struct str){text, (size_t)n});
    return true;
}

bool view_workflow(const struct view *v, struct str name, struct buf *out, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct workflow_row w;
    struct json j = json_to(out);
    int64_t id, seq;
    if (!view_workflow_find(v, name, &id, NULL, e) || !view_seq(v, &seq, e) ||
        !sql_workflow(v->db, id, &rows, e))
        return false;
    if (!sql_workflow_next(&rows, &w))
        return err_set(e, ERR_NOT_FOUND, "no workflow is called '%.*s'", STR_ARG(name));
    json_open(&j, NULL);
    if (!write_workflow(v, &w, &j, e))
        return false;
    json_str(&j, "timezone", w.timezone);
    json_str(&j, "source_hash", w.hash);
    write_params(v, w.version_id, &j);
    if (!write_tasks(v, w.version_id, &j, e) || !write_next(v, id, &j, e) ||
        !write_totals(v, id, &j, e))
        return false;
    json_int(&j, "seq", seq);
    json_close(&j);
    return db_rows_end(&rows, e);
}

/* ---- versions ---- */

bool view_version_find(const struct view *v, struct str name, int64_t number, int64_t *out,
                       struct err *e)
{
    struct version_find_row row;
    int64_t id;
    bool found;
    if (!view_workflow_find(v, name, &id, out, e))
        return false;
    if (number == 0)
        return true;
    if (!sql_version_find_one(v->db, id, number, &row, &found, e))
        return false;
    if (!found)
        return err_set(e, ERR_NOT_FOUND, "'%.*s' has no version %lld", STR_ARG(name),
                       (long long)number);
    *out = row.id;
    return true;
}

bool view_source(const struct view *v, struct str name, int64_t number, struct buf *out,
                 struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct version_text_row row;
    int64_t id;
    if (!view_version_find(v, name, number, &id, e) || !sql_version_text(v->db, id, &rows, e))
        return false;
    if (sql_version_text_next(&rows, &row))
        buf_str(out, row.source);
    return db_rows_end(&rows, e);
}

bool view_versions(const struct view *v, struct str name, struct buf *out, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct json j = json_to(out);
    int64_t id;
    if (!view_workflow_find(v, name, &id, NULL, e) || !sql_versions(v->db, id, &rows, e))
        return false;
    json_open(&j, NULL);
    json_list(&j, "items");
    for (struct versions_row row; sql_versions_next(&rows, &row);) {
        json_open(&j, NULL);
        json_int(&j, "version", row.number);
        json_str(&j, "hash", row.hash);
        json_time(&j, "loaded_at", row.loaded_at);
        json_str(&j, "path", row.path);
        json_int(&j, "task_count", row.task_count);
        json_close(&j);
    }
    json_list_end(&j);
    json_close(&j);
    return db_rows_end(&rows, e);
}

/* ---- the grid ---- */

/* One character a state, in the order of enum task_state. */
static const char cell_of[TASK_STATE_COUNT + 1] = ".qrywsfkuc";

struct name_at {
    struct str name;
    size_t row;
};

static int by_name(const void *a, const void *b)
{
    const struct name_at *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

struct grid {
    struct arena arena;
    struct name_at *rows; /* sorted by name */
    size_t row_count, row_cap;
    struct buf cells; /* row by row */
    size_t columns;
};

static void grid_free(struct grid *g)
{
    arena_free(&g->arena);
    free(g->rows);
    buf_free(&g->cells);
}

static bool grid_rows(const struct view *v, int64_t version, struct grid *g, struct json *j,
                      struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_version_tasks(v->db, version, &rows, e))
        return false;
    json_list(j, "tasks");
    for (struct version_tasks_row t; sql_version_tasks_next(&rows, &t);) {
        json_str(j, NULL, t.name);
        if (g->row_count == g->row_cap)
            g->rows = mem_grow(g->rows, &g->row_cap, g->row_count + 1, sizeof *g->rows);
        g->rows[g->row_count] = (struct name_at){arena_str(&g->arena, t.name), g->row_count};
        g->row_count++;
    }
    json_list_end(j);
    if (g->row_count)
        qsort(g->rows, g->row_count, sizeof *g->rows, by_name);
    return db_rows_end(&rows, e);
}

static char cell(struct str word, int64_t attempt)
{
    enum task_state s;
    if (!task_state_parse(word, &s))
        return ' ';
    return s == TASK_SUCCESS && attempt > 1 ? 'S' : cell_of[s];
}

static bool grid_column(const struct view *v, int64_t run, size_t column, struct grid *g,
                        struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_run_cells(v->db, run, &rows, e))
        return false;
    for (struct run_cells_row c; sql_run_cells_next(&rows, &c);) {
        struct name_at key = {c.name, 0};
        const struct name_at *at =
            g->row_count ? bsearch(&key, g->rows, g->row_count, sizeof key, by_name) : NULL;
        if (at)
            g->cells.at[at->row * g->columns + column] = cell(c.state, c.attempt);
    }
    return db_rows_end(&rows, e);
}

static bool grid_runs(const struct view *v, int64_t id, int64_t most, struct grid *g,
                      struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct workflow_last_runs_row runs[GRID_RUNS_MAX];
    if (!sql_workflow_last_runs(v->db, id, most, &rows, e))
        return false;
    while (g->columns < GRID_RUNS_MAX && sql_workflow_last_runs_next(&rows, &runs[g->columns])) {
        runs[g->columns].state = arena_str(&g->arena, runs[g->columns].state);
        g->columns++;
    }
    for (size_t i = 0; i < g->row_count * g->columns; i++)
        buf_putc(&g->cells, ' ');
    json_list(j, "runs");
    for (size_t i = 0; i < g->columns; i++) {
        const struct workflow_last_runs_row *r = &runs[g->columns - 1 - i];
        json_open(j, NULL);
        json_int(j, "id", r->id);
        json_str(j, "state", r->state);
        json_int(j, "version", r->version);
        view_time(j, "started_at", r->started_at);
        view_duration(j, "duration_ms", r->started_at, r->finished_at, v->now);
        json_close(j);
        if (!grid_column(v, r->id, i, g, e))
            return false;
    }
    json_list_end(j);
    return db_rows_end(&rows, e);
}

bool view_grid(const struct view *v, struct str name, int64_t runs, struct buf *out, struct err *e)
{
    CLEANUP(grid_free)
    struct grid g = {0};
    struct json j = json_to(out);
    int64_t id, version, most = runs > 0 ? MIN(runs, GRID_RUNS_MAX) : GRID_RUNS;
    if (!view_workflow_find(v, name, &id, &version, e))
        return false;
    json_open(&j, NULL);
    if (!grid_rows(v, version, &g, &j, e) || !grid_runs(v, id, most, &g, &j, e))
        return false;
    json_str(&j, "cells", (struct str){g.cells.len ? g.cells.at : "", g.cells.len});
    json_close(&j);
    return true;
}
