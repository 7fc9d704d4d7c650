/* SPDX-License-Identifier: MIT
 *
 * store/store.c: opening the house, and one transaction a turn.
 *
 * What must stay true:
 *
 *   - the lock is taken on the directory's inode, so that another name for the
 *     same place (a link, a bind mount) is the same place;
 *   - a schema newer than this program is not touched;
 *   - a migration step is one transaction: old or new, never between. */
#include "store/store.h"
#include "base/fd.h"
#include "store/schema.h"
#include "store.sql.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { APPLICATION_ID = 0x676f7766 }; /* "gowf": tells our files from others' */

static bool path_in(const char *home, const char *name, char out[4096], struct err *e)
{
    int n = snprintf(out, 4096, "%s/%s", home, name);
    if (n < 0 || n >= 4096)
        return err_set(e, ERR_INVALID, "%s: the path is too long", home);
    return true;
}

/* mkdir -p, 0700. */
static bool make_dirs(const char *path, struct err *e)
{
    char part[4096];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return err_set(e, ERR_INVALID, "%s: the path is too long", path);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p)
            continue;
        char at = *p;
        *p = 0;
        if (mkdir(part, 0700) && errno != EEXIST)
            return err_sys(e, "%s", part);
        *p = at;
        if (!at)
            return true;
    }
}

static long holder(int home_fd)
{
    char text[32] = "";
    int fd = openat(home_fd, "daemon.pid", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        ssize_t n = read(fd, text, sizeof text - 1);
        if (n < 0)
            text[0] = 0;
        close(fd);
    }
    return strtol(text, NULL, 10);
}

static bool take_lock(struct store *s, struct err *e)
{
    struct stat st;
    char path[4096], pid[32];
    s->home_fd = open(s->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->home_fd < 0 || fstat(s->home_fd, &st))
        return err_sys(e, "%s", s->home);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(e, ERR_DENIED, "%s: others may write here; chmod go-w it", s->home);
    if (flock(s->home_fd, LOCK_EX | LOCK_NB))
        return err_set(e, ERR_CONFLICT, "%s is in use by another gowtf (pid %ld)", s->home,
                       holder(s->home_fd));
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    return path_in(s->home, "daemon.pid", path, e) &&
           fd_replace_file(path, (struct str){pid, (size_t)n}, e);
}

static bool read_number(struct db *db, const char *sql, int64_t *out, struct err *e)
{
    struct db_rows q;
    if (!db_prepare(db, sql, &q, e))
        return false;
    *out = db_next(&q) ? db_get_int(&q, 0) : 0;
    return db_rows_end(&q, e);
}

static bool migrate_step(struct db *db, int from, struct err *e)
{
    char settings[128];
    snprintf(settings, sizeof settings, "PRAGMA user_version=%d; PRAGMA application_id=%d;",
             from + 1, APPLICATION_ID);
    if (!db_begin(db, e))
        return false;
    if (db_exec(db, schema_migrations[from], e) && db_exec(db, settings, e) && db_commit(db, e))
        return true;
    db_rollback(db);
    return err_wrap(e, "migration %d", from + 1);
}

static bool migrate(struct db *db, const char *path, struct err *e)
{
    static const char ask_version[] = "PRAGMA user_version";
    static const char ask_application[] = "PRAGMA application_id";
    static const char ask_tables[] = "SELECT count(*) FROM sqlite_schema";
    int64_t version, application, tables;
    if (!read_number(db, ask_version, &version, e) ||
        !read_number(db, ask_application, &application, e) ||
        !read_number(db, ask_tables, &tables, e))
        return false;
    if (application != APPLICATION_ID && (tables || version))
        return err_set(e, ERR_INVALID, "%s is not a gowtf database; it was not touched", path);
    if (version > schema_version)
        return err_set(e, ERR_INVALID,
                       "%s has schema %lld, this program knows up to %d; it was not touched", path,
                       (long long)version, schema_version);
    for (int v = (int)version; v < schema_version; v++)
        if (!migrate_step(db, v, e))
            return err_wrap(e, "%s", path);
    return true;
}

static bool open_database(struct store *s, struct err *e)
{
    char path[4096];
    struct event_last_row last;
    bool found;
    if (!path_in(s->home, "gowtf.db", path, e) || !db_open(path, DB_WRITER, &s->db, e) ||
        !migrate(&s->db, path, e))
        return false;
    if (s->durability == DURABLE_FULL && !db_exec(&s->db, "PRAGMA synchronous=FULL", e))
        return false;
    if (!sql_event_last_one(&s->db, &last, &found, e))
        return false;
    s->event_seq = last.seq;
    return true;
}

static int count_pages(void *ctx, sqlite3 *db, const char *name, int pages)
{
    (void)db, (void)name;
    ((struct store *)ctx)->wal_pages = pages;
    return SQLITE_OK;
}

bool store_open(const char *home, enum durability d, struct store *out, struct err *e)
{
    struct store s = {.home_fd = -1, .durability = d};
    char *real;
    if (!make_dirs(home, e))
        return false;
    real = realpath(home, NULL);
    if (!real)
        return err_sys(e, "%s", home);
    int n = snprintf(s.home, sizeof s.home, "%s", real);
    free(real);
    if (n >= (int)sizeof s.home)
        return err_set(e, ERR_INVALID, "%s: the path is too long", home);
    if (!take_lock(&s, e) || !open_database(&s, e)) {
        store_close(&s);
        return false;
    }
    *out = s;
    sqlite3_wal_hook(out->db.handle, count_pages, out);
    return true;
}

void store_close(struct store *s)
{
    if (s->db.handle)
        db_close(&s->db);
    if (s->home_fd > 0)
        close(s->home_fd);
    *s = (struct store){.home_fd = -1};
}

