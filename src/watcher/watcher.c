/* SPDX-License-Identifier: MIT
 *
 * watcher/watcher.c: from a directory to the store, in slices.
 *
 *     RESTING ── an event and quiet, or time ──> LISTING ──> READING ──> RESTING
 *
 * Each tick does one slice. What a slice found is written down in the same turn,
 * and nothing further is done before it is committed: so a full disk stops the
 * watcher, and memory holds one slice at most.
 *
 * What must stay true:
 *
 *   - an event only makes the watcher look; what it then does follows from the
 *     directory and the store alone (sync.c);
 *   - a file that changes while it is read, or is open for writing, is left as
 *     it was and looked at again;
 *   - whatever is in the store was once, whole, in a file. */
#include "watcher/watcher.h"
#include "base/fd.h"
#include "model/limits.h"
#include "store/zones.h"
#include "watcher.sql.h"
#include "watcher/notify.h"
#include "watcher/record.h"
#include "watcher/sync.h"
#include "watcher/walk.h"

#include <fcntl.h>
#include <sodium/crypto_hash_sha256.h>
#include <sodium/utils.h>

enum phase { RESTING, LISTING, READING };

enum { TICKETS_MAX = 64 };

struct readings {
    struct reading **at;
    size_t count, cap;
};

struct watcher {
    struct corridor *corridor;
    struct store *store;
    struct door *door;
    struct zones *zones;
    char *root;
    bool single;
    int64_t single_id;

    enum phase phase;
    struct sync *sync;
    struct notify *notify;
    struct walk *walk;
    int root_fd; /* of the scan under way, -1: the root is not there */

    ms_t first_hint, last_hint; /* MS_NEVER: no reason to look */
    ms_t next_scan;
    bool look_now;

    size_t held;     /* files believed to come back */
    ms_t held_since; /* MS_NEVER: none */
    bool sure;       /* a person said that it was meant */
    bool notice;     /* the store is to be told that files are held */

    struct readings readings; /* of this slice */
    int64_t *gone_ids;        /* parallel to sync_gone() */
    size_t gone_cap;
    uint64_t tickets[TICKETS_MAX]; /* who waits for the next scan to end */
    size_t ticket_count, tickets_scanned;
};

/* ---- what the store knows ---- */

static void know_file(struct watcher *w, const struct files_known_row *row, bool moved)
{
    struct file_stat st = {row->dev, row->ino, row->size, row->mtime_ns, row->ctime_ns};
    enum file_state state = FILE_IGNORED;
    if (!file_state_parse(row->state, &state) || row->path.len == 0 || row->path.at[0] == '/')
        return;
    struct sync_file *f = sync_know(w->sync, row->path, &st, state, row->name, row->owner != 0);
    /* What was wrong may be right to this program, and what the store holds of
     * it may be of another directory or of another file. */
    f->again = moved || state == FILE_INVALID || (state == FILE_ACTIVE && !row->owner);
    if (row->hash.at && row->hash.len < sizeof f->hash)
        memcpy(f->hash, row->hash.at, row->hash.len);
    if (row->reason.at)
        f->reason = mem_strdup(row->reason.at);
}

/* The absolute directory of the file `path`, as far as it is below the root. */
static void dir_of(const struct watcher *w, struct str path, struct buf *out)
{
    size_t len = path.len;
    while (len && path.at[len - 1] != '/')
        len--;
    buf_clear(out);
    if (path.at[0] != '/')
        buf_puts(out, w->root);
    if (len > 1) {
        if (path.at[0] != '/')
            buf_putc(out, '/');
        buf_add(out, path.at, len - 1);
    } else if (len == 1) {
        buf_putc(out, '/');
    }
}

static bool know_files(struct watcher *w, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct files_known_row row;
    struct buf dir = {0};
    if (!sql_files_known(&w->store->db, &rows, e))
        return false;
    while (sql_files_known_next(&rows, &row)) {
        dir_of(w, row.path, &dir);
        bool moved = row.owner && !str_eq(row.dir, (struct str){dir.at, dir.len});
        w->sure |= moved; /* another directory altogether: its files are not missing */
        know_file(w, &row, moved);
    }
    buf_free(&dir);
    return db_rows_end(&rows, e);
}

static bool know_names(struct watcher *w, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct workflows_active_row row;
    if (!sql_workflows_active(&w->store->db, &rows, e))
        return false;
    while (sql_workflows_active_next(&rows, &row))
        sync_know_name(w->sync, row.name);
    return db_rows_end(&rows, e);
}

/* ---- reading files ---- */

