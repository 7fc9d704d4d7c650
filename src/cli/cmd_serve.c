/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_serve.c: the engine. */
#include "cli/commands.h"

#include "daemon/daemon.h"

struct serve_cmd_opts {
    const char *listen, *workflows, *durability, *trace;
    int64_t slots, keep_runs, keep_days;
};

static const struct opt serve_table[] = {
#define AT(member) offsetof(struct serve_cmd_opts, member)
    {"listen", 0, OPT_TEXT, AT(listen), "ADDR:PORT", "127.0.0.1:8700",
     "where the web UI answers; port 0: any"},
    {"workflows", 'w', OPT_TEXT, AT(workflows), "DIR", "workflows",
     "the directory of workflow files"},
    {"slots", 0, OPT_COUNT, AT(slots), "N", "0", "tasks at once; 0: twice the CPUs"},
    {"durability", 0, OPT_TEXT, AT(durability), "MODE", "normal",
     "normal, or full: sync every turn"},
    {"keep-runs", 0, OPT_COUNT, AT(keep_runs), "N", "1000", "runs kept of a workflow; 0: all"},
    {"keep-days", 0, OPT_COUNT, AT(keep_days), "N", "0", "days runs are kept; 0: for ever"},
    {"trace", 0, OPT_TEXT, AT(trace), "FILE", NULL, "write every message between the parts"},
#undef AT
};

enum { SLOTS_MAX = 4096 };
static const ms_t DAY_MS = 86400000;

static int serve_run(struct cli *c, const void *opts, int argc, char **argv)
{
    const struct serve_cmd_opts *o = opts;
    bool full = strcmp(o->durability, "full") == 0;
    (void)argc, (void)argv;

    if (!full && strcmp(o->durability, "normal") != 0)
        return fail_usage(c, &cmd_serve, NULL, "--durability is normal or full, not '%s'",
                          o->durability);
    if (o->slots > SLOTS_MAX)
        return fail_usage(c, &cmd_serve, NULL, "--slots is at most %d", SLOTS_MAX);
    if (o->keep_days > 36500)
        return fail_usage(c, &cmd_serve, NULL, "--keep-days is at most 36500");
    return daemon_serve(&(struct serve_opts){
        .home = c->home,
        .workflows = o->workflows,
        .listen = o->listen,
        .slots = (uint32_t)o->slots,
        .durability = full ? DURABLE_FULL : DURABLE_NORMAL,
        .retention = {.keep_runs = o->keep_runs, .keep_ms = o->keep_days * DAY_MS},
        .trace = o->trace,
        .quiet = c->quiet,
    });
}

const struct command cmd_serve = {
    .name = "serve",
    .group = GROUP_ENGINE,
    .args = "",
    .help = "Run the engine: schedules, tasks and the web UI",
    .more = "Watches the directory, fires schedules, runs tasks and serves the web UI until it\n"
            "is told to stop (Ctrl-C, SIGTERM). Tasks that run then go on under their keeper;\n"
            "the next `gowtf serve` takes them up again. One engine a data directory.",
    .examples = {"gowtf serve --workflows ~/workflows",
                 "gowtf -C /srv/gowtf serve -w /etc/gowtf --listen 127.0.0.1:9000"},
    .opts = serve_table,
    .opt_count = countof(serve_table),
    .size = sizeof(struct serve_cmd_opts),
    .run = serve_run,
};
