/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_run.c: a run in front of your eyes, ending with its result.
 *
 * A file needs no engine: the same rooms run in this process, and the history
 * goes to HOME/local, so that an engine in HOME is not in the way. A workflow's
 * name is a wish told to the engine, and then watched. */
#include "cli/commands.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/act.h"
#include "cli/look.h"
#include "cli/progress.h"
#include "daemon/daemon.h"
#include "model/limits.h"
#include "model/load.h"
#include "store/zones.h"

struct run_cmd_opts {
    struct opt_list params;
    int64_t slots;
};

static const struct opt run_table[] = {
#define AT(member) offsetof(struct run_cmd_opts, member)
    {"param", 'p', OPT_LIST, AT(params), "K=V", NULL, "a parameter; may be given again"},
    {"slots", 0, OPT_COUNT, AT(slots), "N", "0", "a file: tasks at once; 0: twice the CPUs"},
#undef AT
};

struct live {
    const struct cli *cli;
    const char *home;
    struct progress progress;
    const char *again;
    int64_t run;
    struct err e;
};

static void quoted(struct buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./=:,+@%";
    if (*text && text[strspn(text, plain)] == '\0') {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '\'');
    for (; *text; text++)
        if (*text == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *text);
    buf_putc(out, '\'');
}

/* The command line that does the same once more. */
static void again_text(const char *file, const struct run_cmd_opts *o, struct buf *out)
{
    buf_puts(out, "gowtf run ");
    quoted(out, file);
    for (size_t i = 0; i < o->params.count; i++) {
        buf_puts(out, " -p ");
        quoted(out, o->params.at[i]);
    }
}

static void on_started(void *ctx, int64_t run)
{
    struct live *v = ctx;
    v->run = run;
    if (!progress_open(&v->progress, v->cli, v->home, run, &v->e))
        v->run = 0;
    v->progress.again = v->again;
}

static void on_tick(void *ctx)
{
    struct live *v = ctx;
    if (v->run && !v->e.kind)
        (void)progress_update(&v->progress, &v->e);
}

static void on_changed(void *ctx, int64_t seq)
{
    (void)seq;
    on_tick(ctx);
}

/* Print what is wrong with the file; false if anything is. */
static bool check_file(const struct cli *c, const char *path, int *status)
{
    int fd CLEANUP(fd_close) = -1;
    struct buf text CLEANUP(buf_free) = {0}, out CLEANUP(buf_free) = {0};
    struct problems ps CLEANUP(problems_free) = {0};
    struct err e = {0};

    if (!fd_open_read(AT_FDCWD, path, &fd, &e) || !fd_read_all(fd, FILE_BYTES_MAX + 1, &text, &e)) {
        e.kind = ERR_NOT_FOUND;
        *status = fail_err(c, &cmd_run, &e);
        return false;
    }
    struct str bytes = {text.at ? text.at : "", text.len};
    struct zones *tree = zones_new(NULL);
    struct load_zones zones = zones_for_load(tree);
    struct workflow *w = workflow_load_with(bytes, str_of(path), &zones, &ps);
    zones_free(tree);
    for (size_t i = 0; i < ps.count && !c->quiet; i++) {
        problem_print(&ps.at[i], str_of(path), bytes, c->err.colour, &out);
        buf_putc(&out, '\n');
    }
    if (out.len)
        fputs(out.at, stderr);
    *status = EXIT_BAD;
    bool fine = w != NULL;
    workflow_free(w);
    return fine;
}

static bool local_home(const struct cli *c, struct buf *out, struct err *e)
{
    for (const char *p = c->home; *p; p++) /* every folder on the way */
        if (*p == '/' && p != c->home) {
            char part[4096];
            snprintf(part, sizeof part, "%.*s", (int)(p - c->home), c->home);
            (void)mkdir(part, 0755);
        }
    (void)mkdir(c->home, 0700);
    buf_printf(out, "%s/local", c->home);
    if (mkdir(out->at, 0700) < 0 && access(out->at, W_OK) < 0)
        return err_sys(e, "%s", out->at);
    char *whole = realpath(out->at, NULL);
    if (whole) {
        buf_clear(out);
        buf_puts(out, whole);
        free(whole);
    }
    return true;
}

