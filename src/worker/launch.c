/* SPDX-License-Identifier: MIT
 *
 * What must stay true:
 *
 *   - no name stands twice in an environment, or which one counts is chance;
 *   - a run's variables are merged once, a task without `env` of its own only
 *     adds to them: this is on the path of every start. */
#include "worker/launch.h"
#include "base/clock.h"
#include "base/fd.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TEXT_BYTES_MAX =
        131071, /* of one argument or variable: the kernel's MAX_ARG_STRLEN, less a NUL */
    TEXTS_BYTES_MAX = 1000 * 1000, /* of all: within a frame, and half of the kernel's 2 MiB */
    SCRIPT_ARG_MAX = 100 * 1024,
    WORDS_MAX = 32,
    OWN_MAX = 3,
};

static const struct pair no_pair;

/* ---- environments ---- */

struct env {
    struct arena *arena;
    struct pair *at;
    uint32_t count;
    size_t cap;
};

/* Environments are short; a linear look is quicker than anything clever. */
static void env_set(struct env *v, struct str name, struct str value)
{
    for (uint32_t i = 0; i < v->count; i++)
        if (str_eq(v->at[i].name, name)) {
            v->at[i].value = value;
            return;
        }
    if (v->count == v->cap) {
        size_t cap = v->cap ? v->cap * 2 : 32;
        struct pair *at = arena_new(v->arena, struct pair, cap);
        if (v->count)
            memcpy(at, v->at, v->count * sizeof *at);
        v->at = at;
        v->cap = cap;
    }
    v->at[v->count++] = (struct pair){name, value};
}

static void env_set_all(struct env *v, struct pairs pairs)
{
    for (uint32_t i = 0; i < pairs.count; i++)
        env_set(v, pairs.at[i].name, pairs.at[i].value);
}

static struct pairs env_pairs(const struct env *v)
{
    return (struct pairs){v->count ? v->at : &no_pair, v->count};
}

/* PATH without parts that depend on where one stands. */
static struct str clean_path(struct arena *a, const char *path)
{
    struct buf out = {0};
    while (path && *path) {
        size_t n = strcspn(path, ":");
        if (n && path[0] == '/') {
            if (out.len)
                buf_putc(&out, ':');
            buf_add(&out, path, n);
        }
        path += n + (path[n] == ':');
    }
    struct str s = out.len ? arena_str(a, (struct str){out.at, out.len})
                           : S("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    buf_free(&out);
    return s;
}

void launch_base_init(struct launch_base *b)
{
    static const char *const inherited[] = {"LANG", "LC_ALL", "TZ"};
    struct passwd *pw = getpwuid(geteuid());
    struct env v = {.arena = &b->arena};
    env_set(&v, S("PATH"), clean_path(&b->arena, getenv("PATH")));
    env_set(&v, S("HOME"), arena_str(&b->arena, str_of(pw ? pw->pw_dir : "/")));
    env_set(&v, S("USER"), arena_str(&b->arena, str_of(pw ? pw->pw_name : "nobody")));
    env_set(&v, S("LOGNAME"), v.at[v.count - 1].value);
    env_set(&v, S("SHELL"), S("/bin/sh"));
    for (size_t i = 0; i < countof(inherited); i++)
        if (getenv(inherited[i]))
            env_set(&v, str_of(inherited[i]), arena_str(&b->arena, str_of(getenv(inherited[i]))));
    b->env = env_pairs(&v);
}

void launch_base_done(struct launch_base *b)
{
    arena_free(&b->arena);
}

/* GOWTF_PARAM_<NAME>: capitals, digits, and _ for anything else. */
static struct str param_variable(struct arena *a, const char *name)
{
    char *text = arena_printf(a, "GOWTF_PARAM_%s", name);
    for (char *p = text; *p; p++)
        *p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
    return str_of(text);
}

static bool env_set_params(struct env *v, struct str params, struct err *e)
{
    json_error_t where;
    json_t *root = json_loadb(params.at ? params.at : "{}", params.at ? params.len : 2, 0, &where);
    const char *name;
    json_t *value;
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(e, ERR_INVALID, "the run's parameters are not a JSON object");
    }
    json_object_foreach(root, name, value) if (json_is_string(value)) env_set(
        v, param_variable(v->arena, name),
        arena_str(v->arena, (struct str){json_string_value(value), json_string_length(value)}));
    json_decref(root);
    return true;
}

