/* SPDX-License-Identifier: MIT
 *
 * tests/sim/story.h: one run, told by hand.
 *
 * The tasks say how long they take and with what they exit, try by try; the
 * teller says who dies when; the story is what the operator would have seen. */
#ifndef SIM_STORY_H
#define SIM_STORY_H

#include "sim.h"

struct story_task {
    const char *name, *after;
    ms_t takes;
    int32_t exits[4]; /* of each try; -1: a signal */
    uint32_t retries;
    ms_t retry_delay, timeout;
    enum cond condition;
    enum allow_failure allow_failure;
};

struct story;
/* One run of these tasks with so many slots; times count from 0. Without
 * jitter: delays below 10 ms have none. */
struct story *story_new(const struct story_task *tasks, uint32_t count, uint32_t slots);
void story_free(struct story *t);

/* What will happen when the clock says `at`. */
void story_daemon_dies(struct story *t, ms_t at, enum death how);
void story_keeper_dies(struct story *t, ms_t at, ms_t back_at);
void story_vanish(struct story *t, ms_t at, uint32_t task, uint32_t try);
void story_wish(struct story *t, ms_t at, enum sim_wish_kind kind);

/* Let the run begin and time pass. */
void story_until(struct story *t, ms_t until);
/* Whether it went like this; if not, both are printed. */
bool story_told(struct story *t, const char *story);

#endif
