/* SPDX-License-Identifier: MIT
 *
 * cli/look.c: a reader of the database, the view on it, and its answers. */
#include "cli/look.h"

#include <stdio.h>

#include "base/civil.h"
#include "store/store.h"

bool look_open(struct look *l, const struct cli *c, struct err *e)
{
    *l = (struct look){.cli = c};
    if (!store_open_reader(c->home, &l->db, e)) {
        if (e->kind != ERR_NOT_FOUND)
            return false;
        return err_set(e, ERR_DOWN,
                       "no engine has run in %s yet; start one with: gowtf serve -C %s", c->home,
                       c->home);
    }
    if (!times_open(&l->times, c, e))
        return false;
    l->view =
        (struct view){.db = &l->db, .zones = l->times.zones, .home = c->home, .now = l->times.now};
    return true;
}

void look_close(struct look *l)
{
    db_close(&l->db);
    times_close(&l->times);
    buf_free(&l->doc);
}

json_t *look_parse(struct look *l, struct err *e)
{
    json_error_t where;
    json_t *v = json_loadb(l->doc.at ? l->doc.at : "", l->doc.len, 0, &where);
    if (!v)
        err_set(e, ERR_SYSTEM, "an answer is not JSON: %s", where.text);
    return v;
}

/* Keep the members named in `fields` ("a,b"). */
static void keep_fields(json_t *o, const char *fields)
{
    void *next;
    json_t *value;
    const char *key;
    json_object_foreach_safe(o, next, key, value)
    {
        size_t n = strlen(key);
        bool wanted = false;
        for (const char *p = fields; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
            wanted |= strncmp(p, key, n) == 0 && (p[n] == ',' || !p[n]);
        if (!wanted)
            json_object_del(o, key);
    }
}

static bool pick_fields(const char *fields, struct buf *doc)
{
    json_t *v = json_loadb(doc->at ? doc->at : "", doc->len, 0, NULL), *item;
    json_t *items = json_object_get(v, "items");
    size_t i;
    if (!v)
        return false;
    if (json_is_array(items))
        json_array_foreach(items, i, item) keep_fields(item, fields);
    else
        keep_fields(v, fields);
    char *text = json_dumps(v, JSON_COMPACT);
    buf_clear(doc);
    buf_puts(doc, text);
    free(text);
    json_decref(v);
    return true;
}

int answer_json(const struct cli *c, struct buf *doc)
{
    if (c->fields)
        pick_fields(c->fields, doc);
    if (!doc->len || doc->at[doc->len - 1] != '\n')
        buf_putc(doc, '\n');
    out_flush(doc);
    return EXIT_DONE;
}

int look_answer(struct look *l)
{
    return answer_json(l->cli, &l->doc);
}

const char *j_text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

int64_t j_int(const json_t *o, const char *key, int64_t missing)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? json_integer_value(v) : missing;
}

bool j_true(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

ms_t j_time(const json_t *o, const char *key)
{
    const char *text = j_text(o, key);
    int y, mo, d, h, mi, s, ms = 0;
    if (!text || sscanf(text, "%d-%d-%dT%d:%d:%d.%dZ", &y, &mo, &d, &h, &mi, &s, &ms) < 6)
        return 0;
    return (civil_to_days(y, mo, d) * 86400 + h * 3600 + mi * 60 + s) * 1000 + ms;
}

void cell_when(struct table *t, const struct look *l, ms_t at)
{
    struct buf b = {0};
    times_when(&l->times, at, &b);
    table_cell(t, TONE_NONE, (struct str){b.at, b.len});
    buf_free(&b);
}

void cell_span(struct table *t, const struct look *l, int64_t span_ms)
{
    struct buf b = {0};
    times_span(&l->times, span_ms, &b);
    table_cell(t, TONE_NONE, (struct str){b.at, b.len});
    buf_free(&b);
}

void cell_int(struct table *t, int64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)n);
    table_text(t, text);
}

void cell_state(struct table *t, const struct look *l, const json_t *run)
{
    struct str state = str_of(j_text(run, "state"));
    const struct paint *p = &l->cli->out;
    if (!p->tty) {
        table_cell(t, TONE_NONE, state);
        return;
    }
    const struct sign *s = sign_of_word(state);
    if (j_true(run, "degraded"))
        s = &sign_degraded;
    table_cell(t, s->tone, str_of(p->ascii ? s->ascii : s->utf8));
}

void head_cells(struct table *t, const char *const *names, size_t count)
{
    if (t->paint->tty)
        for (size_t i = 0; i < count; i++)
            table_cell(t, TONE_DIM, str_of(names[i]));
}

bool look_run(struct look *l, const char *arg, struct target *t, int64_t *run, struct err *e)
{
    return target_parse(str_of(arg), t, e) && target_run(t, &l->db, run, e);
}

bool look_workflow(struct look *l, const char *arg, int64_t *id, struct err *e)
{
    struct target t;
    return target_parse(str_of(arg), &t, e) && target_workflow(&t, &l->db, id, e);
}

static bool split_attempt(struct str task, struct str *name, int64_t *attempt)
{
    const char *dot = memrchr(task.at, '.', task.len);
    if (!dot)
        return false;
    *name = (struct str){task.at, (size_t)(dot - task.at)};
    struct str number = {dot + 1, task.len - name->len - 1};
    return name->len && str_to_i64(number, attempt) && *attempt > 0;
}

bool look_task(struct look *l, const struct target *t, int64_t run, int64_t *task, int64_t *item,
               int64_t *attempt, struct err *e)
{
    struct str name;
    struct err second = {0};
    *attempt = 0;
    if (view_task_find(&l->view, run, t->task, task, item, e))
        return true;
    if (e->kind == ERR_NOT_FOUND && split_attempt(t->task, &name, attempt))
        return view_task_find(&l->view, run, name, task, item, &second) ||
               err_set(e, second.kind, "%s", second.text);
    return false;
}