bool launch_run_init(struct launch_run *r, const struct launch_base *base, const struct workflow *w,
                     struct str params, ms_t scheduled_at, struct err *e)
{
    char when[CLOCK_TEXT_MAX];
    struct env v = {.arena = &r->arena};
    env_set_all(&v, base->env);
    env_set_all(&v, w->env);
    if (!env_set_params(&v, params, e))
        return false;
    env_set(&v, S("GOWTF_WORKFLOW"), r->workflow);
    env_set(&v, S("GOWTF_RUN_ID"), str_of(arena_printf(&r->arena, "%lld", (long long)r->id)));
    env_set(&v, S("GOWTF_SCHEDULED_AT"),
            arena_str(&r->arena, str_of(clock_rfc3339(scheduled_at, when))));
    r->env = env_pairs(&v);
    return true;
}

void launch_run_done(struct launch_run *r)
{
    arena_free(&r->arena);
}

static void pack(struct buf *out, uint32_t *count, struct pair p)
{
    /* A NUL inside would end the variable early; the reader of files refuses it. */
    buf_str(out, p.name);
    buf_putc(out, '=');
    buf_str(out, p.value);
    buf_putc(out, 0);
    ++*count;
}

static struct wire_texts pack_env(const struct launch_run *r, const struct task *t,
                                  struct attempt a, struct arena *scratch)
{
    char key[ULID_TEXT_MAX];
    struct buf out = {0};
    uint32_t count = 0;
    struct pairs env = r->env;
    struct env merged = {.arena = scratch};
    struct pair own[OWN_MAX] = {
        {S("GOWTF_TASK"), t->name},
        {S("GOWTF_ATTEMPT"), str_of(arena_printf(scratch, "%u", a.try))},
        {S("GOWTF_IDEMPOTENCY_KEY"),
         str_of(arena_printf(scratch, "%s.%u.%u", ulid_text(&r->key, key), a.task, a.item))},
    };
    if (t->env.count) {
        env_set_all(&merged, r->env);
        for (uint32_t i = 0; i < t->env.count; i++)
            if (!str_starts(t->env.at[i].name, S("GOWTF_")))
                env_set(&merged, t->env.at[i].name, t->env.at[i].value);
        env = env_pairs(&merged);
    }
    for (uint32_t i = 0; i < env.count; i++)
        pack(&out, &count, env.at[i]);
    for (size_t i = 0; i < countof(own); i++)
        pack(&out, &count, own[i]);
    struct str bytes = arena_str(scratch, (struct str){out.at, out.len});
    buf_free(&out);
    return (struct wire_texts){bytes, count};
}

/* ---- argv ---- */

static uint32_t split_words(struct str s, struct str words[WORDS_MAX])
{
    uint32_t count = 0;
    for (size_t i = 0; i < s.len && count < WORDS_MAX;) {
        size_t n = 0;
        while (i < s.len && (s.at[i] == ' ' || s.at[i] == '\t'))
            i++;
        while (i + n < s.len && s.at[i + n] != ' ' && s.at[i + n] != '\t')
            n++;
        if (n)
            words[count++] = (struct str){s.at + i, n};
        i += n;
    }
    return count;
}

static struct str base_name(struct str path)
{
    for (size_t i = path.len; i > 0; i--)
        if (path.at[i - 1] == '/')
            return (struct str){path.at + i, path.len - i};
    return path;
}

/* What to add to a bare shell so that a failing command is not overlooked. */
static const char *settled_options(struct str shell)
{
    static const struct {
        const char *name, *options;
    } known[] = {
        {"sh", "-e"}, {"dash", "-e"}, {"ksh", "-e"}, {"zsh", "-e"}, {"bash", "-eo pipefail"}};
    for (size_t i = 0; i < countof(known); i++)
        if (str_is(base_name(shell), known[i].name))
            return known[i].options;
    return NULL;
}

/* `home`/scripts/<SHA-256>: written once, then only read. */
static bool script_file(const char *dir, struct str text, struct arena *scratch, struct str *out,
                        struct err *e)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];
    crypto_hash_sha256(hash, (const unsigned char *)text.at, text.len);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    const char *path = arena_printf(scratch, "%s/%s", dir, hex);
    *out = str_of(path);
    if (access(path, R_OK) == 0)
        return true;
    if (mkdir(dir, 0700) && errno != EEXIST)
        return err_sys(e, "%s", dir);
    if (!fd_replace_file(path, text, e))
        return false;
    if (chmod(path, 0700))
        return err_sys(e, "%s", path);
    return true;
}

struct argv {
    struct buf bytes;
    uint32_t count;
};

static void argv_add(struct argv *v, struct str word)
{
    wire_texts_add(&v->bytes, &v->count, word);
}

/* "#!/usr/bin/env python3" -> interpreter and at most one argument, as the
 * kernel splits it. */
