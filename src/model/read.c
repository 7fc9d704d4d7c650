/* SPDX-License-Identifier: MIT
 *
 * model/read.c: from a YAML tree to a workflow.
 *
 * A key is one line in a table: its name, where it goes, what reads it, how to
 * say what was wanted. The loop below has no opinion on any of them; the manual
 * and the help of the command line are made from the same table (keys.h).
 *
 * What must stay true:
 *
 *   - one reading finds everything: a reader notes what is wrong and goes on;
 *   - every key of the language is here, also those that are not in this
 *     version, so that a user hears "not yet" and never "no such key";
 *   - texts are copied byte for byte; a script is never looked into, except to
 *     warn of an expression nobody will replace. */
#include "model/read.h"

#include "model/duration.h"
#include "model/keys.h"
#include "model/limits.h"

#include <stdio.h>

struct row;
typedef void read_fn(struct spec *s, const struct row *k, const struct yaml *v, void *out);

struct row {
    struct key key;
    read_fn *read;
    size_t offset;
    uint32_t max;
};

struct draft { /* a task being read */
    struct task task;
    struct task_nodes nodes;
};

struct root { /* a workflow being read; the nodes are read in an order of their own */
    struct workflow w;
    const struct yaml *name, *defaults, *tasks, *schedule, *timezone;
};

struct entry { /* of `schedule` */
    const struct yaml *cron, *every, *timezone;
};

/* Saying what is wrong */

static void wants(struct spec *s, const struct row *k, const struct yaml *v)
{
    struct problem *p =
        problem_add(s->ps, CODE_TYPE, v->at, "'%s' wants %s", k->key.name.at, k->key.wants);
    problem_under(s->ps, p, "found %s", yaml_what(v));
}

static bool is_null(const struct yaml *v)
{
    return v->kind == YAML_SCALAR && v->type == YAML_NULL;
}

static void null_problem(struct spec *s, const struct yaml *key, const struct yaml *v)
{
    bool written = v->text.len > 0;
    struct problem *p = problem_add(s->ps, CODE_NULL, written ? v->at : key->at,
                                    "'%s' has no value", problem_name(s->ps, key->text));
    problem_help(s->ps, p, "give it a value or remove the key; '' is an empty text");
}

/* An expression where this version has none. */
static void refuse_expression(struct spec *s, const struct yaml *v)
{
    const char *hit = memmem(v->text.at, v->text.len, "{{", 2);
    if (!hit)
        return;
    size_t from = (size_t)(hit - v->text.at);
    const char *end = memmem(hit, v->text.len - from, "}}", 2);
    size_t to = end ? (size_t)(end - v->text.at) + 2 : v->text.len;
    struct problem *p = problem_add(s->ps, CODE_EXPR_FIELD, spec_part(s, v, from, to),
                                    "expressions in fields are not in this version");
    problem_help(s->ps, p, "hand values over in the environment, and use them in a script");
}

/* Readers of single values */

static void read_node(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    (void)s, (void)k;
    *(const struct yaml **)out = v;
}

static bool is_text(struct spec *s, const struct row *k, const struct yaml *v)
{
    if (v->kind == YAML_SCALAR)
        return true;
    wants(s, k, v);
    return false;
}

static void read_text(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    if (is_text(s, k, v))
        *(struct str *)out = arena_str(&s->w->arena, v->text);
}

static void read_field(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    read_text(s, k, v, out);
    if (v->kind == YAML_SCALAR && !str_trim(v->text).len)
        problem_add(s->ps, CODE_SHELL, v->at, "'%s' is empty", k->key.name.at);
    else if (v->kind == YAML_SCALAR)
        refuse_expression(s, v);
}

static void read_bool(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    if (v->kind != YAML_SCALAR || v->type != YAML_BOOL) {
        wants(s, k, v);
        return;
    }
    *(bool *)out = v->text.at[0] == 't' || v->text.at[0] == 'T';
}

static void read_allow(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    bool yes = false;
    size_t before = s->ps->error_count;
    read_bool(s, k, v, &yes);
    if (s->ps->error_count == before)
        *(enum allow_failure *)out = yes ? ALLOW_YES : ALLOW_NO;
}

static void read_count(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    int64_t n;
    if (v->kind != YAML_SCALAR || v->type != YAML_INT) {
        wants(s, k, v);
        return;
    }
    if (!str_to_i64(v->text, &n) || n < 0 || n > k->max) {
        struct problem *p =
            problem_add(s->ps, CODE_NUMBER, v->at, "'%s' is out of range", k->key.name.at);
        problem_under(s->ps, p, "0 to %u", k->max);
        return;
    }
    *(uint32_t *)out = (uint32_t)n;
}

static void duration_problem(struct spec *s, const char *name, const struct yaml *v)
{
    struct problem *p = problem_add(s->ps, CODE_DURATION, v->at, "'%s' is not a time for '%s'",
                                    problem_name(s->ps, v->text), name);
    problem_help(s->ps, p, "write 500ms, 30s, 2m, 1h30m, 1d or 2w; a bare number is seconds");
}

