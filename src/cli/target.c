/* SPDX-License-Identifier: MIT
 *
 * cli/target.c: names of things, read and found.
 *
 * Reading is pure. A name that could be two things, "FEED" as a workflow or as
 * the beginning of a key, is settled by looking: the workflow wins. */
#include "cli/target.h"

#include "base/buf.h"

#include "cli/cli.sql.h"
#include "model/state.h"

static bool looks_like_file(struct str s)
{
    return str_ends(s, S(".yaml")) || str_ends(s, S(".yml")) || str_starts(s, S("./")) ||
           str_starts(s, S("../")) || str_starts(s, S("/"));
}

static bool find_byte(struct str s, char c, size_t *at)
{
    const char *p = s.len ? memchr(s.at, c, s.len) : NULL;
    *at = p ? (size_t)(p - s.at) : s.len;
    return p != NULL;
}

static struct str head(struct str s, size_t n)
{
    return (struct str){s.at, n};
}

static struct str tail(struct str s, size_t from)
{
    return (struct str){s.at + from, s.len - from};
}

static bool read_pick(struct target *t, struct str word, struct err *e)
{
    enum run_state state;
    if (!str_is(word, "last") && !run_state_parse(word, &state))
        return err_set(e, ERR_INVALID,
                       "'@%.*s' is not known: @last, @success, @failed, @cancelled, @running or "
                       "@queued",
                       STR_ARG(word));
    t->pick = word;
    return true;
}

bool target_parse(struct str text, struct target *out, struct err *e)
{
    struct target t = {.text = text};
    size_t at;
    struct str name = text;

    if (!text.len)
        return err_set(e, ERR_INVALID, "an empty name means nothing");
    if (looks_like_file(text)) {
        t.file = true;
        *out = t;
        return true;
    }
    if (find_byte(text, '/', &at)) {
        t.task = tail(text, at + 1);
        name = head(text, at);
        if (!t.task.len)
            return err_set(e, ERR_INVALID, "'%.*s' names no task after the /", STR_ARG(text));
    }
    if (find_byte(name, '#', &at)) {
        if (!str_to_i64(tail(name, at + 1), &t.run) || t.run <= 0)
            return err_set(e, ERR_INVALID, "'%.*s' has no run number after the #", STR_ARG(text));
        name = head(name, at);
    } else if (find_byte(name, '@', &at)) {
        if (!read_pick(&t, tail(name, at + 1), e))
            return false;
        name = head(name, at);
    } else if (str_to_i64(name, &t.run) && t.run > 0) {
        name = head(name, 0);
    } else {
        t.run = 0;
    }
    t.workflow = name.len ? name : STR_NONE;
    if (!t.workflow.at && !t.run && !t.pick.at)
        return err_set(e, ERR_INVALID, "'%.*s' names no workflow and no run", STR_ARG(text));
    *out = t;
    return true;
}

enum { NAMES_MAX = 4096, NEAR = 2 };

static bool no_workflow(struct db *db, struct str name, struct err *e)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct arena a CLEANUP(arena_free) = {0};
    struct str *names = arena_new(&a, struct str, NAMES_MAX);
    struct find_names_row row;
    size_t n = 0;

    if (!sql_find_names(db, &rows, e))
        return false;
    while (n < NAMES_MAX && sql_find_names_next(&rows, &row))
        names[n++] = arena_str(&a, row.name);
    int best = str_nearest(name, names, n, NEAR);
    if (best >= 0)
        return err_set(e, ERR_NOT_FOUND, "there is no workflow '%.*s'; did you mean '%s'?",
                       STR_ARG(name), names[best].at);
    return err_set(e, ERR_NOT_FOUND, "there is no workflow '%.*s'", STR_ARG(name));
}

static bool workflow_id(struct db *db, struct str name, int64_t *id, bool *found, struct err *e)
{
    struct find_workflow_row row;
    if (!sql_find_workflow_one(db, name, &row, found, e))
        return false;
    if (*found)
        *id = row.id;
    return true;
}

bool target_workflow(const struct target *t, struct db *db, int64_t *id, struct err *e)
{
    bool found;
    if (!t->workflow.at) {
        struct find_run_row row;
        int64_t run;
        if (!target_run(t, db, &run, e) || !sql_find_run_one(db, run, &row, &found, e))
            return false;
        *id = row.workflow;
        return true;
    }
    if (!workflow_id(db, t->workflow, id, &found, e))
        return false;
    return found || no_workflow(db, t->workflow, e);
}

static bool run_by_number(const struct target *t, struct db *db, int64_t *run, struct err *e)
{
    struct find_run_row row;
    int64_t id;
    bool found, known;
    if (!sql_find_run_one(db, t->run, &row, &found, e))
        return false;
    if (!found)
        return err_set(e, ERR_NOT_FOUND, "there is no run %lld", (long long)t->run);
    if (t->workflow.at) {
        if (!workflow_id(db, t->workflow, &id, &known, e))
            return false;
        if (!known)
            return no_workflow(db, t->workflow, e);
        if (id != row.workflow)
            return err_set(e, ERR_NOT_FOUND, "run %lld is not of '%.*s'", (long long)t->run,
                           STR_ARG(t->workflow));
    }
    *run = t->run;
    return true;
}

enum { KEY_HEAD_MIN = 4, KEY_LEN = 26 };

static bool is_key_head(struct str s)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    if (s.len < KEY_HEAD_MIN || s.len > KEY_LEN)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!s.at[i] || !strchr(alphabet, s.at[i]))
            return false;
    return true;
}

static bool run_by_key(struct str start, struct db *db, int64_t *run, struct err *e)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct buf high CLEANUP(buf_free) = {0};
    struct find_key_row row;
    int n = 0;

    buf_str(&high, start);
    buf_putc(&high, '~'); /* beyond every letter of a key */
    if (!sql_find_key(db, start, (struct str){high.at, high.len}, &rows, e))
        return false;
    for (; sql_find_key_next(&rows, &row); n++)
        *run = row.id;
    if (n > 1)
        return err_set(e, ERR_INVALID, "more than one run has a key that begins with '%.*s'",
                       STR_ARG(start));
    if (n == 0)
        return no_workflow(db, start, e);
    return true;
}

static bool run_by_pick(const struct target *t, struct db *db, int64_t workflow, int64_t *run,
                        struct err *e)
{
    struct find_last_row row;
    bool found, any = !t->pick.at || str_is(t->pick, "last");
    if (!sql_find_last_one(db, workflow, any ? STR_NONE : t->pick, &row, &found, e))
        return false;
    if (!found || row.id == 0)
        return err_set(e, ERR_NOT_FOUND, "there is no run%s%.*s%s%.*s yet", any ? "" : " that is ",
                       any ? 0 : (int)t->pick.len, t->pick.at ? t->pick.at : "",
                       t->workflow.at ? " of " : "", STR_ARG(t->workflow));
    *run = row.id;
    return true;
}

bool target_run(const struct target *t, struct db *db, int64_t *run, struct err *e)
{
    int64_t workflow = DB_NULL;
    bool found = true;

    if (t->file)
        return err_set(e, ERR_INVALID, "'%.*s' is a file; name a run", STR_ARG(t->text));
    if (t->run)
        return run_by_number(t, db, run, e);
    if (t->workflow.at && !workflow_id(db, t->workflow, &workflow, &found, e))
        return false;
    if (!found && !t->pick.at && is_key_head(t->workflow))
        return run_by_key(t->workflow, db, run, e);
    if (!found)
        return no_workflow(db, t->workflow, e);
    return run_by_pick(t, db, workflow, run, e);
}
