/* SPDX-License-Identifier: MIT
 *
 * server/audit.c: is this a request at all, and is it meant for us?
 *
 * Before anybody looks at what is wanted. The library is set to its strictest
 * and yet lets pass what a proxy in front might read otherwise: two lengths, a
 * length and a transfer coding. And a browser may be told by any page in the
 * world to talk to us, under a name we do not have. What must stay true:
 *
 *   - whatever fails here is answered without an echo of what came, and its
 *     connection is closed: what follows on it is not to be trusted;
 *   - paths are decoded once, piece by piece, after they were cut at slashes. */
#include "base/utf8.h"
#include "server/http.h"

#include <stdio.h>
#include <strings.h>

static bool refuse(struct call *c, unsigned status, const char *why)
{
    c->refused = true;
    call_problem(c, status, why);
    return false;
}

/* ---- methods and paths ---- */

static bool audit_method(struct call *c, const char *method)
{
    static const char *const known[] = {"PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT"};
    c->head = strcmp(method, "HEAD") == 0;
    if (c->head || strcmp(method, "GET") == 0) {
        c->method = METHOD_GET;
        return true;
    }
    if (strcmp(method, "POST") == 0) {
        c->method = METHOD_POST;
        return true;
    }
    for (size_t i = 0; i < countof(known); i++)
        if (strcmp(method, known[i]) == 0)
            return refuse(c, 405, "only GET, HEAD and POST are spoken here");
    return refuse(c, 501, "no such method");
}

static int hex(char ch)
{
    return ch >= '0' && ch <= '9'   ? ch - '0'
           : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
           : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
                                    : -1;
}

/* Well-formed UTF-8 without control characters. */
static bool is_text(struct str s)
{
    for (size_t i = 0; i < s.len;) {
        size_t n = utf8_span(s.at + i, s.len - i);
        unsigned char ch = (unsigned char)s.at[i];
        if (n == 0 || ch < 0x20 || ch == 0x7f)
            return false;
        i += n;
    }
    return true;
}

/* One decoding; false for a % without two digits. */
static bool decode(struct arena *a, struct str in, struct str *out)
{
    char *to = arena_alloc(a, in.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < in.len; i++) {
        char ch = in.at[i];
        if (ch == '%') {
            int high = i + 2 < in.len ? hex(in.at[i + 1]) : -1;
            int low = i + 2 < in.len ? hex(in.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            ch = (char)(high * 16 + low);
            i += 2;
        }
        to[n++] = ch;
    }
    *out = (struct str){to, n};
    return true;
}

/* A name between two slashes: not empty, no "." or "..", no slash of any kind. */
static bool is_segment(struct str s)
{
    return s.len > 0 && !str_is(s, ".") && !str_is(s, "..") && !memchr(s.at, '/', s.len) &&
           !memchr(s.at, '\\', s.len) && is_text(s);
}

enum { SEGMENTS_MAX = 12 };

static bool audit_path(struct call *c, const char *url)
{
    struct str *out = arena_new(&c->arena, struct str, SEGMENTS_MAX);
    uint32_t count = 0;
    if (url[0] != '/')
        return refuse(c, 400, "the address must begin with a slash");
    if (strlen(url) > HTTP_LINE_MAX)
        return refuse(c, 414, "the address is too long");
    c->raw_path = arena_copy(&c->arena, url, strlen(url));
    for (const char *at = url + 1; *at;) {
        size_t n = strcspn(at, "/");
        struct str raw = {at, n};
        if (count == SEGMENTS_MAX || !decode(&c->arena, raw, &out[count]) ||
            !is_segment(out[count]))
            return refuse(c, 404, "there is nothing at this address");
        count++;
        at += n;
        if (*at == '/' && at[1] == '\0')
            return refuse(c, 404, "there is nothing at this address");
        at += *at == '/';
    }
    c->segments = (struct strs){out, count};
    return true;
}

/* ---- headers ---- */

struct tally {
    size_t count, bytes;
    int hosts, lengths, codings;
    struct str length;
    bool odd;
};

static bool is(const char *key, size_t n, const char *word)
{
    return strlen(word) == n && strncasecmp(key, word, n) == 0;
}

/* RFC 9110 5.5: visible characters, blanks, tabs and bytes from 0x80. */
static bool value_good(const char *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char ch = (unsigned char)v[i];
        if ((ch < 0x20 && ch != '\t') || ch == 0x7f)
            return false;
    }
    return true;
}

/* RFC 9110 5.6.2: a token. */
static bool name_good(const char *k, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (k[i] <= ' ' || k[i] >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", k[i]))
            return false;
    return n > 0;
}

static enum MHD_Result count_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                    size_t key_len, const char *value, size_t value_len)
{
    struct tally *t = cls;
    (void)kind;
    t->count++;
    t->bytes += key_len + value_len + 4;
    t->hosts += is(key, key_len, "host");
    t->codings += is(key, key_len, "transfer-encoding");
    if (is(key, key_len, "content-length")) {
        t->lengths++;
        t->length = (struct str){value ? value : "", value_len};
    }
    if (!name_good(key, key_len) || (value && !value_good(value, value_len)))
        t->odd = true;
    return MHD_YES;
}

static bool digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
    return s.len > 0 && s.len <= 18;
}

