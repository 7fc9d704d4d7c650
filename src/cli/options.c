/* SPDX-License-Identifier: MIT
 *
 * cli/options.c: from argv to a struct, by a table.
 *
 * Flags may stand anywhere; `--` ends them; `--flag=x`, `--flag x`, `-nx` and
 * `-n x` are the same. An argument that is only `-` is a name like any other. */
#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "model/duration.h"

#define AT(member) offsetof(struct cli, member)
const struct opt global_opts[] = {
    {"home", 'C', OPT_TEXT, AT(home), "DIR", NULL,
     "the data directory (default: see `gowtf help environment`)"},
    {"json", 0, OPT_FLAG, AT(json), NULL, NULL,
     "answer with one JSON document; --json=a,b picks fields"},
    {"color", 0, OPT_TEXT, AT(color), "WHEN", "auto", "auto, always or never"},
    {"tz", 0, OPT_TEXT, AT(timezone), "ZONE", NULL, "show and read times in this zone"},
    {"quiet", 'q', OPT_FLAG, AT(quiet), NULL, NULL, "say nothing that was not asked for"},
    {"verbose", 'v', OPT_FLAG, AT(verbose), NULL, NULL, "say more"},
    {"help", 'h', OPT_FLAG, AT(asked_help), NULL, NULL, "-h: this summary; --help: the whole page"},
    {"version", 0, OPT_FLAG, AT(asked_version), NULL, NULL, "print the version"},
};
#undef AT
const size_t global_opt_count = countof(global_opts);

static bool set_text(const struct opt *o, char *at, const char *text, struct err *e)
{
    struct opt_list *list = (struct opt_list *)(void *)at;
    switch (o->kind) {
    case OPT_FLAG: *(bool *)at = true; return true;
    case OPT_TEXT: *(const char **)(void *)at = text; return true;
    case OPT_COUNT:
        if (str_to_i64(str_of(text), (int64_t *)(void *)at) && *(int64_t *)(void *)at >= 0)
            return true;
        return err_set(e, ERR_INVALID, "--%s wants a number, not '%s'", o->name, text);
    case OPT_TIME:
        if (duration_parse(str_of(text), (ms_t *)(void *)at))
            return true;
        return err_set(e, ERR_INVALID, "--%s wants a time such as 30s or 2h, not '%s'", o->name,
                       text);
    case OPT_LIST:
        if (list->count == OPT_LIST_MAX)
            return err_set(e, ERR_INVALID, "--%s may be given %d times", o->name, OPT_LIST_MAX);
        list->at[list->count++] = text;
        return true;
    }
    return false;
}

static bool set_initial(const struct opt *o, char *base)
{
    struct err e = {0};
    return !o->initial || set_text(o, base + o->offset, o->initial, &e);
}

struct found {
    const struct opt *opt;
    char *base;
};

static bool opt_is(const struct opt *o, struct str name, char letter)
{
    return letter ? o->letter == letter : str_is(name, o->name);
}

static struct found find(struct cli *c, const struct command *cmd, void *opts, struct str name,
                         char letter)
{
    for (size_t i = 0; cmd && i < cmd->opt_count; i++)
        if (opt_is(&cmd->opts[i], name, letter))
            return (struct found){&cmd->opts[i], opts};
    for (size_t i = 0; i < global_opt_count; i++)
        if (opt_is(&global_opts[i], name, letter))
            return (struct found){&global_opts[i], (char *)c};
    return (struct found){0};
}

static void suggest_option(const struct command *cmd, struct str name, struct buf *hint)
{
    struct str names[64];
    size_t n = 0;
    for (size_t i = 0; cmd && i < cmd->opt_count; i++)
        names[n++] = str_of(cmd->opts[i].name);
    for (size_t i = 0; i < global_opt_count && n < countof(names); i++)
        names[n++] = str_of(global_opts[i].name);
    int best = str_nearest(name, names, n, 2);
    if (best >= 0)
        buf_printf(hint, "did you mean --%s?", names[best].at);
}

static bool unknown(const struct command *cmd, struct str name, const char *as, struct buf *hint,
                    struct err *e)
{
    if (name.len)
        suggest_option(cmd, name, hint);
    return err_set(e, ERR_INVALID, "there is no option '%s'", as);
}

struct words {
    int at, count;
    char **argv;
};

static bool take_value(const struct opt *o, struct words *w, const char *given, const char **value,
                       struct err *e)
{
    *value = given;
    if (given || o->kind == OPT_FLAG)
        return true;
    if (w->at + 1 >= w->count)
        return err_set(e, ERR_INVALID, "--%s wants %s", o->name, o->wants);
    *value = w->argv[++w->at];
    return true;
}

