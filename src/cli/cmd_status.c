/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_status.c: is the engine well? One screen.
 *
 * What only a living server knows is asked of it; when none answers the
 * database still tells the rest, and the exit status says 3. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/client.h"
#include "cli/look.h"
#include "server/logs_bytes.h"

static void part_rows(const struct cli *c, const json_t *doc, struct buf *out)
{
    struct table t;
    size_t i;
    json_t *part;
    table_init(&t, &c->out, 3, 0);
    json_array_foreach(json_object_get(doc, "parts"), i, part)
    {
        bool ok = j_true(part, "ok");
        const struct sign *s = sign_of_task(ok ? TASK_SUCCESS : TASK_FAILED);
        table_cell(&t, s->tone,
                   str_of(!c->out.tty    ? ok ? "ok" : "bad"
                          : c->out.ascii ? s->ascii
                                         : s->utf8));
        table_cell(&t, TONE_BOLD, str_of(j_text(part, "name")));
        table_text(&t, j_text(part, "text"));
    }
    table_print(&t, out);
    table_free(&t);
}

static void sizes(const struct cli *c, const json_t *doc, struct buf *out)
{
    static const char *const keys[] = {"db_bytes", "wal_bytes", "log_bytes"};
    static const char *const names[] = {"database", "write-ahead log", "task output"};
    for (size_t i = 0; i < countof(keys); i++) {
        int64_t n = j_int(doc, keys[i], 0);
        if (c->out.tty) {
            buf_printf(out, "%s%s ", i ? " · " : "   ", names[i]);
            size_text(n, out);
        } else {
            buf_printf(out, "%s\t%lld\n", keys[i], (long long)n);
        }
    }
    if (c->out.tty)
        buf_putc(out, '\n');
}

static void print_text(const struct cli *c, const json_t *doc, bool alive, struct buf *out)
{
    const json_t *slots = json_object_get(doc, "slots");
    if (alive)
        buf_printf(out, "gowtf %s, process %lld, %s\n", j_text(doc, "version"),
                   (long long)j_int(doc, "pid", 0), c->home);
    else
        buf_printf(out, "no engine runs in %s; what it left:\n", c->home);
    part_rows(c, doc, out);
    buf_printf(out,
               c->out.tty ? "   slots %lld of %lld taken, %lld waiting\n"
                          : "slots\t%lld\t%lld\t%lld\n",
               (long long)j_int(slots, "used", 0), (long long)j_int(slots, "total", 0),
               (long long)j_int(slots, "queued", 0));
    sizes(c, doc, out);
    size_t n = json_array_size(json_object_get(doc, "problems"));
    if (n)
        buf_printf(out, "   %zu problem%s in workflow files: gowtf ls\n", n, n == 1 ? "" : "s");
}

/* The server's own answer, or what the database says. */
static bool fetch(struct look *l, const struct cli *c, bool *alive, struct err *e)
{
    struct reply r CLEANUP(reply_free) = {0};
    struct err silent = {0};
    *alive = client_do(c->home, "GET", "/api/v1/system", STR_NONE, &r, &silent);
    if (*alive) {
        l->cli = c;
        buf_str(&l->doc, (struct str){r.body.at, r.body.len});
        return true;
    }
    if (silent.kind == ERR_DENIED)
        return err_set(e, silent.kind, "%s", silent.text);
    return look_open(l, c, e) &&
           view_system(&l->view, &(struct view_self){.log_bytes = logs_bytes(l->view.home)},
                       &l->doc, e);
}

static int status_run(struct cli *c, const void *opts, int argc, char **argv)
{
    struct look l CLEANUP(look_close) = {0};
    struct buf out CLEANUP(buf_free) = {0};
    struct err e = {0};
    bool alive;
    (void)opts, (void)argc, (void)argv;

    if (!fetch(&l, c, &alive, &e))
        return fail_err(c, &cmd_status, &e);
    if (c->json) {
        look_answer(&l);
        return alive ? EXIT_DONE : EXIT_DOWN;
    }
    json_t *doc = look_parse(&l, &e);
    if (!doc)
        return fail_err(c, &cmd_status, &e);
    print_text(c, doc, alive, &out);
    json_decref(doc);
    out_flush(&out);
    return alive ? EXIT_DONE : EXIT_DOWN;
}

const struct command cmd_status = {
    .name = "status",
    .group = GROUP_ENGINE,
    .args = "",
    .help = "Say whether the engine is well, on one screen",
    .more = "Ends with 0 if an engine answers and 3 if none does; then it shows what the\n"
            "database knows.",
    .examples = {"gowtf status", "gowtf status --json=parts,slots"},
    .json = true,
    .run = status_run,
};
