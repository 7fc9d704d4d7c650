/* SPDX-License-Identifier: MIT
 *
 * wire/wire.h: what the daemon and a keeper say to each other.
 *
 * The daemon thinks, the keeper holds, and either may die in the middle of a
 * sentence. So the language is small and everything in it may be said twice:
 * an attempt has a name both can compute, a keeper ignores a START it has
 * heard before, and everything a keeper has to tell carries a sequence number
 * and is told again until it is acknowledged. docs/PROTOCOL.md is the contract.
 *
 * A frame is a u32 length of what follows, a u8 kind and the fields of that
 * kind, all integers little endian. Decoding never reads outside the bytes it
 * is given and accepts exactly the bytes that encoding would write. */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/ulid.h"

enum {
    WIRE_VERSION = 1,
    WIRE_FRAME_MAX = 1 << 20, /* bytes of kind and fields; more is an error, not a wish */
    WIRE_NAME_TEXT_MAX = 64,
    WIRE_ALIVE_BYTES = 60, /* one entry of an ALIVE frame */
};

/* The environment variable that tells a process whose it is. Its value is the
 * text form of the attempt's name. The keeper sets it, whatever START says. */
#define WIRE_COOKIE "GOWTF_COOKIE"
/* Set beside it when what the attempt leaves behind is to be left alone. */
#define WIRE_COOKIE_DETACH "GOWTF_DETACH=1"

/* One try of one task instance, for ever: run keys are never used again. */
struct wire_name {
    struct ulid run;
    uint32_t task, item, try;
};
static inline bool wire_name_eq(const struct wire_name *a, const struct wire_name *b)
{
    return ulid_eq(&a->run, &b->run) && a->task == b->task && a->item == b->item &&
           a->try == b->try;
}
/* "<ulid>.<task>.<item>.<try>" and back; parsing takes nothing else. */
const char *wire_name_text(const struct wire_name *n, char text[WIRE_NAME_TEXT_MAX]);
bool wire_name_parse(struct str text, struct wire_name *out);

/* clang-format off */
/*    frame    number  who says it  what it says */
#define WIRE_LIST(X) \
    X(HELLO,    1, "daemon")  /* who I am and what I have written down */ \
    X(START,    2, "daemon")  /* run this */ \
    X(STOP,     3, "daemon")  /* end this, whatever it takes */ \
    X(ACK,      4, "daemon")  /* written down, up to here */ \
    X(RETIRE,   5, "daemon")  /* go when nothing lives and nobody is connected */ \
    X(PING,     6, "daemon")  /* are you there */ \
    X(WELCOME, 65, "keeper")  /* who I am; the unacknowledged journal follows */ \
    X(STARTED, 66, "keeper")  /* it runs */ \
    X(ENDED,   67, "keeper")  /* how it ended */ \
    X(REFUSED, 68, "keeper")  /* it never ran and is not charged */ \
    X(ALIVE,   69, "keeper")  /* everything that lives; the first one ends the replay */ \
    X(PONG,    70, "keeper")  /* yes */
/* clang-format on */

enum wire_kind {
#define X(name, number, who) WIRE_##name = number,
    WIRE_LIST(X)
#undef X
};
const char *wire_kind_word(enum wire_kind kind); /* "HELLO"; "?" for none */

/* How an attempt ended. */
enum wire_how {
    WIRE_EXIT,    /* code: the exit code */
    WIRE_SIGNAL,  /* code: the signal */
    WIRE_LAUNCH,  /* code: errno; it never ran; text says of what */
    WIRE_UNKNOWN, /* nobody knows; text says why */
    WIRE_HOWS
};
/* Who made it end. */
enum wire_cause { WIRE_SELF, WIRE_TIMEOUT, WIRE_STOPPED, WIRE_STALLED, WIRE_SHUTDOWN, WIRE_CAUSES };

/* Where the output of an attempt is; wire/logfile.h reads it. */
enum log_kind {
    LOG_NONE,    /* nothing was written */
    LOG_SLOT,    /* number: the slot whose files it writes now */
    LOG_SEGMENT, /* number: the segment; at offset: out, err, marks */
    LOG_FILES,   /* files of its own, named for it */
    LOG_KINDS
};
struct log_ref {
    enum log_kind kind;
    uint32_t number;
    uint64_t offset;
    uint64_t out_len, err_len;         /* bytes, with those dropped; as known at its end */
    uint64_t out_dropped, err_dropped; /* bytes let go between head and tail */
    uint32_t marks_len;                /* bytes of marks in the segment */
    struct wire_name name;             /* not on the wire: the frame's own name */
};

