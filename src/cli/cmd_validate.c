/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_validate.c: every mistake of every file, in one reading.
 *
 * The same reader the watcher uses, so what passes here loads there. Files of
 * a directory are taken as the watcher takes them: *.yaml and *.yml below it,
 * none that begins with a dot or an underscore. */
#include "cli/commands.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "model/limits.h"
#include "model/load.h"
#include "store/zones.h"

enum { SHOWN_MAX = 50 }; /* problems of a file that are printed */

struct validate_opts {
    bool strict;
    const char *format;
};

static const struct opt validate_table[] = {
#define AT(member) offsetof(struct validate_opts, member)
    {"strict", 0, OPT_FLAG, AT(strict), NULL, NULL, "warnings count as errors"},
    {"format", 0, OPT_TEXT, AT(format), "FORM", "long",
     "long (with the source line) or short (a line each)"},
#undef AT
};

struct check {
    const struct cli *cli;
    const struct validate_opts *opts;
    struct zones *zones;
    struct buf out;
    struct json json;
    size_t files, errors, warnings;
    int status;
};

static bool is_workflow_name(const char *name)
{
    struct str s = str_of(name);
    return name[0] != '.' && name[0] != '_' && (str_ends(s, S(".yaml")) || str_ends(s, S(".yml")));
}

static void print_file(struct check *k, const struct problems *ps, struct str path, struct str text,
                       size_t warnings)
{
    size_t shown = MIN(ps->count, (size_t)SHOWN_MAX);
    bool brief = strcmp(k->opts->format, "short") == 0;

    for (size_t i = 0; i < shown; i++) {
        if (brief)
            problem_print_short(&ps->at[i], path, &k->out);
        else
            problem_print(&ps->at[i], path, text, k->cli->out.colour, &k->out);
        buf_puts(&k->out, brief && k->out.at[k->out.len - 1] == '\n' ? "" : "\n");
    }
    if (ps->count > shown)
        buf_printf(&k->out, "and %zu more\n", ps->count - shown);
    if (brief)
        return;
    buf_printf(&k->out, "%.*s: %zu error%s, %zu warning%s\n\n", STR_ARG(path), ps->error_count,
               ps->error_count == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

static void check_text(struct check *k, struct str path, struct str text)
{
    struct problems ps = {0};
    struct load_zones zones = zones_for_load(k->zones);
    struct workflow *w = workflow_load_with(text, path, &zones, &ps);

    size_t warnings = ps.count - ps.error_count;
    k->files++;
    k->errors += ps.error_count;
    k->warnings += warnings;
    if (k->cli->json)
        for (size_t i = 0; i < ps.count; i++)
            problem_json(&ps.at[i], path, &k->json, NULL);
    else if (ps.count)
        print_file(k, &ps, path, text, warnings);
    workflow_free(w);
    problems_free(&ps);
}

static void cannot(struct check *k, const char *path, const char *why)
{
    fprintf(stderr, "error: cannot read '%s': %s\n", path, why);
    k->status = EXIT_ABSENT;
}

static void check_file(struct check *k, const char *path)
{
    int fd CLEANUP(fd_close) = -1;
    struct buf text CLEANUP(buf_free) = {0};
    struct err e = {0};

    if (strcmp(path, "-") == 0) {
        if (!fd_read_all(STDIN_FILENO, FILE_BYTES_MAX + 1, &text, &e))
            cannot(k, "standard input", e.text);
        else
            check_text(k, S("stdin.yaml"), (struct str){text.at ? text.at : "", text.len});
        return;
    }
    if (!fd_open_read(AT_FDCWD, path, &fd, &e) || !fd_read_all(fd, FILE_BYTES_MAX + 1, &text, &e))
        cannot(k, path, errno ? strerror(errno) : e.text);
    else
        check_text(k, str_of(path), (struct str){text.at ? text.at : "", text.len});
}

static void check_path(struct check *k, const char *path);

static void check_dir(struct check *k, const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);
    if (n < 0) {
        cannot(k, path, strerror(errno));
        return;
    }
    for (int i = 0; i < n; i++) {
        const char *name = names[i]->d_name;
        struct buf below = {0};
        struct stat st;
        buf_printf(&below, "%s%s%s", strcmp(path, ".") ? path : "",
                   strcmp(path, ".") && path[strlen(path) - 1] != '/' ? "/" : "", name);
        if (name[0] != '.' && lstat(below.at, &st) == 0 &&
            (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && is_workflow_name(name))))
            check_path(k, below.at);
        buf_free(&below);
        free(names[i]);
    }
    free(names);
}

static void check_path(struct check *k, const char *path)
{
    struct stat st;
    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        check_dir(k, path);
    else
        check_file(k, path);
}

static void tell(struct check *k)
{
    if (k->cli->json) {
        json_list_end(&k->json);
        json_int(&k->json, "files", (int64_t)k->files);
        json_int(&k->json, "errors", (int64_t)k->errors);
        json_int(&k->json, "warnings", (int64_t)k->warnings);
        json_close(&k->json);
        buf_putc(&k->out, '\n');
    }
    out_flush(&k->out);
    if (k->files == 0 && k->status == EXIT_DONE)
        fprintf(stderr, "note: no workflow files (*.yaml, *.yml) there\n");
    else if (!k->cli->json && !k->cli->quiet && k->cli->err.tty && !k->errors && !k->warnings &&
             k->status == EXIT_DONE)
        fprintf(stderr, "%zu file%s, no mistakes\n", k->files, k->files == 1 ? "" : "s");
}

static int validate_run(struct cli *c, const void *opts, int argc, char **argv)
{
    struct check k = {.cli = c, .opts = opts};

    if (strcmp(k.opts->format, "long") != 0 && strcmp(k.opts->format, "short") != 0)
        return fail_usage(c, &cmd_validate, NULL, "--format is long or short, not '%s'",
                          k.opts->format);
    k.zones = zones_new(NULL);
    k.json = json_to(&k.out);
    if (c->json) {
        json_open(&k.json, NULL);
        json_str(&k.json, "schema", S("gowtf.problems/1"));
        json_list(&k.json, "items");
    }
    for (int i = 0; i < argc; i++)
        check_path(&k, argv[i]);
    if (argc == 0)
        check_path(&k, ".");
    tell(&k);
    buf_free(&k.out);
    zones_free(k.zones);
    if (k.errors || (k.opts->strict && k.warnings))
        return EXIT_BAD;
    return k.status;
}

const struct command cmd_validate = {
    .name = "validate",
    .group = GROUP_WORK,
    .args = "[PATH...]",
    .help = "Check workflow files; report every mistake with line and column",
    .more = "Takes files and directories; without any, the directory it is called in. `-` is\n"
            "standard input. All mistakes of all files come in one go, each with its code;\n"
            "the codes are explained in docs/errors.md. Says nothing when all is well.\n"
            "Ends with 0 if there are no errors, 1 if there are, 4 if a file is not there.",
    .examples = {"gowtf validate workflows/", "gowtf validate --format=short nightly.yaml"},
    .opts = validate_table,
    .opt_count = countof(validate_table),
    .size = sizeof(struct validate_opts),
    .json = true,
    .arg_max = -1,
    .run = validate_run,
};
