/* SPDX-License-Identifier: MIT
 *
 * keeper/house.h: the keeper's own memory, and who in it does what.
 *
 *     link     frames in and out                    peers
 *     hold     the life of an attempt               held
 *     hunt     ending a tree until it is empty      hunts
 *     adopt    what a dead keeper left behind
 *     house    threads, timer, signals: the loop
 *
 * One thread does it all, and waits for nothing but events: a child on its way to
 * its exec runs beside us (keeper/launch.h). So whoever hears that one attempt is over
 * starts the next one, and no lock is held and nobody woken for it. */
#ifndef KEEPER_HOUSE_H
#define KEEPER_HOUSE_H

#include "keeper/groups.h"
#include "keeper/journal.h"
#include "keeper/keeper.h"
#include "keeper/launch.h"
#include "keeper/proc.h"
#include "keeper/slots.h"

enum {
    PEERS_MAX = 8,
    TELL_LATE_MS = 5, /* STARTED waits that long for its ENDED */
    AWAKE_US = 120,   /* how long the answer to the last end is waited for awake */
    QUEUE_LOW = 1,    /* with more than these to launch, news waits for more */
    ALIVE_MS = 2000,
    HUNT_MS = 20,           /* between two looks at a tree that must end */
    PEER_OUT_MAX = 8 << 20, /* bytes a daemon may leave unread before it is let go */
    JOURNAL_RECORDS = 4095, /* 1 MiB with its head */
    RECORDS_EACH = 8,       /* the most records an attempt writes */
};

enum held_state {
    HELD_QUEUED, /* heard of, not yet started */
    HELD_RUNNING,
    HELD_OVER, /* told, not yet acknowledged */
};

enum hunt_stage {
    HUNT_NONE,
    HUNT_ASKED,  /* got the stop signal; the grace runs */
    HUNT_KILLED, /* gets SIGKILL until nobody is left */
};

/* A tree of processes that must end. */
struct hunt {
    enum hunt_stage stage;
    uint32_t empty; /* looks in a row that found nobody */
    ms_t kill_at;   /* boot: the end of its grace */
    bool asked_again;
};

/* One attempt this keeper knows. */
struct held {
    struct held *next_same_hash; /* in house.known */
    struct held *queue_next;     /* in house.queue, later in house.over */
    struct wire_name name;
    enum held_state state;
    uint32_t id;         /* for epoll */
    uint32_t live_at;    /* index in house.live */
    struct slot *slot;   /* NULL when it is over */
    struct group *group; /* NULL: none */
    uint64_t over_seq;   /* the record that said so */
    /* as START said */
    ms_t timeout_ms, grace_ms;
    uint64_t log_max;
    int stop_signal;
    uint32_t flags;
    /* while it starts */
    char *texts; /* argv, env and launch, one block; NULL when it is away */
    struct launch *launch;
    /* while it runs */
    pid_t pid;
    int pidfd; /* -1 unless adopted, or when that is over */
    bool was_adopted;
    uint32_t slot_number;         /* as the old journal said; adopted only, as the next two */
    ms_t heard_boot, cloned_boot; /* it was cloned between them */
    uint64_t ticks;
    ms_t started_wall, started_boot; /* 0: not yet */
    ms_t exited_boot;                /* pidfd said so; adopted only */
    bool told;                       /* STARTED was sent */
    /* its end */
    enum wire_cause cause;
    struct hunt hunt;
    bool needed_kill;
    bool exited; /* its first process is over; waiting for the rest of the tree */
    enum wire_how how;
    int32_t code;
    bool out_of_memory;
    struct wire_usage usage;
};

/* What an attempt that is over left behind. */
struct leftover {
    struct leftover *next;
    struct wire_name name;
    pid_t leader;
    bool adopted;
    struct group *group; /* NULL: none */
    ms_t due;            /* boot: when it is no longer welcome */
    struct hunt hunt;
    bool noted; /* its log says so */
};

struct peer {
    int fd; /* -1: free */
    uint32_t turn;
    bool greeted;
    bool blocked; /* does not read; we wait until it does */
    struct buf in, out;
};

