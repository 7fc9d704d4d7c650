/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/journal_fuzz.c: any bytes as a dead keeper's journal.
 *
 * What is believed lies within the bytes, is whole, and rises. So that chance is
 * not stopped by the checksum, each record is also tried with a right one. */
#include "fuzz.h"
#include "keeper/journal.h"

static void check(const struct record *at, size_t len)
{
    long n = journal_count(at, len);
    ASSERT(n < (long)(len / sizeof *at) || (n <= 0 && len < sizeof *at));
    for (long i = 1; i <= n; i++) {
        ASSERT(at[i].kind != RECORD_NONE && at[i].kind < RECORD_KINDS);
        ASSERT(i == 1 || at[i].seq > at[i - 1].seq);
        if (at[i].kind >= RECORD_EXITED)
            ASSERT(strnlen(at[i].ended.text, RECORD_TEXT_MAX) < RECORD_TEXT_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(mem_free_at) struct record *at = mem_new(size);
    if (size)
        memcpy(at, data, size);
    check(at, size);
    for (size_t i = 1; i < size / sizeof *at; i++)
        at[i].crc = crc32c((uint8_t *)&at[i] + 4, sizeof at[i] - 4);
    check(at, size);
    return 0;
}