static void read_time(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    if (is_text(s, k, v) && !duration_parse(v->text, out))
        duration_problem(s, k->key.name.at, v);
}

static void read_retry_delay(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    struct draft *d = out;
    d->nodes.retry_delay = v;
    read_time(s, k, v, &d->task.retry_delay);
}

static void read_version(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    (void)out;
    if (v->kind != YAML_SCALAR || !str_eq(v->text, S("1")))
        wants(s, k, v);
}

/* Readers of lists */

static bool list_fits(struct spec *s, const struct row *k, const struct yaml *v, size_t max)
{
    if (v->kind != YAML_LIST)
        wants(s, k, v);
    else if (v->count > max)
        problem_add(s->ps, CODE_LIMIT, v->at, "'%s' has more than %zu entries", k->key.name.at,
                    max);
    return v->kind == YAML_LIST && v->count <= max;
}

static bool list_scalar(struct spec *s, const struct row *k, const struct yaml *v)
{
    if (v->kind == YAML_SCALAR && v->type != YAML_NULL)
        return true;
    wants(s, k, v);
    return false;
}

static void read_texts(struct spec *s, const struct row *k, const struct yaml *v, struct strs *out)
{
    struct str *texts = arena_new(&s->w->arena, struct str, v->count);
    uint32_t n = 0;
    for (const struct yaml *y = v->first; y; y = y->next)
        if (list_scalar(s, k, y))
            texts[n++] = arena_str(&s->w->arena, y->text);
    *out = (struct strs){texts, n};
}

static void read_tags(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    if (list_fits(s, k, v, TAGS_MAX))
        read_texts(s, k, v, out);
}

static void read_command(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    struct draft *d = out;
    d->nodes.command = v;
    if (!list_fits(s, k, v, COMMAND_MAX))
        return;
    read_texts(s, k, v, &d->task.command);
    for (const struct yaml *y = v->first; y; y = y->next)
        if (y->kind == YAML_SCALAR)
            refuse_expression(s, y);
    if (v->count == 0 || (d->task.command.count && d->task.command.at[0].len == 0))
        problem_add(s->ps, CODE_NO_ACTION, v->at, "'command' names no program");
}

static bool code_parse(const struct yaml *y, uint8_t *out)
{
    uint32_t n;
    bool ok = y->kind == YAML_SCALAR && y->type == YAML_INT && str_to_u32(y->text, &n) && n <= 255;
    if (ok)
        *out = (uint8_t)n;
    return ok;
}

static void read_codes(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    if (!list_fits(s, k, v, 256))
        return;
    uint8_t *codes = arena_new(&s->w->arena, uint8_t, v->count);
    uint32_t n = 0;
    for (const struct yaml *y = v->first; y; y = y->next)
        if (!code_parse(y, &codes[n++])) {
            struct problem *p = problem_add(s->ps, CODE_EXIT_CODES, y->at,
                                            "an exit code is a number from 0 to 255");
            problem_under(s->ps, p, "found %s", yaml_what(y));
        }
    if (n == 0)
        problem_add(s->ps, CODE_EXIT_CODES, v->at, "without success codes no task can succeed");
    *(struct codes *)out = (struct codes){codes, n};
}

/* A script is only warned about: the shell gets it as it is. */
static void read_script(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    static const char *const roots[] = {"params.", "tasks.", "item"};
    struct draft *d = out;
    d->nodes.script = v;
    if (!is_text(s, k, v))
        return;
    d->task.script = arena_str(&s->w->arena, v->text);
    if (!str_trim(v->text).len)
        problem_add(s->ps, CODE_NO_ACTION, v->at, "'script' is empty");
    const char *end = v->text.at + v->text.len, *hit = v->text.at;
    while ((hit = memmem(hit, (size_t)(end - hit), "{{", 2))) {
        const char *word = hit + 2;
        while (word < end && *word == ' ')
            word++;
        for (size_t i = 0; i < countof(roots); i++) {
            if (!str_starts((struct str){word, (size_t)(end - word)}, str_of(roots[i])))
                continue;
            size_t from = (size_t)(hit - v->text.at);
            size_t to = (size_t)(word - v->text.at) + strlen(roots[i]);
            struct problem *p =
                problem_add(s->ps, CODE_SCRIPT_TEMPLATE, spec_part(s, v, from, to),
                            "scripts are not templates: the shell gets this as it is");
            problem_help(s->ps, p,
                         "use the environment: \"$GOWTF_PARAM_NAME\", or a name of 'env'");
            return;
        }
        hit += 2;
    }
}

