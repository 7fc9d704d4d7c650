/* SPDX-License-Identifier: MIT
 *
 * scheduler/core.h: which instants are due, and what becomes of each.
 *
 * Definitions and the time go in, decisions come out. The core reads no clock
 * and no row, so a test can send it through years of broken clocks in a
 * second. It does not know what a run is.
 *
 *     definitions ──> sched_set()
 *     time        ──> sched_tick() ──> effects
 *
 * Every instant of an entry later than its *high water* is decided exactly
 * once, not before it has come: fired; or skipped, because the workflow is
 * paused; or missed, because it was noticed more than `grace` too late. */
#ifndef SCHEDULER_CORE_H
#define SCHEDULER_CORE_H

#include "model/cron.h"
#include "model/state.h"

enum {
    SCHED_GRACE_MS = 5 * 60 * 1000,     /* later than this is missed; as Vixie cron */
    SCHED_BACK_MS = 3 * 60 * 60 * 1000, /* a clock set back by more is corrected for */
    SCHED_LISTED_MAX = 1000,            /* late slots of an entry with a row of their own */
    SCHED_MORE_MAX = 1000000,           /* late slots counted beyond those */
};

struct sched_def {
    struct str entry;      /* its own text, unique within the workflow; copied */
    ms_t every;            /* > 0: all multiples of this since 1970 */
    struct cron cron;      /* if `every` is 0; `zone` inside is not used */
    const struct tz *zone; /* kept: must outlive the definition */
    ms_t high_water;       /* as stored; MS_NEVER: never seen, begin now */
};

enum sched_effect_kind {
    SCHED_SLOT,      /* an instant was decided */
    SCHED_MARK,      /* remember `at` as the high water, no slot tells it */
    SCHED_CORRECTED, /* the clock went from `from` back to `at`, and we follow */
};
struct sched_effect {
    enum sched_effect_kind kind;
    int64_t workflow;
    struct str entry; /* borrowed: until the workflow's next sched_set() or sched_remove() */
    ms_t at, from;
    /* of a slot */
    enum slot_outcome outcome;
    const char *reason; /* "paused", "late", NULL if fired */
    int64_t more;       /* how many earlier late ones this one also stands for */
    bool has_wall, shifted_gap;
    int64_t wall; /* the wall time it stands for, as in tz.h */
};
struct sched_effects {
    struct sched_effect *at; /* freed by the owner */
    size_t count, cap;
};

struct sched;
struct sched *sched_new(void);
void sched_free(struct sched *s); /* NULL is fine */

/* From `now` on these are the entries of a workflow. One that is unchanged
 * keeps its high water; a changed one begins now. */
void sched_set(struct sched *s, int64_t workflow, const struct sched_def *defs, size_t count,
               bool paused, ms_t now, struct sched_effects *fx);
void sched_remove(struct sched *s, int64_t workflow);
void sched_pause(struct sched *s, int64_t workflow, bool paused);

/* Decide what has come due. Stops between two entries when `fx` holds `max`
 * effects or more; the rest is due at once. */
void sched_tick(struct sched *s, ms_t now, size_t max, struct sched_effects *fx);

/* When sched_tick() is wanted: at the next instant, or now if the clock went
 * back since the last time heard. MS_NEVER: there is nothing to wait for. */
ms_t sched_deadline(const struct sched *s, ms_t now);

#endif
