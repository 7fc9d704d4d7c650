/* SPDX-License-Identifier: MIT
 *
 * gowtf: one program. The daemon, the keeper and every command that asks or
 * tells them something.
 *
 * Here the first word becomes a row of the table of commands, the rest its
 * options, and the result an exit status. Nothing else happens here. */
#include "cli/command.h"

#include <signal.h>
#include <stdio.h>

#include "base/fd.h"
#include "store/store.h"

const struct command *command_find(const char *name)
{
    static const struct {
        const char *alias, *name;
    } aliases[] = {{"ps", "runs"}, {"log", "logs"}, {"up", "serve"}};
    for (size_t i = 0; i < countof(aliases); i++)
        if (strcmp(name, aliases[i].alias) == 0)
            name = aliases[i].name;
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(name, command_table[i]->name) == 0)
            return command_table[i];
    return NULL;
}

static int unknown_command(const struct cli *c, const char *word)
{
    struct str names[64];
    char hint[80] = "";
    size_t n = 0;
    for (size_t i = 0; i < command_count && n < countof(names); i++)
        if (command_table[i]->group != GROUP_HIDDEN)
            names[n++] = str_of(command_table[i]->name);
    int best = str_nearest(str_of(word), names, n, 2);
    if (best >= 0)
        snprintf(hint, sizeof hint, "did you mean '%s'?", names[best].at);
    return fail_usage(c, NULL, hint, "gowtf has no command '%s'", word);
}

/* Where the first word that is no option stands; argc: there is none. */
static int verb_at(int argc, char **argv)
{
    static const char *const with_value[] = {"-C", "--home", "--tz", "--color"};
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || !argv[i][1])
            return i;
        if (strcmp(argv[i], "--") == 0)
            return i + 1;
        for (size_t k = 0; k < countof(with_value); k++)
            if (strcmp(argv[i], with_value[k]) == 0) {
                i++;
                break;
            }
    }
    return argc;
}

static bool settle(struct cli *c, struct err *e)
{
    static const char *const whens[] = {"auto", "always", "never"};
    bool known = false;
    for (size_t i = 0; i < countof(whens); i++)
        known |= strcmp(c->color, whens[i]) == 0;
    c->out = paint_for(1, known ? c->color : "auto");
    c->err = paint_for(2, known ? c->color : "auto");
    if (!known)
        return err_set(e, ERR_INVALID, "--color is auto, always or never, not '%s'", c->color);
    if (!c->home) {
        if (!store_default_home(&c->home_text, e))
            return false;
        c->home = c->home_text.at;
    }
    return true;
}

static int print(struct buf *out)
{
    out_flush(out);
    buf_free(out);
    return EXIT_DONE;
}

static int show_help(const struct cli *c, const struct command *cmd)
{
    struct buf out = {0};
    if (!cmd)
        help_overview(&out);
    else if (c->asked_manual)
        help_manual(cmd, &out);
    else
        help_short(cmd, &out);
    return print(&out);
}

static int count_wrong(const struct cli *c, const struct command *cmd, int argc)
{
    if (argc < cmd->arg_min)
        return fail_usage(c, cmd, NULL, "%s wants %s", cmd->name, cmd->args);
    return fail_usage(c, cmd, NULL, "%s does not take that many arguments", cmd->name);
}

static int run_command(struct cli *c, const struct command *cmd, int argc, char **argv)
{
    struct err e = {0};
    struct buf hint = {0};
    void *opts = mem_new(cmd->size ? cmd->size : 1);
    int status;

    if (!command_parse(c, cmd, opts, &argc, argv, &hint, &e) || !settle(c, &e))
        status = fail_usage(c, cmd, hint.at, "%s", e.text);
    else if (c->asked_help)
        status = show_help(c, cmd);
    else if (argc < cmd->arg_min || (cmd->arg_max >= 0 && argc > cmd->arg_max))
        status = count_wrong(c, cmd, argc);
    else if (c->json && !cmd->json)
        status = fail_usage(c, cmd, NULL, "%s has no --json", cmd->name);
    else
        status = cmd->run(c, opts, argc, argv);
    buf_free(&hint);
    free(opts);
    return status;
}

static int without_command(struct cli *c, int argc, char **argv)
{
    struct err e = {0};
    struct buf out = {0}, hint = {0};
    argc--;
    argv++;
    bool fine = command_parse(c, NULL, NULL, &argc, argv, &hint, &e) && settle(c, &e);
    if (!fine) {
        int status = fail_usage(c, NULL, hint.at, "%s", e.text);
        buf_free(&hint);
        return status;
    }
    if (c->asked_version)
        return command_find("version")->run(c, NULL, 0, NULL);
    if (c->asked_help)
        help_overview(&out);
    else
        help_welcome(&out);
    return print(&out);
}

int main(int argc, char **argv)
{
    struct cli c = {.program = argc ? argv[0] : "gowtf", .color = "auto"};
    int status, at;

    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    at = verb_at(argc, argv);
    if (at >= argc) {
        status = without_command(&c, argc, argv);
    } else {
        const char *word = argv[at];
        const struct command *cmd = command_find(word);
        memmove(argv + at, argv + at + 1, (size_t)(argc - at) * sizeof *argv);
        if (cmd) {
            status = run_command(&c, cmd, argc - 2, argv + 1);
        } else {
            c.err = paint_for(2, "auto");
            status = unknown_command(&c, word);
        }
    }
    buf_free(&c.home_text);
    return status;
}
