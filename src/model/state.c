/* SPDX-License-Identifier: MIT */
#include "model/state.h"

#define X(name, word) word,
static const char *const task_words[] = {TASK_STATES(X)};
static const char *const run_words[] = {RUN_STATES(X)};
static const char *const reason_words[] = {REASONS(X)};
static const char *const attempt_words[] = {ATTEMPT_STATES(X)};
static const char *const slot_words[] = {SLOT_OUTCOMES(X)};
#undef X

const char *task_state_word(enum task_state s)
{
    ASSERT((size_t)s < countof(task_words));
    return task_words[s];
}

const char *run_state_word(enum run_state s)
{
    ASSERT((size_t)s < countof(run_words));
    return run_words[s];
}

const char *reason_word(enum reason r)
{
    ASSERT((size_t)r < countof(reason_words));
    return reason_words[r];
}

const char *attempt_state_word(enum attempt_state s)
{
    ASSERT((size_t)s < countof(attempt_words));
    return attempt_words[s];
}

const char *slot_outcome_word(enum slot_outcome o)
{
    ASSERT((size_t)o < countof(slot_words));
    return slot_words[o];
}

static int find(const char *const *words, size_t count, struct str word)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(word, words[i]))
            return (int)i;
    return -1;
}

bool task_state_parse(struct str word, enum task_state *out)
{
    int i = find(task_words, countof(task_words), word);
    if (i >= 0)
        *out = (enum task_state)i;
    return i >= 0;
}

bool run_state_parse(struct str word, enum run_state *out)
{
    int i = find(run_words, countof(run_words), word);
    if (i >= 0)
        *out = (enum run_state)i;
    return i >= 0;
}

bool reason_parse(struct str word, enum reason *out)
{
    int i = find(reason_words, countof(reason_words), word);
    if (i >= 0)
        *out = (enum reason)i;
    return i >= 0;
}

bool attempt_state_parse(struct str word, enum attempt_state *out)
{
    int i = find(attempt_words, countof(attempt_words), word);
    if (i >= 0)
        *out = (enum attempt_state)i;
    return i >= 0;
}

#define TO(s) (1u << TASK_##s)
static const uint16_t task_moves[TASK_STATE_COUNT] = {
    /* A result may overtake the news of its beginning (after a daemon's death
     * the journal tells both at once), so an unfinished state may end at once. */
    [TASK_PENDING] = TO(QUEUED) | TO(RUNNING) | TO(RETRYING) | TO(WAITING) | TO(SUCCESS) |
                     TO(FAILED) | TO(SKIPPED) | TO(UPSTREAM_FAILED) | TO(CANCELLED),
    [TASK_QUEUED] =
        TO(RUNNING) | TO(RETRYING) | TO(SUCCESS) | TO(FAILED) | TO(SKIPPED) | TO(CANCELLED),
    [TASK_RUNNING] = TO(RETRYING) | TO(SUCCESS) | TO(FAILED) | TO(SKIPPED) | TO(CANCELLED),
    [TASK_RETRYING] = TO(QUEUED) | TO(RUNNING) | TO(SUCCESS) | TO(FAILED) | TO(CANCELLED),
    [TASK_WAITING] = TO(QUEUED) | TO(SUCCESS) | TO(FAILED) | TO(SKIPPED) | TO(CANCELLED),
};
#undef TO

bool task_may_move(enum task_state from, enum task_state to, bool cleared)
{
    ASSERT((size_t)from < TASK_STATE_COUNT && (size_t)to < TASK_STATE_COUNT);
    if (cleared)
        return task_is_over(from) && to == TASK_PENDING;
    return task_moves[from] >> to & 1u;
}
