/* SPDX-License-Identifier: MIT */
#include "watcher/record.h"
#include "watcher.sql.h"

void reading_free(struct reading *r)
{
    if (!r)
        return;
    free((char *)r->path.at);
    buf_free(&r->text);
    problems_free(&r->problems);
    workflow_free(r->workflow);
    free(r);
}

/* ---- events ---- */

static bool tell(struct store *s, const char *what, int64_t workflow, struct str path,
                 int64_t version, ms_t now, struct err *e)
{
    struct buf text = {0};
    struct json j = json_to(&text);
    json_open(&j, NULL);
    json_str(&j, "what", str_of(what));
    json_str(&j, "path", path);
    if (version)
        json_int(&j, "version", version);
    json_close(&j);
    bool ok =
        event_add(s, now, "workflow", workflow, 0, STR_NONE, (struct str){text.at, text.len}, e);
    buf_free(&text);
    return ok;
}

bool record_notice(struct store *s, const char *what, size_t count, ms_t now, struct err *e)
{
    struct buf text = {0};
    buf_printf(&text, "{\"what\":\"%s\",\"count\":%zu}", what, count);
    bool ok = event_add(s, now, "workflow", 0, 0, STR_NONE, (struct str){text.at, text.len}, e);
    buf_free(&text);
    return ok;
}

/* ---- a version and what it consists of ---- */

static bool record_task(struct store *s, int64_t version, const struct workflow *w, uint32_t i,
                        struct err *e)
{
    const struct task *t = &w->tasks[i];
    if (!sql_task_add(&s->db, version, i, t->name, t->description,
                      t->script.at ? S("script") : S("command"), t->condition_text, t->retries,
                      t->retry_delay, t->timeout, t->line, e))
        return false;
    for (uint32_t k = 0; k < t->up_count; k++)
        if (!sql_dependency_add(&s->db, version, i, t->up[k], e))
            return false;
    return true;
}

static bool record_version(struct store *s, struct reading *r, struct err *e, ms_t now)
{
    struct version_find_row row;
    bool found;
    struct str hash = str_of(r->hash);
    const struct workflow *w = r->workflow;
    if (!sql_version_find_one(&s->db, r->id, hash, &row, &found, e))
        return false;
    if (found) {
        r->version = row.id;
        return true;
    }
    if (!sql_version_add(&s->db, r->id, hash, (struct str){r->text.at, r->text.len}, r->path,
                         w->task_count, now, e))
        return false;
    r->version = db_last_id(&s->db);
    for (uint32_t i = 0; i < w->task_count; i++)
        if (!record_task(s, r->version, w, i, e))
            return false;
    return true;
}

static struct str zone_of(const struct workflow *w, const struct schedule *sc)
{
    return sc->kind != SCHEDULE_CRON ? STR_NONE : sc->timezone.at ? sc->timezone : w->timezone;
}

void schedule_entry_text(const struct workflow *w, const struct schedule *sc, struct buf *out)
{
    struct str zone = zone_of(w, sc);
    buf_puts(out, sc->kind == SCHEDULE_EVERY ? "every " : "");
    buf_str(out, sc->text);
    if (zone.at) {
        buf_putc(out, ' ');
        buf_str(out, zone);
    }
}

static bool record_schedules(struct store *s, const struct reading *r, struct err *e)
{
    struct buf entry = {0};
    const struct workflow *w = r->workflow;
    bool ok = sql_schedules_clear(&s->db, r->id, e);
    for (uint32_t i = 0; ok && i < w->schedule_count; i++) {
        const struct schedule *sc = &w->schedules[i];
        buf_clear(&entry);
        schedule_entry_text(w, sc, &entry);
        ok = sql_schedule_add(&s->db, r->id, (struct str){entry.at, entry.len},
                              sc->kind == SCHEDULE_EVERY ? S("every") : S("cron"), sc->text,
                              zone_of(w, sc), sc->every, i, e);
    }
    buf_free(&entry);
    return ok;
}

/* ---- the workflow ---- */