static bool read_long(struct cli *c, const struct command *cmd, void *opts, struct words *w,
                      struct buf *hint, struct err *e)
{
    const char *word = w->argv[w->at], *equals = strchr(word, '='), *value;
    struct str name = {word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2)};
    struct found f = find(c, cmd, opts, name, 0);

    if (!f.opt)
        return unknown(cmd, name, word, hint, e);
    if (equals && f.opt == &global_opts[1]) {
        c->fields = equals + 1;
        c->json = true;
        return true;
    }
    if (equals && f.opt->kind == OPT_FLAG)
        return err_set(e, ERR_INVALID, "--%s takes no value", f.opt->name);
    if (str_is(name, "help"))
        c->asked_manual = true;
    return take_value(f.opt, w, equals ? equals + 1 : NULL, &value, e) &&
           set_text(f.opt, f.base + f.opt->offset, value, e);
}

static bool read_letters(struct cli *c, const struct command *cmd, void *opts, struct words *w,
                         struct buf *hint, struct err *e)
{
    for (const char *l = w->argv[w->at] + 1; *l; l++) {
        struct found f = find(c, cmd, opts, STR_NONE, *l);
        const char *value = NULL;
        if (!f.opt)
            return unknown(cmd, STR_NONE, w->argv[w->at], hint, e);
        bool flag = f.opt->kind == OPT_FLAG;
        if (!take_value(f.opt, w, !flag && l[1] ? l + 1 : NULL, &value, e) ||
            !set_text(f.opt, f.base + f.opt->offset, value, e))
            return false;
        if (!flag)
            break;
    }
    return true;
}

bool command_parse(struct cli *c, const struct command *cmd, void *opts, int *argc, char **argv,
                   struct buf *hint, struct err *e)
{
    struct words w = {0, *argc, argv};
    int kept = 0;

    for (size_t i = 0; cmd && i < cmd->opt_count; i++)
        ASSERT(set_initial(&cmd->opts[i], opts));
    for (; w.at < w.count; w.at++) {
        char *word = argv[w.at];
        if (strcmp(word, "--") == 0) {
            while (++w.at < w.count)
                argv[kept++] = argv[w.at];
        } else if (word[0] == '-' && word[1] == '-') {
            if (!read_long(c, cmd, opts, &w, hint, e))
                return false;
        } else if (word[0] == '-' && word[1]) {
            if (!read_letters(c, cmd, opts, &w, hint, e))
                return false;
        } else {
            argv[kept++] = word;
        }
    }
    *argc = kept;
    return true;
}

static const int kind_codes[ERR_KINDS] = {
    [ERR_INVALID] = EXIT_USAGE, [ERR_NOT_FOUND] = EXIT_ABSENT, [ERR_CONFLICT] = EXIT_REFUSED,
    [ERR_LIMIT] = EXIT_REFUSED, [ERR_DENIED] = EXIT_DENIED,    [ERR_FULL] = EXIT_INTERNAL,
    [ERR_DOWN] = EXIT_DOWN,     [ERR_SYSTEM] = EXIT_INTERNAL,
};

int err_exit_code(enum err_kind kind)
{
    return kind_codes[kind];
}

int fail_err(const struct cli *c, const struct command *cmd, const struct err *e)
{
    struct buf line = {0};
    paint_puts(&c->err, &line, TONE_BAD, "error");
    buf_printf(&line, ": %s\n", e->text);
    if (cmd && c->verbose)
        buf_printf(&line, "  (gowtf %s ends with exit status %d)\n", cmd->name,
                   err_exit_code(e->kind));
    fputs(line.at, stderr);
    buf_free(&line);
    return err_exit_code(e->kind);
}

int fail_usage(const struct cli *c, const struct command *cmd, const char *hint, const char *fmt,
               ...)
{
    struct buf line = {0};
    struct err e = {0};
    va_list args;
    char text[sizeof e.text];

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    paint_puts(&c->err, &line, TONE_BAD, "error");
    buf_printf(&line, ": %s\n", text);
    if (hint && *hint)
        buf_printf(&line, "  %s\n", hint);
    else if (cmd)
        buf_printf(&line, "  usage: gowtf %s%s%s\n", cmd->name, *cmd->args ? " " : "", cmd->args);
    buf_printf(&line, "  read on: gowtf %s%s\n", cmd ? cmd->name : "help", cmd ? " -h" : "");
    fputs(line.at, stderr);
    buf_free(&line);
    return EXIT_USAGE;
}
