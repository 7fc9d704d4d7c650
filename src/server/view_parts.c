/* SPDX-License-Identifier: MIT */
#include "server/view_parts.h"
#include "read.sql.h"

void view_nint(struct json *j, const char *key, int64_t value)
{
    if (value == DB_NULL)
        json_none(j, key);
    else
        json_int(j, key, value);
}

void view_time(struct json *j, const char *key, int64_t at)
{
    json_time(j, key, at == DB_NULL ? 0 : at);
}

void view_duration(struct json *j, const char *key, int64_t start, int64_t end, ms_t now)
{
    if (start == DB_NULL)
        json_none(j, key);
    else
        json_int(j, key, MAX((end == DB_NULL ? now : end) - start, 0));
}

void view_text(struct json *j, const char *key, const struct buf *text)
{
    json_str(j, key, text->len ? (struct str){text->at, text->len} : STR_NONE);
}

bool view_seq(const struct view *v, int64_t *seq, struct err *e)
{
    struct seq_row row;
    bool found;
    if (!sql_seq_one(v->db, &row, &found, e))
        return false;
    *seq = found ? row.seq : 0;
    return true;
}

bool view_head(const struct view *v, const char *schema, struct json *j, struct err *e)
{
    int64_t seq;
    if (!view_seq(v, &seq, e))
        return false;
    json_str(j, "schema", str_of(schema));
    json_int(j, "seq", seq);
    return true;
}

static bool slots_of_keepers(const struct view *v, int64_t *out, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_keepers(v->db, &rows, e))
        return false;
    for (struct keepers_row k; sql_keepers_next(&rows, &k);)
        if (str_is(k.state, "up"))
            *out += k.slots;
    return db_rows_end(&rows, e);
}

/* The pool says what is allowed, the keepers what there is. */
bool view_slots_now(const struct view *v, struct view_slots_use *out, struct err *e)
{
    struct slots_use_row use;
    struct pool_slots_row pool;
    bool found, limited;
    int64_t there = 0;
    if (!sql_slots_use_one(v->db, &use, &found, e) ||
        !sql_pool_slots_one(v->db, S("default"), &pool, &limited, e) ||
        !slots_of_keepers(v, &there, e))
        return false;
    *out = (struct view_slots_use){.used = use.used, .queued = use.queued, .total = there};
    if (limited && (there == 0 || pool.slots < there))
        out->total = pool.slots;
    return true;
}

struct str view_wait_code(struct str written, const struct view_slots_use *u)
{
    return !written.at && u->total > 0 && u->used >= u->total ? S("slots") : written;
}

void view_slots_object(struct json *j, const char *key, const struct view_slots_use *u)
{
    json_open(j, key);
    json_int(j, "used", u->used);
    json_int(j, "total", u->total);
    json_int(j, "queued", u->queued);
    json_close(j);
}

bool view_problems(const struct view *v, struct str path, struct json *j, const char *key,
                   struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_problems_of(v->db, path, &rows, e))
        return false;
    json_list(j, key);
    for (struct problems_of_row p; sql_problems_of_next(&rows, &p);)
        json_raw(j, NULL, p.problem);
    json_list_end(j);
    return db_rows_end(&rows, e);
}

bool view_broken(const struct view *v, struct json *j, const char *key, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_problem_paths(v->db, &rows, e))
        return false;
    json_list(j, key);
    for (struct problem_paths_row f; sql_problem_paths_next(&rows, &f);) {
        json_open(j, NULL);
        json_str(j, "path", f.path);
        json_str(j, "workflow", f.workflow_name);
        json_str(j, "state", f.state);
        json_str(j, "reason", f.reason);
        if (!view_problems(v, f.path, j, "problems", e))
            return false;
        json_close(j);
    }
    json_list_end(j);
    return db_rows_end(&rows, e);
}

bool view_workflow_find(const struct view *v, struct str name, int64_t *id, int64_t *version,
                        struct err *e)
{
    struct workflow_find_row row;
    bool found;
    if (!sql_workflow_find_one(v->db, name, &row, &found, e))
        return false;
    if (!found)
        return err_set(e, ERR_NOT_FOUND, "no workflow is called '%.*s'", STR_ARG(name));
    *id = row.id;
    if (version)
        *version = row.version;
    return true;
}

bool view_workflow_id(const struct view *v, struct str name, int64_t *id, struct err *e)
{
    return view_workflow_find(v, name, id, NULL, e);
}

bool view_run_there(const struct view *v, int64_t run, bool *found, struct err *e)
{
    CLEANUP(db_rows_close) struct db_rows rows = {0};
    struct run_brief_row r;
    if (!sql_run_brief(v->db, run, &rows, e))
        return false;
    *found = sql_run_brief_next(&rows, &r);
    return db_rows_end(&rows, e);
}