/* Variables */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool variable_is_fit(struct str s)
{
    if (!s.len || s.len > NAME_BYTES_MAX || is_digit(s.at[0]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_letter(s.at[i]) && !is_digit(s.at[i]) && s.at[i] != '_')
            return false;
    return true;
}

bool name_is_fit(struct str s)
{
    if (!s.len || s.len > NAME_BYTES_MAX || !(is_letter(s.at[0]) || is_digit(s.at[0])))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_letter(s.at[i]) && !is_digit(s.at[i]) && !strchr("_.-", s.at[i]))
            return false;
    return true;
}

static void read_pair(struct spec *s, const struct yaml *k, const struct yaml *v, struct pair *out)
{
    if (!variable_is_fit(k->text)) {
        struct problem *p = problem_add(s->ps, CODE_VARIABLE, k->at, "'%s' cannot be a variable",
                                        problem_name(s->ps, k->text));
        problem_help(s->ps, p, "letters, digits and '_', and no digit first");
    }
    if (is_null(v))
        null_problem(s, k, v);
    else if (v->kind == YAML_SCALAR)
        refuse_expression(s, v);
    if (v->kind == YAML_SCALAR && k->text.len + v->text.len > ENV_BYTES_MAX)
        problem_add(s->ps, CODE_VARIABLE_LONG, v->at, "'%s' is longer than %d bytes",
                    problem_name(s->ps, k->text), ENV_BYTES_MAX);
    out->name = arena_str(&s->w->arena, k->text);
    out->value = v->kind == YAML_SCALAR ? arena_str(&s->w->arena, v->text) : S("");
}

static bool pairs_fit(struct spec *s, const struct row *k, const struct yaml *v, size_t more)
{
    if (v->kind != YAML_MAP) {
        wants(s, k, v);
        return false;
    }
    s->env_total += v->count + more;
    if (v->count > ENV_COUNT_MAX)
        problem_add(s->ps, CODE_LIMIT, v->at, "'%s' has more than %d entries", k->key.name.at,
                    ENV_COUNT_MAX);
    else if (s->env_total > ENV_TOTAL_MAX)
        problem_add(s->ps, CODE_LIMIT, v->at, "the file has more than %d variables", ENV_TOTAL_MAX);
    return v->count <= ENV_COUNT_MAX && s->env_total <= ENV_TOTAL_MAX;
}

static struct pair *pair_find(struct pair *at, uint32_t count, struct str name)
{
    for (uint32_t i = 0; i < count; i++)
        if (str_eq(at[i].name, name))
            return &at[i];
    return NULL;
}

/* What is there already (from `defaults`) stays, unless it is named again. */
static void read_env(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    struct pairs *env = out;
    if (!pairs_fit(s, k, v, env->count))
        return;
    struct pair *at = arena_new(&s->w->arena, struct pair, env->count + v->count);
    uint32_t before = env->count, n = before;
    if (before)
        memcpy(at, env->at, sizeof *at * before);
    for (const struct yaml *y = v->first; y; y = y->next->next) {
        struct pair *old = pair_find(at, before, y->text);
        if (y->next->kind != YAML_SCALAR) {
            struct problem *p = problem_add(s->ps, CODE_TYPE, y->next->at, "'%s' wants a text",
                                            problem_name(s->ps, y->text));
            problem_under(s->ps, p, "found %s", yaml_what(y->next));
        }
        if (str_starts(y->text, S("GOWTF_"))) {
            struct problem *p = problem_add(s->ps, CODE_VARIABLE_OURS, y->at,
                                            "gowtf sets '%s' itself, if it has a use for it",
                                            problem_name(s->ps, y->text));
            problem_help(s->ps, p, "names that begin with 'GOWTF_' are ours; choose another");
        }
        read_pair(s, y, y->next, old ? old : &at[n++]);
    }
    *env = (struct pairs){at, n};
}

