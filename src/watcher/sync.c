/* SPDX-License-Identifier: MIT
 *
 * watcher/sync.c: which file defines which workflow.
 *
 * Files are read in path order, and a name is settled as its files are read: a
 * file takes its name from an owner later in the order, or from one that is
 * gone, and is in conflict with an owner before it. What that leaves without
 * an owner is settled when all have been read: a renamed file has found its
 * name again by then.
 *
 * What must stay true after each scan:
 *
 *   - a name has an owner if and only if a file with a good text claims it, or
 *     the text with which a file claimed it was good once;
 *   - the owner is FILE_ACTIVE or FILE_INVALID, every other claimant is not
 *     FILE_ACTIVE;
 *   - no file is read twice in a scan but one that came into its right. */
#include "watcher/sync.h"
#include "base/map.h"

#include <stdio.h>

struct sync {
    struct map files_by_hash, names_by_hash;
    struct sync_files files; /* by path order when `sorted` */
    struct sync_names names;
    struct sync_files changed;
    struct sync_names orphans, gone;
    size_t cursor;
    bool sorted, swept;
};

static const char *const state_words[] = {"new", "active", "invalid", "conflict", "ignored"};

const char *file_state_word(enum file_state st)
{
    ASSERT((size_t)st < countof(state_words));
    return state_words[st];
}

bool file_state_parse(struct str word, enum file_state *out)
{
    for (size_t i = 0; i < countof(state_words); i++) {
        if (str_is(word, state_words[i])) {
            *out = (enum file_state)i;
            return true;
        }
    }
    return false;
}

/* ---- tables of text: FNV-1a (Fowler, Noll, Vo), buckets chained ---- */

static int64_t text_hash(struct str s)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.at[i]) * 1099511628211u;
    return (int64_t)h;
}

static struct str text_keep(struct str s)
{
    char *p = mem_new(s.len + 1);
    memcpy(p, s.at, s.len);
    return (struct str){p, s.len};
}

struct sync_file *sync_find(const struct sync *s, struct str path)
{
    struct sync_file *f = map_get(&s->files_by_hash, text_hash(path));
    while (f && !str_eq(f->path, path))
        f = f->next;
    return f;
}

static void files_push(struct sync_files *l, struct sync_file *f)
{
    l->at = mem_grow(l->at, &l->cap, l->count + 1, sizeof *l->at);
    l->at[l->count++] = f;
}

static void names_push(struct sync_names *l, struct sync_name *n)
{
    l->at = mem_grow(l->at, &l->cap, l->count + 1, sizeof *l->at);
    l->at[l->count++] = n;
}

static struct sync_file *file_new(struct sync *s, struct str path)
{
    int64_t key = text_hash(path);
    struct sync_file *f = mem_new(sizeof *f);
    f->path = text_keep(path);
    f->next = map_get(&s->files_by_hash, key);
    map_put(&s->files_by_hash, key, f);
    files_push(&s->files, f);
    s->sorted = false;
    return f;
}

/* Out of the table; the list of files is the caller's. */
static void file_unlink(struct sync *s, struct sync_file *f)
{
    int64_t key = text_hash(f->path);
    struct sync_file *head = map_take(&s->files_by_hash, key), **at = &head;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    if (head)
        map_put(&s->files_by_hash, key, head);
}

static void file_free(struct sync_file *f)
{
    free((char *)f->path.at);
    free(f->reason);
    free(f);
}

static struct sync_name *name_get(struct sync *s, struct str name)
{
    int64_t key = text_hash(name);
    struct sync_name *head = map_get(&s->names_by_hash, key), *n = head;
    while (n && !str_eq(n->name, name))
        n = n->next;
    if (n)
        return n;
    n = mem_new(sizeof *n);
    n->name = text_keep(name);
    n->next = head;
    map_put(&s->names_by_hash, key, n);
    names_push(&s->names, n);
    return n;
}

struct sync *sync_new(void)
{
    return mem_new(sizeof(struct sync));
}

void sync_free(struct sync *s)
{
    if (!s)
        return;
    sync_written(s);
    for (size_t i = 0; i < s->files.count; i++)
        file_free(s->files.at[i]);
    for (size_t i = 0; i < s->names.count; i++) {
        free((char *)s->names.at[i]->name.at);
        free(s->names.at[i]);
    }
    map_free(&s->files_by_hash);
    map_free(&s->names_by_hash);
    free(s->files.at);
    free(s->names.at);
    free(s->changed.at);
    free(s->orphans.at);
    free(s->gone.at);
    free(s);
}

/* ---- who owns what ---- */

/* Who owns it is to be looked at when all files have been read. */
static void unsettle(struct sync *s, struct sync_name *n)
{
    if (!n->orphan)
        names_push(&s->orphans, n);
    n->orphan = true;
}

