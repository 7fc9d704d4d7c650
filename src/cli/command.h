/* SPDX-License-Identifier: MIT
 *
 * cli/command.h: what a command of gowtf is.
 *
 * A command is a row: its name, what it takes, its options, its examples and
 * the function behind it. Parsing, -h, --help, the manual pages, docs/cli.md
 * and "did you mean" all read that row, so they cannot disagree. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/buf.h"
#include "base/err.h"
#include "cli/paint.h"

/* Exit statuses: the answer of a command to a script. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_BAD = 1,      /* the thing asked about is bad: a failed run, an invalid file */
    EXIT_USAGE = 2,    /* the command line makes no sense */
    EXIT_DOWN = 3,     /* no engine answers */
    EXIT_ABSENT = 4,   /* no such workflow, run or task */
    EXIT_REFUSED = 5,  /* not in this state */
    EXIT_DENIED = 6,   /* not permitted */
    EXIT_INTERNAL = 7, /* disk, database, or a fault of ours */
    EXIT_CANCELLED = 8,
    EXIT_TIMEOUT = 124,
    EXIT_INTERRUPT = 130,
    EXIT_TERMINATED = 143,
};
extern const struct exit_info {
    int code;
    const char *means;
} exit_table[];
extern const size_t exit_count;

enum opt_kind {
    OPT_FLAG,  /* bool */
    OPT_TEXT,  /* const char * */
    OPT_COUNT, /* int64_t, at least 0 */
    OPT_TIME,  /* ms_t: a duration such as 30s */
    OPT_LIST,  /* struct opt_list: may be given again */
};
enum { OPT_LIST_MAX = 64 };
struct opt_list {
    const char *at[OPT_LIST_MAX];
    size_t count;
};

struct opt {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum opt_kind kind;
    size_t offset;
    const char *wants;   /* "N", "K=V"; NULL for a flag */
    const char *initial; /* as text, or NULL */
    const char *help;    /* fits a line */
};

/* What every command is given besides its own options. */
struct cli {
    const char *home; /* the data directory */
    struct buf home_text;
    bool json;          /* answer with one JSON document */
    const char *fields; /* "a,b" of --json=a,b, or NULL */
    bool quiet, verbose;
    const char *timezone; /* --tz, or NULL: the machine's */
    const char *color;    /* auto, always, never */
    const char *program;  /* argv[0] */
    bool asked_version;
    bool asked_help;       /* -h */
    bool asked_manual;     /* --help */
    struct paint out, err; /* what stdout and stderr can show */
};

struct command;
typedef int command_fn(struct cli *c, const void *opts, int argc, char **argv);

enum command_group { GROUP_WORK, GROUP_LOOK, GROUP_ACT, GROUP_ENGINE, GROUP_HELP, GROUP_HIDDEN };

struct command {
    const char *name;
    enum command_group group;
    const char *args; /* "RUN[/TASK]" */
    const char *help; /* one line, no full stop */
    const char *more; /* what --help adds: paragraphs of at most 78 columns, or NULL */
    const char *examples[2];
    const struct opt *opts;
    size_t opt_count;
    size_t size;          /* of the struct the options are read into */
    bool json;            /* answers --json */
    int arg_min, arg_max; /* -1: any number */
    command_fn *run;
};

extern const struct command *const command_table[];
extern const size_t command_count;
extern const struct opt global_opts[]; /* into struct cli */
extern const size_t global_opt_count;

const struct command *command_find(const char *name); /* follows aliases; NULL: none */
const char *group_word(enum command_group g);

/* Split argv into options (into `opts` and `c`) and arguments, which are moved
 * to the front of argv; `*argc` is how many. ERR_INVALID with one sentence;
 * `*hint` is a suggestion or empty. */
bool command_parse(struct cli *c, const struct command *cmd, void *opts, int *argc, char **argv,
                   struct buf *hint, struct err *e);

/* One sentence on stderr, and the exit status that goes with the error. */
int fail_err(const struct cli *c, const struct command *cmd, const struct err *e);
/* Three lines: the mistake, a suggestion, where to read on. Always EXIT_USAGE. */
int fail_usage(const struct cli *c, const struct command *cmd, const char *hint, const char *fmt,
               ...) PRINTF(4, 5);
int err_exit_code(enum err_kind kind);

/* help.c */
void help_short(const struct command *cmd, struct buf *out);  /* -h */
void help_manual(const struct command *cmd, struct buf *out); /* --help */
void help_overview(struct buf *out);                          /* gowtf help */
void help_welcome(struct buf *out);                           /* gowtf */
void help_json(struct buf *out); /* the whole table, for the manual's generator */
/* topics.c: NULL if there is no such topic. */
extern const struct topic {
    const char *name, *title, *text;
    void (*print)(struct buf *out); /* instead of, or after, the text */
} topic_table[];
extern const size_t topic_count;
const struct topic *topic_find(const char *name);

#endif
