/* SPDX-License-Identifier: MIT
 *
 * tools/sqlc.c: SQL in files of its own, checked and typed while we build.
 *
 *     sqlc room.sql schema.sql... > room.sql.h      one header for one room
 *     sqlc --migrations schema.sql... > schema.c    the schema as C strings
 *
 * A statement is introduced by a comment that reads like a prototype:
 *
 *     -- name(param type, ...) -> (column type, ...)
 *
 * Types: int (NULL reads as 0), nint (NULL is DB_NULL), real, text (absent is
 * NULL). Every statement is prepared against the schema in memory before a line
 * of C is written, with an authorizer that knows what the room may write:
 *
 *     -- writes: table ...     -- inserts: table ...     -- updates: table ...
 *     -- deletes: table ...
 *
 * So a typo, a parameter or a column list that does not match, or a write to
 * another room's table stops the build, with file and line. A file without any
 * such line only reads.
 *
 * For a statement with columns it makes
 *     struct NAME_row; sql_NAME(db, params, &rows, e); sql_NAME_next(&rows, &row);
 * to be closed by db_rows_end() or db_rows_close(); and, for the common case of
 * at most one row,
 *     sql_NAME_one(db, params, &row, &found, e)
 * when the columns are numbers only. */
#include <ctype.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 64, NAME_MAX_ = 64, SQL_MAX = 1 << 15, LIST_MAX = 1024 };

struct field {
    char name[NAME_MAX_];
    const char *type; /* one of type_names */
};
struct list {
    struct field at[FIELDS_MAX];
    int count;
};

static const struct {
    const char *name, *c;
} types[] = {
    {"int", "int64_t "}, {"nint", "int64_t "}, {"real", "double "}, {"text", "struct str "}};

static const char *file;

static _Noreturn void fail_at(int line, const char *what)
{
    fprintf(stderr, "%s:%d: error: %s\n", file, line, what);
    exit(1);
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    size_t cap = 1 << 20;
    char *text = calloc(1, cap);
    size_t n = text ? fread(text, 1, cap - 1, f) : 0;
    fclose(f);
    if (!text || n == cap - 1) {
        fprintf(stderr, "%s: too long\n", path);
        exit(1);
    }
    return text;
}

static const char *type_find(const char *word, int line)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, word) == 0)
            return types[i].name;
    fail_at(line, "a type is int, nint, real or text");
}

static const char *type_in_c(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].name == name)
            return types[i].c;
    abort();
}

/* "(a int, b text)" -> fields; returns what follows the ')'. */
static const char *read_list(const char *p, struct list *out, int line)
{
    out->count = 0;
    if (*p++ != '(')
        fail_at(line, "expected '('");
    for (;;) {
        char name[NAME_MAX_], type[16];
        int used = 0;
        while (isspace((unsigned char)*p))
            p++;
        if (*p == ')')
            return p + 1;
        if (out->count == FIELDS_MAX ||
            sscanf(p, "%63[a-z_0-9] %15[a-z]%n", name, type, &used) != 2)
            fail_at(line, "expected 'name type'");
        struct field *f = &out->at[out->count++];
        memcpy(f->name, name, sizeof name);
        f->type = type_find(type, line);
        p += used;
        if (*p == ',')
            p++;
        else if (*p != ')')
            fail_at(line, "expected ',' or ')'");
    }
}

/* ---- what the room may write ---- */

static struct {
    char insert[LIST_MAX], update[LIST_MAX], remove[LIST_MAX];
} owned = {" ", " ", " "};
static char refused[128];

static bool owns(const char *words, const char *table)
{
    char word[NAME_MAX_ + 2];
    snprintf(word, sizeof word, " %.60s ", table);
    return strstr(words, word) != NULL;
}

static int authorize(void *ctx, int action, const char *table, const char *b, const char *c,
                     const char *d)
{
    (void)ctx, (void)b, (void)c, (void)d;
    const char *words = action == SQLITE_INSERT   ? owned.insert
                        : action == SQLITE_UPDATE ? owned.update
                        : action == SQLITE_DELETE ? owned.remove
                                                  : NULL;
    if (!words || owns(words, table))
        return SQLITE_OK;
    snprintf(refused, sizeof refused, "this file does not say that it may %s '%.60s'",
             action == SQLITE_INSERT   ? "insert into"
             : action == SQLITE_UPDATE ? "update"
                                       : "delete from",
             table);
    return SQLITE_DENY;
}

