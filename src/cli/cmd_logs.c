/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_logs.c: what tasks wrote, from the files themselves; the engine need
 * not run.
 *
 * One pass reads what is new of every attempt asked for; following is passing
 * again whenever something has changed, until the run is over. Lines are never
 * torn, so several tasks at once stay readable. */
#include "cli/commands.h"

#include <fcntl.h>
#include <regex.h>
#include <stdio.h>

#include "base/fd.h"
#include "cli/cli.sql.h"
#include "cli/follow.h"
#include "cli/look.h"
#include "cli/output.h"

struct logs_opts {
    bool follow, err, out, times, raw, all, jsonl;
    int64_t lines;
    const char *grep;
};

static const struct opt logs_table[] = {
#define AT(member) offsetof(struct logs_opts, member)
    {"follow", 'f', OPT_FLAG, AT(follow), NULL, NULL, "go on as it grows, until the run is over"},
    {"lines", 'n', OPT_COUNT, AT(lines), "N", NULL, "only the last N lines of each task"},
    {"err", 0, OPT_FLAG, AT(err), NULL, NULL, "only standard error"},
    {"out", 0, OPT_FLAG, AT(out), NULL, NULL, "only standard output"},
    {"grep", 0, OPT_TEXT, AT(grep), "RE", NULL, "only lines that match (extended expression)"},
    {"times", 't', OPT_FLAG, AT(times), NULL, NULL, "the time in front of each line"},
    {"attempts", 'a', OPT_FLAG, AT(all), NULL, NULL, "earlier attempts too"},
    {"jsonl", 0, OPT_FLAG, AT(jsonl), NULL, NULL, "a JSON object a line; also with -f"},
    {"raw", 0, OPT_FLAG, AT(raw), NULL, NULL, "byte for byte, also on a terminal"},
#undef AT
};

enum { OUTPUTS_MAX = 65536 };

struct source {
    struct output output;
    struct tame tame;
    char name[140];
    bool shown; /* it had its head line */
};

struct job {
    struct look look;
    const struct logs_opts *opts;
    struct source *sources;
    size_t count, cap;
    struct source *last;              /* whose lines were printed last */
    int64_t run, task, item, attempt; /* task -1: all; attempt 0: the newest */
    struct buf out;
    regex_t pattern;
    int home;
    size_t printed;
    bool heads;
    bool objects;     /* lines as JSON objects */
    struct json list; /* --json: the document they are in */
};

static void head_line(struct job *j, struct source *s)
{
    const struct paint *p = &j->look.cli->out;
    if (j->last == s || !j->heads)
        return;
    j->last = s;
    buf_printf(&j->out, "%s", j->printed ? "\n" : "");
    struct buf text = {0};
    buf_printf(&text, "==> %s", s->name);
    if (s->output.attempt > 1)
        buf_printf(&text, ", attempt %lld", (long long)s->output.attempt);
    buf_puts(&text, " <==");
    paint_add(p, &j->out, TONE_BOLD, (struct str){text.at, text.len});
    buf_putc(&j->out, '\n');
    buf_free(&text);
}

struct here {
    struct job *job;
    struct source *source;
};

static bool matches(const struct job *j, struct str line)
{
    regmatch_t span = {0, (regoff_t)line.len};
    return !j->opts->grep || regexec(&j->pattern, line.at, 1, &span, REG_STARTEND) == 0;
}

static void print_object(struct job *j, const struct source *s, struct str line, ms_t at)
{
    struct json one = json_to(&j->out), *to = j->look.cli->json ? &j->list : &one;
    json_open(to, NULL);
    json_int(to, "run", j->run);
    json_int(to, "task", s->output.task);
    json_str(to, "name", str_of(s->name));
    json_int(to, "attempt", s->output.attempt);
    json_time(to, "at", at);
    json_str(to, "text", line);
    json_close(to);
    j->printed++;
    if (to != &one)
        return;
    buf_putc(&j->out, '\n');
    if (j->out.len > 1 << 16)
        out_flush(&j->out);
}

