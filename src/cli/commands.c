/* SPDX-License-Identifier: MIT
 *
 * cli/commands.c: the table of commands, in the order of `gowtf help`. */
#include "cli/commands.h"

const struct command *const command_table[] = {
    &cmd_validate, &cmd_sql, &cmd_cron, &cmd_help, &cmd_version,
};
const size_t command_count = countof(command_table);
