/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_help.c: help on a command or a topic, and the version. */
#include "cli/commands.h"

#include <sqlite3.h>
#include <stdio.h>

#include "store/schema.h"

static int finish(struct buf *out)
{
    out_flush(out);
    buf_free(out);
    return EXIT_DONE;
}

const struct topic *topic_find(const char *name)
{
    for (size_t i = 0; i < topic_count; i++)
        if (strcmp(name, topic_table[i].name) == 0)
            return &topic_table[i];
    return NULL;
}

static int no_topic(const struct cli *c, const char *word)
{
    struct str names[96];
    char hint[80] = "";
    size_t n = 0;
    for (size_t i = 0; i < topic_count && n < countof(names); i++)
        names[n++] = str_of(topic_table[i].name);
    for (size_t i = 0; i < command_count && n < countof(names); i++)
        names[n++] = str_of(command_table[i]->name);
    int best = str_nearest(str_of(word), names, n, 2);
    if (best >= 0)
        snprintf(hint, sizeof hint, "did you mean 'gowtf help %s'?", names[best].at);
    return fail_usage(c, NULL, hint, "there is no command or topic '%s'", word);
}

static int help_run(struct cli *c, const void *opts, int argc, char **argv)
{
    struct buf out = {0};
    (void)opts;
    if (c->json) {
        help_json(&out);
        return finish(&out);
    }
    if (argc == 0) {
        help_overview(&out);
        return finish(&out);
    }
    const struct topic *t = topic_find(argv[0]);
    const struct command *cmd = t ? NULL : command_find(argv[0]);
    if (!t && !cmd)
        return no_topic(c, argv[0]);
    if (cmd) {
        help_manual(cmd, &out);
        return finish(&out);
    }
    buf_puts(&out, t->text);
    if (t->print)
        t->print(&out);
    return finish(&out);
}

const struct command cmd_help = {
    .name = "help",
    .group = GROUP_HELP,
    .args = "[COMMAND|TOPIC]",
    .help = "Explain a command or a topic",
    .more = "Without a word: all commands on one screen. Topics are yaml, conditions,\n"
            "filters, targets, exit-codes, environment and json. With --json: the whole\n"
            "table of commands and options as one document.",
    .examples = {"gowtf help conditions", "gowtf help runs"},
    .json = true,
    .arg_max = 1,
    .run = help_run,
};

static int version_run(struct cli *c, const void *opts, int argc, char **argv)
{
    struct buf out = {0};
    (void)opts, (void)argc, (void)argv;
    if (c->json) {
        struct json j = json_to(&out);
        json_open(&j, NULL);
        json_str(&j, "schema", S("gowtf.version/1"));
        json_str(&j, "version", str_of(GOWTF_VERSION));
        json_int(&j, "database", schema_version);
        json_str(&j, "sqlite", str_of(sqlite3_libversion()));
        json_close(&j);
        buf_putc(&out, '\n');
    } else {
        buf_printf(&out, "gowtf %s\n", GOWTF_VERSION);
    }
    return finish(&out);
}

const struct command cmd_version = {
    .name = "version",
    .group = GROUP_HELP,
    .args = "",
    .help = "Print the version",
    .examples = {"gowtf version", "gowtf version --json"},
    .json = true,
    .run = version_run,
};
