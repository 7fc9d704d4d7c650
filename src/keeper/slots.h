/* SPDX-License-Identifier: MIT
 *
 * keeper/slots.h: places to write, used again and again.
 *
 * A slot is a pair of files that serve one attempt after the other, because to
 * open a file that exists costs little and to make one costs much. The format
 * is wire/logfile.h. All paths are relative to the keeper's directory, which is
 * the data directory. */
#ifndef KEEPER_SLOTS_H
#define KEEPER_SLOTS_H

#include "base/map.h"
#include "wire/logfile.h"

#include <sys/stat.h>

enum { SLOTS_MAX = 4096 };

struct slot {
    uint32_t number;
    bool used;    /* by an attempt that is not over */
    bool broken;  /* its files are not there: to be made before the next attempt */
    bool held;    /* found so at the end of its attempt */
    bool resumed; /* its attempt was there before us */
    bool watched; /* by inotify: the attempt has lived long enough to care */
    int fd[2];    /* out, err: read and write; -1 if broken */
    int watch[2]; /* inotify descriptors; -1: none */
    struct log_entry *entry;
    uint64_t len[2];  /* as last seen */
    uint64_t log_max; /* bytes kept of each */
    ms_t output_at;   /* wall; 0: nothing yet */
    ms_t mark_gap;    /* marks closer than this are not noted */
    ms_t rearm_at;    /* boot clock: when to watch again; MS_NEVER */
};

struct slots {
    struct slot **at;
    uint32_t count;
    int index;                 /* descriptor of logs/slots/index */
    struct log_entry *entries; /* SLOTS_MAX of them mapped; those of slots that are have blocks */
    int inotify;
    struct map by_watch;
    uint32_t segment; /* number of the current one */
    int segment_fd;   /* -1: none open yet */
    uint64_t segment_len;
    struct buf scratch;
};

/* Make the directories and at least `count` slots. */
bool slots_open(struct slots *s, uint32_t count, struct err *e);
void slots_close(struct slots *s);

/* A slot nobody uses, made if need be; NULL when there are SLOTS_MAX, or none can
 * be made. */
struct slot *slots_take(struct slots *s);
/* Slot `number` for an attempt that was there before us; NULL: impossible. */
struct slot *slots_take_back(struct slots *s, uint32_t number);

/* Its output from now on is that of `name`. */
void slot_begin(struct slot *s, const struct wire_name *name, ms_t wall, uint64_t log_max);
/* It was that of `name` before we came: go on. False: it is somebody else's. */
bool slot_resume(struct slot *s, const struct wire_name *name, uint64_t log_max);

/* Does anybody have its files open? */
bool slot_is_held(const struct slot *s);

/* Look at the sizes, note a mark, let go what is beyond log_max. */
void slot_look(struct slot *s, ms_t wall);
/* Be told of growth from now on. */
void slot_watch(struct slots *ss, struct slot *s, ms_t wall);

/* The attempt is over: give its output a place that lasts. `held`: somebody
 * still writes, so it becomes files of its own. Nothing is lost if we die after it:
 * the slot keeps its bytes until slot_release(). */
struct log_ref slot_finish(struct slots *ss, struct slot *s, bool held, ms_t wall);
/* The place is in the journal: make the slot ready for the next attempt. */
void slot_release(struct slot *s, const struct log_ref *ref);
/* Empty the files of all slots nobody uses; after a keeper's death only. */
void slots_clean(struct slots *ss);

/* Files grew (inotify is readable); when to look again, on the boot clock. */
void slots_hear(struct slots *ss, ms_t wall, ms_t boot);
void slots_tick(struct slots *ss, ms_t wall, ms_t boot);
ms_t slots_deadline(const struct slots *ss);

#endif