static void orphan(struct sync *s, struct sync_name *n)
{
    n->owner = NULL;
    unsettle(s, n);
}

static void release(struct sync *s, struct sync_file *f)
{
    if (f->claim && f->claim->owner == f)
        orphan(s, f->claim);
    f->claim = NULL;
}

static void touch(struct sync *s, struct sync_file *f)
{
    if (!f->changed)
        files_push(&s->changed, f);
    f->changed = true;
}

/* Takes `reason` (allocated or NULL). */
static void become(struct sync *s, struct sync_file *f, enum file_state state, char *reason)
{
    free(f->reason);
    f->reason = reason;
    f->state = state;
    touch(s, f);
}

static char *conflict_reason(const struct sync_name *n)
{
    char text[400];
    snprintf(text, sizeof text, "the name '%.*s' belongs to %.*s", STR_ARG(n->name),
             STR_ARG(n->owner->path));
    return mem_strdup(text);
}

struct sync_file *sync_know(struct sync *s, struct str path, const struct file_stat *stat,
                            enum file_state state, struct str claim, bool owner)
{
    ASSERT(!sync_find(s, path));
    struct sync_file *f = file_new(s, path);
    f->stat = *stat;
    f->state = state;
    if (claim.at)
        f->claim = name_get(s, claim);
    if (claim.at && owner) {
        f->claim->owner = f;
        f->claim->live = true;
    }
    return f;
}

void sync_know_name(struct sync *s, struct str name)
{
    struct sync_name *n = name_get(s, name);
    n->live = true;
    if (!n->owner)
        orphan(s, n);
}

/* ---- the listing ---- */

void sync_begin(struct sync *s)
{
    for (size_t i = 0; i < s->files.count; i++) {
        struct sync_file *f = s->files.at[i];
        f->listed = f->due = f->skipped = false;
    }
    s->cursor = 0;
    s->swept = false;
}

