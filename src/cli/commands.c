/* SPDX-License-Identifier: MIT
 *
 * cli/commands.c: the table of commands, in the order of `gowtf help`. */
#include "cli/commands.h"

const struct command *const command_table[] = {
    &cmd_run,    &cmd_start,  &cmd_validate, &cmd_graph,   &cmd_ls,    &cmd_runs,
    &cmd_show,   &cmd_logs,   &cmd_why,      &cmd_next,    &cmd_retry, &cmd_cancel,
    &cmd_pause,  &cmd_resume, &cmd_serve,    &cmd_status,  &cmd_ui,    &cmd_sql,
    &cmd_keeper, &cmd_cron,   &cmd_help,     &cmd_version,
};
const size_t command_count = countof(command_table);