struct house {
    struct keeper_opts opts;
    uint8_t boot_id[16];
    int dir; /* DATA/keeper */
    int lock, listener, signals, timer, epoll;
    struct journal journal;
    struct slots slots;
    /* Known attempts by name, by id, by pid; the living ones in a row. */
    struct map known, by_id, by_pid;
    struct held **live;
    size_t live_count, live_cap;
    uint32_t next_id;
    struct held *queue_first, **queue_last; /* to be launched, in order */
    size_t queue_count;
    struct held *over_first, **over_last; /* to be acknowledged */
    struct launch_pool pool;
    struct groups groups;
    struct leftover *leftovers;
    ms_t sweep_at; /* boot: look for orphans; MS_NEVER */
    struct procs procs;
    uint32_t *members;
    size_t members_cap;
    struct peer peers[PEERS_MAX];
    struct peer *daemon; /* the one that said HELLO last; NULL */
    ms_t timer_at;       /* boot: when the timer is set to go off */
    ms_t alive_at;       /* boot: the next ALIVE */
    bool all_over;       /* the last living attempt ended in this turn */
    ms_t news_at;        /* boot: since when there is something to tell; 0: nothing */
    bool retire, closing, done;
    char features[64]; /* for WELCOME */
    ms_t wall, boot;   /* now, as of this turn */
};

/* ---- house ---- */
void house_wake_at(struct house *h, ms_t boot); /* no later than then */
void house_now(struct house *h);                /* sets wall and boot */
void house_warn(const char *fmt, ...) PRINTF(1, 2);

/* ---- hold ---- */
enum { EVENT_LISTENER = 1, EVENT_SIGNALS, EVENT_TIMER, EVENT_INOTIFY, EVENT_PEER, EVENT_PIDFD };
static inline uint64_t event_tag(unsigned kind, uint64_t id)
{
    return (uint64_t)kind << 56 | id;
}

struct held *hold_find(struct house *h, const struct wire_name *name);
struct held *hold_new(struct house *h, const struct wire_name *name);
void hold_forget(struct house *h, struct held *x); /* frees it */
/* A START: queue it, or refuse it. */
void hold_start(struct house *h, const struct wire_start *start);
void hold_stop(struct house *h, struct held *x, enum wire_cause cause);
void hold_launch_waiting(struct house *h);                         /* as many as may run */
void hold_reap(struct house *h);                                   /* SIGCHLD */
void hold_pidfd(struct house *h, struct held *x);                  /* an adopted one may be over */
void hold_exited(struct house *h, struct held *x);                 /* how, code, usage are set */
void hold_over(struct house *h, struct held *x, const char *text); /* the last word on it */
void hold_refuse(struct house *h, const struct wire_name *name, int code, const char *text);
void hold_live(struct house *h, struct held *x); /* put it among the living */
void hold_await_ack(struct house *h, struct held *x, uint64_t seq);
void hold_acked(struct house *h, uint64_t seq); /* forget what is over up to there */
void hold_send_alive(struct house *h);
ms_t hold_tick(struct house *h); /* timeouts, STARTED, ALIVE; when to come again */
bool hold_make_room(struct house *h, size_t records);
struct record hold_record(const struct house *h, const struct held *x, enum record_kind kind);

/* ---- hunt ---- */
void hunt_begin(struct house *h, struct held *x);
void hunt_leftovers(struct house *h, const struct held *x, pid_t leader);
ms_t hunt_tick(struct house *h);

/* ---- link ---- */
bool link_open(struct house *h, struct err *e);
void link_accept(struct house *h);
void link_hear(struct house *h, uint64_t id);
void link_send(struct house *h, const struct wire_frame *f); /* to the daemon, if any */
void link_send_record(struct house *h, const struct record *r);
void link_flush(struct house *h);
void link_close(struct house *h);
bool link_anybody(const struct house *h);

/* ---- adopt ---- */
bool adopt_all(struct house *h, struct err *e);

#endif