static void hash_text(struct str text, char out[HASH_TEXT_MAX])
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    _Static_assert(2 * crypto_hash_sha256_BYTES + 1 == HASH_TEXT_MAX, "hex and a NUL");
    crypto_hash_sha256(sum, (const unsigned char *)text.at, text.len);
    sodium_bin2hex(out, HASH_TEXT_MAX, sum, sizeof sum);
}

static struct reading *reading_new(struct str path, enum file_state was)
{
    struct reading *r = mem_new(sizeof *r);
    char *copy = mem_new(path.len + 1);
    memcpy(copy, path.at, path.len);
    r->path = (struct str){copy, path.len};
    r->was = was;
    return r;
}

static void parse(struct watcher *w, struct reading *r)
{
    struct str text = {r->text.at ? r->text.at : "", r->text.len};
    struct load_zones zones = zones_for_load(w->zones);
    r->workflow = workflow_load_with(text, r->path, &zones, &r->problems);
}

static void keep_reading(struct watcher *w, struct reading *r)
{
    struct readings *l = &w->readings;
    l->at = mem_grow(l->at, &l->cap, l->count + 1, sizeof *l->at);
    l->at[l->count++] = r;
}

/* The whole text of `f`; false: it cannot be had, and what to do about it is
 * done. */
static bool fetch(struct watcher *w, struct sync_file *f, struct buf *text, struct file_stat *st)
{
    CLEANUP(fd_close)
    int fd = -1;
    struct err e = {0};
    struct file_stat after;
    if (!walk_open(w->root_fd, f->path.at, &fd, st, &e)) {
        if (e.kind == ERR_NOT_FOUND)
            sync_skip(w->sync, f);
        else
            sync_unreadable(w->sync, f, &f->stat, e.text);
        return false;
    }
    if (!fd_read_all(fd, FILE_BYTES_MAX, text, &e)) {
        sync_unreadable(w->sync, f, st, e.text);
        return false;
    }
    if (!walk_stat(fd, &after) || memcmp(&after, st, sizeof after) != 0) {
        sync_skip(w->sync, f); /* somebody writes it */
        w->look_now = true;
        return false;
    }
    return true;
}

/* Returns how many bytes that was. */
static size_t read_one(struct watcher *w, struct sync_file *f)
{
    struct file_stat st;
    struct reading *r = reading_new(f->path, f->state);
    if (!fetch(w, f, &r->text, &st)) {
        reading_free(r);
        return 0;
    }
    size_t len = r->text.len;
    hash_text((struct str){r->text.at, len}, r->hash);
    if (sync_is_same(f, r->hash)) {
        sync_same(w->sync, f, &st);
        reading_free(r);
        return len;
    }
    bool again = f->state == FILE_INVALID && strcmp(f->hash, r->hash) == 0;
    parse(w, r);
    r->verdict = sync_read(w->sync, f, &st, r->hash, r->workflow ? r->workflow->name : STR_NONE);
    if (again && r->verdict == SYNC_INVALID)
        reading_free(r); /* as wrong as before: said already */
    else
        keep_reading(w, r);
    return len;
}

/* ---- a scan ---- */

static void on_entry(void *ctx, struct str path, const struct file_stat *st, const char *odd)
{
    struct watcher *w = ctx;
    sync_entry(w->sync, path, st, odd);
}

static void on_dir(void *ctx, int fd, struct str path)
{
    struct watcher *w = ctx;
    notify_dir(w->notify, fd, path);
}

/* Files somebody is writing stay what they were; the listing must not see them. */
static void keep_open_files(struct watcher *w)
{
    size_t i = 0;
    for (struct str path; (path = notify_open_file(w->notify, &i, w->corridor->steady)).at;)
        sync_keep(w->sync, path);
}

static void listed(struct watcher *w, bool root_gone)
{
    ms_t now = w->corridor->steady;
    bool sure = w->sure || (w->held_since != MS_NEVER && now - w->held_since >= GUARD_HOLD_MS);
    size_t held = sync_listed(w->sync, sure, root_gone);
    w->notice = held > 0 && w->held == 0;
    w->held_since = held == 0 ? MS_NEVER : w->held ? w->held_since : now;
    w->held = held;
    w->sure = false;
    w->phase = READING;
}

