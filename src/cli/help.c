/* SPDX-License-Identifier: MIT
 *
 * cli/help.c: the table of commands, as text for people and as JSON for the
 * generator of the manual (tools/docgen.py).
 *
 * -h must fit a terminal of 80 columns and 24 lines; a test holds every
 * command to that. */
#include "cli/command.h"

#include <stdio.h>

#include "model/codes.h"
#include "model/keys.h"

const struct exit_info exit_table[] = {
    {EXIT_DONE, "done; the run that was waited for succeeded; the files are valid"},
    {EXIT_BAD, "the thing asked about is bad: a failed run, an invalid file"},
    {EXIT_USAGE, "the command line makes no sense"},
    {EXIT_DOWN, "no engine answers in this data directory"},
    {EXIT_ABSENT, "there is no such workflow, run, task or file"},
    {EXIT_REFUSED, "refused in this state: already over, already running, locked"},
    {EXIT_DENIED, "not permitted"},
    {EXIT_INTERNAL, "a fault of the disk, the database or gowtf itself"},
    {EXIT_CANCELLED, "the run that was waited for was cancelled"},
    {EXIT_TIMEOUT, "the time given with --timeout is over; the run goes on"},
    {EXIT_INTERRUPT, "interrupted (Ctrl-C); `run` cancels its run first"},
    {EXIT_TERMINATED, "terminated (SIGTERM)"},
};
const size_t exit_count = countof(exit_table);

static const char *const group_words[] = {"Work", "Look", "Act", "Engine", "Help", ""};

const char *group_word(enum command_group g)
{
    return group_words[g];
}

static void usage_line(const struct command *cmd, struct buf *out)
{
    buf_printf(out, "gowtf %s%s%s%s", cmd->name, *cmd->args ? " " : "", cmd->args,
               cmd->opt_count ? " [options]" : "");
}

static void option_left(const struct opt *o, struct buf *out)
{
    buf_clear(out);
    if (o->letter)
        buf_printf(out, "-%c, ", o->letter);
    else
        buf_puts(out, "    ");
    buf_printf(out, "--%s", o->name);
    if (o->wants)
        buf_printf(out, " %s", o->wants);
}

static void option_lines(const struct command *cmd, struct buf *out)
{
    struct buf left = {0};
    for (size_t i = 0; i < cmd->opt_count; i++) {
        option_left(&cmd->opts[i], &left);
        buf_printf(out, "  %-24s %s\n", left.at, cmd->opts[i].help);
    }
    buf_free(&left);
}

static void example_lines(const struct command *cmd, struct buf *out)
{
    for (size_t i = 0; i < countof(cmd->examples); i++)
        if (cmd->examples[i])
            buf_printf(out, "  %s\n", cmd->examples[i]);
}

void help_short(const struct command *cmd, struct buf *out)
{
    buf_printf(out, "%s.\n\n  ", cmd->help);
    usage_line(cmd, out);
    buf_puts(out, "\n");
    if (cmd->opt_count) {
        buf_puts(out, "\n");
        option_lines(cmd, out);
    }
    buf_puts(out, "\nExamples\n");
    example_lines(cmd, out);
    buf_printf(out, "\nMore: gowtf %s --help, gowtf help%s\n", cmd->name,
               cmd->json ? "; --json for scripts" : "");
}

static void upper(struct buf *out, const char *word)
{
    for (; *word; word++)
        buf_putc(out, (char)(*word >= 'a' && *word <= 'z' ? *word - 32 : *word));
}

/* A paragraph or block of `text`, indented by seven as man(1) does. */
static void indented(const char *text, struct buf *out)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (n) {
            buf_puts(out, "       ");
            buf_add(out, text, n);
        }
        buf_putc(out, '\n');
        text += n + (text[n] == '\n');
    }
}

static void manual_options(const struct opt *opts, size_t count, struct buf *out)
{
    struct buf left = {0};
    for (size_t i = 0; i < count; i++) {
        option_left(&opts[i], &left);
        buf_printf(out, "       %s\n", str_trim((struct str){left.at, left.len}).at);
        buf_printf(out, "              %s\n", opts[i].help);
    }
    buf_free(&left);
}

void help_manual(const struct command *cmd, struct buf *out)
{
    buf_puts(out, "GOWTF-");
    upper(out, cmd->name);
    buf_printf(out, "(1)\n\nNAME\n       gowtf-%s - %s\n\nSYNOPSIS\n       ", cmd->name, cmd->help);
    usage_line(cmd, out);
    if (cmd->more) {
        buf_puts(out, "\n\nDESCRIPTION\n");
        indented(cmd->more, out);
    } else {
        buf_puts(out, "\n");
    }
    if (cmd->opt_count) {
        buf_puts(out, "\nOPTIONS\n");
        manual_options(cmd->opts, cmd->opt_count, out);
    }
    buf_puts(out, "\nOPTIONS OF EVERY COMMAND\n");
    manual_options(global_opts, global_opt_count, out);
    buf_puts(out, "\nEXAMPLES\n");
    for (size_t i = 0; i < countof(cmd->examples); i++)
        if (cmd->examples[i])
            buf_printf(out, "       %s\n", cmd->examples[i]);
    buf_puts(out, "\nEXIT STATUS\n       See `gowtf help exit-codes`.\n");
}