static int final_document(const struct cli *c, const char *home, int64_t run, int status)
{
    struct cli there = *c;
    struct look l CLEANUP(look_close) = {0};
    struct err e = {0};
    there.home = home;
    if (!look_open(&l, &there, &e) || !view_run(&l.view, run, &l.doc, &e))
        return fail_err(c, &cmd_run, &e);
    look_answer(&l);
    return status;
}

static int run_here(struct cli *c, const struct run_cmd_opts *o, const char *file)
{
    struct buf home CLEANUP(buf_free) = {0}, params CLEANUP(buf_free) = {0};
    struct buf again CLEANUP(buf_free) = {0};
    struct err e = {0};
    enum run_state state;
    char actor[32];
    int status;

    if (!check_file(c, file, &status))
        return status;
    if (!local_home(c, &home, &e) || !params_json(&o->params, false, &params, &e))
        return fail_err(c, &cmd_run, &e);
    again_text(file, o, &again);
    struct live v = {.cli = c, .home = home.at, .again = again.at};
    snprintf(actor, sizeof actor, "uid %u", (unsigned)getuid());
    bool fine = daemon_run(&(struct run_opts){.home = home.at,
                                              .file = file,
                                              .params = {params.at, params.len},
                                              .actor = str_of(actor),
                                              .slots = (uint32_t)MIN(o->slots, 4096),
                                              .tick_ms = c->out.tty ? 100 : 0,
                                              .ctx = &v,
                                              .started = on_started,
                                              .changed = on_changed,
                                              .tick = on_tick},
                           &state, &e);
    if (fine)
        status = progress_verdict(&v.progress, &state);
    else
        status = fail_err(c, &cmd_run, &e);
    progress_close(&v.progress);
    return fine && c->json ? final_document(c, home.at, v.run, status) : status;
}

static int run_there(struct cli *c, const struct run_cmd_opts *o, const struct target *t)
{
    struct look l CLEANUP(look_close) = {0};
    struct err e = {0};
    int64_t id, run;
    if (t->run || t->pick.at || t->task.at)
        return fail_usage(c, &cmd_run, "a run of the past goes on with: gowtf retry RUN",
                          "'%.*s' is neither a workflow nor a file", STR_ARG(t->text));
    if (!look_open(&l, c, &e) || !target_workflow(t, &l.db, &id, &e) ||
        !act_start(c, t->workflow, &o->params, &run, &e))
        return fail_err(c, &cmd_run, &e);
    int status = progress_watch(c, run, 0);
    return c->json ? final_document(c, c->home, run, status) : status;
}

static int run_run(struct cli *c, const void *opts, int argc, char **argv)
{
    struct target t;
    struct err e = {0};
    (void)argc;
    bool file = strchr(argv[0], '/') != NULL;
    if (!file && !target_parse(str_of(argv[0]), &t, &e))
        return fail_err(c, &cmd_run, &e);
    if (file || t.file)
        return run_here(c, opts, argv[0]);
    return run_there(c, opts, &t);
}

const struct command cmd_run = {
    .name = "run",
    .group = GROUP_WORK,
    .args = "FILE|WORKFLOW",
    .help = "Run in front of you and exit with the result",
    .more = "A file (a name with / or .yaml) runs in this very process: no engine is needed.\n"
            "Its history is in the folder `local` of the data directory. Ctrl-C cancels the\n"
            "run and waits for its tasks, which get SIGTERM, and SIGKILL ten seconds later. A\n"
            "workflow is started in the engine and watched; Ctrl-C then leaves it going.\n"
            "Ends with 0 if the run succeeded, 1 if it failed, 8 if it was cancelled.",
    .examples = {"gowtf run examples/pipeline.yaml -p limit=100", "gowtf run nightly-backup"},
    .opts = run_table,
    .opt_count = countof(run_table),
    .size = sizeof(struct run_cmd_opts),
    .json = true,
    .arg_min = 1,
    .arg_max = 1,
    .run = run_run,
};