static void print_line(void *ctx, struct str line, ms_t at, bool ended)
{
    struct here *h = ctx;
    struct job *j = h->job;
    const struct paint *p = &j->look.cli->out;
    if (!matches(j, line))
        return;
    if (j->objects) {
        print_object(j, h->source, line, at);
        return;
    }
    head_line(j, h->source);
    if (j->opts->times) {
        struct buf when = {0};
        times_full(&j->look.times, at, &when);
        paint_add(p, &j->out, TONE_DIM,
                  (struct str){when.at ? when.at : "-", when.at ? when.len : 1});
        buf_putc(&j->out, ' ');
        buf_free(&when);
    }
    if (p->tty && !j->opts->raw) {
        tame_add(&h->source->tame, &j->out, line.at, line.len, p->colour);
        if (p->colour && memchr(line.at, '\033', line.len))
            buf_puts(&j->out, "\033[0m");
    } else {
        buf_str(&j->out, line);
    }
    if (ended || p->tty || j->heads)
        buf_putc(&j->out, '\n');
    j->printed++;
    if (j->out.len > 1 << 16)
        out_flush(&j->out);
}

static struct source *source_of(struct job *j, int64_t task, int64_t item, int64_t attempt,
                                struct str name)
{
    for (size_t i = 0; i < j->count; i++) {
        const struct output *o = &j->sources[i].output;
        if (o->task == task && o->item == item && o->attempt == attempt)
            return NULL; /* known */
    }
    if (j->count == OUTPUTS_MAX)
        return NULL;
    size_t last = j->last ? (size_t)(j->last - j->sources) : SIZE_MAX;
    if (j->count == j->cap)
        j->sources = mem_grow(j->sources, &j->cap, j->count + 1, sizeof *j->sources);
    j->last = last == SIZE_MAX ? NULL : &j->sources[last];
    struct source *s = &j->sources[j->count++];
    *s = (struct source){.output = {.run = j->run,
                                    .task = task,
                                    .item = item,
                                    .attempt = attempt,
                                    .stream = j->opts->err   ? LOG_ERR
                                              : j->opts->out ? LOG_OUT
                                                             : LOG_BOTH}};
    snprintf(s->name, sizeof s->name, "%.*s", STR_ARG(name));
    return s;
}

static bool add_source(struct job *j, int64_t task, int64_t item, int64_t attempt, struct str name,
                       struct err *e)
{
    struct source *s = source_of(j, task, item, attempt, name);
    if (!s || !j->opts->lines)
        return true;
    return output_tail(&s->output, j->home, &j->look.db, (uint64_t)j->opts->lines, e);
}

/* Attempts there are now and were not before. */
static bool find_sources(struct job *j, struct err *e)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct run_outputs_row row;
    if (!sql_run_outputs(&j->look.db, j->run, &rows, e))
        return false;
    while (sql_run_outputs_next(&rows, &row)) {
        if (j->task >= 0 && (row.task != j->task || row.item != j->item))
            continue;
        int64_t last = j->attempt ? j->attempt : row.tries;
        int64_t first = j->opts->all && !j->attempt ? 1 : last;
        for (int64_t a = MAX(first, 1); a <= last; a++)
            if (!add_source(j, row.task, row.item, a, row.name, e))
                return false;
    }
    return db_rows_end(&rows, e);
}

static bool pass(struct job *j, bool *complete, struct err *e)
{
    *complete = true;
    if (!find_sources(j, e))
        return false;
    for (size_t i = 0; i < j->count; i++) {
        struct source *s = &j->sources[i];
        struct here h = {j, s};
        if (s->output.complete)
            continue;
        if (!output_read(&s->output, j->home, &j->look.db, j->opts->times || j->objects, print_line,
                         &h, e))
            return false;
        *complete &= s->output.complete;
    }
    if (!j->look.cli->json)
        out_flush(&j->out);
    return true;
}

