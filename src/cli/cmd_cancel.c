/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_cancel.c: start nothing more of a run, and stop what lives. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/act.h"

static int cancel_run(struct cli *c, const void *opts, int argc, char **argv)
{
    int64_t run;
    (void)opts;
    for (int i = 0; i < argc; i++) {
        int status = act_on_run(c, &cmd_cancel, argv[i], "cancel", &run);
        if (status)
            return status;
        if (c->out.tty && !c->quiet)
            printf("run %lld is being cancelled\n", (long long)run);
    }
    return EXIT_DONE;
}

const struct command cmd_cancel = {
    .name = "cancel",
    .group = GROUP_ACT,
    .args = "RUN...",
    .help = "Stop a run and every process of its tasks",
    .more = "Tasks get SIGTERM, and SIGKILL after ten seconds if that did not help. Tasks not\n"
            "begun become cancelled. Ends with 5 when the run is already over.",
    .examples = {"gowtf cancel 1182", "gowtf cancel payroll@running"},
    .arg_min = 1,
    .arg_max = -1,
    .run = cancel_run,
};