static bool same_upper(struct str a, struct str b)
{
    return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

/* Both would be GOWTF_PARAM_<NAME>. */
static void param_twice(struct spec *s, const struct yaml *map, const struct yaml *key)
{
    for (const struct yaml *y = map->first; y != key; y = y->next->next) {
        if (!same_upper(y->text, key->text))
            continue;
        struct problem *p =
            problem_add(s->ps, CODE_PARAM_TWICE, key->at, "'%s' and '%s' differ only in case",
                        problem_name(s->ps, y->text), problem_name(s->ps, key->text));
        problem_label(s->ps, p, y->at, "the other one");
        return;
    }
}

static void read_params(struct spec *s, const struct row *k, const struct yaml *v, void *out)
{
    if (!pairs_fit(s, k, v, 0))
        return;
    struct pair *at = arena_new(&s->w->arena, struct pair, v->count);
    uint32_t n = 0;
    for (const struct yaml *y = v->first; y; y = y->next->next) {
        if (y->next->kind != YAML_SCALAR) {
            struct problem *p = problem_add(s->ps, CODE_NOT_YET, y->next->at,
                                            "parameters with types are not in this version");
            problem_help(s->ps, p, "write 'name: default'");
        }
        param_twice(s, v, y);
        read_pair(s, y, y->next, &at[n++]);
    }
    *(struct pairs *)out = (struct pairs){at, n};
}

/* The table */

#define ROOT(member)  offsetof(struct root, w.member)
#define TASK(member)  offsetof(struct draft, task.member)
#define NODE(member)  offsetof(struct draft, nodes.member)
#define ENTRY(member) offsetof(struct entry, member)
#define LATER(where, name, help)                                                                   \
    {                                                                                              \
        {S(name), where, "", help, false}, NULL, 0, 0                                              \
    }

/* clang-format off */
static const struct row rows[] = {
    {{S("name"), KEY_ROOT, "a name", "what the workflow is called; default: the file's name", true}, read_node, offsetof(struct root, name), 0},
    {{S("description"), KEY_ROOT, "a text", "what it is for (Markdown)", true}, read_text, ROOT(description), 0},
    {{S("owner"), KEY_ROOT, "a text", "who answers for it", true}, read_text, ROOT(owner), 0},
    {{S("tags"), KEY_ROOT, "a list of words", "words to find it by", true}, read_tags, ROOT(tags), 0},
    {{S("schedule"), KEY_ROOT, "a cron expression, a map with 'cron' or 'every', or a list of these", "when it runs by itself", true}, read_node, offsetof(struct root, schedule), 0},
    {{S("timezone"), KEY_ROOT, "a zone such as Europe/Berlin", "the zone schedules are read in; default: the server's", true}, read_node, offsetof(struct root, timezone), 0},
    {{S("enabled"), KEY_ROOT, "true or false", "whether schedules fire at first; later the switch decides", true}, read_bool, ROOT(enabled), 0},
    {{S("params"), KEY_ROOT, "a map of names and defaults", "values a run may be started with; GOWTF_PARAM_<NAME> in tasks", true}, read_params, ROOT(params), 0},
    {{S("env"), KEY_ROOT, "a map of names and texts", "environment of every task", true}, read_env, ROOT(env), 0},
    {{S("defaults"), KEY_ROOT, "a map of task keys", "task keys for every task that does not say otherwise", true}, read_node, offsetof(struct root, defaults), 0},
    {{S("max_parallel"), KEY_ROOT, "a whole number", "how many tasks of one run may run at once", true}, read_count, ROOT(max_parallel), PARALLEL_MAX},
    {{S("version"), KEY_ROOT, "1", "the version of this language", true}, read_version, 0, 0},
    {{S("tasks"), KEY_ROOT, "a list of tasks", "what is done", true, .required = true}, read_node, offsetof(struct root, tasks), 0},
    LATER(KEY_ROOT, "triggers", "what else starts a run: webhooks, files, workflows, datasets"),
    LATER(KEY_ROOT, "env_file", "files with environment variables"),
    LATER(KEY_ROOT, "secrets", "secrets to put into the environment"),
    LATER(KEY_ROOT, "concurrency", "how many runs at once, and what happens to further ones"),
    LATER(KEY_ROOT, "priority", "which runs go first"),
    LATER(KEY_ROOT, "timeout", "how long a whole run may take"),
    LATER(KEY_ROOT, "fail_fast", "stop a run at its first failure"),
    LATER(KEY_ROOT, "sla", "when to raise an alarm"),
    LATER(KEY_ROOT, "notify", "whom to tell what"),
    LATER(KEY_ROOT, "hooks", "what to run when a run starts or ends"),
    LATER(KEY_ROOT, "retention", "how long runs and logs are kept"),
    LATER(KEY_ROOT, "outputs", "values a run returns"),

    {{S("name"), KEY_TASK, "a name", "what the task is called", true, true, true}, read_node, NODE(name), 0},
    {{S("description"), KEY_TASK, "a text", "what it does", true}, read_text, TASK(description), 0},
    {{S("depends_on"), KEY_TASK, "a list of task names", "tasks that must be over before", true, true}, read_node, NODE(depends_on), 0},
    {{S("condition"), KEY_TASK, "a condition", "whether it runs, once those are over; default: none is broken and one succeeded", true}, read_node, NODE(condition), 0},
    {{S("script"), KEY_TASK, "a shell script", "shell text; a first line '#!' selects the interpreter", true, true}, read_script, 0, 0},
    {{S("command"), KEY_TASK, "a list: a program and its arguments", "a program and its arguments, without a shell", true, true}, read_command, 0, 0},
    {{S("shell"), KEY_TASK, "a program and its arguments", "what runs the script; default: /bin/sh -e", true}, read_field, TASK(shell), 0},
    {{S("workdir"), KEY_TASK, "a directory", "where it runs; default: the file's directory", true}, read_field, TASK(workdir), 0},
    {{S("env"), KEY_TASK, "a map of names and texts", "environment of this task", true}, read_env, TASK(env), 0},
    {{S("retries"), KEY_TASK, "a whole number", "how often it is tried again after a failure", true}, read_count, TASK(retries), RETRIES_MAX},
    {{S("retry_delay"), KEY_TASK, "a time such as 30s", "how long to wait before that; default: 30s", true}, read_retry_delay, 0, 0},
    {{S("timeout"), KEY_TASK, "a time such as 10m", "how long one attempt may take", true}, read_time, TASK(timeout), 0},
    {{S("stall_timeout"), KEY_TASK, "a time such as 10m", "how long it may neither write nor use the processor", true}, read_time, TASK(stall_timeout), 0},
    {{S("allow_failure"), KEY_TASK, "true or false", "whether its failure is no failure of the run", true}, read_allow, TASK(allow_failure), 0},
    {{S("success_exit_codes"), KEY_TASK, "a list of numbers from 0 to 255", "exit codes that mean success; default: 0", true}, read_codes, TASK(success_exit_codes), 0},
    LATER(KEY_TASK, "group", "the box it is drawn in"),
    LATER(KEY_TASK, "workflow", "run another workflow"),
    LATER(KEY_TASK, "detach", "do not wait for that workflow"),
    LATER(KEY_TASK, "approval", "wait for a person"),
    LATER(KEY_TASK, "wait", "wait for a time, a file, an address"),
    LATER(KEY_TASK, "cleanup_of", "run when those tasks and all after them are over"),
    LATER(KEY_TASK, "for_each", "one instance for each item of a list"),
    LATER(KEY_TASK, "item_key", "what an item is called"),
    LATER(KEY_TASK, "matrix", "one instance for each combination"),
    LATER(KEY_TASK, "max_parallel", "how many instances at once"),
    LATER(KEY_TASK, "max_failures", "how many instances may fail"),
    LATER(KEY_TASK, "repeat", "run again until a condition holds"),
    LATER(KEY_TASK, "params", "parameters of the workflow it runs"),
    LATER(KEY_TASK, "secrets", "secrets to put into the environment"),
    LATER(KEY_TASK, "outputs", "values it returns"),
    LATER(KEY_TASK, "artifacts", "files to keep"),
    LATER(KEY_TASK, "cache", "skip it when nothing has changed"),
    LATER(KEY_TASK, "produces", "datasets it makes"),
    LATER(KEY_TASK, "queue_timeout", "how long it may wait for its turn"),
    LATER(KEY_TASK, "retry_backoff", "factor from one retry delay to the next"),
    LATER(KEY_TASK, "retry_max_delay", "the longest retry delay"),
    LATER(KEY_TASK, "retry_if", "which failures are tried again"),
    LATER(KEY_TASK, "skip_exit_codes", "exit codes that mean skipped"),
    LATER(KEY_TASK, "idempotent", "whether it may run twice"),
    LATER(KEY_TASK, "stop_signal", "the signal that asks it to stop"),
    LATER(KEY_TASK, "kill_grace", "how long it may take to stop"),
    LATER(KEY_TASK, "run_as", "the user it runs as"),
    LATER(KEY_TASK, "pool", "the pool its slot comes from"),
    LATER(KEY_TASK, "slots", "how many slots it takes"),
    LATER(KEY_TASK, "locks", "what it must have for itself"),
    LATER(KEY_TASK, "priority", "which tasks go first"),
    LATER(KEY_TASK, "resources", "processor, memory and processes it may use"),
    LATER(KEY_TASK, "sandbox", "what it may not see"),
    LATER(KEY_TASK, "runner", "where it runs: a container, another machine"),
    LATER(KEY_TASK, "sla", "when to raise an alarm"),

    {{S("cron"), KEY_SCHEDULE, "a cron expression", "minute hour day month weekday, or @daily and its kin", true}, read_node, ENTRY(cron), 0},
    {{S("every"), KEY_SCHEDULE, "a time such as 90s", "a fixed period", true}, read_node, ENTRY(every), 0},
    {{S("timezone"), KEY_SCHEDULE, "a zone such as Europe/Berlin", "the zone 'cron' is read in", true}, read_node, ENTRY(timezone), 0},
    LATER(KEY_SCHEDULE, "at", "one instant"),
    LATER(KEY_SCHEDULE, "jitter", "a random delay"),
    LATER(KEY_SCHEDULE, "start", "not before"),
    LATER(KEY_SCHEDULE, "end", "not after"),
    LATER(KEY_SCHEDULE, "only_on", "days it fires on"),
    LATER(KEY_SCHEDULE, "skip_on", "days it does not fire on"),
    LATER(KEY_SCHEDULE, "shift", "where to move a skipped fire"),
    LATER(KEY_SCHEDULE, "params", "parameters of these runs"),
    LATER(KEY_SCHEDULE, "catchup", "whether missed fires are made up for"),
    LATER(KEY_SCHEDULE, "catchup_window", "how far back"),
    LATER(KEY_SCHEDULE, "catchup_max", "how many"),
    LATER(KEY_SCHEDULE, "pause_after_failures", "pause after so many failures in a row"),
};
/* clang-format on */

/* Words of other tools. */
static const struct synonym {
    enum key_where where;
    struct str theirs, ours;
} synonyms[] = {
    {KEY_ROOT, S("steps"), S("tasks")},        {KEY_ROOT, S("jobs"), S("tasks")},
    {KEY_ROOT, S("cron"), S("schedule")},      {KEY_ROOT, S("parameters"), S("params")},
    {KEY_ROOT, S("on"), S("schedule")},        {KEY_ROOT, S("tz"), S("timezone")},
    {KEY_TASK, S("depends"), S("depends_on")}, {KEY_TASK, S("needs"), S("depends_on")},
    {KEY_TASK, S("after"), S("depends_on")},   {KEY_TASK, S("upstream"), S("depends_on")},
    {KEY_TASK, S("if"), S("condition")},       {KEY_TASK, S("when"), S("condition")},
    {KEY_TASK, S("run"), S("script")},         {KEY_TASK, S("cmd"), S("command")},
    {KEY_TASK, S("bash"), S("script")},        {KEY_TASK, S("id"), S("name")},
    {KEY_TASK, S("cwd"), S("workdir")},        {KEY_TASK, S("dir"), S("workdir")},
    {KEY_TASK, S("retry"), S("retries")},      {KEY_TASK, S("environment"), S("env")},
    {KEY_ROOT, S("environment"), S("env")},
};

size_t key_count(void)
{
    return countof(rows);
}

const struct key *key_at(size_t i)
{
    ASSERT(i < countof(rows));
    return &rows[i].key;
}

static const struct row *row_find(enum key_where where, struct str name)
{
    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].key.where == where && str_eq(rows[i].key.name, name))
            return &rows[i];
    return NULL;
}

