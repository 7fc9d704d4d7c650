/* SPDX-License-Identifier: MIT
 *
 * store/db.c: SQLite with its claws in.
 *
 * What must stay true:
 *
 *   - only the writer connection ever checkpoints: two connections that commit
 *     and checkpoint at once meet a race in libraries before 3.51.3;
 *   - readers are opened read-only and never wait for the writer;
 *   - a statement that is being stepped is never handed out a second time. */
#include "store/db.h"

#include <sqlite3.h>

static enum err_kind kind_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL: return ERR_FULL;
    case SQLITE_CONSTRAINT: return ERR_CONFLICT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERR_LIMIT;
    default: return ERR_SYSTEM;
    }
}

static bool fail(struct db *db, struct err *e)
{
    return err_set(e, kind_of(sqlite3_extended_errcode(db->handle)), "database: %s",
                   sqlite3_errmsg(db->handle));
}

static const char writer_settings[] = "PRAGMA journal_mode=WAL;"
                                      "PRAGMA synchronous=NORMAL;"
                                      "PRAGMA wal_autocheckpoint=0;"
                                      "PRAGMA temp_store=MEMORY;"
                                      "PRAGMA cache_size=-4096;";
static const char reader_settings[] = "PRAGMA query_only=ON;"
                                      "PRAGMA temp_store=MEMORY;"
                                      "PRAGMA cache_size=-1024;";

static bool configure(struct db *db, enum db_mode mode, struct err *e)
{
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_busy_timeout(db->handle, mode == DB_WRITER ? 5000 : 2000);
    return db_exec(db, "PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;", e) &&
           db_exec(db, mode == DB_WRITER ? writer_settings : reader_settings, e);
}

bool db_open(const char *path, enum db_mode mode, struct db *out, struct err *e)
{
    struct db db = {0};
    int flags =
        SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
        (mode == DB_WRITER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    if (sqlite3_open_v2(path, &db.handle, flags, NULL) != SQLITE_OK) {
        err_set(e, ERR_SYSTEM, "%s: %s", path,
                db.handle ? sqlite3_errmsg(db.handle) : "out of memory");
        sqlite3_close(db.handle);
        return false;
    }
    if (!configure(&db, mode, e)) {
        db_close(&db);
        return err_wrap(e, "%s", path);
    }
    *out = db;
    return true;
}

void db_close(struct db *db)
{
    for (struct map_slot *s = NULL; (s = map_each(&db->statements, s));)
        sqlite3_finalize(s->value);
    map_free(&db->statements);
    sqlite3_close(db->handle);
    *db = (struct db){0};
}

bool db_exec(struct db *db, const char *sql, struct err *e)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, e);
    return true;
}

static bool run_text(struct db *db, const char *sql, struct err *e)
{
    struct db_rows q;
    return db_prepare(db, sql, &q, e) && db_run(&q, e);
}

bool db_begin(struct db *db, struct err *e)
{
    static const char sql[] = "BEGIN IMMEDIATE";
    ASSERT(!db->in_txn);
    db->in_txn = run_text(db, sql, e);
    return db->in_txn;
}

bool db_commit(struct db *db, struct err *e)
{
    static const char sql[] = "COMMIT";
    ASSERT(db->in_txn);
    if (!run_text(db, sql, e))
        return false;
    db->in_txn = false;
    return true;
}

void db_rollback(struct db *db)
{
    static const char sql[] = "ROLLBACK";
    struct err ignored;
    if (db->in_txn && !sqlite3_get_autocommit(db->handle))
        (void)run_text(db, sql, &ignored); /* SQLite rolls back by itself on some errors */
    db->in_txn = false;
}

bool db_begin_read(struct db *db, struct err *e)
{
    static const char sql[] = "BEGIN";
    return run_text(db, sql, e);
}

void db_end_read(struct db *db)
{
    static const char sql[] = "ROLLBACK";
    struct err ignored;
    if (db->handle && !sqlite3_get_autocommit(db->handle))
        (void)run_text(db, sql, &ignored);
}

const char *db_library_version(void)
{
    return sqlite3_libversion();
}

int64_t db_last_id(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

bool db_prepare(struct db *db, const char *sql, struct db_rows *out, struct err *e)
{
    sqlite3_stmt *s = map_get(&db->statements, (int64_t)(intptr_t)sql);
    bool own = s && sqlite3_stmt_busy(s);
    if (!s || own) {
        unsigned flags = own ? 0 : SQLITE_PREPARE_PERSISTENT;
        if (sqlite3_prepare_v3(db->handle, sql, -1, flags, &s, NULL) != SQLITE_OK)
            return fail(db, e);
        if (!own)
            map_put(&db->statements, (int64_t)(intptr_t)sql, s);
    }
    *out = (struct db_rows){.db = db, .statement = s, .own = own};
    return true;
}

/* Binding fails only for an index that is not there, which sqlc has checked,
 * or for want of memory. */
static void bound(int code)
{
    ASSERT(code == SQLITE_OK);
}

void db_bind_int(struct db_rows *q, int i, int64_t value)
{
    bound(sqlite3_bind_int64(q->statement, i, value));
}

void db_bind_nint(struct db_rows *q, int i, int64_t value)
{
    bound(value == DB_NULL ? sqlite3_bind_null(q->statement, i)
                           : sqlite3_bind_int64(q->statement, i, value));
}

void db_bind_real(struct db_rows *q, int i, double value)
{
    bound(sqlite3_bind_double(q->statement, i, value));
}

void db_bind_text(struct db_rows *q, int i, struct str value)
{
    bound(value.at ? sqlite3_bind_text64(q->statement, i, value.at, value.len, SQLITE_TRANSIENT,
                                         SQLITE_UTF8)
                   : sqlite3_bind_null(q->statement, i));
}

bool db_next(struct db_rows *q)
{
    int code = sqlite3_step(q->statement);
    q->failed = code != SQLITE_ROW && code != SQLITE_DONE;
    return code == SQLITE_ROW;
}

int64_t db_get_int(struct db_rows *q, int column)
{
    return sqlite3_column_int64(q->statement, column);
}

int64_t db_get_nint(struct db_rows *q, int column)
{
    if (sqlite3_column_type(q->statement, column) == SQLITE_NULL)
        return DB_NULL;
    return sqlite3_column_int64(q->statement, column);
}

double db_get_real(struct db_rows *q, int column)
{
    return sqlite3_column_double(q->statement, column);
}

struct str db_get_text(struct db_rows *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q->statement, column);
    return (struct str){text, text ? (size_t)sqlite3_column_bytes(q->statement, column) : 0};
}

void db_rows_close(struct db_rows *q)
{
    if (!q->statement)
        return;
    if (q->own) {
        sqlite3_finalize(q->statement);
    } else {
        sqlite3_reset(q->statement);
        sqlite3_clear_bindings(q->statement);
    }
    q->statement = NULL;
}

bool db_rows_end(struct db_rows *q, struct err *e)
{
    bool ok = !q->failed;
    if (!ok)
        fail(q->db, e);
    db_rows_close(q);
    return ok;
}

bool db_run(struct db_rows *q, struct err *e)
{
    while (db_next(q))
        ;
    return db_rows_end(q, e);
}