static void own(char *words, const char *more, int line)
{
    if (strlen(words) + strlen(more) + 2 > LIST_MAX)
        fail_at(line, "too many tables");
    strcat(strcat(words, more), " ");
}

/* "-- writes: a b" and its kin; false when the line is something else. */
static bool read_ownership(const char *line_text, int line)
{
    char verb[16], tables[512];
    if (sscanf(line_text, "-- %15[a-z]: %511[a-z_ ]", verb, tables) != 2)
        return false;
    bool all = strcmp(verb, "writes") == 0;
    if (all || strcmp(verb, "inserts") == 0)
        own(owned.insert, tables, line);
    if (all || strcmp(verb, "updates") == 0)
        own(owned.update, tables, line);
    if (all || strcmp(verb, "deletes") == 0)
        own(owned.remove, tables, line);
    return all || !strcmp(verb, "inserts") || !strcmp(verb, "updates") || !strcmp(verb, "deletes");
}

/* ---- checking and writing one statement ---- */

struct statement {
    char name[NAME_MAX_];
    int line;
    struct list in, out;
    char sql[SQL_MAX];
};

/* Fills `index` with the number of each parameter. */
static void check(sqlite3 *db, const struct statement *st, int index[FIELDS_MAX])
{
    sqlite3_stmt *s;
    refused[0] = 0;
    if (sqlite3_prepare_v2(db, st->sql, -1, &s, NULL) != SQLITE_OK)
        fail_at(st->line, refused[0] ? refused : sqlite3_errmsg(db));
    if (sqlite3_bind_parameter_count(s) != st->in.count)
        fail_at(st->line, "the SQL and its heading disagree on parameters");
    for (int i = 0; i < st->in.count; i++) {
        char name[NAME_MAX_ + 1];
        snprintf(name, sizeof name, ":%s", st->in.at[i].name);
        index[i] = sqlite3_bind_parameter_index(s, name);
        if (!index[i])
            fail_at(st->line, "the SQL does not use a parameter of its heading");
    }
    if (sqlite3_column_count(s) != st->out.count)
        fail_at(st->line, "the SQL and its heading disagree on columns");
    for (int i = 0; i < st->out.count; i++)
        if (strcmp(sqlite3_column_name(s, i), st->out.at[i].name) != 0)
            fail_at(st->line, "a column is not called as the heading says");
    sqlite3_finalize(s);
}

static void print_sql(const char *sql)
{
    for (const char *p = sql; *p;) {
        size_t n = strcspn(p, "\n");
        printf("        \"");
        for (size_t i = 0; i < n; i++)
            printf(p[i] == '"' || p[i] == '\\' ? "\\%c" : "%c", p[i]);
        printf("\\n\"\n");
        p += n + (p[n] == '\n');
    }
}

static void print_params(const struct statement *st)
{
    for (int i = 0; i < st->in.count; i++)
        printf(", %s%s", type_in_c(st->in.at[i].type), st->in.at[i].name);
}

static bool only_numbers(const struct list *l)
{
    for (int i = 0; i < l->count; i++)
        if (strcmp(l->at[i].type, "text") == 0)
            return false;
    return true;
}

static void emit(const struct statement *st, const int index[FIELDS_MAX])
{
    const char *name = st->name;
    bool rows = st->out.count > 0;
    if (rows) {
        printf("struct %s_row {\n", name);
        for (int i = 0; i < st->out.count; i++)
            printf("    %s%s;\n", type_in_c(st->out.at[i].type), st->out.at[i].name);
        printf("};\n\n");
    }
    printf("static inline bool sql_%s(struct db *db", name);
    print_params(st);
    printf("%s, struct err *e)\n{\n    static const char sql[] =\n",
           rows ? ", struct db_rows *rows" : "");
    print_sql(st->sql);
    printf("        ;\n    struct db_rows q;\n    if (!db_prepare(db, sql, &q, e))\n        return "
           "false;\n");
    for (int i = 0; i < st->in.count; i++)
        printf("    db_bind_%s(&q, %d, %s);\n", st->in.at[i].type, index[i], st->in.at[i].name);
    if (!rows) {
        printf("    return db_run(&q, e);\n}\n\n");
        return;
    }
    printf("    *rows = q;\n    return true;\n}\n\n");
    printf("static inline bool sql_%s_next(struct db_rows *rows, struct %s_row *row)\n{\n"
           "    if (!db_next(rows))\n        return false;\n",
           name, name);
    for (int i = 0; i < st->out.count; i++)
        printf("    row->%s = db_get_%s(rows, %d);\n", st->out.at[i].name, st->out.at[i].type, i);
    printf("    return true;\n}\n\n");
    if (!only_numbers(&st->out))
        return;
    printf("static inline bool sql_%s_one(struct db *db", name);
    print_params(st);
    printf(", struct %s_row *row, bool *found, struct err *e)\n{\n    struct db_rows q;\n"
           "    memset(row, 0, sizeof *row);\n    if (!sql_%s(db",
           name, name);
    for (int i = 0; i < st->in.count; i++)
        printf(", %s", st->in.at[i].name);
    printf(", &q, e))\n        return false;\n    *found = sql_%s_next(&q, row);\n"
           "    return db_rows_end(&q, e);\n}\n\n",
           name);
}

