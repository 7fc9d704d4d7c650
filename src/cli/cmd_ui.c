/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_ui.c: a link that signs a browser in, once. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/act.h"
#include "cli/look.h"

static bool link_of(const struct cli *c, struct buf *out, struct err *e)
{
    struct reply r CLEANUP(reply_free) = {0};
    if (!client_do(c->home, "POST", "/api/v1/login-codes", S("{}"), &r, e))
        return false;
    json_t *v = json_loadb(r.body.at ? r.body.at : "", r.body.len, 0, NULL);
    const char *path = j_text(v, "path"), *address = j_text(v, "address");
    const char *url = j_text(v, "url");
    if (url)
        buf_puts(out, url);
    else if (path)
        buf_printf(out, "%s%s", address ? address : "", path);
    json_decref(v);
    return out->len || err_set(e, ERR_SYSTEM, "the engine gave no link");
}

static int ui_run(struct cli *c, const void *opts, int argc, char **argv)
{
    struct buf text CLEANUP(buf_free) = {0};
    struct err e = {0};
    (void)opts, (void)argc, (void)argv;
    if (!link_of(c, &text, &e))
        return fail_err(c, &cmd_ui, &e);
    puts(text.at);
    return EXIT_DONE;
}

const struct command cmd_ui = {
    .name = "ui",
    .group = GROUP_ENGINE,
    .args = "",
    .help = "Print a link that opens the web UI, signed in",
    .more = "The link works once, within 15 minutes. Asked of the engine over its socket, so\n"
            "only its own user and root get one.",
    .examples = {"gowtf ui", "xdg-open \"$(gowtf ui)\""},
    .run = ui_run,
};
