/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_start.c: ask the engine for a run. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/act.h"
#include "cli/look.h"
#include "cli/progress.h"

struct start_opts {
    struct opt_list params;
    bool wait;
    ms_t timeout;
};

static const struct opt start_table[] = {
#define AT(member) offsetof(struct start_opts, member)
    {"param", 'p', OPT_LIST, AT(params), "K=V", NULL, "a parameter; may be given again"},
    {"wait", 'w', OPT_FLAG, AT(wait), NULL, NULL, "show it and end with its result"},
    {"timeout", 0, OPT_TIME, AT(timeout), "TIME", NULL, "with --wait: how long; then exit 124"},
#undef AT
};

static bool find(const struct cli *c, const char *arg, struct target *t, struct err *e)
{
    struct look l CLEANUP(look_close) = {0};
    int64_t id;
    if (!target_parse(str_of(arg), t, e))
        return false;
    if (t->file)
        return err_set(e, ERR_INVALID, "'%s' is a file; run it with: gowtf run %s", arg, arg);
    if (t->run || t->pick.at || t->task.at)
        return err_set(e, ERR_INVALID, "'%s' is no workflow", arg);
    return look_open(&l, c, e) && target_workflow(t, &l.db, &id, e);
}

static int start_run(struct cli *c, const void *opts, int argc, char **argv)
{
    const struct start_opts *o = opts;
    struct target t;
    struct err e = {0};
    int64_t run;
    (void)argc;

    if (!find(c, argv[0], &t, &e) || !act_start(c, t.workflow, &o->params, &run, &e))
        return fail_err(c, &cmd_start, &e);
    if (o->wait)
        return progress_watch(c, run, o->timeout);
    if (c->json) {
        struct buf doc CLEANUP(buf_free) = {0};
        struct json j = json_to(&doc);
        json_open(&j, NULL);
        json_str(&j, "schema", S("gowtf.started/1"));
        json_int(&j, "id", run);
        json_str(&j, "workflow", t.workflow);
        json_close(&j);
        return answer_json(c, &doc);
    }
    printf("%lld\n", (long long)run);
    return EXIT_DONE;
}

const struct command cmd_start = {
    .name = "start",
    .group = GROUP_WORK,
    .args = "WORKFLOW",
    .help = "Ask the engine for a run; print its number",
    .more = "The number is printed once the run is safely on disk. A paused workflow can be\n"
            "started too. With --wait, Ctrl-C leaves the run going.",
    .examples = {"gowtf start deploy -p version=2.1 -p dry_run=no",
                 "gowtf start nightly-backup --wait --timeout 1h"},
    .opts = start_table,
    .opt_count = countof(start_table),
    .size = sizeof(struct start_opts),
    .json = true,
    .arg_min = 1,
    .arg_max = 1,
    .run = start_run,
};
