/* SPDX-License-Identifier: MIT
 *
 * What must stay true:
 *
 *   - `synced` is read before the sync begins: a commit that arrives during it
 *     is not covered by it;
 *   - a failed sync is never tried again, because the kernel may have thrown
 *     the dirty pages away and the second one would lie. */
#include "store/scribe.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum { LEISURE_MS = 5 }; /* how long a commit nobody waits for may go unsynced */

struct scribe {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int fd;
    scribe_done_fn *done;
    void *ctx;
    uint64_t noted, synced;
    bool urgent, stop;
    int error; /* errno of the sync that failed */
};

static void wait_a_moment(struct scribe *s)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LEISURE_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    while (!s->urgent && !s->stop)
        if (pthread_cond_timedwait(&s->wake, &s->lock, &until) == ETIMEDOUT)
            return;
}

/* The lock is held, and let go while the disk works. */
static void sync_once(struct scribe *s)
{
    uint64_t covered = s->noted;
    s->urgent = false;
    pthread_mutex_unlock(&s->lock);
    int error = fdatasync(s->fd) ? errno : 0;
    if (!error)
        s->done(s->ctx, covered);
    pthread_mutex_lock(&s->lock);
    if (error)
        s->error = error;
    else
        s->synced = covered;
}

static void *work(void *arg)
{
    struct scribe *s = arg;
    pthread_mutex_lock(&s->lock);
    /* Urgent without news: an answer rests on a commit that is synced already. */
    while (!s->error && (!s->stop || s->urgent || s->synced < s->noted)) {
        if (s->synced == s->noted && !s->urgent) {
            pthread_cond_wait(&s->wake, &s->lock);
            continue;
        }
        if (!s->urgent && !s->stop)
            wait_a_moment(s);
        sync_once(s);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

bool scribe_new(const char *wal_path, scribe_done_fn *done, void *ctx, struct scribe **out,
                struct err *e)
{
    struct scribe *s = mem_new(sizeof *s);
    pthread_condattr_t attr;
    s->done = done;
    s->ctx = ctx;
    s->fd = open(wal_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (s->fd < 0) {
        free(s);
        return err_sys(e, "%s", wal_path);
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
    int code = pthread_create(&s->thread, NULL, work, s);
    if (code) {
        close(s->fd);
        free(s);
        errno = code;
        return err_sys(e, "cannot start a thread");
    }
    *out = s;
    return true;
}

void scribe_free(struct scribe *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    close(s->fd);
    free(s);
}

bool scribe_note(struct scribe *s, uint64_t commit, bool urgent)
{
    pthread_mutex_lock(&s->lock);
    bool synced = commit <= s->synced;
    /* A scribe at leisure need not be woken for more of the same. */
    bool wake = !synced && (s->noted == s->synced || (urgent && !s->urgent));
    if (!synced) {
        s->noted = commit;
        s->urgent |= urgent;
    }
    if (wake)
        pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    return synced;
}

bool scribe_failed(struct scribe *s, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    int error = s->error;
    pthread_mutex_unlock(&s->lock);
    if (!error)
        return false;
    errno = error;
    err_sys(e, "cannot sync the database to disk");
    return true;
}