const struct key *key_find(enum key_where where, struct str name)
{
    const struct row *k = row_find(where, name);
    return k ? &k->key : NULL;
}

static const struct place_name {
    const char *word, *there, *what;
} places[KEY_WHERES] = {
    [KEY_ROOT] = {"root", "at the top of the file", "a workflow"},
    [KEY_TASK] = {"task", "in a task", "a task"},
    [KEY_SCHEDULE] = {"schedule", "in a schedule entry", "a schedule entry"},
};

const char *key_where_word(enum key_where where)
{
    ASSERT(where < KEY_WHERES);
    return places[where].word;
}

/* The loop */

static struct str synonym_find(enum key_where where, struct str theirs)
{
    for (size_t i = 0; i < countof(synonyms); i++)
        if (synonyms[i].where == where && str_eq(synonyms[i].theirs, theirs))
            return synonyms[i].ours;
    return STR_NONE;
}

static struct str key_nearest(struct spec *s, enum key_where where, struct str word)
{
    struct str names[countof(rows)];
    size_t n = 0;
    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].key.where == where)
            names[n++] = rows[i].key.name;
    int i = spec_nearest(s, word, names, n);
    return i < 0 ? STR_NONE : names[i];
}

static void unknown_key(struct spec *s, enum key_where where, const struct yaml *key)
{
    struct problem *p = problem_add(s->ps, CODE_UNKNOWN_KEY, key->at, "%s has no key '%s'",
                                    places[where].what, problem_name(s->ps, key->text));
    struct str ours = synonym_find(where, key->text);
    if (!ours.at)
        ours = key_nearest(s, where, key->text);
    if (ours.at) {
        problem_suggest(s->ps, p, ours);
        return;
    }
    for (enum key_where w = 0; w < KEY_WHERES; w++)
        if (key_find(w, key->text))
            problem_help(s->ps, p, "'%s' belongs %s", problem_name(s->ps, key->text),
                         places[w].there);
}

