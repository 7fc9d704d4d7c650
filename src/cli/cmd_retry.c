/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_retry.c: run again what failed, and what hangs on it. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/act.h"
#include "cli/progress.h"

struct retry_opts {
    bool wait;
};

static const struct opt retry_table[] = {
#define AT(member) offsetof(struct retry_opts, member)
    {"wait", 'w', OPT_FLAG, AT(wait), NULL, NULL, "show it and end with its result"},
#undef AT
};

static int retry_run(struct cli *c, const void *opts, int argc, char **argv)
{
    const struct retry_opts *o = opts;
    int64_t run;
    (void)argc;
    int status = act_on_run(c, &cmd_retry, argv[0], "retry", &run);
    if (status)
        return status;
    if (o->wait)
        return progress_watch(c, run, 0);
    if (c->out.tty && !c->quiet)
        printf("run %lld goes on with what failed\n", (long long)run);
    return EXIT_DONE;
}

const struct command cmd_retry = {
    .name = "retry",
    .group = GROUP_ACT,
    .args = "RUN",
    .help = "Run failed tasks again, keeping what succeeded",
    .more = "Failed and cancelled tasks, and all that depend on them, run again in the same\n"
            "run, with the definition the run began with. Attempts count on.",
    .examples = {"gowtf retry 1182", "gowtf retry payroll@failed --wait"},
    .opts = retry_table,
    .opt_count = countof(retry_table),
    .size = sizeof(struct retry_opts),
    .arg_min = 1,
    .arg_max = 1,
    .run = retry_run,
};
