/* SPDX-License-Identifier: MIT */
#include "store/versions.h"
#include "model/load.h"
#include "store.sql.h"

struct entry {
    int64_t id;
    struct workflow *workflow;
    uint32_t holds;
    struct entry *newer, *older; /* among those nobody holds, by last use */
};

struct versions {
    struct db *db;
    struct map entries;
    struct entry *newest, *oldest;
    size_t bytes, bytes_max; /* of those nobody holds */
};

struct versions *versions_new(struct db *db, size_t bytes_max)
{
    struct versions *v = mem_new(sizeof *v);
    v->db = db;
    v->bytes_max = bytes_max;
    return v;
}

static void entry_free(struct entry *en)
{
    workflow_free(en->workflow);
    free(en);
}

void versions_free(struct versions *v)
{
    if (!v)
        return;
    for (struct map_slot *s = NULL; (s = map_each(&v->entries, s));)
        entry_free(s->value);
    map_free(&v->entries);
    free(v);
}

/* ---- the list of those nobody holds ---- */

static void list_remove(struct versions *v, struct entry *en)
{
    *(en->newer ? &en->newer->older : &v->newest) = en->older;
    *(en->older ? &en->older->newer : &v->oldest) = en->newer;
    en->newer = en->older = NULL;
    v->bytes -= en->workflow->arena.total;
}

static void list_add(struct versions *v, struct entry *en)
{
    en->older = v->newest;
    *(v->newest ? &v->newest->newer : &v->oldest) = en;
    v->newest = en;
    v->bytes += en->workflow->arena.total;
}

/* The newest stays: somebody is about to use it. */
static void make_room(struct versions *v)
{
    while (v->bytes > v->bytes_max && v->oldest != v->newest) {
        struct entry *en = v->oldest;
        list_remove(v, en);
        map_take(&v->entries, en->id);
        entry_free(en);
    }
}

static bool load(struct versions *v, int64_t id, struct entry **out, struct err *e)
{
    CLEANUP(db_rows_close)
    struct db_rows rows = {0};
    CLEANUP(problems_free)
    struct problems ps = {0};
    struct version_source_row row;
    if (!sql_version_source(v->db, id, &rows, e))
        return false;
    if (!sql_version_source_next(&rows, &row))
        return err_set(e, ERR_NOT_FOUND, "there is no version %lld", (long long)id);
    struct workflow *w = workflow_load(row.source, row.path, &ps);
    if (!w) {
        struct str why = ps.count ? ps.at[0].message : STR_NONE;
        return err_set(e, ERR_INVALID, "version %lld no longer loads: %.*s", (long long)id,
                       STR_ARG(why));
    }
    struct entry *en = mem_new(sizeof *en);
    en->id = id;
    en->workflow = w;
    map_put(&v->entries, id, en);
    list_add(v, en);
    *out = en;
    return true;
}

static bool find(struct versions *v, int64_t id, struct entry **out, struct err *e)
{
    struct entry *en = map_get(&v->entries, id);
    if (!en)
        return load(v, id, out, e);
    if (!en->holds) {
        list_remove(v, en);
        list_add(v, en);
    }
    *out = en;
    return true;
}

bool versions_get(struct versions *v, int64_t id, const struct workflow **out, struct err *e)
{
    struct entry *en;
    if (!find(v, id, &en, e))
        return false;
    make_room(v);
    *out = en->workflow;
    return true;
}

bool versions_hold(struct versions *v, int64_t id, const struct workflow **out, struct err *e)
{
    struct entry *en;
    if (!find(v, id, &en, e))
        return false;
    if (en->holds++ == 0)
        list_remove(v, en);
    make_room(v);
    *out = en->workflow;
    return true;
}

void versions_drop(struct versions *v, int64_t id)
{
    struct entry *en = map_get(&v->entries, id);
    ASSERT(en && en->holds > 0);
    if (--en->holds == 0) {
        list_add(v, en);
        make_room(v);
    }
}
