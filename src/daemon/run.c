/* SPDX-License-Identifier: MIT
 *
 * daemon/run.c: one run of one file, with the same engine and nobody served.
 *
 * The wish goes through the door like any other; the only difference is that
 * the answer comes home to this thread's eyes. */
#include "daemon/engine.h"
#include "watcher/watcher.h"
#include "run.sql.h"

#include <pthread.h>
#include <stdio.h>

enum { ASK_TURN_MS = 20 };

/* Answers come on the scribe's thread. */
struct reply {
    pthread_mutex_t lock;
    bool there;
    struct answer answer;
};

static void on_reply(void *ctx, const struct answer *a)
{
    struct reply *r = ctx;
    pthread_mutex_lock(&r->lock);
    r->answer = *a;
    r->there = true;
    pthread_mutex_unlock(&r->lock);
}

static bool replied(struct reply *r)
{
    pthread_mutex_lock(&r->lock);
    bool there = r->there;
    pthread_mutex_unlock(&r->lock);
    return there;
}

/* Turn until the wish is answered. */
static bool ask(struct engine *g, const struct wish *w, struct answer *out, struct err *e)
{
    struct reply r = {.lock = PTHREAD_MUTEX_INITIALIZER};
    if (!door_post(g->door, w, on_reply, &r, e))
        return false;
    while (!replied(&r))
        engine_turn(g, ASK_TURN_MS);
    *out = r.answer;
    if (out->kind != ERR_NONE)
        return err_set(e, out->kind, "%s", out->text);
    return true;
}

static bool run_state_of(struct engine *g, int64_t run, enum run_state *out, struct err *e)
{
    CLEANUP(db_rows_close) struct db_rows rows = {0};
    struct run_state_row row;
    if (!sql_run_state(&g->store.db, run, &rows, e))
        return false;
    if (!sql_run_state_next(&rows, &row) || !run_state_parse(row.state, out))
        return err_set(e, ERR_NOT_FOUND, "run %lld is gone", (long long)run);
    return true;
}

static void pass_news(struct engine *g, const struct run_opts *o, int64_t *told)
{
    if (g->store.event_seq == *told)
        return;
    *told = g->store.event_seq;
    if (o->changed)
        o->changed(o->ctx, *told);
}

/* A signal cancels; tasks that do not heed it are killed after their grace. */
static bool heed_signals(struct engine *g, const struct run_opts *o, int64_t run, int *heeded,
                         struct err *e)
{
    struct answer a;
    struct wish w = {.kind = WISH_CANCEL, .target = run, .actor = o->actor};
    if (g->told == *heeded)
        return true;
    *heeded = g->told;
    struct err refused;
    if (!ask(g, &w, &a, &refused) && refused.kind != ERR_CONFLICT)
        return err_set(e, refused.kind, "%s", refused.text);
    return true;
}

static bool follow(struct engine *g, const struct run_opts *o, int64_t run, enum run_state *state,
                   struct err *e)
{
    int64_t told = 0;
    int heeded = 0;
    for (;;) {
        pass_news(g, o, &told);
        if (!run_state_of(g, run, state, e))
            return false;
        if (run_is_over(*state))
            return true;
        if (!heed_signals(g, o, run, &heeded, e))
            return false;
        engine_turn(g, o->tick_ms ? (int)o->tick_ms : -1);
        if (o->tick)
            o->tick(o->ctx);
    }
}

static bool run_in(struct engine *g, const struct run_opts *o, enum run_state *state, struct err *e)
{
    struct wish w = {.kind = WISH_RUN, .actor = o->actor};
    struct answer a;
    struct buf body = {0};
    engine_open(g);
    w.target = watcher_single(g->watcher);
    if (!w.target)
        return err_set(e, ERR_INVALID, "%s does not load; see: gowtf validate %s", o->file,
                       o->file);
    buf_printf(&body, "{\"params\":%.*s}", STR_ARG(o->params));
    w.body = (struct str){body.at, body.len};
    bool ok = ask(g, &w, &a, e);
    buf_free(&body);
    if (!ok)
        return false;
    if (o->started)
        o->started(o->ctx, a.id);
    return follow(g, o, a.id, state, e);
}

bool daemon_run(const struct run_opts *o, enum run_state *state, struct err *e)
{
    struct engine *g;
    struct engine_opts eo = {
        .home = o->home,
        .workflows = o->file,
        .single_file = true,
        .slots = o->slots,
        .durability = o->durability,
    };
    if (!engine_new(&eo, &g, e))
        return false;
    bool ok = run_in(g, o, state, e);
    engine_free(g);
    return ok;
}
