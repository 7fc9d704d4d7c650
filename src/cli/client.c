/* SPDX-License-Identifier: MIT
 *
 * cli/client.c: as much HTTP/1.1 (RFC 9112) as it takes to ask one question:
 * "Connection: close", and an answer with Content-Length, chunked, or up to the
 * end of the connection. */
#include "cli/client.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <fcntl.h>

#include "base/fd.h"

enum { ANSWER_MAX = 64 << 20 };

void reply_free(struct reply *r)
{
    buf_free(&r->body);
}

static bool nobody(const char *home, struct err *e)
{
    return err_set(e, ERR_DOWN, "no engine answers in %s; start one with: gowtf serve -C %s", home,
                   home);
}

/* A socket path may be longer than sun_path holds: go by a descriptor of the
 * directory then. */
static bool dial(const char *home, int *out, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir CLEANUP(fd_close) = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return nobody(home, e);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/server.sock", dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_sys(e, "socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int why = errno;
        fd_close(&fd);
        if (why == EACCES || why == EPERM)
            return err_set(e, ERR_DENIED, "the engine of %s belongs to somebody else", home);
        return nobody(home, e);
    }
    *out = fd;
    return true;
}

bool client_reachable(const char *home)
{
    int fd CLEANUP(fd_close) = -1;
    struct err e = {0};
    return dial(home, &fd, &e);
}

static bool header_value(struct str head, const char *name, struct str *out)
{
    size_t n = strlen(name);
    for (const char *p = head.at, *end = head.at + head.len; p < end;) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        line_end = line_end ? line_end : end;
        if ((size_t)(line_end - p) > n && p[n] == ':' && strncasecmp(p, name, n) == 0) {
            *out = str_trim((struct str){p + n + 1, (size_t)(line_end - p) - n - 1});
            return true;
        }
        p = line_end + 1;
    }
    return false;
}

static bool torn(struct err *e)
{
    return err_set(e, ERR_SYSTEM, "the engine's answer is not whole");
}

static bool join_chunks(struct str in, struct buf *out, struct err *e)
{
    while (in.len) {
        char *end;
        unsigned long n = strtoul(in.at, &end, 16);
        const char *line_end = memchr(in.at, '\n', in.len);
        if (end == in.at || !line_end)
            return torn(e);
        size_t skip = (size_t)(line_end + 1 - in.at);
        if (n == 0)
            return true;
        if (n > in.len - skip)
            return torn(e);
        buf_add(out, in.at + skip, n);
        skip += n + 2;
        if (skip > in.len)
            return torn(e);
        in = (struct str){in.at + skip, in.len - skip};
    }
    return torn(e);
}

static bool read_answer(struct str all, struct reply *out, struct err *e)
{
    struct str value, body;
    const char *gap = memmem(all.at, all.len, "\r\n\r\n", 4);
    int64_t length;

    if (!gap || all.len < 12 || strncmp(all.at, "HTTP/1.", 7) != 0)
        return torn(e);
    struct str head = {all.at, (size_t)(gap - all.at)};
    body = (struct str){gap + 4, all.len - head.len - 4};
    out->status = (int)strtol(all.at + 9, NULL, 10);
    if (header_value(head, "Transfer-Encoding", &value) && value.len >= 7)
        return join_chunks(body, &out->body, e);
    if (header_value(head, "Content-Length", &value) && str_to_i64(value, &length)) {
        if (length < 0 || (size_t)length > body.len)
            return torn(e);
        body.len = (size_t)length;
    }
    buf_str(&out->body, body);
    return true;
}

bool client_ask(const char *home, const char *method, const char *path, struct str body,
                struct reply *out, struct err *e)
{
    int fd CLEANUP(fd_close) = -1;
    struct buf ask CLEANUP(buf_free) = {0}, answer CLEANUP(buf_free) = {0};

    if (!dial(home, &fd, e))
        return false;
    buf_printf(&ask, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Gowtf: 1\r\n",
               method, path);
    if (body.at || strcmp(method, "POST") == 0)
        buf_printf(&ask, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.len);
    buf_puts(&ask, "\r\n");
    buf_str(&ask, body);
    if (!fd_write_all(fd, ask.at, ask.len, e) || !fd_read_all(fd, ANSWER_MAX, &answer, e))
        return err_wrap(e, "asking the engine");
    if (!answer.len)
        return torn(e);
    return read_answer((struct str){answer.at, answer.len}, out, e);
}

static enum err_kind kind_of_status(int status)
{
    static const struct {
        int status;
        enum err_kind kind;
    } kinds[] = {{401, ERR_DENIED}, {403, ERR_DENIED}, {404, ERR_NOT_FOUND}, {409, ERR_CONFLICT},
                 {429, ERR_LIMIT},  {503, ERR_LIMIT},  {507, ERR_FULL}};
    for (size_t i = 0; i < countof(kinds); i++)
        if (kinds[i].status == status)
            return kinds[i].kind;
    return status >= 500 ? ERR_SYSTEM : ERR_INVALID;
}

bool client_do(const char *home, const char *method, const char *path, struct str body,
               struct reply *out, struct err *e)
{
    if (!client_ask(home, method, path, body, out, e))
        return false;
    if (out->status < 400)
        return true;
    json_t *problem = json_loadb(out->body.at ? out->body.at : "", out->body.len, 0, NULL);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    err_set(e, kind_of_status(out->status), "%s", detail ? detail : "the engine refused");
    json_decref(problem);
    return false;
}

void path_add(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~", c);
        if (plain && c)
            buf_putc(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}
