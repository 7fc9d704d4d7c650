/* SPDX-License-Identifier: MIT
 *
 * server/view_parts.h: what several views say in the same way. Private to them. */
#ifndef SERVER_VIEW_PARTS_H
#define SERVER_VIEW_PARTS_H

#include "server/view.h"

/* A number, null for DB_NULL. */
void view_nint(struct json *j, const char *key, int64_t value);
/* A time, null for DB_NULL. */
void view_time(struct json *j, const char *key, int64_t at);
/* From `start` to `end`, or to `now` when it goes on; null if it has not begun. */
void view_duration(struct json *j, const char *key, int64_t start, int64_t end, ms_t now);
/* A sentence, null if it is empty. */
void view_text(struct json *j, const char *key, const struct buf *text);

/* "schema" and "seq", the head of a list. */
bool view_head(const struct view *v, const char *schema, struct json *j, struct err *e);

/* The run `id` as an object; with `more`, further members are added by it before
 * the object is closed. `*found` false: there is no such run, nothing written. */
typedef bool view_more_fn(const struct view *v, int64_t run, struct json *j, struct err *e);
bool view_run_object(const struct view *v, int64_t id, view_more_fn *more, struct json *j,
                     bool *found, struct err *e);

/* "transform: exit 3 · column 'salary' missing", appended; nothing if no task
 * of the run failed. */
bool view_run_cause(const struct view *v, int64_t id, struct buf *out, struct err *e);

/* How many attempts may live at once, how many do, how many wait. */
struct view_slots_use {
    int64_t used, total, queued;
};
bool view_slots_now(const struct view *v, struct view_slots_use *out, struct err *e);
/* Why a task stays in the line. The engine writes it down only when it has looked
 * for a slot; where none is free there is no need to ask. */
struct str view_wait_code(struct str written, const struct view_slots_use *u);
void view_slots_object(struct json *j, const char *key, const struct view_slots_use *u);

/* Objects {"path","state","reason","problems"} of all files that do not load. */
bool view_broken(const struct view *v, struct json *j, const char *key, struct err *e);
bool view_problems(const struct view *v, struct str path, struct json *j, const char *key,
                   struct err *e);

/* The id and current version of the workflow called `name`. */
bool view_workflow_find(const struct view *v, struct str name, int64_t *id, int64_t *version,
                        struct err *e);

/* The id of version `number` of it; 0: the current one. */
bool view_version_find(const struct view *v, struct str name, int64_t number, int64_t *out,
                       struct err *e);

/* The next fire of an entry strictly after `after`. MS_NEVER: none, or its text
 * or zone cannot be read any more. */
struct view_entry {
    struct str kind, text, timezone;
    int64_t every_ms;
};
ms_t view_fire_next(const struct view *v, const struct view_entry *entry, ms_t after);
const struct tz *view_zone(const struct view *v, const struct view_entry *entry, struct str *name);
void view_local(struct json *j, const char *key, const struct tz *zone, ms_t at);

/* Upcoming fires as items of an open array; at most `most`, until `until`. With `once`, the
 * first of each entry alone: one that fires every minute does not hide the others. */
bool view_next_items(const struct view *v, bool once, int64_t most, ms_t until, struct json *j,
                     struct err *e);

#endif