static bool stat_eq(const struct file_stat *a, const struct file_stat *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

/* Something of that name that is no text: it defines nothing. */
static void list_odd(struct sync *s, struct sync_file *f, const struct file_stat *stat,
                     const char *odd)
{
    if (f->state == FILE_IGNORED && stat_eq(&f->stat, stat) && f->reason &&
        strcmp(f->reason, odd) == 0)
        return;
    release(s, f);
    f->stat = *stat;
    f->hash[0] = 0;
    become(s, f, FILE_IGNORED, mem_strdup(odd));
}

void sync_entry(struct sync *s, struct str path, const struct file_stat *stat, const char *odd)
{
    struct sync_file *f = sync_find(s, path);
    if (!f)
        f = file_new(s, path);
    if (f->listed)
        return;
    f->listed = true;
    if (odd)
        list_odd(s, f, stat, odd);
    else
        f->due = f->state == FILE_NEW || f->again || !stat_eq(&f->stat, stat);
    if (f->state == FILE_NEW)
        f->stat = *stat;
}

void sync_keep(struct sync *s, struct str path)
{
    struct sync_file *f = sync_find(s, path);
    if (!f)
        f = file_new(s, path); /* not to be read before it is whole */
    f->listed = true;
}

static int by_path(const void *a, const void *b)
{
    const struct sync_file *const *x = a, *const *y = b;
    return str_cmp((*x)->path, (*y)->path);
}

static bool counts(const struct sync_file *f)
{
    return f->state == FILE_ACTIVE || f->state == FILE_INVALID || f->state == FILE_CONFLICT;
}

static int64_t stat_key(const struct file_stat *st)
{
    return (int64_t)((uint64_t)st->ino * 0x9e3779b97f4a7c15u ^ (uint64_t)st->dev);
}

/* How many of the `*of` known files are missing, those that only moved aside. */
static size_t count_missing(const struct sync *s, size_t *of)
{
    struct map fresh = {0};
    size_t missing = 0;
    *of = 0;
    for (size_t i = 0; i < s->files.count; i++)
        if (s->files.at[i]->state == FILE_NEW)
            map_put(&fresh, stat_key(&s->files.at[i]->stat), s->files.at[i]);
    for (size_t i = 0; i < s->files.count; i++) {
        const struct sync_file *f = s->files.at[i];
        *of += counts(f);
        missing += counts(f) && !f->listed && !map_get(&fresh, stat_key(&f->stat));
    }
    map_free(&fresh);
    return missing;
}

size_t sync_listed(struct sync *s, bool sure, bool root_gone)
{
    size_t of, missing = count_missing(s, &of);
    bool hold = !sure && missing > 0 &&
                (root_gone || (missing > GUARD_COUNT && missing * 100 > of * GUARD_PERCENT));
    if (!s->sorted && s->files.count)
        qsort(s->files.at, s->files.count, sizeof *s->files.at, by_path);
    s->sorted = true;
    for (size_t i = 0; i < s->files.count; i++)
        s->files.at[i]->gone = !s->files.at[i]->listed && !hold;
    return hold ? missing : 0;
}

/* ---- the reading ---- */

struct sync_file *sync_next(struct sync *s)
{
    for (; s->cursor < s->files.count; s->cursor++)
        if (s->files.at[s->cursor]->due)
            return s->files.at[s->cursor];
    return NULL;
}

static void was_read(struct sync_file *f, const struct file_stat *stat)
{
    ASSERT(f->due);
    f->due = f->again = false;
    f->stat = *stat;
}

bool sync_is_same(const struct sync_file *f, const char *hash)
{
    return f->state == FILE_ACTIVE && !f->again && f->claim && f->claim->owner == f &&
           strcmp(f->hash, hash) == 0;
}

void sync_same(struct sync *s, struct sync_file *f, const struct file_stat *stat)
{
    was_read(f, stat);
    touch(s, f);
}

static bool is_before(const struct sync_file *a, const struct sync_file *b)
{
    return str_cmp(a->path, b->path) < 0;
}

static enum sync_verdict claim(struct sync *s, struct sync_file *f, struct sync_name *n)
{
    struct sync_file *owner = n->owner;
    f->claim = n;
    if (owner && owner != f && !owner->gone && is_before(owner, f)) {
        become(s, f, FILE_CONFLICT, conflict_reason(n));
        return SYNC_CONFLICT;
    }
    if (!owner || owner->gone)
        unsettle(s, n); /* somebody unchanged may come before us */
    n->owner = f;
    n->live = true;
    if (owner && owner != f && !owner->gone && owner->state == FILE_ACTIVE)
        become(s, owner, FILE_CONFLICT, conflict_reason(n));
    become(s, f, FILE_ACTIVE, NULL);
    return SYNC_ADOPT;
}

enum sync_verdict sync_read(struct sync *s, struct sync_file *f, const struct file_stat *stat,
                            const char *hash, struct str name)
{
    was_read(f, stat);
    snprintf(f->hash, sizeof f->hash, "%s", hash);
    if (!name.at) {
        become(s, f, FILE_INVALID, NULL);
        return SYNC_INVALID;
    }
    struct sync_name *n = name_get(s, name);
    if (f->claim != n)
        release(s, f);
    return claim(s, f, n);
}

void sync_unreadable(struct sync *s, struct sync_file *f, const struct file_stat *stat,
                     const char *why)
{
    was_read(f, stat);
    f->hash[0] = 0;
    become(s, f, f->claim ? FILE_INVALID : FILE_IGNORED, mem_strdup(why));
}

void sync_skip(struct sync *s, struct sync_file *f)
{
    (void)s;
    f->due = false;
    f->again = f->state != FILE_NEW; /* whatever it looks like then */
    f->skipped = true;
}

/* ---- the settling ---- */

/* Files that are gone leave their names and the list. */
static void sweep(struct sync *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->files.count; i++) {
        struct sync_file *f = s->files.at[i];
        if (!f->gone) {
            s->files.at[kept++] = f;
            continue;
        }
        release(s, f);
        file_unlink(s, f);
        touch(s, f);
    }
    s->files.count = kept;
    s->swept = true;
}

/* The first in conflict over a name without owner, or with one later in the
 * order, comes into its right. */
static bool elect(struct sync *s)
{
    bool any = false;
    for (size_t i = 0; i < s->files.count; i++) {
        struct sync_file *f = s->files.at[i];
        struct sync_name *n = f->claim;
        if (f->state == FILE_CONFLICT && n && n->orphan && !n->elected && !f->skipped &&
            (!n->owner || is_before(f, n->owner)))
            any = n->elected = f->due = true;
    }
    return any;
}

bool sync_settle(struct sync *s)
{
    if (!s->swept)
        sweep(s);
    s->cursor = 0;
    if (s->orphans.count == 0)
        return false;
    for (size_t i = 0; i < s->orphans.count; i++)
        s->orphans.at[i]->elected = false;
    if (elect(s))
        return true;
    for (size_t i = 0; i < s->orphans.count; i++) {
        struct sync_name *n = s->orphans.at[i];
        n->orphan = false;
        if (!n->owner && n->live) {
            n->live = false;
            names_push(&s->gone, n);
        }
    }
    s->orphans.count = 0;
    return false;
}

const struct sync_files *sync_changed(const struct sync *s)
{
    return &s->changed;
}

const struct sync_names *sync_gone(const struct sync *s)
{
    return &s->gone;
}

void sync_written(struct sync *s)
{
    for (size_t i = 0; i < s->changed.count; i++) {
        struct sync_file *f = s->changed.at[i];
        f->changed = false;
        if (f->gone)
            file_free(f);
    }
    s->changed.count = s->gone.count = 0;
}
