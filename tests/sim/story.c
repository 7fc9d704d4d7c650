/* SPDX-License-Identifier: MIT */
#include "story.h"

enum happening { DAEMON_DIES, KEEPER_DIES, KEEPER_BACK, VANISH, WISH };
struct chapter {
    ms_t at;
    enum happening what;
    int32_t detail;
    struct attempt attempt;
    bool done;
};
struct story {
    struct sim sim;
    const struct story_task *tasks;
    struct buf told;
    struct chapter chapters[8];
    size_t chapter_count;
    bool begun;
};

static struct plan plan_as_told(struct sim *s, struct attempt a)
{
    const struct story *t = s->ctx;
    const struct story_task *task = &t->tasks[a.task];
    int32_t code = a.try <= countof(task->exits) ? task->exits[a.try - 1] : 0;
    return (struct plan){
        .takes = task->takes,
        .how = code < 0 ? END_SIGNAL : END_EXIT,
        .code = code < 0 ? 9 : code,
    };
}

struct story *story_new(const struct story_task *tasks, uint32_t count, uint32_t slots)
{
    struct story *t = mem_new(sizeof *t);
    struct make_task made[SIM_TASKS];
    ASSERT(count <= SIM_TASKS);
    for (uint32_t i = 0; i < count; i++)
        made[i] = (struct make_task){
            .name = tasks[i].name,
            .after = tasks[i].after,
            .condition = tasks[i].condition,
            .retries = tasks[i].retries,
            .retry_delay = tasks[i].retry_delay,
            .timeout = tasks[i].timeout,
            .allow_failure = tasks[i].allow_failure,
        };
    world_init(&t->sim.world, 1);
    t->tasks = tasks;
    t->sim.ctx = t;
    t->sim.plan = plan_as_told;
    t->sim.world.told = &t->told;
    t->sim.world.quiet = 1u << NOTE_TASK_STATE | 1u << NOTE_SLOTS | 1u << NOTE_ASKED_AGAIN;
    t->sim.keeper.up = true;
    t->sim.slots = slots;
    t->sim.workflow_count = 1;
    t->sim.workflows[0] = make_workflow(made, count, 0);
    t->sim.run_count = 1;
    t->sim.faults.adopt = 1000;
    daemon_boot(&t->sim);
    buf_clear(&t->told);
    daemon_turn(&t->sim);
    return t;
}

void story_free(struct story *t)
{
    sim_done(&t->sim);
    buf_free(&t->told);
    free(t);
}

static void add(struct story *t, struct chapter c)
{
    ASSERT(t->chapter_count < countof(t->chapters));
    t->chapters[t->chapter_count++] = c;
}

void story_daemon_dies(struct story *t, ms_t at, enum death how)
{
    add(t, (struct chapter){.at = at, .what = DAEMON_DIES, .detail = how});
}
void story_keeper_dies(struct story *t, ms_t at, ms_t back_at)
{
    add(t, (struct chapter){.at = at, .what = KEEPER_DIES});
    add(t, (struct chapter){.at = back_at, .what = KEEPER_BACK});
}
void story_vanish(struct story *t, ms_t at, uint32_t task, uint32_t try)
{
    add(t, (struct chapter){
               .at = at, .what = VANISH, .attempt = {.run = 1, .task = task, .try = try}});
}
void story_wish(struct story *t, ms_t at, enum sim_wish_kind kind)
{
    add(t, (struct chapter){.at = at, .what = WISH, .detail = kind});
}

static void happen(struct story *t, const struct chapter *c)
{
    struct sim *s = &t->sim;
    switch (c->what) {
    case DAEMON_DIES: s->daemon.dies = c->detail; break;
    case KEEPER_DIES: keeper_die(s); break;
    case KEEPER_BACK: keeper_back(s); break;
    case VANISH: keeper_vanish(s, keeper_hand(s, c->attempt)); break;
    case WISH: daemon_wish(s, c->detail, 1); break;
    }
}

static ms_t next_chapter(const struct story *t)
{
    ms_t next = MS_NEVER;
    for (size_t i = 0; i < t->chapter_count; i++)
        if (!t->chapters[i].done)
            next = MIN(next, t->chapters[i].at);
    return next;
}

/* All that happens now, until nobody has anything more to say. */
static void live_now(struct story *t)
{
    struct sim *s = &t->sim;
    keeper_run(s);
    for (size_t i = 0; i < t->chapter_count; i++) {
        struct chapter *c = &t->chapters[i];
        if (c->done || c->at > s->world.now)
            continue;
        c->done = true;
        happen(t, c);
    }
    for (int turns = 0; turns < 10; turns++) {
        if (!daemon_turn(s))
            daemon_boot(s);
        keeper_run(s);
    }
}

void story_until(struct story *t, ms_t until)
{
    struct sim *s = &t->sim;
    if (!t->begun)
        daemon_wish(s, SIM_CREATE, 1);
    t->begun = true;
    for (;;) {
        live_now(t);
        ms_t deadline = executor_core_deadline(s->daemon.executor);
        ms_t next = MIN(MIN(keeper_next(s), deadline), next_chapter(t));
        if (next > until)
            break;
        s->world.now = MAX(next, s->world.now);
    }
    s->world.now = until;
}

bool story_told(struct story *t, const char *story)
{
    buf_puts(&t->told, "");
    if (strcmp(t->told.at, story) == 0)
        return true;
    printf("# wanted:\n%s# got:\n%s", story, t->told.at);
    return false;
}