static void not_yet(struct spec *s, const struct yaml *key)
{
    struct problem *p = problem_add(s->ps, CODE_NOT_YET, key->at, "'%s' is not in this version",
                                    problem_name(s->ps, key->text));
    problem_note(s->ps, p, "the key is planned; remove it to use this file now");
}

static void read_keys(struct spec *s, const struct yaml *map, enum key_where where, void *out,
                      bool defaults)
{
    for (const struct yaml *y = map->first; y; y = y->next->next) {
        const struct row *k = row_find(where, y->text);
        if (!k && where == KEY_ROOT && str_starts(y->text, S("x-")))
            continue;
        if (!k)
            unknown_key(s, where, y);
        else if (!k->key.built)
            not_yet(s, y);
        else if (defaults && k->key.not_in_defaults)
            problem_add(s->ps, CODE_UNKNOWN_KEY, y->at, "'defaults' cannot hold '%s'",
                        k->key.name.at);
        else if (is_null(y->next))
            null_problem(s, y, y->next);
        else
            k->read(s, k, y->next, (char *)out + k->offset);
    }
}

/* Tasks */

static struct draft draft_new(void)
{
    static const uint8_t success[] = {0};
    return (struct draft){.task = {.retry_delay = 30000, .success_exit_codes = {success, 1}}};
}

