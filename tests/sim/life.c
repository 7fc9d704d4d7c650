/* SPDX-License-Identifier: MIT
 *
 * tests/sim/life.c: gowtf-sim, whole lives by chance.
 *
 *     gowtf-sim [--seed N] [--count M] [--trace]
 *
 * A seed makes workflows, runs, wishes and a mixture of faults. After a while
 * the faults stop, and everything must come to its end. A life that goes wrong
 * stops at an assertion; its seed and the digest of what had happened until
 * then are printed, and the same seed will do the same again. */
#include "sim.h"

#include <signal.h>
#include <unistd.h>

static struct sim *alive; /* for the last words */
static uint64_t seed_now;

static uint32_t rate(struct world *w, uint32_t most)
{
    static const uint32_t share[] = {0, 0, 1, 4, 16, 64};
    return most * share[below(w, countof(share))] / 64;
}

static struct plan plan_by_chance(struct sim *s, struct attempt a)
{
    static const struct {
        enum end_how how;
        int32_t code;
        bool oom;
    } ends[] = {{END_EXIT, 1, false},  {END_EXIT, 1, false},    {END_EXIT, 3, false},
                {END_SIGNAL, 9, true}, {END_SIGNAL, 11, false}, {END_LAUNCH, 2, false}};
    struct world *w = &s->world;
    struct plan p = {.takes = 1 + below(w, 200), .how = END_EXIT};
    p.starts_after = chance(w, 200) ? below(w, 20) : 0;
    p.refuse = chance(w, 10);
    if (run_workflow(s, a.run)->tasks[a.task].stall_timeout) {
        p.takes = 1 + below(w, 60000);
        p.stands_after = chance(w, 300) ? 1 + below(w, 20000) : 0;
        p.takes += p.stands_after ? 100000 : 0;
    }
    if (chance(w, 300)) {
        size_t i = below(w, countof(ends));
        p.how = ends[i].how;
        p.code = ends[i].code;
        p.oom = ends[i].oom;
    }
    return p;
}

static enum cond some_condition(struct world *w)
{
    return chance(w, 600) ? COND_NONE : (enum cond)(1 + below(w, COND_KINDS - 1));
}

static struct workflow *some_workflow(struct world *w)
{
    static char names[SIM_TASKS][8];
    static char after[SIM_TASKS][SIM_TASKS * 8];
    struct make_task tasks[SIM_TASKS];
    uint32_t count = 1 + below(w, chance(w, 50) ? SIM_TASKS : 10);
    uint32_t slow = chance(w, 300) ? 500 : 0;
    uint32_t density = 50 + below(w, 500);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "t%u", i);
        after[i][0] = 0;
        for (uint32_t u = 0; u < i; u++)
            if (chance(w, density))
                strcat(strcat(after[i], after[i][0] ? " " : ""), names[u]);
        tasks[i] = (struct make_task){
            .name = names[i],
            .after = after[i],
            .condition = after[i][0] ? some_condition(w) : COND_NONE,
            .retries = below(w, 3),
            .retry_delay = chance(w, 300) ? 0 : below(w, 80),
            .timeout = chance(w, 200) ? 20 + below(w, 200) : 0,
            .stall_timeout = chance(w, slow) ? 3000 + below(w, 20000) : 0,
            .allow_failure = (enum allow_failure)(chance(w, 400) ? below(w, 3) : ALLOW_UNSAID),
            .also_success = chance(w, 200) ? 3 : 0,
        };
    }
    return make_workflow(tasks, count, chance(w, 300) ? 1 + below(w, 3) : 0);
}

static void make_world(struct sim *s, uint64_t seed)
{
    struct world *w = &s->world;
    struct buf *told = w->told;
    memset(s, 0, sizeof *s);
    world_init(w, seed);
    w->told = told;
    s->plan = plan_by_chance;
    s->keeper.up = true;
    s->slots = 1 + below(w, 5);
    s->late = chance(w, 300);
    s->workflow_count = 1 + below(w, SIM_WORKFLOWS);
    for (uint32_t i = 0; i < s->workflow_count; i++)
        s->workflows[i] = some_workflow(w);
    s->run_count = 1 + below(w, 6);
    for (int64_t id = 1; id <= s->run_count; id++)
        s->runs[id].workflow = below(w, s->workflow_count);
    s->faults.daemon = rate(w, 60);
    s->faults.keeper = rate(w, 30);
    s->faults.both = rate(w, 600);
    s->faults.back = 20 + below(w, 500);
    s->faults.connection = rate(w, 60);
    s->faults.adopt = below(w, 1001);
    s->faults.vanish = rate(w, 10);
    s->faults.stall = rate(w, 10);
    s->faults.foreign = rate(w, 20);
    s->faults.again = rate(w, 100);
    s->faults.freeze = rate(w, 30);
    s->faults.sleep = rate(w, 20);
    if (!chance(w, 100))
        return;
    s->faults.edit = 5 + below(w, 20);
    s->faults.pause = rate(w, 60);
    s->faults.clock = rate(w, 60);
    schedule_begin(s);
}

static void end_faults(struct sim *s)
{
    uint32_t adopt = s->faults.adopt, vanish = s->faults.vanish;
    memset(&s->faults, 0, sizeof s->faults);
    s->faults.adopt = adopt;
    s->faults.vanish = vanish; /* it has happened */
    schedule_end(s);
}

/* What people ask for. */
struct wishes {
    int64_t runs, created; /* by hand */
    uint32_t cancel, clear, clears;
};

