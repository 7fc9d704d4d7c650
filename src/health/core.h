/* SPDX-License-Identifier: MIT
 *
 * health/core.h: who still lives, and who only seems to.
 *
 * Signs of life in, verdicts out. Three questions have three witnesses:
 *
 *   is the keeper there?       a lease of 10 s on its frames, while attempts
 *                              live on it. A lease that ran out is first asked
 *                              after (PING); silence after that is death.
 *   is the process there?      the keeper's own business: it is the parent.
 *   does it get anywhere?      CPU time or bytes of log, where the task has a
 *                              stall_timeout.
 *
 * A keeper without attempts is not asked for anything: its socket and pidfd
 * tell of its death. So an idle house has no deadline here.
 *
 * Time is CLOCK_BOOTTIME, handed in. A machine that slept finds every lease
 * over at once; therefore the question before the verdict. A question that is
 * much older than its time of waiting is asked again, and silence is not counted
 * as standing still. */
#ifndef HEALTH_CORE_H
#define HEALTH_CORE_H

#include "bus/msg.h"

enum {
    LEASE_MS = 10000, /* five missed heartbeats */
    ANSWER_MS = 5000, /* for the answer to a PING */
    ASLEEP_MS = 1000, /* whoever comes that much later has slept */
    KEEPERS_MAX = 16,
};

enum verdict_kind {
    VERDICT_ASK,     /* .keeper: send it a PING */
    VERDICT_SILENT,  /* .keeper: replace it */
    VERDICT_STALLED, /* .attempt: no progress within its stall_timeout */
};

struct verdict {
    enum verdict_kind kind;
    union {
        uint32_t keeper;
        struct attempt attempt;
    };
};
struct verdicts {
    struct verdict *at;
    size_t count, cap;
};

struct health_core;
struct health_core *health_core_new(void);
void health_core_free(struct health_core *h);

/* Let `m` happen at `now`; what follows is appended to `out`. Never fails;
 * news of strangers changes nothing. A verdict is given once: a stalled attempt
 * is not accused again, a silent keeper counts as down. When a keeper goes, all
 * that lived on it is forgotten until it is watched anew. */
void health_core_step(struct health_core *h, const struct msg *m, ms_t now, struct verdicts *out);
void health_core_tick(struct health_core *h, ms_t now, struct verdicts *out);
ms_t health_core_deadline(const struct health_core *h);

#endif
