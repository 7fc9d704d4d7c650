/* SPDX-License-Identifier: MIT */
#include "health/health.h"
#include "health/core.h"

struct health {
    struct corridor *corridor;
    struct health_core *core;
    struct verdicts verdicts;
};

struct health *health_new(struct corridor *c)
{
    struct health *h = mem_new(sizeof *h);
    h->corridor = c;
    h->core = health_core_new();
    return h;
}

void health_free(struct health *h)
{
    if (!h)
        return;
    health_core_free(h->core);
    free(h->verdicts.at);
    free(h);
}

static void announce(struct health *h)
{
    for (size_t i = 0; i < h->verdicts.count; i++) {
        const struct verdict *v = &h->verdicts.at[i];
        struct msg m = {0};
        if (v->kind == VERDICT_STALLED) {
            m.kind = MSG_TASK_STALLED;
            m.attempt = v->attempt;
        } else {
            m.kind = v->kind == VERDICT_ASK ? MSG_KEEPER_ASK : MSG_KEEPER_SILENT;
            m.keeper.id = v->keeper;
        }
        corridor_post(h->corridor, m);
    }
    h->verdicts.count = 0;
}

void health_hear(struct health *h, const struct msg *m)
{
    health_core_step(h->core, m, h->corridor->steady, &h->verdicts);
    announce(h);
}

ms_t health_deadline(const struct health *h)
{
    return health_core_deadline(h->core);
}

void health_tick(struct health *h)
{
    health_core_tick(h->core, h->corridor->steady, &h->verdicts);
    announce(h);
}
