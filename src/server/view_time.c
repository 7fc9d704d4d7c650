/* SPDX-License-Identifier: MIT
 *
 * server/view_time.c: when things will happen, and what became of the times
 * when they should have.
 *
 * The future is computed from the schedule rows with the very functions the
 * scheduler uses: an `every` entry fires at all multiples since 1970, a cron
 * entry by its expression and zone. */
#include "model/cron.h"
#include "model/state.h"
#include "server/view_parts.h"
#include "read.sql.h"

#include <stdlib.h>

/* A zone that is not there any more is nobody's zone: no fire is shown. */
const struct tz *view_zone(const struct view *v, const struct view_entry *entry, struct str *name)
{
    const struct tz *zone;
    struct err ignored;
    bool said;
    *name = entry->timezone;
    if (!entry->timezone.at)
        return zones_local(v->zones, name, &said);
    return zones_get(v->zones, entry->timezone, &zone, &ignored) ? zone : NULL;
}

ms_t view_fire_next(const struct view *v, const struct view_entry *entry, ms_t after)
{
    struct cron c;
    struct cron_error ignored;
    struct view_entry at = *entry;
    struct str name;
    if (str_is(entry->kind, "every"))
        return entry->every_ms > 0 ? (after / entry->every_ms + 1) * entry->every_ms : MS_NEVER;
    if (!cron_parse(entry->text, &c, &ignored))
        return MS_NEVER;
    if (c.zone.at)
        at.timezone = c.zone;
    const struct tz *zone = view_zone(v, &at, &name);
    return zone ? cron_next(&c, zone, after) : MS_NEVER;
}

void view_local(struct json *j, const char *key, const struct tz *zone, ms_t at)
{
    char text[TZ_TEXT_MAX];
    if (!zone)
        json_none(j, key);
    else
        json_str(j, key, str_of(tz_format(zone, at, text)));
}

/* ---- what comes next ---- */

struct coming {
    ms_t at;
    struct view_entry entry;
    struct str workflow, text;
    int64_t usual_ms;
    bool enabled;
};
struct heap { /* of what comes next of each entry, the first on top */
    struct coming *at;
    size_t count, cap;
    struct arena arena;
};

static void heap_free(struct heap *h)
{
    free(h->at);
    arena_free(&h->arena);
}

static void heap_sink(struct heap *h, size_t i)
{
    for (;;) {
        size_t low = i, left = 2 * i + 1;
        if (left < h->count && h->at[left].at < h->at[low].at)
            low = left;
        if (left + 1 < h->count && h->at[left + 1].at < h->at[low].at)
            low = left + 1;
        if (low == i)
            return;
        struct coming swap = h->at[i];
        h->at[i] = h->at[low];
        h->at[low] = swap;
        i = low;
    }
}

static bool add_entries(const struct view *v, const struct active_schedules_row *w, struct heap *h,
                        struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct str name = arena_str(&h->arena, w->name);
    if (!sql_workflow_schedules(v->db, w->workflow, &rows, e))
        return false;
    for (struct workflow_schedules_row s; sql_workflow_schedules_next(&rows, &s);) {
        struct view_entry entry = {arena_str(&h->arena, s.kind), arena_str(&h->arena, s.text),
                                   arena_str(&h->arena, s.timezone), s.every_ms};
        ms_t at = view_fire_next(v, &entry, v->now);
        if (at == MS_NEVER)
            continue;
        if (h->count == h->cap)
            h->at = mem_grow(h->at, &h->cap, h->count + 1, sizeof *h->at);
        h->at[h->count++] = (struct coming){
            at, entry, name, arena_str(&h->arena, s.entry), w->usual_ms, w->enabled != 0};
    }
    return db_rows_end(&rows, e);
}

static bool fill(const struct view *v, struct heap *h, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    if (!sql_active_schedules(v->db, &rows, e))
        return false;
    for (struct active_schedules_row w; sql_active_schedules_next(&rows, &w);)
        if (!add_entries(v, &w, h, e))
            return false;
    for (size_t i = h->count / 2; i-- > 0;)
        heap_sink(h, i);
    return db_rows_end(&rows, e);
}

static void write_coming(const struct view *v, const struct coming *c, struct json *j)
{
    struct str zone_name;
    const struct tz *zone = view_zone(v, &c->entry, &zone_name);
    json_open(j, NULL);
    json_time(j, "at", c->at);
    view_local(j, "local", zone, c->at);
    json_str(j, "timezone", zone_name);
    json_str(j, "workflow", c->workflow);
    json_str(j, "entry", c->text);
    view_nint(j, "usual_ms", c->usual_ms);
    json_bool(j, "enabled", c->enabled);
    json_close(j);
}

bool view_next_items(const struct view *v, bool once, int64_t most, ms_t until, struct json *j,
                     struct err *e)
{
    CLEANUP(heap_free)
    struct heap h = {0};
    if (!fill(v, &h, e))
        return false;
    for (int64_t n = 0; n < most && h.count && h.at[0].at <= until; n++) {
        write_coming(v, &h.at[0], j);
        h.at[0].at = once ? MS_NEVER : view_fire_next(v, &h.at[0].entry, h.at[0].at);
        heap_sink(&h, 0);
        if (h.at[0].at == MS_NEVER)
            break;
    }
    return true;
}

bool view_schedule(const struct view *v, int64_t most, ms_t until, struct buf *out, struct err *e)
{
    struct json j = json_to(out);
    json_open(&j, NULL);
    json_list(&j, "items");
    if (!view_next_items(v, false, most > 0 ? MIN(most, VIEW_ROWS_MAX) : 20,
                         until > 0 ? until : MS_NEVER, &j, e))
        return false;
    json_list_end(&j);
    json_close(&j);
    return true;
}

/* ---- what was due ---- */

static void write_slot(const struct slots_since_row *s, struct json *j)
{
    json_open(j, NULL);
    json_str(j, "workflow", s->workflow);
    json_str(j, "entry", s->entry);
    json_time(j, "slot_at", s->slot_at);
    json_str(j, "wall", s->wall);
    json_str(j, "outcome", s->outcome);
    json_str(j, "reason", s->reason);
    view_nint(j, "run", s->run);
    json_str(j, "shifted", s->shifted);
    json_int(j, "more", s->more);
    json_time(j, "decided_at", s->decided_at);
    json_close(j);
}

static bool outcome_good(struct str word)
{
    for (int o = 0; o < SLOT_OUTCOME_COUNT; o++)
        if (str_is(word, slot_outcome_word((enum slot_outcome)o)))
            return true;
    return false;
}

bool view_slots(const struct view *v, const struct slot_filter *f, struct buf *out, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct json j = json_to(out);
    int64_t workflow = DB_NULL;
    if (f->workflow.at && !view_workflow_find(v, f->workflow, &workflow, NULL, e))
        return false;
    if (f->outcome.at && !outcome_good(f->outcome))
        return err_set(e, ERR_INVALID, "'%.*s' is not an outcome: fired, skipped, missed",
                       STR_ARG(f->outcome));
    if (!sql_slots_since(v->db, workflow, f->since, f->until > 0 ? f->until : INT64_MAX, f->outcome,
                         f->limit > 0 ? MIN(f->limit, VIEW_ROWS_MAX) : VIEW_ROWS, &rows, e))
        return false;
    json_open(&j, NULL);
    json_list(&j, "items");
    for (struct slots_since_row s; sql_slots_since_next(&rows, &s);)
        write_slot(&s, &j);
    json_list_end(&j);
    json_close(&j);
    return db_rows_end(&rows, e);
}