/* Texts packed one after the other, each followed by a NUL. Ready to be
 * pointed at by an argv. */
struct wire_texts {
    struct str bytes;
    uint32_t count;
};
/* Append one text to bytes being packed in `out`; it must not contain a NUL. */
void wire_texts_add(struct buf *out, uint32_t *count, struct str text);
/* Walk: for (size_t at = 0; wire_texts_next(&list, &at, &text);) */
bool wire_texts_next(const struct wire_texts *list, size_t *at, struct str *out);

struct wire_hello {
    uint32_t version;
    uint64_t acked; /* the last sequence number stored; 0: none */
};
struct wire_start {
    struct wire_name name;
    struct str workdir;          /* absolute */
    struct wire_texts argv, env; /* argv[0] is a path, or looked up in env's PATH */
    ms_t timeout_ms;             /* 0: none */
    ms_t grace_ms;               /* between stop_signal and SIGKILL */
    uint32_t stop_signal;        /* 0: SIGTERM */
    uint32_t flags;              /* WIRE_START_* */
    uint64_t log_max;            /* bytes kept of each stream; 0: the keeper's default */
};
enum {
    WIRE_START_PRIVS = 1,  /* let it gain privileges (sudo); else no_new_privs is set */
    WIRE_START_DETACH = 2, /* leave the processes it leaves behind alone */
    WIRE_START_FLAGS = 3,  /* all of them */
};
struct wire_stop {
    struct wire_name name;
    enum wire_cause cause;
};
struct wire_ack {
    uint64_t seq;
};
struct wire_ping {
    uint64_t token; /* comes back in PONG */
};
struct wire_welcome {
    uint32_t version;
    uint8_t boot_id[16];
    uint32_t pid;
    uint32_t slots;      /* attempts it would like to hold at once */
    uint64_t seq;        /* the last sequence number given out */
    struct str features; /* words with blanks between: "cgroup exit-info" */
};
struct wire_started {
    uint64_t seq;
    struct wire_name name;
    uint32_t pid;
    uint64_t start_ticks; /* field 22 of /proc/PID/stat; 0: it was over too soon to look */
    uint32_t slot;        /* its output: {LOG_SLOT, slot} until it ends */
    ms_t at;              /* wall */
};
struct wire_usage {
    uint64_t user_us, sys_us, max_rss_kib;
    uint64_t read_blocks, write_blocks; /* of 512 bytes */
};
struct wire_ended {
    uint64_t seq;
    struct wire_name name;
    enum wire_how how;
    enum wire_cause cause;
    int32_t code;
    bool needed_kill; /* the stop signal was not enough */
    bool oom;         /* the kernel ended it for want of memory */
    bool leftovers;   /* processes of it outlived it; ended after a while unless detached */
    struct wire_usage usage;
    ms_t started_at, at; /* wall */
    struct log_ref log;
    struct str text; /* what a person should know besides; may be empty */
};
struct wire_refused {
    uint64_t seq;
    struct wire_name name;
    uint32_t code; /* errno */
    struct str text;
};
/* One living attempt in an ALIVE frame. */
struct wire_alive {
    struct wire_name name;
    uint64_t cpu_ms; /* of the whole tree, as far as it can be seen */
    uint64_t rss_kib;
    uint64_t log_len; /* bytes written to both streams */
    ms_t output_at;   /* wall; 0: nothing written yet */
};
struct wire_living {
    struct str bytes;
    uint32_t count;
};
void wire_alive_add(struct buf *out, uint32_t *count, const struct wire_alive *one);
struct wire_alive wire_alive_at(const struct wire_living *l, uint32_t i); /* i < count */

/* A frame. Borrows: texts point into the bytes it was decoded from. */
struct wire_frame {
    enum wire_kind kind;
    union {
        struct wire_hello hello;
        struct wire_start start;
        struct wire_stop stop;
        struct wire_ack ack;
        struct wire_ping ping; /* PING and PONG */
        struct wire_welcome welcome;
        struct wire_started started;
        struct wire_ended ended;
        struct wire_refused refused;
        struct wire_living alive;
    };
};

/* Append `f` to `out`. ERR_LIMIT when it is longer than WIRE_FRAME_MAX; then
 * `out` is as it was. */
bool wire_encode(const struct wire_frame *f, struct buf *out, struct err *e);

/* The first frame in `in`. True and `*used` > 0: it is in `*out` and that many
 * bytes are done. True and `*used` == 0: more bytes are needed. False: these
 * bytes are not of this language, and nothing after them can be. */
bool wire_decode(struct str in, struct wire_frame *out, size_t *used, struct err *e);

#endif
