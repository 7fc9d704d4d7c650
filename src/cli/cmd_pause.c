/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_pause.c: the switch of a workflow's schedules, both ways. */
#include "cli/commands.h"

#include "cli/act.h"

struct pause_opts {
    const char *reason;
};

static const struct opt pause_table[] = {
#define AT(member) offsetof(struct pause_opts, member)
    {"reason", 0, OPT_TEXT, AT(reason), "TEXT", NULL, "why, for whoever wonders later"},
#undef AT
};

static int set_all(struct cli *c, const struct command *cmd, const void *opts, int argc,
                   char **argv, const char *verb)
{
    const struct pause_opts *o = opts;
    for (int i = 0; i < argc; i++) {
        int status = act_on_workflow(c, cmd, argv[i], verb, o->reason);
        if (status)
            return status;
    }
    return EXIT_DONE;
}

static int pause_run(struct cli *c, const void *opts, int argc, char **argv)
{
    return set_all(c, &cmd_pause, opts, argc, argv, "disable");
}

static int resume_run(struct cli *c, const void *opts, int argc, char **argv)
{
    return set_all(c, &cmd_resume, opts, argc, argv, "enable");
}

const struct command cmd_pause = {
    .name = "pause",
    .group = GROUP_ACT,
    .args = "WORKFLOW...",
    .help = "Stop schedules from firing",
    .more = "Runs that are under way go on, and a run can still be started by hand. Instants\n"
            "that pass meanwhile are recorded as skipped. The switch outlives restarts and\n"
            "edits of the file.",
    .examples = {"gowtf pause payroll --reason 'vendor migration'", "gowtf pause a b c"},
    .opts = pause_table,
    .opt_count = countof(pause_table),
    .size = sizeof(struct pause_opts),
    .arg_min = 1,
    .arg_max = -1,
    .run = pause_run,
};

const struct command cmd_resume = {
    .name = "resume",
    .group = GROUP_ACT,
    .args = "WORKFLOW...",
    .help = "Let schedules fire again",
    .more = "What was due while it was paused is not made up for.",
    .examples = {"gowtf resume payroll", "gowtf resume payroll --reason 'vendor is back'"},
    .opts = pause_table,
    .opt_count = countof(pause_table),
    .size = sizeof(struct pause_opts),
    .arg_min = 1,
    .arg_max = -1,
    .run = resume_run,
};