/* "-- name(..." starts a statement. */
static bool read_heading(const char *p, struct statement *st, int line)
{
    int used = 0;
    char name[NAME_MAX_];
    if (sscanf(p, "-- %63[a-z_0-9]%n", name, &used) != 1 || p[used] != '(')
        return false;
    memcpy(st->name, name, sizeof name);
    st->line = line;
    st->sql[0] = 0;
    st->out.count = 0;
    const char *rest = read_list(p + used, &st->in, line);
    if (strncmp(rest, " -> ", 4) == 0)
        read_list(rest + 4, &st->out, line);
    else if (*rest)
        fail_at(line, "expected ' -> (columns)' or nothing");
    return true;
}

static void compile(sqlite3 *db, char *text)
{
    static struct statement st;
    int line = 0, index[FIELDS_MAX];
    for (char *p = text, *end; *p; p = end + 1) {
        end = strchr(p, '\n');
        if (!end)
            fail_at(line + 1, "the file must end with a newline");
        *end = 0;
        line++;
        if (strncmp(p, "--", 2) == 0) {
            if (!read_ownership(p, line))
                read_heading(p, &st, line);
        } else if (*p) {
            if (!st.name[0])
                fail_at(line, "a statement without a heading");
            if (strlen(st.sql) + strlen(p) + 2 > sizeof st.sql)
                fail_at(line, "the statement is too long");
            strcat(strcat(st.sql, p), "\n");
            if (p[strlen(p) - 1] == ';') {
                check(db, &st, index);
                emit(&st, index);
                st.name[0] = 0;
            }
        }
    }
    if (st.name[0])
        fail_at(st.line, "a heading without a statement");
}

static void print_migrations(char **paths, int count)
{
    printf("/* Made by tools/sqlc from the schema. Do not edit. */\n"
           "#include \"store/schema.h\"\n\nconst char *const schema_migrations[] = {\n");
    for (int i = 0; i < count; i++) {
        char *text = read_file(paths[i]);
        print_sql(text);
        printf("    ,\n");
        free(text);
    }
    printf("};\nconst int schema_version = %d;\n", count);
}

int main(int argc, char **argv)
{
    sqlite3 *db;
    char *message = NULL;
    if (argc < 3) {
        fprintf(stderr,
                "usage: sqlc room.sql schema.sql...\n       sqlc --migrations schema.sql...\n");
        return 2;
    }
    if (strcmp(argv[1], "--migrations") == 0) {
        print_migrations(argv + 2, argc - 2);
        return 0;
    }
    if (sqlite3_open(":memory:", &db) != SQLITE_OK)
        return 1;
    for (int i = 2; i < argc; i++) {
        file = argv[i];
        char *schema = read_file(file);
        if (sqlite3_exec(db, schema, NULL, NULL, &message) != SQLITE_OK)
            fail_at(1, message);
        free(schema);
    }
    sqlite3_set_authorizer(db, authorize, NULL);
    file = argv[1];
    const char *slash = strrchr(file, '/');
    printf(
        "/* Made by tools/sqlc from %s. Do not edit. */\n#pragma once\n#include \"store/db.h\"\n\n",
        slash ? slash + 1 : file);
    char *text = read_file(file);
    compile(db, text);
    free(text);
    sqlite3_close(db);
    return 0;
}
