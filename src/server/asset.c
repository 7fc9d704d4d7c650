/* SPDX-License-Identifier: MIT
 *
 * server/asset.c: the files of the user interface.
 *
 * They are compressed at build time and sent as they are. Addresses of pages
 * (/, /runs, /w/payroll, /r/5) are all the same page: it looks at its address
 * itself. What looks like a file and is none does not exist. */
#include "server/http.h"

#include <stdio.h>

static const struct asset *asset_find(const struct server *s, const char *path)
{
    for (size_t i = 0; i < s->asset_count; i++)
        if (strcmp(s->assets[i].path, path) == 0)
            return &s->assets[i];
    return NULL;
}

static bool is_page(const struct call *c)
{
    const struct strs *p = &c->segments;
    return p->count == 0 || !memchr(p->at[p->count - 1].at, '.', p->at[p->count - 1].len) ||
           str_is(p->at[0], "w") || str_is(p->at[0], "r");
}

static struct MHD_Response *made(struct call *c, const struct asset *a)
{
    struct str known = call_header(c, "If-None-Match");
    bool same = known.at && memmem(known.at, known.len, a->etag, strlen(a->etag));
    struct MHD_Response *r = MHD_create_response_from_buffer(same ? 0 : a->gz_len, (void *)a->gz,
                                                             MHD_RESPMEM_PERSISTENT);
    if (!r)
        return NULL;
    c->out.status = same ? 304 : 200;
    http_headers(r);
    MHD_add_response_header(r, "ETag", a->etag);
    MHD_add_response_header(r, "Cache-Control",
                            a->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (!same) {
        MHD_add_response_header(r, "Content-Type", a->type);
        MHD_add_response_header(r, "Content-Encoding", "gzip");
    }
    return r;
}

bool asset_answer(struct call *c, struct MHD_Response **out)
{
    const struct asset *a = asset_find(c->server, c->raw_path);
    if (!a && is_page(c))
        a = asset_find(c->server, "/index.html");
    if (a)
        return (*out = made(c, a)) != NULL;
    if (is_page(c)) {
        c->out.status = 200;
        c->out.type = "text/plain; charset=utf-8";
        buf_puts(&c->out.body, "gowtf: this build has no user interface. The API is at /api/v1.\n");
    } else {
        call_problem(c, 404, "there is nothing at this address");
    }
    return false;
}
