/* SPDX-License-Identifier: MIT */
#include "server/body.h"

#include <jansson.h>

static void json_free(json_t **root)
{
    json_decref(*root);
}

/* The parser recurses: look at the depth before it does. */
static bool deep(struct str s)
{
    int depth = 0;
    bool text = false;
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.at[i];
        if (text && ch == '\\')
            i++;
        else if (ch == '"')
            text = !text;
        else if (!text && (ch == '{' || ch == '['))
            depth++;
        else if (!text && (ch == '}' || ch == ']'))
            depth--;
        if (depth > BODY_DEPTH_MAX)
            return true;
    }
    return false;
}

/* An object, or NULL for an empty body. */
static bool parse(struct str body, json_t **out, struct err *e)
{
    json_error_t where;
    *out = NULL;
    if (body.len == 0)
        return true;
    if (deep(body))
        return err_set(e, ERR_INVALID, "the JSON is nested more than %d deep", BODY_DEPTH_MAX);
    *out = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, &where);
    if (!*out)
        return err_set(e, ERR_INVALID, "not JSON: line %d, column %d: %s", where.line, where.column,
                       where.text);
    return json_is_object(*out) || err_set(e, ERR_INVALID, "the body must be a JSON object");
}

/* Only what is meant: a misspelt member is a wish that would be lost. */
static bool only(json_t *root, const char *const *names, size_t count, struct err *e)
{
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value)
    {
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known = known || strcmp(name, names[i]) == 0;
        if (!known)
            return err_set(e, ERR_INVALID, "'%.60s' is not a member of this body", name);
    }
    return true;
}

static bool text_of(json_t *root, const char *name, struct arena *a, struct str *out, struct err *e)
{
    json_t *value = json_object_get(root, name);
    if (!value || json_is_null(value))
        return true;
    if (!json_is_string(value))
        return err_set(e, ERR_INVALID, "'%s' must be a text", name);
    *out = arena_str(a, (struct str){json_string_value(value), json_string_length(value)});
    return true;
}

bool body_check_run(struct str body, struct err *e)
{
    static const char *const names[] = {"params"};
    CLEANUP(json_free) json_t *root = NULL;
    const char *name;
    json_t *value;
    if (!parse(body, &root, e) || !only(root, names, countof(names), e))
        return false;
    json_t *params = json_object_get(root, "params");
    if (params && !json_is_object(params))
        return err_set(e, ERR_INVALID, "'params' must be an object");
    json_object_foreach(params, name, value)
    {
        if (!json_is_string(value) && !json_is_number(value) && !json_is_boolean(value))
            return err_set(e, ERR_INVALID, "the parameter '%.60s' must be a text", name);
    }
    return true;
}

bool body_reason(struct str body, struct arena *a, struct str *out, struct err *e)
{
    static const char *const names[] = {"reason"};
    CLEANUP(json_free) json_t *root = NULL;
    *out = STR_NONE;
    if (!parse(body, &root, e) || !only(root, names, countof(names), e) ||
        !text_of(root, "reason", a, out, e))
        return false;
    return out->len <= 500 || err_set(e, ERR_INVALID, "the reason is longer than 500 bytes");
}

bool body_text(struct str body, struct arena *a, struct str *text, struct str *path, struct err *e)
{
    static const char *const names[] = {"text", "path"};
    CLEANUP(json_free) json_t *root = NULL;
    struct str found = STR_NONE;
    if (!parse(body, &root, e) || !only(root, names, countof(names), e) ||
        !text_of(root, "text", a, &found, e) || !text_of(root, "path", a, path, e))
        return false;
    if (!found.at)
        return err_set(e, ERR_INVALID, "'text' is missing");
    *text = found;
    return true;
}
