/* SPDX-License-Identifier: MIT */
#include "scheduler/rows.h"

#include "scheduler.sql.h"

#define ADD(r, list)                                                                               \
    ((r)->list##s =                                                                                \
         mem_grow((r)->list##s, &(r)->list##_cap, (r)->list##_count + 1, sizeof *(r)->list##s),    \
     memset(&(r)->list##s[(r)->list##_count], 0, sizeof *(r)->list##s),                            \
     &(r)->list##s[(r)->list##_count++])

struct slot_row *rows_slot(struct rows *r)
{
    return ADD(r, slot);
}
struct run_row *rows_run(struct rows *r)
{
    return ADD(r, run);
}
struct mark_row *rows_mark(struct rows *r)
{
    return ADD(r, mark);
}
struct event_row *rows_event(struct rows *r)
{
    return ADD(r, event);
}
struct toggle_row *rows_toggle(struct rows *r)
{
    return ADD(r, toggle);
}
struct reply *rows_reply(struct rows *r)
{
    return ADD(r, reply);
}

bool rows_any(const struct rows *r)
{
    return r->slot_count || r->run_count || r->mark_count || r->toggle_count || r->event_count ||
           r->reply_count;
}

void rows_clear(struct rows *r)
{
    r->slot_count = r->run_count = r->mark_count = 0;
    r->toggle_count = r->event_count = r->reply_count = 0;
    arena_free(&r->arena);
}

void rows_free(struct rows *r)
{
    rows_clear(r);
    free(r->slots);
    free(r->runs);
    free(r->marks);
    free(r->toggles);
    free(r->events);
    free(r->replys);
    *r = (struct rows){0};
}

static struct str text_of(const struct buf *b)
{
    return (struct str){b->at, b->len};
}

static bool slot_event(struct store *s, const struct slot_row *t, struct err *e)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct json j = json_to(&b);
    json_open(&j, NULL);
    json_str(&j, "entry", t->entry);
    json_int(&j, "slot_at", t->at);
    json_str(&j, "outcome", str_of(slot_outcome_word(t->outcome)));
    json_str(&j, "reason", str_of(t->reason));
    if (t->run)
        json_int(&j, "run", t->run);
    else
        json_none(&j, "run");
    json_close(&j);
    return event_add(s, t->decided_at, "slot", t->workflow, t->run, STR_NONE, text_of(&b), e);
}

static bool slot_write(struct store *s, const struct slot_row *t, struct err *e)
{
    return sql_slot_put(&s->db, t->workflow, t->entry, t->at, str_of(slot_outcome_word(t->outcome)),
                        str_of(t->reason), t->run ? t->run : DB_NULL, t->wall,
                        t->shifted_gap ? S("gap") : STR_NONE, t->more, t->decided_at, e) &&
           (db_changes(&s->db) == 0 || slot_event(s, t, e));
}

static bool key_give(struct run_row *r, struct err *e)
{
    struct ulid u;
    if (r->key[0])
        return true;
    if (!ulid_new(r->at, &u, e))
        return false;
    ulid_text(&u, r->key);
    return true;
}

static bool run_event(struct store *s, const struct run_row *r, struct err *e)
{
    static const char data[] = "{\"from\":null,\"to\":\"queued\",\"reason\":null,\"tasks\":[]}";
    return event_add(s, r->at, "run", r->workflow, r->id, r->actor, str_of(data), e);
}

static bool run_write(struct store *s, struct run_row *r, struct err *e)
{
    if (!key_give(r, e) ||
        !sql_run_insert(&s->db, r->id, str_of(r->key), r->workflow, r->version, str_of(r->trigger),
                        r->actor, r->params, r->entry, r->entry.at ? r->slot_at : DB_NULL,
                        r->idem_key, r->idem_hash, r->at, r->task_count, e) ||
        !sql_instances_insert(&s->db, r->id, r->version, e))
        return false;
    if (db_changes(&s->db) != r->task_count)
        return err_set(e, ERR_SYSTEM, "version %lld has %lld task rows instead of %lld",
                       (long long)r->version, (long long)db_changes(&s->db),
                       (long long)r->task_count);
    return run_event(s, r, e);
}

static bool toggle_write(struct store *s, const struct toggle_row *t, struct err *e)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct json j = json_to(&b);
    json_open(&j, NULL);
    json_bool(&j, "enabled", t->enabled);
    json_str(&j, "reason", t->reason);
    json_close(&j);
    return sql_switch_put(&s->db, t->workflow, t->enabled, t->at, t->actor, t->reason, e) &&
           event_add(s, t->at, "switch", t->workflow, 0, t->actor, text_of(&b), e);
}

bool rows_write(struct rows *r, struct store *s, struct err *e)
{
    for (size_t i = 0; i < r->mark_count; i++)
        if (!sql_mark_put(&s->db, r->marks[i].workflow, r->marks[i].entry, r->marks[i].high_water,
                          e))
            return err_wrap(e, "a schedule's high water");
    for (size_t i = 0; i < r->toggle_count; i++)
        if (!toggle_write(s, &r->toggles[i], e))
            return err_wrap(e, "the switch of a workflow");
    for (size_t i = 0; i < r->run_count; i++)
        if (!run_write(s, &r->runs[i], e))
            return err_wrap(e, "run %lld", (long long)r->runs[i].id);
    for (size_t i = 0; i < r->slot_count; i++)
        if (!slot_write(s, &r->slots[i], e))
            return err_wrap(e, "a schedule slot");
    for (size_t i = 0; i < r->event_count; i++)
        if (!event_add(s, r->events[i].at, r->events[i].kind, r->events[i].workflow, 0, STR_NONE,
                       r->events[i].data, e))
            return err_wrap(e, "an event");
    return true;
}
