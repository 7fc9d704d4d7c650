/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_sql.c: questions nobody thought of, asked of the database itself.
 *
 * The connection cannot write. The views v_* are the documented interface; the
 * tables below them may change with any version. */
#include "cli/commands.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "store/store.h"

enum { QUERY_MAX = 1 << 20 };

static struct str column(sqlite3_stmt *q, int i)
{
    const char *text = (const char *)sqlite3_column_text(q, i);
    return (struct str){text, text ? (size_t)sqlite3_column_bytes(q, i) : 0};
}

static void json_value(struct json *j, sqlite3_stmt *q, int i)
{
    const char *name = sqlite3_column_name(q, i);
    char number[40];
    switch (sqlite3_column_type(q, i)) {
    case SQLITE_INTEGER: json_int(j, name, sqlite3_column_int64(q, i)); break;
    case SQLITE_FLOAT:
        sqlite3_snprintf(sizeof number, number, "%!.15g", sqlite3_column_double(q, i));
        json_raw(j, name, str_of(number));
        break;
    case SQLITE_NULL: json_none(j, name); break;
    default: json_str(j, name, column(q, i)); break;
    }
}

static int print_json(sqlite3_stmt *q, struct buf *out)
{
    struct json j = json_to(out);
    int rc;
    json_open(&j, NULL);
    json_str(&j, "schema", S("gowtf.sql/1"));
    json_list(&j, "items");
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        json_open(&j, NULL);
        for (int i = 0; i < sqlite3_column_count(q); i++)
            json_value(&j, q, i);
        json_close(&j);
    }
    json_list_end(&j);
    json_close(&j);
    buf_putc(out, '\n');
    return rc;
}

static int print_rows(const struct cli *c, sqlite3_stmt *q, struct buf *out)
{
    struct table t;
    int rc, n = MIN(sqlite3_column_count(q), 32);
    table_init(&t, &c->out, (uint32_t)MAX(n, 1), 0);
    for (int i = 0; i < n; i++)
        table_cell(&t, TONE_DIM, str_of(sqlite3_column_name(q, i)));
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        for (int i = 0; i < n; i++)
            table_cell(&t, TONE_NONE, column(q, i));
    if (n)
        table_print(&t, out);
    table_free(&t);
    return rc;
}

static int complain(const struct cli *c, sqlite3 *db)
{
    struct err e = {0};
    err_set(&e, ERR_INVALID, "%s", sqlite3_errmsg(db));
    fail_err(c, &cmd_sql, &e);
    return EXIT_USAGE;
}

static int ask(const struct cli *c, sqlite3 *db, struct str query, struct buf *out)
{
    sqlite3_stmt *q = NULL;
    const char *rest = "";
    if (sqlite3_prepare_v2(db, query.at, (int)query.len, &q, &rest) != SQLITE_OK)
        return complain(c, db);
    struct str more = str_trim((struct str){rest, query.len - (size_t)(rest - query.at)});
    if (!q || more.len) {
        sqlite3_finalize(q);
        return fail_usage(c, &cmd_sql, NULL, "give one query at a time");
    }
    int rc = c->json ? print_json(q, out) : print_rows(c, q, out);
    int status = rc == SQLITE_DONE ? EXIT_DONE : complain(c, db);
    sqlite3_finalize(q);
    return status;
}

static int sql_run(struct cli *c, const void *opts, int argc, char **argv)
{
    struct db db CLEANUP(db_close) = {0};
    struct buf text CLEANUP(buf_free) = {0}, out CLEANUP(buf_free) = {0};
    struct err e = {0};
    (void)opts;

    if (argc)
        buf_puts(&text, argv[0]);
    else if (isatty(STDIN_FILENO))
        buf_puts(&text, "SELECT m.name AS view, group_concat(c.name, ' ') AS columns"
                        "  FROM sqlite_schema m, pragma_table_info(m.name) c"
                        " WHERE m.type = 'view' GROUP BY m.name");
    else if (!fd_read_all(STDIN_FILENO, QUERY_MAX, &text, &e))
        return fail_err(c, &cmd_sql, &e);
    if (!store_open_reader(c->home, &db, &e))
        return fail_err(c, &cmd_sql, &e);
    int status = ask(c, db.handle, (struct str){text.at ? text.at : "", text.len}, &out);
    out_flush(&out);
    return status;
}

const struct command cmd_sql = {
    .name = "sql",
    .group = GROUP_ENGINE,
    .args = "[QUERY]",
    .help = "Read-only SQL over the documented views",
    .more = "The query is an argument or comes from standard input; nothing can be written.\n"
            "Without either, at a terminal, it lists the views and their columns. Times in\n"
            "the database are milliseconds since 1970, UTC. docs/database.md explains the\n"
            "views; they keep their names and columns, the tables below them may change.",
    .examples = {"gowtf sql \"SELECT workflow, count(*) FROM v_runs GROUP BY 1\"",
                 "gowtf sql --json < question.sql"},
    .json = true,
    .arg_max = 1,
    .run = sql_run,
};