static bool shebang(struct str script, struct str *interpreter, struct str *argument)
{
    if (!str_starts(script, S("#!")))
        return false;
    const char *end = memchr(script.at, '\n', script.len);
    struct str line =
        str_trim((struct str){script.at + 2, (end ? (size_t)(end - script.at) : script.len) - 2});
    size_t n = 0;
    while (n < line.len && line.at[n] != ' ' && line.at[n] != '\t')
        n++;
    *interpreter = (struct str){line.at, n};
    *argument = str_trim((struct str){line.at + n, line.len - n});
    return n > 0;
}

static bool script_argv(struct argv *v, const struct task *t, const char *scripts_dir,
                        struct arena *scratch, struct err *e)
{
    struct str words[WORDS_MAX], path, interpreter, argument;
    if (shebang(t->script, &interpreter, &argument)) {
        if (!script_file(scripts_dir, t->script, scratch, &path, e))
            return false;
        argv_add(v, interpreter);
        if (argument.len)
            argv_add(v, argument);
        argv_add(v, path);
        return true;
    }
    uint32_t count = split_words(t->shell.at ? t->shell : S("/bin/sh"), words);
    if (!count)
        return err_set(e, ERR_INVALID, "`shell` is empty");
    for (uint32_t i = 0; i < count; i++)
        argv_add(v, words[i]);
    const char *options = count == 1 ? settled_options(words[0]) : NULL;
    if (options) {
        uint32_t n = split_words(str_of(options), words);
        for (uint32_t i = 0; i < n; i++)
            argv_add(v, words[i]);
    }
    bool ends_in_c = count > 1 && str_is(words[count - 1], "-c");
    bool as_file = t->script.len > SCRIPT_ARG_MAX || (!options && !ends_in_c);
    if (as_file && ends_in_c)
        return err_set(e, ERR_LIMIT, "a script of %zu bytes cannot be given to -c", t->script.len);
    if (as_file && !script_file(scripts_dir, t->script, scratch, &path, e))
        return false;
    if (!as_file && !ends_in_c)
        argv_add(v, S("-c"));
    argv_add(v, as_file ? path : t->script);
    return true;
}

/* ---- what a program can be given ---- */

/* The name of a variable, or as much of an argument as tells it. */
static struct str head_of(struct str text, bool named)
{
    const char *end = named ? memchr(text.at, '=', text.len) : NULL;
    return (struct str){text.at, end ? (size_t)(end - text.at) : MIN(text.len, (size_t)20)};
}

/* The kernel would only say "Argument list too long". A list that is no longer
 * than one text may be has none that is. */
static bool texts_fit(const struct wire_texts *list, bool named, struct err *e)
{
    struct str text;
    if (list->bytes.len <= TEXT_BYTES_MAX)
        return true;
    for (size_t at = 0; wire_texts_next(list, &at, &text);)
        if (text.len > TEXT_BYTES_MAX) {
            struct str head = head_of(text, named);
            return err_set(e, ERR_LIMIT, "%s '%.*s%s' has %zu bytes; the kernel takes at most %d",
                           named ? "the variable" : "the argument", STR_ARG(head),
                           named ? "" : "...", text.len, TEXT_BYTES_MAX);
        }
    return true;
}

static bool start_fits(const struct wire_start *s, struct err *e)
{
    size_t total = s->argv.bytes.len + s->env.bytes.len;
    if (!texts_fit(&s->argv, false, e) || !texts_fit(&s->env, true, e))
        return false;
    return total <= TEXTS_BYTES_MAX ||
           err_set(e, ERR_LIMIT,
                   "its arguments and variables have %zu bytes together; a program can be given %d",
                   total, TEXTS_BYTES_MAX);
}

bool launch_start(const struct launch_run *r, const struct task *t, struct attempt a,
                  const char *scripts_dir, struct arena *scratch, struct wire_start *out,
                  struct err *e)
{
    struct argv v = {0};
    bool ok = true;
    if (t->script.at)
        ok = script_argv(&v, t, scripts_dir, scratch, e);
    else
        for (uint32_t i = 0; i < t->command.count; i++)
            argv_add(&v, t->command.at[i]);
    struct str bytes = arena_str(scratch, (struct str){v.bytes.at, v.bytes.len});
    buf_free(&v.bytes);
    if (!ok)
        return false;
    struct str dir = r->dir;
    if (t->workdir.len && t->workdir.at[0] == '/')
        dir = t->workdir;
    else if (t->workdir.len)
        dir = str_of(arena_printf(scratch, "%.*s/%.*s", STR_ARG(r->dir), STR_ARG(t->workdir)));
    *out = (struct wire_start){
        .name = {r->key, a.task, a.item, a.try},
        .workdir = dir,
        .argv = {bytes, v.count},
        .env = pack_env(r, t, a, scratch),
        .timeout_ms = t->timeout,
        .grace_ms = 10000,
    };
    return start_fits(out, e);
}
