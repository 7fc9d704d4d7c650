/* SPDX-License-Identifier: MIT
 *
 * server/event_view.c: from the words of a row to the words of the API.
 *
 * Rooms store what they like to read again; the table below is what is promised
 * to others. */
#include "server/event_view.h"

#include <jansson.h>

enum { MEMBERS_MAX = 6 };

struct member {
    const char *name;
    bool is_time; /* stored as milliseconds */
};

static const struct shape {
    const char *kind;
    struct member members[MEMBERS_MAX];
} shapes[] = {
    {"run", {{"from", false}, {"to", false}, {"reason", false}, {"tasks", false}}},
    {"workflow",
     {{"what", false},
      {"path", false},
      {"version", false},
      {"entry", false},
      {"reason", false},
      {"count", false}}},
    {"switch", {{"enabled", false}, {"reason", false}}},
    {"slot", {{"entry", false}, {"slot_at", true}, {"outcome", false}, {"reason", false}}},
    {"keeper", {{"what", false}}},
    {"daemon", {{"what", false}}},
    {"clock", {{"what", false}, {"from", true}, {"to", true}}},
};

static const struct shape *shape_of(struct str kind)
{
    for (size_t i = 0; i < countof(shapes); i++)
        if (str_is(kind, shapes[i].kind))
            return &shapes[i];
    return NULL;
}

static void add_value(struct json *j, const char *name, const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_raw(j, name, text ? str_of(text) : STR_NONE);
    free(text);
}

void event_members(struct str kind, struct str data, struct json *j)
{
    const struct shape *s = shape_of(kind);
    json_t *root = data.at ? json_loadb(data.at, data.len, 0, NULL) : NULL;
    for (size_t i = 0; s && i < MEMBERS_MAX && s->members[i].name; i++) {
        const char *name = s->members[i].name;
        const json_t *value = json_object_get(root, name);
        if (s->members[i].is_time)
            json_time(j, name, (ms_t)json_integer_value(value));
        else
            add_value(j, name, value);
    }
    json_decref(root);
}
