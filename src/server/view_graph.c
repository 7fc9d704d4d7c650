/* SPDX-License-Identifier: MIT */
#include "model/layout.h"
#include "server/view_parts.h"
#include "store/versions.h"
#include "read.sql.h"

static void write_graph(const struct workflow *w, const struct layout *l, struct json *j)
{
    json_open(j, NULL);
    json_list(j, "nodes");
    for (uint32_t i = 0; i < l->task_count; i++) {
        json_open(j, NULL);
        json_int(j, "task", i);
        json_str(j, "name", w->tasks[i].name);
        json_int(j, "x", l->tasks[i].x);
        json_int(j, "y", l->tasks[i].y);
        json_int(j, "layer", l->tasks[i].layer);
        json_close(j);
    }
    json_list_end(j);
    json_list(j, "edges");
    for (uint32_t i = 0; i < w->task_count; i++)
        for (uint32_t k = 0; k < w->tasks[i].down_count; k++) {
            json_list(j, NULL);
            json_int(j, NULL, i);
            json_int(j, NULL, w->tasks[i].down[k]);
            json_list_end(j);
        }
    json_list_end(j);
    json_int(j, "width", l->width);
    json_int(j, "height", l->height);
    json_int(j, "node_width", LAYOUT_BOX_WIDTH);
    json_int(j, "node_height", LAYOUT_BOX_HEIGHT);
    json_close(j);
}

static bool graph_of(const struct view *v, int64_t version, struct buf *out, struct err *e)
{
    CLEANUP(arena_free) struct arena a = {0};
    struct versions *versions = versions_new(v->db, 0);
    const struct workflow *w;
    bool ok = versions_get(versions, version, &w, e);
    if (ok) {
        struct layout l = layout_of(w, &a);
        struct json j = json_to(out);
        write_graph(w, &l, &j);
    }
    versions_free(versions);
    return ok;
}

bool view_workflow_graph(const struct view *v, struct str name, int64_t number, struct buf *out,
                         struct err *e)
{
    int64_t id, version;
    return view_workflow_find(v, name, &id, &version, e) &&
           view_version_find(v, name, number, &version, e) && graph_of(v, version, out, e);
}

bool view_run_graph(const struct view *v, int64_t run, struct buf *out, struct err *e)
{
    CLEANUP(db_rows_close) struct db_rows rows = {0};
    struct run_brief_row r;
    if (!sql_run_brief(v->db, run, &rows, e))
        return false;
    if (!sql_run_brief_next(&rows, &r))
        return err_set(e, ERR_NOT_FOUND, "there is no run #%lld", (long long)run);
    return graph_of(v, r.version_id, out, e);
}