static const char *draft_title(struct spec *s, const struct draft *d)
{
    if (!d->task.name.len)
        return "this task";
    return arena_printf(&s->scratch, "task '%s'", problem_name(s->ps, d->task.name));
}

static void check_action(struct spec *s, const struct draft *d)
{
    const struct task_nodes *n = &d->nodes;
    if (n->script && n->command) {
        bool swap = n->script->at.line > n->command->at.line;
        const struct yaml *first = swap ? n->command : n->script;
        const struct yaml *second = swap ? n->script : n->command;
        struct problem *p = problem_add(s->ps, CODE_TWO_ACTIONS, second->at,
                                        "%s has both 'script' and 'command'", draft_title(s, d));
        problem_label(s->ps, p, first->at, "the other one");
        problem_help(s->ps, p, "keep one of them, or make two tasks");
    } else if (!n->script && !n->command) {
        const struct yaml *at = n->name ? n->name : n->node;
        struct problem *p =
            problem_add(s->ps, CODE_NO_ACTION, at->at, "%s has nothing to do", draft_title(s, d));
        problem_help(s->ps, p, "add 'script' or 'command'");
    }
}

static void check_retries(struct spec *s, const struct draft *d)
{
    if (!d->nodes.retry_delay || d->task.retries)
        return;
    struct problem *p = problem_add(s->ps, CODE_RETRY_DELAY, d->nodes.retry_delay->at,
                                    "'retry_delay' without 'retries' has no effect");
    problem_help(s->ps, p, "add 'retries'");
}

static void name_problem(struct spec *s, struct place at, struct str name)
{
    struct problem *p =
        problem_add(s->ps, CODE_NAME, at, "'%s' cannot be a name", problem_name(s->ps, name));
    problem_help(s->ps, p, "letters, digits, '_', '.' and '-', a letter or digit first, at most %d",
                 NAME_BYTES_MAX);
}

static void read_task_name(struct spec *s, struct draft *d)
{
    const struct yaml *v = d->nodes.name;
    if (!v) {
        if (!yaml_get(d->nodes.node, S("name")))
            problem_add(s->ps, CODE_MISSING,
                        d->nodes.node->first ? d->nodes.node->first->at : d->nodes.node->at,
                        "this task has no 'name'");
    } else if (v->kind != YAML_SCALAR) {
        wants(s, row_find(KEY_TASK, S("name")), v);
    } else {
        d->task.name = arena_str(&s->w->arena, v->text);
        if (!name_is_fit(v->text))
            name_problem(s, v->at, v->text);
    }
}

static void read_condition(struct spec *s, struct draft *d)
{
    const struct yaml *v = d->nodes.condition;
    d->task.condition_text = STR_NONE;
    if (v && v->kind == YAML_SCALAR)
        d->task.condition_text = arena_str(&s->w->arena, v->text);
    else if (v)
        wants(s, row_find(KEY_TASK, S("condition")), v);
}

static void read_task(struct spec *s, const struct yaml *y, const struct draft *defaults, size_t i)
{
    struct draft d = *defaults;
    d.nodes.node = y;
    d.nodes.retry_delay = NULL;
    d.task.line = y->at.line;
    if (y->kind != YAML_MAP) {
        struct problem *p = problem_add(s->ps, CODE_TYPE, y->at, "a task is a map of keys");
        problem_under(s->ps, p, "found %s", yaml_what(y));
    } else {
        read_keys(s, y, KEY_TASK, &d, false);
        read_task_name(s, &d);
        check_action(s, &d);
        check_retries(s, &d);
    }
    if (d.nodes.condition != defaults->nodes.condition)
        read_condition(s, &d);
    s->tasks[i] = d.task;
    s->nodes[i] = d.nodes;
}

static void read_defaults(struct spec *s, const struct yaml *v, struct draft *out)
{
    if (!v)
        return;
    if (v->kind != YAML_MAP) {
        wants(s, row_find(KEY_ROOT, S("defaults")), v);
        return;
    }
    out->nodes.node = v;
    read_keys(s, v, KEY_TASK, out, true);
    read_condition(s, out);
}

static void read_tasks(struct spec *s, const struct yaml *v, const struct draft *defaults)
{
    const struct row *k = row_find(KEY_ROOT, S("tasks"));
    if (!list_fits(s, k, v, TASKS_MAX))
        return;
    if (v->count == 0) {
        problem_add(s->ps, CODE_MISSING, v->at, "a workflow needs at least one task");
        return;
    }
    s->tasks = arena_new(&s->w->arena, struct task, v->count);
    s->nodes = arena_new(&s->scratch, struct task_nodes, v->count);
    s->w->tasks = s->tasks;
    for (const struct yaml *y = v->first; y; y = y->next)
        read_task(s, y, defaults, s->w->task_count++);
}

/* Schedules */

