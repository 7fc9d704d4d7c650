/* SPDX-License-Identifier: MIT
 *
 * server/view_home.c: is there anything to do, and is everything well? */
#include "base/clock.h"
#include "model/load.h"
#include "server/view_parts.h"
#include "server/words.h"
#include "read.sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

enum { HOURS = 24, NEXT_SHOWN = 8, RUNNING_SHOWN = 50, NAMES_SHOWN = 5, FILES_NAMED = 3 };
static const ms_t hour_ms = 3600LL * 1000;
static const ms_t needs_ms = 14LL * 24 * 3600 * 1000; /* older failures are history */

/* ---- what needs somebody ---- */

static void write_need(struct json *j, const char *kind, struct str workflow, int64_t run,
                       struct str task, ms_t at, struct str text, int64_t count, int64_t line)
{
    json_open(j, NULL);
    json_str(j, "kind", str_of(kind));
    json_str(j, "workflow", workflow);
    view_nint(j, "run", run);
    json_str(j, "task", task);
    view_time(j, "at", at);
    json_str(j, "text", text);
    json_int(j, "count_in_row", count);
    view_nint(j, "first_error_line", line);
    json_close(j);
}

static bool write_failure(const struct view *v, const struct home_failures_row *f, struct json *j,
                          struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    CLEANUP(buf_free)
    struct buf text = {0};
    struct run_row r;
    if (!view_run_cause(v, f->run, &text, e) || !sql_run(v->db, f->run, &rows, e))
        return false;
    if (text.len == 0)
        buf_puts(&text, "failed");
    if (sql_run_next(&rows, &r))
        write_need(j, "failed", r.workflow, f->run, r.failed_name, r.finished_at,
                   (struct str){text.at, text.len}, f->in_row, r.failed_line);
    return db_rows_end(&rows, e);
}

static bool write_failures(const struct view *v, struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_home_failures(v->db, v->now - needs_ms, &rows, e))
        return false;
    for (struct home_failures_row f; sql_home_failures_next(&rows, &f);)
        if (!write_failure(v, &f, j, e))
            return false;
    return db_rows_end(&rows, e);
}

/* The first error of a file that does not load, or why it may not. */
static bool write_broken_file(const struct view *v, const struct problem_paths_row *f,
                              struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    CLEANUP(buf_free)
    struct buf text = {0};
    struct problems_of_row p;
    if (!sql_problems_of(v->db, f->path, &rows, e))
        return false;
    buf_printf(&text, "%.*s: ", STR_ARG(f->path));
    bool there = false;
    while (!there && sql_problems_of_next(&rows, &p))
        there = str_is(p.severity, "error");
    if (there)
        buf_printf(&text, "line %lld: %.*s", (long long)p.line, STR_ARG(p.message));
    else
        buf_str(&text, f->reason.at ? f->reason : S("not loaded"));
    write_need(j, "broken", f->workflow_name, DB_NULL, STR_NONE, f->at,
               (struct str){text.at, text.len}, 1, there ? p.line : DB_NULL);
    return db_rows_end(&rows, e);
}

static bool write_broken(const struct view *v, struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_problem_paths(v->db, &rows, e))
        return false;
    for (struct problem_paths_row f; sql_problem_paths_next(&rows, &f);)
        if (!write_broken_file(v, &f, j, e))
            return false;
    return db_rows_end(&rows, e);
}

static bool write_missed(const struct view *v, struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_slots_missed(v->db, v->now - HOURS * hour_ms, &rows, e))
        return false;
    for (struct slots_missed_row s; sql_slots_missed_next(&rows, &s);) {
        char text[128];
        snprintf(text, sizeof text, "%lld scheduled %s not started: %.*s", (long long)s.n,
                 s.n == 1 ? "run was" : "runs were", (int)MIN(s.reason.len, 60), s.reason.at);
        write_need(j, "missed", s.workflow, DB_NULL, STR_NONE, s.slot_at, str_of(text), s.n,
                   DB_NULL);
    }
    return db_rows_end(&rows, e);
}

/* ---- what runs ---- */

/* What tasks of a run that goes on wait for, in one sentence. */
static bool write_held(const struct view *v, int64_t run, struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    CLEANUP(buf_free)
    struct buf text = {0};
    struct view_slots_use use;
    struct run_held_row h;
    if (!view_slots_now(v, &use, e) || !sql_run_held(v->db, run, &rows, e))
        return false;
    if (sql_run_held_next(&rows, &h))
        words_run_held(&text, &(struct held){.queued = h.queued,
                                             .retrying = h.retrying,
                                             .wait_code = view_wait_code(h.wait_code, &use),
                                             .since = h.since == DB_NULL ? 0 : h.since,
                                             .due_at = h.due_at == DB_NULL ? 0 : h.due_at,
                                             .slots_total = use.total,
                                             .now = v->now});
    view_text(j, "waiting", &text);
    return db_rows_end(&rows, e);
}

