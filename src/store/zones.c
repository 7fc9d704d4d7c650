/* SPDX-License-Identifier: MIT
 *
 * store/zones.c: the zone tree of the system, read on demand.
 *
 * A name is checked before it becomes part of a path, so that no definition
 * can make us open a file outside the tree. */
#include "store/zones.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_LEN_MAX = 64, LIST_BYTES_MAX = 1 << 20 };

struct zone {
    struct zone *next;
    char name[NAME_LEN_MAX + 1];
    struct tz *tz;
    struct timespec changed; /* of the file when it was read */
    ino_t ino;
};

struct zones {
    char root[PATH_MAX];
    bool listed;
    struct buf list; /* tzdata.zi; `names` point into it */
    struct str *names;
    size_t name_count, name_cap;
    struct zone *first; /* the newest of a name comes first */
    char local[NAME_LEN_MAX + 1];
};

struct zones *zones_new(const char *root)
{
    struct zones *z = mem_new(sizeof *z);
    const char *env = getenv("TZDIR");
    if (!root)
        root = env && env[0] == '/' ? env : "/usr/share/zoneinfo";
    snprintf(z->root, sizeof z->root, "%s", root);
    return z;
}

void zones_free(struct zones *z)
{
    if (!z)
        return;
    for (struct zone *p = z->first, *next; p; p = next) {
        next = p->next;
        tz_free(p->tz);
        free(p);
    }
    buf_free(&z->list);
    free(z->names);
    free(z);
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-';
}

bool zone_name_good(struct str name)
{
    if (name.len == 0 || name.len > NAME_LEN_MAX)
        return false;
    bool part_begins = true;
    for (size_t i = 0; i < name.len; i++) {
        bool slash = name.at[i] == '/';
        if (slash ? part_begins : !is_name_char(name.at[i]))
            return false;
        part_begins = slash;
    }
    return !part_begins;
}

static bool is_utc(struct str name)
{
    return str_is(name, "UTC") || str_is(name, "Etc/UTC");
}

static struct zone *find(const struct zones *z, struct str name)
{
    struct zone *p = z->first;
    while (p && !str_is(name, p->name))
        p = p->next;
    return p;
}

