/* SPDX-License-Identifier: MIT
 *
 * cli/commands.h: the rows of the table of commands. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_cancel, cmd_cron, cmd_graph, cmd_help, cmd_keeper, cmd_logs, cmd_ls,
    cmd_next, cmd_pause, cmd_resume, cmd_retry, cmd_run, cmd_runs, cmd_serve, cmd_show, cmd_sql,
    cmd_start, cmd_status, cmd_ui, cmd_validate, cmd_version, cmd_why;

#endif