static bool add_running(const struct view *v, int64_t run, struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_run_running_tasks(v->db, run, NAMES_SHOWN, &rows, e))
        return false;
    json_list(j, "running_tasks");
    for (struct run_running_tasks_row t; sql_run_running_tasks_next(&rows, &t);)
        json_str(j, NULL, t.name);
    json_list_end(j);
    return db_rows_end(&rows, e) && write_held(v, run, j, e);
}

static bool write_running(const struct view *v, struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    bool found;
    if (!sql_runs_live(v->db, DB_NULL, INT64_MAX, 0, INT64_MAX, S(",running,queued,"),
                       RUNNING_SHOWN, &rows, e))
        return false;
    json_list(j, "running");
    for (struct runs_live_row r; sql_runs_live_next(&rows, &r);)
        if (!view_run_object(v, r.id, add_running, j, &found, e))
            return false;
    json_list_end(j);
    return db_rows_end(&rows, e);
}

/* ---- the last day ---- */

struct day {
    int64_t total[HOURS], failed[HOURS];
    int64_t by_state[RUN_STATE_COUNT];
};

static bool read_day(const struct view *v, ms_t since, struct day *d, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_home_hours(v->db, since, &rows, e))
        return false;
    for (struct home_hours_row h; sql_home_hours_next(&rows, &h);) {
        enum run_state state;
        if (h.hour < 0 || h.hour >= HOURS || !run_state_parse(h.state, &state))
            continue;
        d->total[h.hour] += h.n;
        d->by_state[state] += h.n;
        if (state == RUN_FAILED)
            d->failed[h.hour] += h.n;
    }
    return db_rows_end(&rows, e);
}

static bool write_day(const struct view *v, struct json *j, struct err *e)
{
    ms_t since = (v->now / hour_ms + 1 - HOURS) * hour_ms;
    struct day d = {0};
    struct home_missed_row missed;
    int64_t busiest = 0;
    bool found;
    if (!read_day(v, since, &d, e) || !sql_home_missed_one(v->db, since, &missed, &found, e))
        return false;
    json_open(j, "day");
    json_int(j, "success", d.by_state[RUN_SUCCESS]);
    json_int(j, "failed", d.by_state[RUN_FAILED]);
    json_int(j, "cancelled", d.by_state[RUN_CANCELLED]);
    json_int(j, "missed", missed.n);
    json_list(j, "hours");
    for (int h = 0; h < HOURS; h++) {
        json_open(j, NULL);
        json_time(j, "at", since + h * hour_ms);
        json_int(j, "total", d.total[h]);
        json_int(j, "failed", d.failed[h]);
        json_close(j);
        if (d.total[h] > d.total[busiest])
            busiest = h;
    }
    json_list_end(j);
    json_time(j, "busiest", d.total[busiest] ? since + busiest * hour_ms : 0);
    json_close(j);
    return true;
}

bool view_home(const struct view *v, struct buf *out, struct err *e)
{
    struct json j = json_to(out);
    struct view_slots_use use;
    int64_t seq;
    if (!view_seq(v, &seq, e) || !view_slots_now(v, &use, e))
        return false;
    json_open(&j, NULL);
    json_int(&j, "seq", seq);
    json_list(&j, "needs");
    if (!write_failures(v, &j, e) || !write_broken(v, &j, e) || !write_missed(v, &j, e))
        return false;
    json_list_end(&j);
    if (!write_running(v, &j, e))
        return false;
    json_list(&j, "next");
    if (!view_next_items(v, true, NEXT_SHOWN, MS_NEVER, &j, e))
        return false;
    json_list_end(&j);
    if (!write_day(v, &j, e))
        return false;
    view_slots_object(&j, "slots", &use);
    json_close(&j);
    return true;
}

/* ---- the system ---- */

static int64_t file_bytes(const char *home, const char *name)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", home, name);
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static bool write_keepers(const struct view *v, int *up, int *all, struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_keepers(v->db, &rows, e))
        return false;
    json_list(j, "keepers");
    for (struct keepers_row k; sql_keepers_next(&rows, &k);) {
        *up += str_is(k.state, "up");
        ++*all;
        json_open(j, NULL);
        json_str(j, "name", k.name);
        view_nint(j, "pid", k.pid);
        json_int(j, "slots", k.slots);
        json_str(j, "state", k.state);
        json_time(j, "since", k.since);
        json_close(j);
    }
    json_list_end(j);
    return db_rows_end(&rows, e);
}

static bool write_files(const struct view *v, int64_t *invalid, struct json *j, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_file_counts(v->db, &rows, e))
        return false;
    json_open(j, "files");
    for (struct file_counts_row f; sql_file_counts_next(&rows, &f);) {
        char key[32];
        snprintf(key, sizeof key, "%.*s", STR_ARG(f.state));
        json_int(j, key, f.n);
        if (str_is(f.state, "invalid") || str_is(f.state, "conflict"))
            *invalid += f.n;
    }
    json_close(j);
    return db_rows_end(&rows, e);
}