static bool same_file(const struct zone *p, const struct stat *st)
{
    return p->ino == st->st_ino && p->changed.tv_sec == st->st_mtim.tv_sec &&
           p->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static bool zone_read(struct zones *z, int fd, struct str name, const struct stat *st,
                      const struct tz **out, struct err *e)
{
    CLEANUP(buf_free)
    struct buf bytes = {0};
    struct tz *tz;
    if (!fd_read_all(fd, TZ_BYTES_MAX, &bytes, e) ||
        !tz_parse((struct str){bytes.at, bytes.len}, &tz, e))
        return err_wrap(e, "time zone '%.*s'", STR_ARG(name));
    struct zone *p = mem_new(sizeof *p);
    memcpy(p->name, name.at, name.len);
    p->tz = tz;
    p->changed = st->st_mtim;
    p->ino = st->st_ino;
    p->next = z->first;
    z->first = p;
    *out = tz;
    return true;
}

bool zones_get(struct zones *z, struct str name, const struct tz **out, struct err *e)
{
    CLEANUP(fd_close)
    int fd = -1;
    char path[PATH_MAX + NAME_LEN_MAX + 2];
    struct stat st;
    if (!zone_name_good(name))
        return err_set(e, ERR_INVALID, "'%.*s' is not the name of a time zone",
                       (int)MIN(name.len, (size_t)NAME_LEN_MAX), name.at ? name.at : "");
    if (is_utc(name)) {
        *out = tz_utc();
        return true;
    }
    snprintf(path, sizeof path, "%s/%.*s", z->root, STR_ARG(name));
    /* Many names are links to others, so links are followed here. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
        return err_sys(e, "%s", path);
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
        return err_set(e, ERR_NOT_FOUND, "there is no time zone '%.*s' in %s", STR_ARG(name),
                       z->root);
    struct zone *known = find(z, name);
    if (known && same_file(known, &st)) {
        *out = known->tz;
        return true;
    }
    return zone_read(z, fd, name, &st, out, e);
}

/* What /etc/localtime points at, behind ".../zoneinfo/". */
static struct str name_of_link(char path[PATH_MAX])
{
    ssize_t n = readlink("/etc/localtime", path, PATH_MAX - 1);
    if (n < 0)
        return STR_NONE;
    path[n] = 0;
    const char *tree = strstr(path, "zoneinfo/");
    return tree ? str_of(tree + strlen("zoneinfo/")) : STR_NONE;
}

static struct str name_of_file(char text[PATH_MAX])
{
    CLEANUP(fd_close)
    int fd = open("/etc/timezone", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, text, PATH_MAX - 1);
    return n < 0 ? STR_NONE : str_trim((struct str){text, (size_t)n});
}

static bool use_local(struct zones *z, struct str found, struct str *name, const struct tz **out)
{
    struct err ignored;
    if (!zone_name_good(found) || !zones_get(z, found, out, &ignored))
        return false;
    snprintf(z->local, sizeof z->local, "%.*s", STR_ARG(found));
    *name = str_of(z->local);
    return true;
}

const struct tz *zones_local(struct zones *z, struct str *name, bool *said)
{
    char text[PATH_MAX];
    const struct tz *tz = tz_utc();
    *said =
        use_local(z, name_of_link(text), name, &tz) || use_local(z, name_of_file(text), name, &tz);
    if (!*said)
        *name = S("UTC");
    return tz;
}

/* ---- what may have been meant ---- */

/* The last word of "Z Europe/Berlin ..." and "L Europe/Berlin Europe/Oslo" that
 * is a name: the form of zic's input, in which the tree says what it holds. */
static struct str name_of_line(struct str line)
{
    if (!str_starts(line, S("Z ")) && !str_starts(line, S("L ")))
        return STR_NONE;
    const char *at = line.at + 2, *end = line.at + line.len;
    const char *space = memchr(at, ' ', (size_t)(end - at));
    if (line.at[0] == 'L')
        return space ? (struct str){space + 1, (size_t)(end - space - 1)} : STR_NONE;
    return (struct str){at, (size_t)((space ? space : end) - at)};
}

static void list_names(struct zones *z)
{
    CLEANUP(fd_close)
    int fd = -1;
    char path[PATH_MAX + 16];
    struct err ignored; /* without a list there is no advice, and that is all */
    z->listed = true;
    snprintf(path, sizeof path, "%s/tzdata.zi", z->root);
    if (!fd_open_read(AT_FDCWD, path, &fd, &ignored) ||
        !fd_read_all(fd, LIST_BYTES_MAX, &z->list, &ignored))
        return;
    const char *at = z->list.at, *end = at + z->list.len;
    for (const char *next; at < end; at = next + 1) {
        next = memchr(at, '\n', (size_t)(end - at));
        next = next ? next : end;
        struct str name = name_of_line((struct str){at, (size_t)(next - at)});
        if (!zone_name_good(name))
            continue;
        z->names = mem_grow(z->names, &z->name_cap, z->name_count + 1, sizeof *z->names);
        z->names[z->name_count++] = name;
    }
}

/* `name` is `word`, or ends in it behind a slash; capitals count for nothing. */
static bool ends_alike(struct str name, struct str word, bool whole)
{
    if (name.len < word.len || (whole && name.len != word.len))
        return false;
    const char *tail = name.at + name.len - word.len;
    return strncasecmp(tail, word.at, word.len) == 0 && (tail == name.at || tail[-1] == '/');
}

struct str zones_nearest(struct zones *z, struct str word)
{
    if (word.len == 0 || word.len > NAME_LEN_MAX)
        return STR_NONE;
    if (!z->listed)
        list_names(z);
    for (int whole = 1; whole >= 0; whole--)
        for (size_t i = 0; i < z->name_count; i++)
            if (ends_alike(z->names[i], word, whole))
                return z->names[i];
    int i = str_nearest(word, z->names, z->name_count, word.len < 4 ? 1 : 2);
    return i < 0 ? STR_NONE : z->names[i];
}

static bool is_known(void *ctx, struct str name)
{
    const struct tz *zone;
    struct err e = {0};
    return zones_get(ctx, name, &zone, &e) || (e.kind != ERR_NOT_FOUND && e.kind != ERR_INVALID);
}

static struct str nearest(void *ctx, struct str word)
{
    return zones_nearest(ctx, word);
}

struct load_zones zones_for_load(struct zones *z)
{
    return (struct load_zones){is_known, nearest, z};
}
