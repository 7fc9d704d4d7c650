/* SPDX-License-Identifier: MIT */
#include "store/scribe.h"
#include "../check.h"

#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static uint64_t synced;

static void done(void *ctx, uint64_t commit)
{
    (void)ctx;
    pthread_mutex_lock(&lock);
    CHECK(commit >= synced); /* an urgent note of what is synced is told again */
    synced = commit;
    pthread_cond_signal(&moved);
    pthread_mutex_unlock(&lock);
}

TEST(every_commit_is_synced_in_the_end_and_in_order)
{
    TEST_BEGIN;
    char path[] = "/tmp/gowtf-wal-XXXXXX";
    int fd = mkstemp(path);
    struct scribe *s;
    struct err e = {0};
    CHECK(fd >= 0 && scribe_new(path, done, NULL, &s, &e));
    for (uint64_t i = 1; i <= 500; i++) {
        CHECK(write(fd, "x", 1) == 1);
        CHECK(!scribe_note(s, i, i % 7 == 0));
    }
    pthread_mutex_lock(&lock);
    while (synced < 500)
        pthread_cond_wait(&moved, &lock);
    pthread_mutex_unlock(&lock);
    CHECK(!scribe_failed(s, &e));
    while (!scribe_note(s, 500, true)) /* its own note of it comes just after the call */
        ;
    scribe_note(s, 501, false);
    scribe_free(s);
    CHECK(synced == 501);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_commit_is_synced_in_the_end_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
