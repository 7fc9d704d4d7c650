/* SPDX-License-Identifier: MIT
 *
 * cli/act.c: the database says which one is meant, the engine does it. */
#include "cli/act.h"

#include <stdio.h>

#include "cli/look.h"

static bool find_run(const struct cli *c, const char *arg, int64_t *run, struct err *e)
{
    struct look l CLEANUP(look_close) = {0};
    struct target t;
    if (!look_open(&l, c, e) || !look_run(&l, arg, &t, run, e))
        return false;
    if (t.task.at)
        return err_set(e, ERR_INVALID, "this goes for a whole run, not for a task");
    return true;
}

/* Runs of `gowtf run FILE` are kept where no engine is. */
static bool is_local(const char *home)
{
    const char *slash = strrchr(home, '/');
    return slash && strcmp(slash, "/local") == 0;
}

int act_on_run(const struct cli *c, const struct command *cmd, const char *arg, const char *verb,
               int64_t *run)
{
    struct reply r CLEANUP(reply_free) = {0};
    struct err e = {0};
    char path[80];
    if (!find_run(c, arg, run, &e))
        return fail_err(c, cmd, &e);
    snprintf(path, sizeof path, "/api/v1/runs/%lld/%s", (long long)*run, verb);
    if (client_do(c->home, "POST", path, S("{}"), &r, &e))
        return EXIT_DONE;
    if (e.kind == ERR_DOWN && is_local(c->home))
        err_set(&e, ERR_DOWN,
                "run %lld was made by `gowtf run FILE`, without an engine: it cannot go on; run "
                "the file again with: gowtf run FILE",
                (long long)*run);
    return fail_err(c, cmd, &e);
}

int act_on_workflow(const struct cli *c, const struct command *cmd, const char *name,
                    const char *verb, const char *reason)
{
    struct reply r CLEANUP(reply_free) = {0};
    struct look l CLEANUP(look_close) = {0};
    struct buf path CLEANUP(buf_free) = {0}, body CLEANUP(buf_free) = {0};
    struct json j = json_to(&body);
    struct err e = {0};
    int64_t id;

    json_open(&j, NULL);
    json_str(&j, "reason", str_of(reason));
    json_close(&j);
    buf_puts(&path, "/api/v1/workflows/");
    path_add(&path, str_of(name));
    buf_printf(&path, "/%s", verb);
    if (!look_open(&l, c, &e) || !look_workflow(&l, name, &id, &e) ||
        !client_do(c->home, "POST", path.at, (struct str){body.at, body.len}, &r, &e))
        return fail_err(c, cmd, &e);
    return EXIT_DONE;
}

bool params_json(const struct opt_list *list, bool wrap, struct buf *out, struct err *e)
{
    struct json j = json_to(out);
    json_open(&j, NULL);
    if (wrap)
        json_open(&j, "params");
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->at[i], '=');
        char key[200];
        if (!equals || equals == list->at[i] || (size_t)(equals - list->at[i]) >= sizeof key)
            return err_set(e, ERR_INVALID, "-p wants NAME=VALUE, not '%s'", list->at[i]);
        snprintf(key, sizeof key, "%.*s", (int)(equals - list->at[i]), list->at[i]);
        json_str(&j, key, str_of(equals + 1));
    }
    if (wrap)
        json_close(&j);
    json_close(&j);
    return true;
}

bool act_start(const struct cli *c, struct str name, const struct opt_list *params, int64_t *run,
               struct err *e)
{
    struct reply r CLEANUP(reply_free) = {0};
    struct buf path CLEANUP(buf_free) = {0}, body CLEANUP(buf_free) = {0};
    buf_puts(&path, "/api/v1/workflows/");
    path_add(&path, name);
    buf_puts(&path, "/runs");
    if (!params_json(params, true, &body, e) ||
        !client_do(c->home, "POST", path.at, (struct str){body.at, body.len}, &r, e))
        return false;
    json_t *v = json_loadb(r.body.at ? r.body.at : "", r.body.len, 0, NULL);
    *run = j_int(v, "id", 0);
    json_decref(v);
    return *run || err_set(e, ERR_SYSTEM, "the engine named no run");
}