bool store_open_reader(const char *home, struct db *out, struct err *e)
{
    char path[4096];
    if (!path_in(home, "gowtf.db", path, e))
        return false;
    if (access(path, F_OK))
        return err_set(e, ERR_NOT_FOUND, "%s: there is no gowtf data here yet", home);
    return db_open(path, DB_READER, out, e);
}

bool store_begin(struct store *s, struct err *e)
{
    return db_begin(&s->db, e);
}

bool store_commit(struct store *s, struct err *e)
{
    if (!db_commit(&s->db, e))
        return false;
    s->commits++;
    return true;
}

void store_rollback(struct store *s)
{
    struct err ignored;
    struct event_last_row last;
    bool found;
    db_rollback(&s->db);
    if (sql_event_last_one(&s->db, &last, &found, &ignored))
        s->event_seq = last.seq;
}

bool event_add(struct store *s, ms_t at, const char *kind, int64_t workflow, int64_t run,
               struct str actor, struct str data, struct err *e)
{
    ASSERT(s->db.in_txn);
    if (!sql_event_insert(&s->db, s->event_seq + 1, at, str_of(kind), workflow ? workflow : DB_NULL,
                          run ? run : DB_NULL, actor, data, e))
        return false;
    s->event_seq++;
    return true;
}

bool store_checkpoint(struct store *s, struct err *e)
{
    int code = sqlite3_wal_checkpoint_v2(s->db.handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    /* A reader may keep some pages back; do not come again for those alone. */
    s->wal_pages = 0;
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        return err_set(e, ERR_SYSTEM, "checkpoint: %s", sqlite3_errmsg(s->db.handle));
    return true;
}

bool store_touch(struct store *s, ms_t now, struct err *e)
{
    if (store_begin(s, e) &&
        event_add(s, now, "daemon", 0, 0, STR_NONE,
                  S("{\"what\":\"started\",\"version\":\"" GOWTF_VERSION "\"}"), e) &&
        store_commit(s, e))
        return true;
    store_rollback(s);
    return false;
}

static const char *home_of_user(void)
{
    const char *home = getenv("HOME");
    if (home && home[0] == '/')
        return home;
    struct passwd *pw = getpwuid(getuid());
    return pw ? pw->pw_dir : NULL;
}

bool store_default_home(struct buf *out, struct err *e)
{
    const char *chosen = getenv("GOWTF_HOME"), *state = getenv("XDG_STATE_HOME");
    if (chosen && chosen[0]) {
        buf_puts(out, chosen);
    } else if (geteuid() == 0 && access("/var/lib/gowtf", W_OK) == 0) {
        buf_puts(out, "/var/lib/gowtf");
    } else if (state && state[0] == '/') {
        buf_printf(out, "%s/gowtf", state);
    } else {
        const char *home = home_of_user();
        if (!home)
            return err_set(e, ERR_INVALID, "no home directory is known; say -C DIR");
        buf_printf(out, "%s/.local/state/gowtf", home);
    }
    return true;
}

static bool retain_one(struct store *s, int64_t run, struct err *e)
{
    struct db *db = &s->db;
    struct retain_slot_of_row slot;
    bool found;
    return sql_retain_slot_of_one(db, run, &slot, &found, e) &&
           sql_retain_slots(db, run, slot.slot_at, slot.workflow_id, e) &&
           sql_retain_attempts(db, run, e) && sql_retain_instances(db, run, e) &&
           sql_retain_outputs(db, run, e) && sql_retain_artifacts(db, run, e) &&
           sql_retain_events(db, run, e) && sql_retain_run(db, run, e);
}

bool store_retain(struct store *s, const struct retention *r, ms_t now, int slice, bool *more,
                  struct buf *keys, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    struct retain_find_row row;
    int64_t ids[256];
    int count = 0;
    ms_t before = r->keep_ms ? now - r->keep_ms : 0;
    slice = MIN(slice, (int)countof(ids));
    if (!sql_retain_find(&s->db, r->keep_runs, before, slice, &rows, e))
        return false;
    while (count < slice && sql_retain_find_next(&rows, &row)) {
        ids[count++] = row.id;
        buf_printf(keys, "%.*s\n", STR_ARG(row.key));
    }
    if (!db_rows_end(&rows, e))
        return false;
    for (int i = 0; i < count; i++)
        if (!retain_one(s, ids[i], e))
            return false;
    *more = count == slice;
    return true;
}

/* ---- log files ---- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    (void)remove(path);
    return 0;
}

static void remove_files_of(struct store *s, struct str key)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/logs/files/%.*s", s->home, STR_ARG(key));
    if (key.len && n > 0 && n < (int)sizeof path)
        (void)nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Segments are numbered in the order they were begun: all below the first one
 * that an attempt still refers to hold nothing any more. */
static void remove_segments(struct store *s)
{
    struct segment_first_row first;
    struct err ignored;
    bool found;
    char path[4096];
    if (!sql_segment_first_one(&s->db, &first, &found, &ignored) || first.number <= 0)
        return;
    for (int64_t i = first.number - 1; i > 0; i--) {
        int n = snprintf(path, sizeof path, "%s/logs/segments/%08lld.log", s->home, (long long)i);
        if (n < 0 || n >= (int)sizeof path || unlink(path))
            return;
    }
}

void store_remove_logs(struct store *s, struct str keys)
{
    while (keys.len) {
        const char *end = memchr(keys.at, '\n', keys.len);
        size_t n = end ? (size_t)(end - keys.at) : keys.len;
        remove_files_of(s, (struct str){keys.at, n});
        keys = (struct str){keys.at + MIN(n + 1, keys.len), keys.len - MIN(n + 1, keys.len)};
        if (!keys.len)
            remove_segments(s);
    }
}