static void read_every(struct spec *s, const struct yaml *v, struct schedule *out)
{
    out->kind = SCHEDULE_EVERY;
    if (v->kind != YAML_SCALAR)
        wants(s, row_find(KEY_SCHEDULE, S("every")), v);
    else if (!duration_parse(v->text, &out->every))
        duration_problem(s, "every", v);
    else if (out->every < EVERY_MIN_MS)
        problem_add(s->ps, CODE_EVERY, v->at, "'every' must be at least a second");
    else
        out->text = arena_str(&s->w->arena, v->text);
}

static void read_cron(struct spec *s, const struct yaml *v, struct schedule *out)
{
    out->kind = SCHEDULE_CRON;
    if (v->kind != YAML_SCALAR)
        wants(s, row_find(KEY_SCHEDULE, S("cron")), v);
    else
        out->text = arena_str(&s->w->arena, str_trim(v->text));
}

static void read_zone(struct spec *s, const struct yaml *v, struct str *out)
{
    if (v->kind != YAML_SCALAR)
        wants(s, row_find(KEY_ROOT, S("timezone")), v);
    else
        *out = arena_str(&s->w->arena, v->text);
}

static void read_entry(struct spec *s, const struct yaml *v, struct schedule *out)
{
    struct entry e = {0};
    out->line = v->at.line;
    if (v->kind == YAML_SCALAR && v->type != YAML_NULL) {
        read_cron(s, v, out);
        return;
    }
    if (v->kind != YAML_MAP) {
        wants(s, row_find(KEY_ROOT, S("schedule")), v);
        return;
    }
    size_t before = s->ps->error_count;
    read_keys(s, v, KEY_SCHEDULE, &e, false);
    if (e.timezone)
        read_zone(s, e.timezone, &out->timezone);
    if (e.cron && e.every)
        problem_add(s->ps, CODE_SCHEDULE, v->at,
                    "a schedule entry has 'cron' or 'every', not both");
    else if (e.cron)
        read_cron(s, e.cron, out);
    else if (e.every)
        read_every(s, e.every, out);
    else if (before == s->ps->error_count)
        problem_add(s->ps, CODE_SCHEDULE, v->at, "a schedule entry needs 'cron' or 'every'");
}

static void read_schedules(struct spec *s, const struct yaml *v)
{
    bool list = v->kind == YAML_LIST;
    if (list && !list_fits(s, row_find(KEY_ROOT, S("schedule")), v, SCHEDULES_MAX))
        return;
    uint32_t count = list ? v->count : 1, i = 0;
    struct schedule *at = arena_new(&s->w->arena, struct schedule, count);
    for (const struct yaml *y = list ? v->first : v; y && i < count; y = y->next)
        read_entry(s, y, &at[i++]);
    s->w->schedules = at;
    s->w->schedule_count = count;
}

/* The file */

static void name_from_file(struct spec *s)
{
    struct str name = s->file_name;
    const char *slash = name.len ? memrchr(name.at, '/', name.len) : NULL;
    if (slash)
        name = (struct str){slash + 1, (size_t)(name.at + name.len - slash - 1)};
    if (str_ends(name, S(".yaml")))
        name.len -= 5;
    else if (str_ends(name, S(".yml")))
        name.len -= 4;
    s->w->name = arena_str(&s->w->arena, name);
    if (name_is_fit(name))
        return;
    struct problem *p = problem_add(s->ps, CODE_NAME, (struct place){1, 1, 1, 2},
                                    "the workflow has no name, and the file's name cannot be one");
    problem_help(s->ps, p, "add 'name: ...'");
}

static void read_name(struct spec *s, const struct yaml *root, const struct yaml *v)
{
    if (!v && !yaml_get(root, S("name"))) {
        name_from_file(s);
    } else if (v && v->kind != YAML_SCALAR) {
        wants(s, row_find(KEY_ROOT, S("name")), v);
    } else if (v) {
        s->w->name = arena_str(&s->w->arena, v->text);
        if (!name_is_fit(v->text))
            name_problem(s, v->at, v->text);
    }
}

void spec_read(struct spec *s, const struct yaml *root)
{
    struct root r = {.w.enabled = true};
    struct draft defaults = draft_new();
    if (root->kind != YAML_MAP) {
        struct problem *p = problem_add(s->ps, CODE_EMPTY, root->at, "a workflow is a map of keys");
        problem_under(s->ps, p, "found %s", yaml_what(root));
        return;
    }
    read_keys(s, root, KEY_ROOT, &r, false);
    r.w.arena = s->w->arena;
    *s->w = r.w;
    read_name(s, root, r.name);
    read_defaults(s, r.defaults, &defaults);
    if (r.timezone)
        read_zone(s, r.timezone, &s->w->timezone);
    if (r.schedule)
        read_schedules(s, r.schedule);
    s->timezone = r.timezone;
    s->schedule = r.schedule;
    if (r.tasks)
        read_tasks(s, r.tasks, &defaults);
    else if (!yaml_get(root, S("tasks")))
        problem_add(s->ps, CODE_MISSING, root->first ? root->first->at : root->at,
                    "the workflow has no 'tasks'");
}