static void overview_group(enum command_group g, struct buf *out)
{
    buf_printf(out, "%s\n", group_words[g]);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *cmd = command_table[i];
        char left[64];
        if (cmd->group != g)
            continue;
        snprintf(left, sizeof left, "%s %s", cmd->name, cmd->args);
        buf_printf(out, "  %-28s %s\n", left, cmd->help);
    }
}

void help_overview(struct buf *out)
{
    buf_puts(out, "gowtf VERB [TARGET] [options]\n\n");
    for (enum command_group g = GROUP_WORK; g < GROUP_HIDDEN; g++)
        overview_group(g, out);
    buf_puts(out, "\nTargets  payroll   payroll#1182   1182   @last   payroll@failed   "
                  "1182/transform.2\nTopics   gowtf help TOPIC:");
    for (size_t i = 0; i < topic_count; i++)
        buf_printf(out, " %s", topic_table[i].name);
    buf_puts(out, "\nOptions  -C DIR  --json  --tz ZONE  --color WHEN  -q  -v  -h  --help\n");
}

void help_welcome(struct buf *out)
{
    buf_printf(out,
               "gowtf %s: runs workflows of shell commands. Schedules, dependencies, retries,\n"
               "history and a web UI in one program.\n\n"
               "  gowtf run hello.yaml      run a workflow file here, now\n"
               "  gowtf validate DIR        check workflow files\n"
               "  gowtf serve               schedules, history and the web UI\n"
               "  gowtf help                all commands\n",
               GOWTF_VERSION);
}

static void json_options(struct json *j, const struct opt *opts, size_t count)
{
    char letter[2] = {0};
    json_list(j, "options");
    for (size_t i = 0; i < count; i++) {
        json_open(j, NULL);
        json_str(j, "name", str_of(opts[i].name));
        letter[0] = opts[i].letter;
        json_str(j, "letter", str_of(letter[0] ? letter : NULL));
        json_str(j, "wants", str_of(opts[i].wants));
        json_str(j, "default", str_of(opts[i].initial));
        json_str(j, "help", str_of(opts[i].help));
        json_close(j);
    }
    json_list_end(j);
}

static void json_command(struct json *j, const struct command *cmd)
{
    json_open(j, NULL);
    json_str(j, "name", str_of(cmd->name));
    json_str(j, "group", str_of(group_words[cmd->group]));
    json_str(j, "args", str_of(cmd->args));
    json_str(j, "help", str_of(cmd->help));
    json_str(j, "more", str_of(cmd->more));
    json_bool(j, "json", cmd->json);
    json_options(j, cmd->opts, cmd->opt_count);
    json_list(j, "examples");
    for (size_t i = 0; i < countof(cmd->examples); i++)
        if (cmd->examples[i])
            json_str(j, NULL, str_of(cmd->examples[i]));
    json_list_end(j);
    json_close(j);
}

static void json_codes(struct json *j)
{
    json_list(j, "problem_codes");
    for (size_t i = 0; i < CODE_COUNT; i++) {
        json_open(j, NULL);
        json_str(j, "code", str_of(code_info[i].text));
        json_str(j, "title", str_of(code_info[i].title));
        json_close(j);
    }
    json_list_end(j);
}

static void json_keys(struct json *j)
{
    json_list(j, "keys");
    for (size_t i = 0; i < key_count(); i++) {
        const struct key *k = key_at(i);
        json_open(j, NULL);
        json_str(j, "name", k->name);
        json_str(j, "where", str_of(key_where_word(k->where)));
        json_str(j, "wants", str_of(k->wants));
        json_str(j, "help", str_of(k->help));
        json_bool(j, "built", k->built);
        json_bool(j, "required", k->required);
        json_close(j);
    }
    json_list_end(j);
}

void help_json(struct buf *out)
{
    struct json j = json_to(out);
    json_open(&j, NULL);
    json_str(&j, "schema", S("gowtf.help/1"));
    json_str(&j, "version", str_of(GOWTF_VERSION));
    json_options(&j, global_opts, global_opt_count);
    json_list(&j, "exit_codes");
    for (size_t i = 0; i < exit_count; i++) {
        json_open(&j, NULL);
        json_int(&j, "code", exit_table[i].code);
        json_str(&j, "means", str_of(exit_table[i].means));
        json_close(&j);
    }
    json_list_end(&j);
    json_codes(&j);
    json_keys(&j);
    json_list(&j, "commands");
    for (size_t i = 0; i < command_count; i++)
        if (command_table[i]->group != GROUP_HIDDEN)
            json_command(&j, command_table[i]);
    json_list_end(&j);
    json_close(&j);
    buf_putc(out, '\n');
}