static void some_wishes(struct sim *s, struct wishes *v)
{
    struct world *w = &s->world;
    if (v->created < v->runs && chance(w, 300))
        daemon_wish(s, SIM_CREATE, ++v->created);
    for (int64_t id = 1; id <= s->run_count; id++) {
        if (id > v->created && id <= v->runs)
            continue;
        const struct sim_run *r = &s->runs[id];
        if (!r->exists) {
            if (s->daemon.fresh) /* the one who asked got no answer and asks again */
                daemon_wish(s, SIM_CREATE, id);
            continue;
        }
        if (!run_is_over(r->state) && chance(w, v->cancel))
            daemon_wish(s, SIM_CANCEL, id);
        if (run_is_over(r->state) && v->clears && chance(w, v->clear)) {
            v->clears--;
            daemon_wish(s, SIM_CLEAR, id);
        }
    }
}

static void some_faults(struct sim *s)
{
    struct world *w = &s->world;
    if (s->faults.edit)
        schedule_happen(s);
    if (chance(w, s->faults.sleep)) {
        note(s, NOTE_SLEEPS, (struct attempt){0}, 0, NULL);
        s->slept_at = s->world.now;
        s->world.now += 1 + below(w, chance(w, 980) ? 60000 : 3 * 86400 * 1000);
        s->woke = true;
    }
    if (s->keeper.up && !s->keeper.frozen && chance(w, s->faults.freeze))
        keeper_freeze(s, 1 + below(w, 40000));
    if (s->keeper.up && chance(w, s->faults.keeper))
        keeper_die(s);
    if (s->faults.vanish && chance(w, s->faults.vanish))
        for (size_t i = 0; i < s->keeper.hand_count; i++)
            if (s->keeper.hands[i].live && s->keeper.hands[i].started && chance(w, 500))
                keeper_vanish(s, &s->keeper.hands[i]);
}

static bool is_over(const struct sim *s)
{
    for (int64_t id = 1; id <= s->run_count; id++)
        if (!s->runs[id].exists || !run_is_over(s->runs[id].state))
            return false;
    return s->keeper.live == 0 && s->keeper.acked == s->keeper.journal_count &&
           executor_core_live(s->daemon.executor) == 0;
}

enum { TURNS_WITH_FAULTS = 300, TURNS_MAX = 20000 };

static void pass_time(struct sim *s, bool more_to_come)
{
    ms_t next = MIN(keeper_next(s), daemon_next(s));
    if (more_to_come && (next == MS_NEVER || chance(&s->world, 500)))
        next = s->world.now + below(&s->world, 20);
    ASSERT(next != MS_NEVER); /* nobody is coming: something was lost */
    s->world.now = MAX(s->world.now, next);
    keeper_run(s);
}

static void live_once(struct sim *s, uint64_t seed)
{
    make_world(s, seed);
    struct wishes wishes = {.runs = s->run_count,
                            .cancel = rate(&s->world, 40),
                            .clear = rate(&s->world, 200),
                            .clears = 4};
    daemon_boot(s);
    for (int turn = 0;; turn++) {
        ASSERT(turn < TURNS_MAX);
        if (turn == TURNS_WITH_FAULTS)
            end_faults(s);
        bool restless = turn < TURNS_WITH_FAULTS;
        some_wishes(s, &wishes);
        if (restless)
            some_faults(s);
        if (!s->keeper.up && (!restless || chance(&s->world, s->faults.back)))
            keeper_back(s);
        if (!daemon_turn(s)) {
            if (s->keeper.up && chance(&s->world, s->faults.both))
                keeper_die(s);
            s->world.now += below(&s->world, 30);
            keeper_run(s);
            daemon_boot(s);
            continue;
        }
        if (is_over(s) && (!restless || !s->faults.edit) &&
            (!restless || !wishes.clear || !wishes.clears || chance(&s->world, 100)))
            break;
        pass_time(s, restless || wishes.created < wishes.runs);
    }
}

static void last_words(int sig)
{
    char text[200];
    int n = snprintf(text, sizeof text, "# seed %llu failed at %lld ms, digest %016llx\n",
                     (unsigned long long)seed_now, (long long)alive->world.now,
                     (unsigned long long)alive->world.digest);
    if (alive->world.told)
        fwrite(alive->world.told->at, 1, alive->world.told->len, stdout);
    fflush(stdout);
    ssize_t ignored = write(1, text, (size_t)n);
    (void)ignored;
    signal(sig, SIG_DFL);
    raise(sig);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, count = 1, deaths = 0, starts = 0, digest = 0;
    struct buf told = {0};
    static struct sim s;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            s.world.told = &told;
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--count") == 0)
            count = strtoull(argv[++i], NULL, 10);
        else
            return fprintf(stderr, "usage: gowtf-sim [--seed N] [--count M] [--trace]\n"), 2;
    }
    alive = &s;
    signal(SIGABRT, last_words);
    for (seed_now = seed; seed_now < seed + count; seed_now++) {
        live_once(&s, seed_now);
        deaths += s.deaths;
        starts += s.starts;
        digest = digest * 31 + s.world.digest;
        sim_done(&s);
        if (told.len)
            fwrite(told.at, 1, told.len, stdout);
        buf_clear(&told);
    }
    printf("%llu lives, %llu daemon deaths, %llu attempts, digest %016llx\n",
           (unsigned long long)count, (unsigned long long)deaths, (unsigned long long)starts,
           (unsigned long long)digest);
    buf_free(&told);
    return 0;
}
