/* SPDX-License-Identifier: MIT
 *
 * cli/commands.h: the rows of the table of commands, a file each. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_cron, cmd_help, cmd_sql, cmd_validate, cmd_version;

#endif