static bool run_is_done(struct job *j, bool *over, struct err *e)
{
    struct db_rows rows CLEANUP(db_rows_close) = {0};
    struct run_facts_row row;
    enum run_state state;
    if (!sql_run_facts(&j->look.db, j->run, &rows, e))
        return false;
    *over = !sql_run_facts_next(&rows, &row) ||
            (run_state_parse(row.state, &state) && run_is_over(state));
    return true;
}

static bool print_all(struct job *j, struct err *e)
{
    struct follow f CLEANUP(follow_close) = {-1};
    bool over = false, complete;
    if (j->opts->follow)
        follow_open(&f, j->look.cli->home);
    for (;;) {
        if (!run_is_done(j, &over, e) || !pass(j, &complete, e))
            return false;
        if (!j->opts->follow || (over && complete))
            return true;
        if (!follow_wait(&f, 1000))
            return true;
    }
}

static bool prepare(struct job *j, const char *arg, struct err *e)
{
    struct target t;
    if (!look_run(&j->look, arg, &t, &j->run, e))
        return false;
    j->task = -1;
    if (t.task.at && !look_task(&j->look, &t, j->run, &j->task, &j->item, &j->attempt, e))
        return false;
    j->heads = j->task < 0 || (j->opts->all && !j->attempt);
    j->home = open(j->look.cli->home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (j->home < 0)
        return err_sys(e, "%s", j->look.cli->home);
    return true;
}

static void job_free(struct job *j)
{
    for (size_t i = 0; i < j->count; i++)
        output_free(&j->sources[i].output);
    free(j->sources);
    buf_free(&j->out);
    fd_close(&j->home);
    look_close(&j->look);
}

static void document_begin(struct job *j)
{
    j->list = json_to(&j->out);
    json_open(&j->list, NULL);
    json_str(&j->list, "schema", S("gowtf.logs/1"));
    json_list(&j->list, "items");
}

static void document_end(struct job *j)
{
    json_list_end(&j->list);
    json_close(&j->list);
    (void)answer_json(j->look.cli, &j->out);
}

static int logs_run(struct cli *c, const void *opts, int argc, char **argv)
{
    const struct logs_opts *o = opts;
    struct job j CLEANUP(job_free) = {.opts = o, .home = -1};
    struct err e = {0};
    (void)argc;

    if (o->err && o->out)
        return fail_usage(c, &cmd_logs, NULL, "--err and --out exclude each other");
    if (o->grep && regcomp(&j.pattern, o->grep, REG_EXTENDED) != 0)
        return fail_usage(c, &cmd_logs, NULL, "'%s' is no regular expression", o->grep);
    if (c->json && (o->follow || o->jsonl))
        return fail_usage(c, &cmd_logs, "gowtf logs -f RUN --jsonl",
                          "--json is one document, which goes neither with -f nor with --jsonl");
    j.objects = c->json || o->jsonl;
    if (c->json)
        document_begin(&j);
    bool fine = look_open(&j.look, c, &e) && prepare(&j, argv[0], &e) && print_all(&j, &e);
    if (c->json && fine)
        document_end(&j);
    else if (!c->json)
        out_flush(&j.out);
    if (o->grep)
        regfree(&j.pattern);
    if (!fine)
        return fail_err(c, &cmd_logs, &e);
    return o->grep && !j.printed ? EXIT_BAD : EXIT_DONE;
}

const struct command cmd_logs = {
    .name = "logs",
    .group = GROUP_LOOK,
    .args = "RUN[/TASK[.N]]",
    .help = "Print or follow what tasks wrote",
    .more = "Without a task: all of them, each under a head line, in the order they began. The\n"
            "newest attempt is shown unless one is named (1182/transform.2) or -a is given.\n"
            "Both streams come in the order they were written. On a terminal control\n"
            "sequences other than colours are taken out; in a pipe the bytes are as the task\n"
            "wrote them. With --grep the exit status is 1 when no line matched.",
    .examples = {"gowtf logs -f slow@last/count", "gowtf logs 1182/transform.2 --err -n 20"},
    .opts = logs_table,
    .opt_count = countof(logs_table),
    .size = sizeof(struct logs_opts),
    .json = true,
    .arg_min = 1,
    .arg_max = 1,
    .run = logs_run,
};
