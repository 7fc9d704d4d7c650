/* SPDX-License-Identifier: MIT
 *
 * bus/msg.h: everything one room may say to another.
 *
 * The six rooms never call each other. They leave messages in the corridor and
 * the daemon carries them. So this list is the whole conversation of the
 * program: who says what, and who listens.
 *
 * A message is a value. It owns nothing and points at nothing: text lives in
 * the store or at the door, and a message names the row or the ticket. That is
 * why one can be copied, counted, printed, replayed and thrown away without a
 * thought. */
#ifndef BUS_MSG_H
#define BUS_MSG_H

#include "base/buf.h"
#include "base/err.h"
#include "model/workflow.h"

/* clang-format off */
/*    message            from       to         payload       what it says */
#define MSG_LIST(X) \
    X(WORKFLOW_CHANGED,  WATCHER,   SCHEDULER, workflow)  /* there is a new current version */ \
    X(WORKFLOW_GONE,     WATCHER,   SCHEDULER, workflow)  /* its file is gone */ \
    X(RUN_REQUESTED,     SERVER,    SCHEDULER, request)   /* somebody wants a run */ \
    X(SWITCH_SET,        SERVER,    SCHEDULER, request)   /* somebody pauses or resumes */ \
    X(RESCAN,            SERVER,    WATCHER,   request)   /* somebody has changed files */ \
    X(RUN_CREATED,       SCHEDULER, EXECUTOR,  run)       /* its rows are committed */ \
    X(RUN_CANCEL,        SERVER,    EXECUTOR,  request)   /* start nothing more, stop what lives */ \
    X(RUN_RETRY,         SERVER,    EXECUTOR,  request)   /* run again what failed */ \
    X(TASK_START,        EXECUTOR,  WORKER,    start)     /* let a keeper run it */ \
    X(TASK_STOP,         EXECUTOR,  WORKER,    stop)      /* let a keeper end it */ \
    X(TASK_STARTED,      WORKER,    EXECUTOR,  started)   /* a keeper has it */ \
    X(TASK_ENDED,        WORKER,    EXECUTOR,  ended)     /* how it ended */ \
    X(TASK_ALIVE,        WORKER,    HEALTH,    alive)     /* a sign of life */ \
    X(TASK_WATCH,        WORKER,    HEALTH,    watch)     /* it lives: watch it from now on */ \
    X(TASK_UNWATCH,      WORKER,    HEALTH,    attempt)   /* it is over */ \
    X(TASK_STALLED,      HEALTH,    EXECUTOR,  attempt)   /* no progress for its stall_timeout */ \
    X(TASK_LOST,         HEALTH,    EXECUTOR,  attempt)   /* proven dead, end unseen */ \
    X(KEEPER_UP,         WORKER,    HEALTH,    keeper)    /* connected, journal heard */ \
    X(KEEPER_ALIVE,      WORKER,    HEALTH,    keeper)    /* a sign of life */ \
    X(KEEPER_DOWN,       WORKER,    HEALTH,    keeper)    /* the connection broke */ \
    X(KEEPER_ASK,        HEALTH,    WORKER,    keeper)    /* lease over: is it there? */ \
    X(KEEPER_SILENT,     HEALTH,    WORKER,    keeper)    /* no answer either: replace it */ \
    X(SLOTS,             WORKER,    EXECUTOR,  slots)     /* how many attempts may live; 0: none now */ \
    X(CHANGED,           DAEMON,    SERVER,    change)    /* events up to .seq are committed */
/* clang-format on */

enum room {
    ROOM_WATCHER,
    ROOM_SCHEDULER,
    ROOM_EXECUTOR,
    ROOM_WORKER,
    ROOM_HEALTH,
    ROOM_SERVER,
    ROOM_DAEMON,
    ROOM_COUNT
};

enum msg_kind {
#define X(name, from, to, payload) MSG_##name,
    MSG_LIST(X)
#undef X
        MSG_KINDS
};

/* How an attempt ended, as a keeper saw it. */
enum end_how {
    END_EXIT,    /* code: the exit code */
    END_SIGNAL,  /* code: the signal */
    END_LAUNCH,  /* code: errno; it never ran */
    END_UNKNOWN, /* nobody knows */
    END_REFUSED, /* the keeper would not take it: it never ran and is not charged */
};
/* Who made it end, if it was us. */
enum end_cause { CAUSE_SELF, CAUSE_TIMEOUT, CAUSE_STOPPED, CAUSE_STALLED, CAUSE_SHUTDOWN };

struct msg {
    uint32_t kind; /* enum msg_kind */
    uint32_t pad;
    ms_t at; /* wall time at which the daemon heard what led to it */
    union {
        struct {
            int64_t id, version;
        } workflow;
        struct {
            uint64_t ticket; /* at the door */
            int64_t target;  /* workflow or run */
        } request;
        struct {
            int64_t id, workflow, version;
        } run;
        struct attempt attempt;
        struct {
            struct attempt attempt;
            int64_t version;
        } start;
        struct {
            struct attempt attempt;
            uint32_t cause; /* enum end_cause */
        } stop;
        struct {
            struct attempt attempt;
            ms_t at; /* wall, by the keeper's clock */
        } started;
        struct {
            struct attempt attempt;
            int32_t code;
            uint8_t how, cause; /* enum end_how, enum end_cause */
            bool oom;
            ms_t at;
        } ended;
        struct {
            struct attempt attempt;
            int64_t cpu_ms, log_len;
        } alive;
        struct {
            struct attempt attempt;
            ms_t stall_timeout; /* 0: none */
        } watch;
        struct {
            uint32_t id;
            uint32_t why;
        } keeper;
        struct {
            uint32_t count;
        } slots;
        struct {
            int64_t seq;
        } change;
    };
};
_Static_assert(sizeof(struct msg) <= 64, "a message fits in a cache line");

extern const struct msg_info {
    const char *name;
    enum room from, to;
} msg_info[MSG_KINDS];

/* One line of text without a line end, and back: a bug report is a file of
 * such lines. msg_parse() fails on anything msg_print() would not write. */
void msg_print(const struct msg *m, struct buf *out);
bool msg_parse(struct str line, struct msg *out, struct err *e);

#endif
