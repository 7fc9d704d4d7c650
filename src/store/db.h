/* SPDX-License-Identifier: MIT
 *
 * store/db.h: a connection to SQLite, and what the code made by tools/sqlc
 * stands on.
 *
 * Rooms never see a string of SQL: their statements live in .sql files, are
 * checked against the schema while we build, and come back as functions with
 * types. Each statement is prepared once a connection and kept.
 *
 * A connection belongs to one thread at a time. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

/* A column or parameter of sqlc's type `nint` that is NULL. (For `int`, NULL
 * reads as 0; for `text`, the absent text is NULL both ways.) */
#define DB_NULL INT64_MIN

struct db {
    struct sqlite3 *handle;
    struct map statements; /* by the address of their text */
    bool in_txn;
};

enum db_mode { DB_WRITER, DB_READER };

/* A writer creates the file if need be (0600). A reader never writes, not even
 * a checkpoint. */
bool db_open(const char *path, enum db_mode mode, struct db *out, struct err *e);
void db_close(struct db *db); /* fine on {0} */

/* A few statements without parameters, for schema and settings. */
bool db_exec(struct db *db, const char *sql, struct err *e);

bool db_begin(struct db *db, struct err *e); /* takes the write lock at once */
bool db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db); /* fine when there is none */

/* A reader that does several queries sees one state of the world in between. */
bool db_begin_read(struct db *db, struct err *e);
void db_end_read(struct db *db);

const char *db_library_version(void); /* of SQLite, "3.40.1" */
int64_t db_last_id(const struct db *db);
int64_t db_changes(const struct db *db); /* rows the last statement changed */

/* ---- for the functions sqlc makes ---- */

struct db_rows {
    struct db *db;
    struct sqlite3_stmt *statement;
    bool own;    /* prepared for this use only */
    bool failed; /* stepping failed: db_rows_end() says so */
};

bool db_prepare(struct db *db, const char *sql, struct db_rows *out, struct err *e);
void db_bind_int(struct db_rows *q, int i, int64_t value);
void db_bind_nint(struct db_rows *q, int i, int64_t value);
void db_bind_real(struct db_rows *q, int i, double value);
void db_bind_text(struct db_rows *q, int i, struct str value); /* copied */
bool db_run(struct db_rows *q, struct err *e); /* to the end, rows ignored; closes q */
bool db_next(struct db_rows *q);               /* false: no more, or failed */
int64_t db_get_int(struct db_rows *q, int column);
int64_t db_get_nint(struct db_rows *q, int column);
double db_get_real(struct db_rows *q, int column);
struct str db_get_text(struct db_rows *q, int column); /* valid until the next db_next() */

/* Every query is closed by one of these. */
bool db_rows_end(struct db_rows *q, struct err *e); /* false: stepping had failed */
void db_rows_close(struct db_rows *q);              /* for CLEANUP; fine on {0} and twice */

#endif