static bool audit_headers(struct call *c, int64_t *length)
{
    struct tally t = {0};
    MHD_get_connection_values_n(c->connection, MHD_HEADER_KIND, count_header, &t);
    if (t.count > HTTP_HEADERS_MAX || t.bytes > HTTP_HEADER_BYTES_MAX)
        return refuse(c, 431, "too many or too long headers");
    if (t.odd || t.hosts != 1 || t.lengths > 1 || (t.lengths && t.codings))
        return refuse(c, 400, "the headers are not those of one clear request");
    if (t.codings)
        return refuse(c, 411, "give a Content-Length: transfer codings are not spoken here");
    if (t.lengths && (!digits(t.length) || !str_to_i64(t.length, length)))
        return refuse(c, 400, "the Content-Length is not a number");
    return true;
}

static bool audit_length(struct call *c, int64_t length)
{
    if (c->method == METHOD_POST && length < 0)
        return refuse(c, 411, "give a Content-Length");
    if (c->method == METHOD_GET && length > 0)
        return refuse(c, 400, "a GET has no body");
    if (length > HTTP_BODY_MAX)
        return refuse(c, 413, "the body is longer than 1 MiB");
    return true;
}

/* ---- whose house is it ---- */

static bool host_is(const struct server *s, struct str host, const char *name)
{
    size_t n = strlen(name);
    if (host.len < n || strncasecmp(host.at, name, n) != 0)
        return false;
    struct str rest = {host.at + n, host.len - n};
    if (rest.len == 0)
        return strcmp(s->host_port, "80") == 0;
    return rest.at[0] == ':' && str_is((struct str){rest.at + 1, rest.len - 1}, s->host_port);
}

static bool host_good(const struct server *s, struct str host)
{
    for (char **name = s->hosts; *name; name++)
        if (host_is(s, host, *name))
            return true;
    return false;
}

/* The unix socket cannot be reached by a name, so any will do there. */
static bool audit_host(struct call *c)
{
    if (conn_is_local(c->conn) || host_good(c->server, call_header(c, "Host")))
        return true;
    return refuse(c, 421, "this server does not answer to that name");
}

/* A page of another origin may make a browser ask, but not hide that it did. */
static bool audit_origin(struct call *c)
{
    struct str site = call_header(c, "Sec-Fetch-Site"), origin = call_header(c, "Origin");
    if (site.at && !str_is(site, "same-origin") && !str_is(site, "none"))
        return refuse(c, 403, "requests from other sites are not answered");
    if (!origin.at)
        return true;
    bool https = str_starts(origin, S("https://"));
    size_t head = https ? 8 : 7;
    if ((https || str_starts(origin, S("http://"))) &&
        host_good(c->server, (struct str){origin.at + head, origin.len - head}))
        return true;
    return refuse(c, 403, "requests from other sites are not answered");
}

static bool wants_api(const struct call *c)
{
    return c->segments.count > 0 && str_is(c->segments.at[0], "api");
}

bool audit(struct call *c, const char *url, const char *method, const char *version)
{
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return refuse(c, 400, "HTTP/1.1 is spoken here");
    int64_t length = -1; /* none given */
    return audit_headers(c, &length) && audit_host(c) && audit_method(c, method) &&
           audit_length(c, length) && audit_path(c, url) &&
           ((c->method == METHOD_GET && !wants_api(c)) || audit_origin(c));
}

/* The first word of the type, without parameters. */
static bool type_is(struct str type, const char *word)
{
    size_t n = strlen(word);
    return type.len >= n && strncasecmp(type.at, word, n) == 0 &&
           (type.len == n || type.at[n] == ';' || type.at[n] == ' ');
}

/* A form of another site can send text/plain, but not this. Who is known by a
 * cookie alone must also show that it was a script of ours. */
bool audit_body_type(struct call *c)
{
    struct str type = call_header(c, "Content-Type"), length = call_header(c, "Content-Length");
    bool yaml = c->route && (c->route->flags & ROUTE_YAML) && type_is(type, "text/yaml");
    bool empty = str_is(length, "0");
    if (c->who == WHO_SESSION && !str_is(call_header(c, "X-Gowtf"), "1"))
        return refuse(c, 403, "the header X-Gowtf: 1 is missing");
    if (type_is(type, "application/json") || yaml)
        return true;
    if (!type.at && empty && c->who != WHO_SESSION)
        return true;
    return refuse(c, 415, "the body must be application/json");
}

/* ---- what the query says ---- */

struct str call_query(struct call *c, const char *name)
{
    const char *value = NULL;
    size_t len = 0;
    struct str out;
    if (MHD_lookup_connection_value_n(c->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name),
                                      &value, &len) != MHD_YES ||
        !value)
        return STR_NONE;
    return decode(&c->arena, (struct str){value, len}, &out) && is_text(out) ? out
                                                                             : S("\xef\xbf\xbd");
}

struct str call_header(const struct call *c, const char *name)
{
    const char *value = NULL;
    size_t len = 0;
    if (MHD_lookup_connection_value_n(c->connection, MHD_HEADER_KIND, name, strlen(name), &value,
                                      &len) != MHD_YES ||
        !value)
        return STR_NONE;
    return (struct str){value, len};
}