static void write_part(struct json *j, const char *name, bool ok, const char *fmt, ...)
    PRINTF(4, 5);
static void write_part(struct json *j, const char *name, bool ok, const char *fmt, ...)
{
    char part[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(part, sizeof part, fmt, args);
    va_end(args);
    json_open(j, NULL);
    json_str(j, "name", str_of(name));
    json_bool(j, "ok", ok);
    json_str(j, "text", str_of(part));
    json_close(j);
}

/* Files with errors are somebody's business, but the watcher does its own: only
 * when nothing at all is loaded it is not well. */
static bool write_watcher(const struct view *v, int64_t workflows, int64_t invalid, struct json *j,
                          struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    CLEANUP(buf_free)
    struct buf names = {0};
    struct problem_paths_row f;
    int64_t named = 0;
    if (!sql_problem_paths(v->db, &rows, e))
        return false;
    for (; named < FILES_NAMED && sql_problem_paths_next(&rows, &f); named++)
        buf_printf(&names, "%s%.*s", named ? ", " : "; with errors: ", STR_ARG(f.path));
    if (named < invalid)
        buf_printf(&names, " and %lld more", (long long)(invalid - named));
    write_part(j, "watcher", invalid == 0 || workflows > 0, "%lld workflow%s loaded%s",
               (long long)workflows, workflows == 1 ? "" : "s", names.len ? names.at : "");
    return db_rows_end(&rows, e);
}

static bool write_parts(const struct view *v, const struct view_self *self, int64_t invalid, int up,
                        int all, const struct view_slots_use *use, struct json *j, struct err *e)
{
    struct counts_row c;
    bool found;
    if (!sql_counts_one(v->db, &c, &found, e))
        return false;
    json_list(j, "parts");
    if (!write_watcher(v, c.workflows, invalid, j, e))
        return false;
    write_part(j, "scheduler", true, "%lld schedule entries", (long long)c.entries);
    write_part(j, "executor", true, "%lld runs going on, %lld waiting", (long long)c.live_runs,
               (long long)c.queued_runs);
    write_part(j, "worker", up > 0, "%d of %d keepers up, %lld of %lld slots taken", up, all,
               (long long)use->used, (long long)use->total);
    write_part(j, "health", up == all, "%lld attempts watched", (long long)use->used);
    write_part(j, "server", self->started_at > 0, "%lld streams open", (long long)self->clients);
    json_list_end(j);
    return true;
}

bool view_system(const struct view *v, const struct view_self *self, struct buf *out, struct err *e)
{
    struct json j = json_to(out);
    struct view_slots_use use;
    int64_t seq, invalid = 0;
    int up = 0, all = 0;
    if (!view_seq(v, &seq, e) || !view_slots_now(v, &use, e))
        return false;
    json_open(&j, NULL);
    json_str(&j, "version", str_of(GOWTF_VERSION));
    json_time(&j, "started_at", self->started_at);
    view_nint(&j, "pid", self->pid ? self->pid : DB_NULL);
    json_str(&j, "home", str_of(v->home));
    if (!write_files(v, &invalid, &j, e) || !write_keepers(v, &up, &all, &j, e) ||
        !write_parts(v, self, invalid, up, all, &use, &j, e))
        return false;
    view_slots_object(&j, "slots", &use);
    json_int(&j, "db_bytes", file_bytes(v->home, "gowtf.db"));
    json_int(&j, "wal_bytes", file_bytes(v->home, "gowtf.db-wal"));
    view_nint(&j, "log_bytes", self->log_bytes < 0 ? DB_NULL : self->log_bytes);
    if (!view_broken(v, &j, "problems", e))
        return false;
    json_str(&j, "sqlite_version", str_of(db_library_version()));
    json_int(&j, "clients", self->clients);
    json_int(&j, "seq", seq);
    json_close(&j);
    return true;
}

/* ---- a text that may become a workflow ---- */

bool view_validate(struct str text, struct str path, struct buf *out, struct err *e)
{
    CLEANUP(problems_free)
    struct problems ps = {0};
    struct json j = json_to(out);
    struct zones *tree = zones_new(NULL);
    struct load_zones zones = zones_for_load(tree);
    (void)e;
    workflow_free(workflow_load_with(text, path, &zones, &ps));
    zones_free(tree);
    json_open(&j, NULL);
    json_bool(&j, "ok", ps.error_count == 0);
    json_list(&j, "problems");
    for (size_t i = 0; i < ps.count; i++)
        problem_json(&ps.at[i], path, &j, NULL);
    json_list_end(&j);
    json_close(&j);
    return true;
}
