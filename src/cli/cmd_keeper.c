/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_keeper.c: the holder of task processes. The engine starts it; a
 * service manager may, so that it stays when the engine is restarted. */
#include "cli/commands.h"

#include "keeper/keeper.h"

struct keeper_cmd_opts {
    int64_t slots;
    ms_t linger;
    const char *cgroup;
    int64_t ready_fd;
};

static const struct opt keeper_table[] = {
#define AT(member) offsetof(struct keeper_cmd_opts, member)
    {"slots", 0, OPT_COUNT, AT(slots), "N", "0", "attempts at once; 0: twice the CPUs"},
    {"linger", 0, OPT_TIME, AT(linger), "TIME", "5s", "how long left-over processes may stay"},
    {"cgroup", 0, OPT_TEXT, AT(cgroup), "DIR", NULL,
     "a cgroup v2 directory that is ours to divide"},
    {"ready-fd", 0, OPT_COUNT, AT(ready_fd), "N", "0", "say so there once it listens"},
#undef AT
};

static int keeper_run(struct cli *c, const void *opts, int argc, char **argv)
{
    const struct keeper_cmd_opts *o = opts;
    (void)argc, (void)argv;
    if (o->slots > 4096 || o->ready_fd > 1 << 20)
        return fail_usage(c, &cmd_keeper, NULL, "--slots is at most 4096");
    return keeper_main(&(struct keeper_opts){
        .data_dir = c->home,
        .slots = (uint32_t)o->slots,
        .linger_ms = o->linger,
        .cgroup = o->cgroup,
        .ready_fd = (int)o->ready_fd,
    });
}

const struct command cmd_keeper = {
    .name = "keeper",
    .group = GROUP_ENGINE,
    .args = "",
    .help = "Hold task processes for an engine (it starts one itself)",
    .more = "The parent of every task. It starts them, keeps their output, ends them when they\n"
            "are out of time, and writes down how they ended. It outlives the engine. You need\n"
            "this only to run it as a service of its own. See docs/PROTOCOL.md.",
    .examples = {"gowtf keeper -C /srv/gowtf", "gowtf keeper -C /srv/gowtf --slots 32"},
    .opts = keeper_table,
    .opt_count = countof(keeper_table),
    .size = sizeof(struct keeper_cmd_opts),
    .run = keeper_run,
};