static bool set_workflow(struct store *s, const struct reading *r, struct str dir, ms_t now,
                         struct err *e)
{
    const struct workflow *w = r->workflow;
    struct buf tags = {0};
    struct json j = json_to(&tags);
    json_list(&j, NULL);
    for (uint32_t i = 0; i < w->tags.count; i++)
        json_str(&j, NULL, w->tags.at[i]);
    json_list_end(&j);
    bool ok = sql_workflow_set(&s->db, r->id, r->version, r->path, dir, w->description, w->owner,
                               (struct str){tags.at, tags.len}, w->timezone, w->enabled, now, e);
    buf_free(&tags);
    return ok;
}

static const char *what_happened(const struct reading *r, bool known, int64_t old_version)
{
    if (!known)
        return "added";
    if (old_version != r->version)
        return "changed";
    return r->was == FILE_INVALID ? "valid" : "moved";
}

static bool record_workflow(struct store *s, struct reading *r, struct str dir, ms_t now,
                            struct err *e)
{
    struct workflow_by_name_row old;
    bool found;
    const struct workflow *w = r->workflow;
    if (!sql_workflow_by_name_one(&s->db, w->name, &old, &found, e))
        return false;
    if (!found && !sql_workflow_add(&s->db, w->name, r->path, dir, w->enabled, now, e))
        return false;
    r->id = found ? old.id : db_last_id(&s->db);
    bool known = found && old.active;
    if (!record_version(s, r, e, now) || !set_workflow(s, r, dir, now, e) ||
        !record_schedules(s, r, e))
        return false;
    r->changed = !known || old.version_id != r->version;
    return tell(s, what_happened(r, known, old.version_id), r->id, r->path, r->version, now, e);
}

/* ---- problems ---- */

static bool record_problem(struct store *s, const struct reading *r, size_t i, ms_t now,
                           struct err *e)
{
    const struct problem *p = &r->problems.at[i];
    struct buf text = {0};
    struct json j = json_to(&text);
    problem_json(p, r->path, &j, NULL);
    bool ok = sql_error_add(
        &s->db, r->path, (int64_t)i, p->severity == SEVERITY_ERROR ? S("error") : S("warning"),
        str_of(p->code), p->line, p->column, p->message, (struct str){text.at, text.len}, now, e);
    buf_free(&text);
    return ok;
}

static bool record_problems(struct store *s, const struct reading *r, ms_t now, struct err *e)
{
    if (!sql_errors_clear(&s->db, r->path, e))
        return false;
    for (size_t i = 0; i < r->problems.count; i++)
        if (!record_problem(s, r, i, now, e))
            return false;
    return true;
}

bool record_reading(struct store *s, struct reading *r, struct str dir, ms_t now, struct err *e)
{
    r->changed = false;
    if (!record_problems(s, r, now, e))
        return false;
    switch (r->verdict) {
    case SYNC_ADOPT: return record_workflow(s, r, dir, now, e);
    case SYNC_CONFLICT: return tell(s, "conflict", 0, r->path, 0, now, e);
    case SYNC_INVALID: return tell(s, "invalid", 0, r->path, 0, now, e);
    }
    return true;
}

bool record_gone(struct store *s, const struct sync_name *n, ms_t now, int64_t *id, struct err *e)
{
    struct workflow_by_name_row row;
    bool found;
    *id = 0;
    if (!sql_workflow_by_name_one(&s->db, n->name, &row, &found, e))
        return false;
    if (!found || !row.active)
        return true;
    *id = row.id;
    return sql_workflow_gone(&s->db, row.id, now, e) && sql_schedules_clear(&s->db, row.id, e) &&
           tell(s, "gone", row.id, STR_NONE, 0, now, e);
}

bool record_file(struct store *s, const struct sync_file *f, ms_t now, struct err *e)
{
    if (f->gone)
        return sql_file_drop(&s->db, f->path, e) && sql_errors_clear(&s->db, f->path, e);
    if (f->state == FILE_IGNORED && !sql_errors_clear(&s->db, f->path, e))
        return false;
    return sql_file_put(&s->db, f->path, f->stat.dev, f->stat.ino, f->stat.size, f->stat.mtime_ns,
                        f->stat.ctime_ns, f->hash[0] ? str_of(f->hash) : STR_NONE,
                        f->claim ? f->claim->name : STR_NONE, str_of(file_state_word(f->state)),
                        str_of(f->reason), now, e);
}
