/* SPDX-License-Identifier: MIT */
#include "bus/door.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum stage { FREE, POSTED, TAKEN, ANSWERED, MARKED };

struct ticket {
    enum stage stage;
    uint64_t generation; /* tells a ticket from the next one in its place */
    uint64_t commit;     /* MARKED: what its answer rests on */
    uint32_t next;       /* in the queue of posted or the list of free ones */
    struct wish wish;
    struct arena arena; /* holds the wish's texts */
    struct answer answer;
    door_reply_fn *reply;
    void *ctx;
};

enum { NOBODY = DOOR_TICKETS };

struct door {
    pthread_mutex_t lock;
    int wake_fd;
    enum err_kind refuse;
    char why[200];
    uint32_t free, posted_head, posted_tail;
    uint32_t answered; /* tickets ANSWERED or MARKED */
    struct ticket tickets[DOOR_TICKETS];
};

struct door *door_new(int wake_fd)
{
    struct door *d = mem_new(sizeof *d);
    pthread_mutex_init(&d->lock, NULL);
    d->wake_fd = wake_fd;
    d->posted_head = d->posted_tail = NOBODY;
    for (uint32_t i = 0; i < DOOR_TICKETS; i++)
        d->tickets[i].next = i + 1;
    return d;
}

static uint64_t number(struct door *d, struct ticket *t)
{
    return t->generation * DOOR_TICKETS + (uint64_t)(t - d->tickets);
}

static struct ticket *find(struct door *d, uint64_t ticket)
{
    struct ticket *t = &d->tickets[ticket % DOOR_TICKETS];
    ASSERT(t->generation == ticket / DOOR_TICKETS);
    return t;
}

/* Take the ticket back and tell its holder; the lock is held, and let go
 * during the call so that a reply may post again. */
static void send_off(struct door *d, struct ticket *t)
{
    door_reply_fn *reply = t->reply;
    void *ctx = t->ctx;
    struct answer a = t->answer;
    if (t->stage == ANSWERED || t->stage == MARKED)
        d->answered--;
    arena_free(&t->arena);
    t->stage = FREE;
    t->generation++;
    t->next = d->free;
    d->free = (uint32_t)(t - d->tickets);
    pthread_mutex_unlock(&d->lock);
    reply(ctx, &a);
    pthread_mutex_lock(&d->lock);
}

void door_free(struct door *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < DOOR_TICKETS; i++) {
        struct ticket *t = &d->tickets[i];
        if (t->stage == FREE)
            continue;
        if (t->stage != MARKED) {
            t->answer = (struct answer){.kind = ERR_DOWN};
            snprintf(t->answer.text, sizeof t->answer.text, "the engine is stopping");
        }
        send_off(d, t);
    }
    pthread_mutex_unlock(&d->lock);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

void door_refuse(struct door *d, enum err_kind kind, const char *why)
{
    pthread_mutex_lock(&d->lock);
    d->refuse = kind;
    snprintf(d->why, sizeof d->why, "%s", why);
    pthread_mutex_unlock(&d->lock);
}

static bool admit(struct door *d, const struct wish *w, door_reply_fn *reply, void *ctx,
                  struct err *e)
{
    if (d->refuse != ERR_NONE)
        return err_set(e, d->refuse, "%s", d->why);
    if (d->free == NOBODY)
        return err_set(e, ERR_LIMIT, "%d requests are waiting already; try again", DOOR_TICKETS);
    struct ticket *t = &d->tickets[d->free];
    d->free = t->next;
    t->stage = POSTED;
    t->next = NOBODY;
    t->wish = *w;
    t->wish.actor = arena_str(&t->arena, w->actor);
    t->wish.key = arena_str(&t->arena, w->key);
    t->wish.body = arena_str(&t->arena, w->body);
    t->reply = reply;
    t->ctx = ctx;
    uint32_t i = (uint32_t)(t - d->tickets);
    if (d->posted_tail == NOBODY)
        d->posted_head = i;
    else
        d->tickets[d->posted_tail].next = i;
    d->posted_tail = i;
    return true;
}

bool door_post(struct door *d, const struct wish *w, door_reply_fn *reply, void *ctx, struct err *e)
{
    pthread_mutex_lock(&d->lock);
    bool ok = admit(d, w, reply, ctx, e);
    pthread_mutex_unlock(&d->lock);
    uint64_t one = 1;
    if (ok && write(d->wake_fd, &one, sizeof one) != sizeof one)
        ASSERT(!"an eventfd takes a one");
    return ok;
}

bool door_take(struct door *d, uint64_t *ticket)
{
    pthread_mutex_lock(&d->lock);
    bool there = d->posted_head != NOBODY;
    if (there) {
        struct ticket *t = &d->tickets[d->posted_head];
        d->posted_head = t->next;
        if (d->posted_head == NOBODY)
            d->posted_tail = NOBODY;
        t->stage = TAKEN;
        *ticket = number(d, t);
    }
    pthread_mutex_unlock(&d->lock);
    return there;
}

/* Only the engine thread moves a ticket on from TAKEN, so its wish stands. */
const struct wish *door_wish(struct door *d, uint64_t ticket)
{
    return &find(d, ticket)->wish;
}

void door_answer(struct door *d, uint64_t ticket, const struct answer *a)
{
    pthread_mutex_lock(&d->lock);
    struct ticket *t = find(d, ticket);
    ASSERT(t->stage == TAKEN);
    t->answer = *a;
    t->stage = ANSWERED;
    d->answered++;
    pthread_mutex_unlock(&d->lock);
}

void door_mark(struct door *d, uint64_t commit)
{
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; d->answered && i < DOOR_TICKETS; i++)
        if (d->tickets[i].stage == ANSWERED) {
            d->tickets[i].stage = MARKED;
            d->tickets[i].commit = commit;
        }
    pthread_mutex_unlock(&d->lock);
}

void door_release(struct door *d, uint64_t synced)
{
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; d->answered && i < DOOR_TICKETS; i++)
        if (d->tickets[i].stage == MARKED && d->tickets[i].commit <= synced)
            send_off(d, &d->tickets[i]);
    pthread_mutex_unlock(&d->lock);
}

bool door_waits(struct door *d)
{
    pthread_mutex_lock(&d->lock);
    bool waits = d->answered > 0;
    pthread_mutex_unlock(&d->lock);
    return waits;
}
