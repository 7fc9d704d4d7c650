/* SPDX-License-Identifier: MIT
 *
 * cli/act.h: wishes told to the engine: start, cancel, retry, pause, resume. */
#ifndef CLI_ACT_H
#define CLI_ACT_H

#include "cli/client.h"
#include "cli/command.h"

/* POST to a run: "cancel" or "retry". Resolves `arg` by the database. */
int act_on_run(const struct cli *c, const struct command *cmd, const char *arg, const char *verb,
               int64_t *run);
/* POST to a workflow: "enable" or "disable", with a reason or NULL. */
int act_on_workflow(const struct cli *c, const struct command *cmd, const char *name,
                    const char *verb, const char *reason);

/* "K=V" texts as {"params":{..}}. ERR_INVALID: one has no =. */
bool params_json(const struct opt_list *list, bool wrap, struct buf *out, struct err *e);
/* Start a run of workflow `name`; its number. */
bool act_start(const struct cli *c, struct str name, const struct opt_list *params, int64_t *run,
               struct err *e);

#endif
