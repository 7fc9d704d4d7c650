/* SPDX-License-Identifier: MIT */
#include "scheduler/params.h"

#include "base/buf.h"

#include <jansson.h>

static void json_free_at(json_t **j)
{
    json_decref(*j);
}
static void text_free_at(char **p)
{
    free(*p);
}

/* A parameter is a text; a number or a boolean is taken as it is written. */
static bool value_text(const char *name, const json_t *v, struct arena *a, struct str *out,
                       struct err *e)
{
    if (json_is_string(v)) {
        *out = arena_str(a, (struct str){json_string_value(v), json_string_length(v)});
        return true;
    }
    if (!json_is_number(v) && !json_is_boolean(v))
        return err_set(e, ERR_INVALID, "parameter '%.60s' must be a text, a number or a boolean",
                       name);
    CLEANUP(text_free_at)
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    *out = arena_str(a, str_of(text));
    return true;
}

static int64_t param_index(const struct workflow *w, const char *name)
{
    for (uint32_t i = 0; i < w->params.count; i++)
        if (str_is(w->params.at[i].name, name))
            return i;
    return -1;
}

static bool unknown_param(const struct workflow *w, const char *name, struct err *e)
{
    CLEANUP(arena_free) struct arena a = {0};
    struct str *names = arena_new(&a, struct str, w->params.count + 1);
    for (uint32_t i = 0; i < w->params.count; i++)
        names[i] = w->params.at[i].name;
    int near = str_nearest(str_of(name), names, w->params.count, 2);
    if (near >= 0)
        return err_set(e, ERR_INVALID, "'%.*s' has no parameter '%.60s'; did you mean '%.*s'?",
                       STR_ARG(w->name), name, STR_ARG(names[near]));
    return err_set(e, ERR_INVALID, "'%.*s' has no parameter '%.60s'", STR_ARG(w->name), name);
}

/* The texts given, at the index of their parameter. */
static bool read_given(const json_t *params, const struct workflow *w, struct arena *a,
                       struct str *values, struct err *e)
{
    const char *name;
    json_t *v;
    if (params && !json_is_object(params))
        return err_set(e, ERR_INVALID, "'params' must be an object");
    json_object_foreach((json_t *)(uintptr_t)params, name, v)
    {
        int64_t i = param_index(w, name);
        if (i < 0)
            return unknown_param(w, name, e);
        if (!value_text(name, v, a, &values[i], e))
            return false;
    }
    return true;
}

static bool read_trigger(const json_t *v, const char **out, struct err *e)
{
    const char *word = json_string_value(v);
    *out = "manual";
    if (!v || (word && strcmp(word, "manual") == 0))
        return true;
    *out = "api";
    if (word && strcmp(word, "api") == 0)
        return true;
    return err_set(e, ERR_INVALID, "'trigger' is \"manual\" or \"api\"");
}

static bool read_body(struct str body, json_t **out, struct err *e)
{
    json_error_t at;
    const char *key;
    json_t *v;
    if (body.len > PARAMS_BYTES_MAX)
        return err_set(e, ERR_LIMIT, "a request for a run may have %d bytes", PARAMS_BYTES_MAX);
    if (str_trim(body).len == 0)
        body = S("{}");
    *out = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, &at);
    if (!*out)
        return err_set(e, ERR_INVALID, "the request is not JSON: line %d, column %d: %s", at.line,
                       at.column, at.text);
    if (!json_is_object(*out))
        return err_set(e, ERR_INVALID, "the request must be a JSON object");
    json_object_foreach(*out, key, v)
    {
        if (strcmp(key, "params") != 0 && strcmp(key, "trigger") != 0)
            return err_set(e, ERR_INVALID, "a request for a run has no '%.60s', but 'params'", key);
    }
    return true;
}

/* The object of those values that are there; `defaults`: of all. */
static struct str object_of(const struct workflow *w, const struct str *values, bool defaults,
                            struct arena *a)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct json j = json_to(&b);
    json_open(&j, NULL);
    for (uint32_t i = 0; i < w->params.count; i++) {
        const struct pair *p = &w->params.at[i];
        struct str value = values[i].at ? values[i] : p->value.at ? p->value : S("");
        if (values[i].at || defaults)
            json_str(&j, p->name.at, value);
    }
    json_close(&j);
    return arena_str(a, (struct str){b.at, b.len});
}

bool params_merge(struct str body, const struct workflow *w, struct arena *a,
                  struct run_params *out, struct err *e)
{
    CLEANUP(json_free_at) json_t *root = NULL;
    struct str *values = arena_new(a, struct str, w->params.count + 1);
    struct run_params p = {0};
    if (!read_body(body, &root, e) ||
        !read_trigger(json_object_get(root, "trigger"), &p.trigger, e) ||
        !read_given(json_object_get(root, "params"), w, a, values, e))
        return false;
    p.json = object_of(w, values, true, a);
    p.given = object_of(w, values, false, a);
    *out = p;
    return true;
}