static void begin_scan(struct watcher *w)
{
    struct walk_fns fns = {on_entry, on_dir, w};
    struct err e;
    w->first_hint = w->last_hint = MS_NEVER;
    w->look_now = false;
    w->tickets_scanned = w->ticket_count;
    w->phase = LISTING;
    sync_begin(w->sync);
    keep_open_files(w);
    notify_begin(w->notify, w->root);
    w->root_fd = open(w->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w->root_fd < 0 || !walk_new(w->root, &fns, &w->walk, &e)) {
        fd_close(&w->root_fd);
        notify_end(w->notify);
        listed(w, true);
    }
}

static void list_slice(struct watcher *w)
{
    if (walk_step(w->walk, WATCH_LIST_MAX))
        return;
    walk_free(w->walk);
    w->walk = NULL;
    notify_end(w->notify);
    listed(w, false);
}

static void end_scan(struct watcher *w)
{
    bool seen = w->root_fd >= 0 && notify_works(w->notify);
    w->next_scan = w->corridor->steady + (seen ? WATCH_RESCAN_MS : WATCH_POLL_MS);
    w->phase = RESTING;
    fd_close(&w->root_fd);
}

static void read_slice(struct watcher *w)
{
    size_t bytes = 0;
    for (size_t n = 0; n < WATCH_READ_MAX && bytes < WATCH_READ_BYTES; n++) {
        struct sync_file *f = sync_next(w->sync);
        if (f) {
            bytes += read_one(w, f);
        } else if (!sync_settle(w->sync)) {
            end_scan(w);
            return;
        }
    }
}

static bool due(const struct watcher *w)
{
    ms_t now = w->corridor->steady;
    return w->look_now || now >= w->next_scan ||
           (w->last_hint != MS_NEVER &&
            (now >= w->last_hint + WATCH_QUIET_MS || now >= w->first_hint + WATCH_RESTLESS_MS));
}

static void answer_tickets(struct watcher *w)
{
    struct answer yes = {0};
    if (w->phase != RESTING || w->tickets_scanned == 0)
        return;
    for (size_t i = 0; i < w->tickets_scanned; i++)
        door_answer(w->door, w->tickets[i], &yes);
    w->ticket_count -= w->tickets_scanned;
    memmove(w->tickets, w->tickets + w->tickets_scanned, w->ticket_count * sizeof *w->tickets);
    w->tickets_scanned = 0;
}

void watcher_tick(struct watcher *w)
{
    if (w->single || watcher_dirty(w))
        return;
    if (w->phase == RESTING && due(w))
        begin_scan(w);
    else if (w->phase == LISTING)
        list_slice(w);
    else if (w->phase == READING)
        read_slice(w);
    if (!watcher_dirty(w))
        answer_tickets(w);
}

static ms_t hint_deadline(const struct watcher *w)
{
    if (w->last_hint == MS_NEVER)
        return MS_NEVER;
    return MIN(w->last_hint + WATCH_QUIET_MS, w->first_hint + WATCH_RESTLESS_MS);
}

ms_t watcher_deadline(const struct watcher *w)
{
    if (w->single || watcher_dirty(w))
        return MS_NEVER; /* the commit goes on from here */
    if (w->phase != RESTING || w->look_now)
        return w->corridor->steady;
    ms_t at = MIN(hint_deadline(w), w->next_scan);
    return MIN(at, notify_patience(w->notify));
}

/* ---- hints ---- */

static void hint(struct watcher *w)
{
    w->last_hint = w->corridor->steady;
    if (w->first_hint == MS_NEVER)
        w->first_hint = w->last_hint;
}

void watcher_ready(struct watcher *w)
{
    if (notify_read(w->notify, w->corridor->steady))
        hint(w);
}

int watcher_fd(const struct watcher *w)
{
    return w->notify ? notify_fd(w->notify) : -1;
}

void watcher_hear(struct watcher *w, const struct msg *m)
{
    if (m->kind != MSG_RESCAN)
        return;
    if (w->single || w->ticket_count == TICKETS_MAX) {
        struct answer no = {.kind = ERR_LIMIT, .text = "too many wait for the directory already"};
        door_answer(w->door, m->request.ticket, &no);
        return;
    }
    w->tickets[w->ticket_count++] = m->request.ticket;
    w->sure = w->look_now = true;
}

/* ---- writing down ---- */

bool watcher_dirty(const struct watcher *w)
{
    return w->readings.count || w->notice || sync_changed(w->sync)->count ||
           sync_gone(w->sync)->count;
}

static bool write_readings(struct watcher *w, struct err *e)
{
    struct buf dir = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < w->readings.count; i++) {
        struct reading *r = w->readings.at[i];
        dir_of(w, r->path, &dir);
        ok = record_reading(w->store, r, (struct str){dir.at, dir.len}, w->corridor->now, e);
    }
    buf_free(&dir);
    return ok;
}

