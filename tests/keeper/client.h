/* SPDX-License-Identifier: MIT
 *
 * tests/keeper/client.h: a daemon in a hundred lines, to talk to a real keeper.
 *
 * Everything here ends the test with a message when it does not come about in
 * TEN seconds, so that a story reads without error handling. */
#ifndef TESTS_KEEPER_CLIENT_H
#define TESTS_KEEPER_CLIENT_H

#include "base/clock.h"
#include "wire/logfile.h"

#include <sys/types.h>

struct client {
    char dir[64]; /* the data directory, private to the test */
    pid_t keeper; /* 0: none */
    int fd;       /* -1: not connected */
    struct buf in;
    size_t in_used;
    uint64_t acked; /* what HELLO says */
    struct ulid run;
    uint32_t slots;
    ms_t linger_ms;
    uint64_t log_max;
    const char *cgroup; /* to be divided by the keeper; NULL: $KEEPER_CGROUP, or as it finds */
    char text[256];     /* of the last ENDED or REFUSED */
};

/* A keeper in a fresh directory, connected, replay heard. */
void client_open(struct client *c);
void client_close(struct client *c); /* ends the keeper, removes the directory */

void client_spawn(struct client *c);   /* a keeper in the directory */
void client_kill(struct client *c);    /* kill -9 of the keeper, reaped */
void client_connect(struct client *c); /* HELLO; WELCOME is the next frame */
void client_disconnect(struct client *c);

/* Frames. Texts of a received one live until the next is received. */
void client_send(struct client *c, const struct wire_frame *f);
bool client_next(struct client *c, struct wire_frame *out, ms_t wait_ms); /* false: nothing came */
/* The next frame of that kind; others are dropped. */
struct wire_frame client_expect(struct client *c, enum wire_kind kind);
struct wire_ended client_ended(struct client *c); /* its text is in c->text */
void client_ack(struct client *c, uint64_t seq);

struct wire_name client_name(const struct client *c, uint32_t task);
/* START of `sh -c script` as task number `task`; `change` may be NULL. */
void client_sh(struct client *c, uint32_t task, const char *script,
               void (*change)(struct wire_start *s));
void client_start(struct client *c, uint32_t task, const char *const *argv, const char *const *env,
                  const char *workdir, void (*change)(struct wire_start *s));
void client_stop(struct client *c, uint32_t task, enum wire_cause cause);

/* Wait until `path` (relative to the data directory) exists, or the pid is gone. */
void client_await_file(struct client *c, const char *path);
void client_await_gone(pid_t pid);
long client_read_number(struct client *c, const char *path); /* of a file that holds one */

#endif
