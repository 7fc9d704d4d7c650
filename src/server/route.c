/* SPDX-License-Identifier: MIT */
#include "server/http.h"

#include <stdarg.h>
#include <stdio.h>

/* Does `path` of the table fit the pieces of the address? */
static bool fits(const char *path, const struct strs *segments, struct params *params)
{
    params->count = 0;
    for (uint32_t i = 0; i < segments->count; i++) {
        if (*path != '/')
            return false;
        size_t n = strcspn(++path, "/");
        struct str piece = {path, n};
        if (n > 1 && path[0] == ':') {
            ASSERT(params->count < HTTP_PARAMS_MAX);
            params->at[params->count].name = (struct str){path + 1, n - 1};
            params->at[params->count++].value = segments->at[i];
        } else if (!str_eq(piece, segments->at[i])) {
            return false;
        }
        path += n;
    }
    return *path == '\0' && segments->count > 0;
}

const struct route *route_find(enum method m, const struct strs *segments, struct params *params,
                               bool *other)
{
    static const char *const words[METHODS] = {"GET", "POST"};
    *other = false;
    for (size_t i = 0; i < route_count; i++) {
        if (!fits(routes[i].path, segments, params))
            continue;
        if (strcmp(routes[i].method, words[m]) == 0)
            return &routes[i];
        *other = true;
    }
    return NULL;
}

/* ---- what handlers ask ---- */

struct str call_param(const struct call *c, const char *name)
{
    for (size_t i = 0; i < c->params.count; i++)
        if (str_is(c->params.at[i].name, name))
            return c->params.at[i].value;
    ASSERT(!"a handler asks for what its route does not name");
    return STR_NONE;
}

/* Numbers made by us; what is none of them does not exist. */
bool call_param_i64(const struct call *c, const char *name, int64_t *out, struct err *e)
{
    struct str text = call_param(c, name);
    if (text.at[0] < '0' || text.at[0] > '9' || !str_to_i64(text, out))
        return err_set(e, ERR_NOT_FOUND, "there is no %s '%.*s'", name, (int)MIN(text.len, 60),
                       text.at);
    return true;
}

bool call_query_i64(struct call *c, const char *name, int64_t *out, struct err *e)
{
    struct str text = call_query(c, name);
    int64_t value;
    if (!text.at || text.len == 0)
        return true;
    if (!str_to_i64(text, &value) || value < 0)
        return err_set(e, ERR_INVALID, "'%s' must be a whole number that is not negative", name);
    *out = value;
    return true;
}

bool call_query_time(struct call *c, const char *name, ms_t *out, struct err *e)
{
    struct str text = call_query(c, name);
    struct err ignored;
    if (!text.at || text.len == 0 || str_to_i64(text, out) ||
        tz_read_time(text, tz_utc(), out, &ignored))
        return true;
    return err_set(e, ERR_INVALID, "'%s' must be a time such as 2026-11-23T03:00:00Z", name);
}