static bool write_gone(struct watcher *w, struct err *e)
{
    const struct sync_names *gone = sync_gone(w->sync);
    w->gone_ids = mem_grow(w->gone_ids, &w->gone_cap, gone->count, sizeof *w->gone_ids);
    for (size_t i = 0; i < gone->count; i++)
        if (!record_gone(w->store, gone->at[i], w->corridor->now, &w->gone_ids[i], e))
            return false;
    return true;
}

static bool write_files(struct watcher *w, struct err *e)
{
    const struct sync_files *changed = sync_changed(w->sync);
    for (size_t i = 0; i < changed->count; i++)
        if (!record_file(w->store, changed->at[i], w->corridor->now, e))
            return false;
    return true;
}

bool watcher_write(struct watcher *w, struct err *e)
{
    if (w->notice && !record_notice(w->store, "held", w->held, w->corridor->now, e))
        return false;
    return write_readings(w, e) && write_gone(w, e) && write_files(w, e);
}

static void tell_scheduler(struct watcher *w)
{
    const struct sync_names *gone = sync_gone(w->sync);
    for (size_t i = 0; i < w->readings.count; i++) {
        const struct reading *r = w->readings.at[i];
        struct msg m = {.kind = MSG_WORKFLOW_CHANGED, .workflow = {r->id, r->version}};
        if (r->verdict == SYNC_ADOPT && r->changed)
            corridor_post(w->corridor, m);
    }
    for (size_t i = 0; i < gone->count; i++) {
        struct msg m = {.kind = MSG_WORKFLOW_GONE, .workflow = {w->gone_ids[i], 0}};
        if (w->gone_ids[i])
            corridor_post(w->corridor, m);
    }
}

static void drop_readings(struct watcher *w)
{
    for (size_t i = 0; i < w->readings.count; i++)
        reading_free(w->readings.at[i]);
    w->readings.count = 0;
}

void watcher_committed(struct watcher *w)
{
    tell_scheduler(w);
    if (w->single && w->readings.count)
        w->single_id = w->readings.at[0]->id;
    drop_readings(w);
    sync_written(w->sync);
    w->notice = false;
    answer_tickets(w);
}

/* ---- the whole ---- */

static bool read_single(struct watcher *w, const char *path, struct err *e)
{
    CLEANUP(fd_close)
    int fd = -1;
    struct reading *r = reading_new(str_of(path), FILE_NEW);
    keep_reading(w, r);
    if (!fd_open_read(AT_FDCWD, path, &fd, e) || !fd_read_all(fd, FILE_BYTES_MAX, &r->text, e))
        return false;
    hash_text((struct str){r->text.at, r->text.len}, r->hash);
    parse(w, r);
    if (!r->workflow)
        return err_set(e, ERR_INVALID, "%s: %.*s", path,
                       STR_ARG(r->problems.count ? r->problems.at[0].message : STR_NONE));
    r->verdict = SYNC_ADOPT;
    return true;
}

static bool begin(struct watcher *w, const struct watcher_opts *o, struct err *e)
{
    if (w->single)
        return read_single(w, o->file, e);
    w->root = mem_strdup(o->root);
    w->notify = notify_new();
    w->look_now = true;
    return know_files(w, e) && know_names(w, e);
}

struct watcher *watcher_new(const struct watcher_opts *o, struct corridor *c, struct store *s,
                            struct door *d, struct err *e)
{
    ASSERT(!o->file != !o->root);
    struct watcher *w = mem_new(sizeof *w);
    w->corridor = c;
    w->store = s;
    w->door = d;
    w->single = o->file != NULL;
    w->sync = sync_new();
    w->zones = zones_new(NULL);
    w->root_fd = -1;
    w->first_hint = w->last_hint = w->held_since = w->next_scan = MS_NEVER;
    if (!begin(w, o, e)) {
        watcher_free(w);
        return NULL;
    }
    return w;
}

void watcher_free(struct watcher *w)
{
    if (!w)
        return;
    drop_readings(w);
    free(w->readings.at);
    free(w->gone_ids);
    walk_free(w->walk);
    notify_free(w->notify);
    sync_free(w->sync);
    zones_free(w->zones);
    fd_close(&w->root_fd);
    free(w->root);
    free(w);
}

bool watcher_busy(const struct watcher *w)
{
    return w->phase != RESTING || w->look_now || watcher_dirty(w);
}

size_t watcher_held(const struct watcher *w)
{
    return w->held;
}

int64_t watcher_single(const struct watcher *w)
{
    return w->single_id;
}
