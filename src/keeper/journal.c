/* SPDX-License-Identifier: MIT
 *
 * keeper/journal.c: see the header.
 *
 * What must stay true:
 *
 *   - the blocks of the file are reserved when it is made, so that a full disk
 *     is an error there and never a SIGBUS later;
 *   - a reader believes nothing: a record counts only if its checksum holds and
 *     its number is above the one before it, and the first that does not ends
 *     the file. A record torn by our death is thus cut off;
 *   - a sequence number is never given out twice in one directory.
 *
 * Checksum: CRC-32C (Castagnoli), RFC 3720 B.4. */
#include "keeper/journal.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the journal is little endian");

#define JOURNAL_MAGIC "gowtf keeper journal 1\n"
enum { JOURNAL_MAGIC_LEN = 24, JOURNAL_BYTES_MAX = 1 << 30 };

/* The head of the file, in the place of the first record. */
struct head {
    char magic[JOURNAL_MAGIC_LEN];
    uint8_t boot_id[16];
    uint64_t seq; /* numbers up to here were given out before this file */
    uint8_t rest[sizeof(struct record) - 48];
};
_Static_assert(sizeof(struct head) == sizeof(struct record), "the head is as long as a record");

static uint32_t crc_plain(uint32_t crc, const uint8_t *p, size_t n)
{
    static const uint32_t nibble[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    while (n--) {
        crc ^= *p++;
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc_fast(uint32_t crc, const uint8_t *p, size_t n)
{
    uint64_t wide = crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    while (n--)
        crc = __builtin_ia32_crc32qi(crc, *p++);
    return crc;
}
#endif

uint32_t crc32c(const void *bytes, size_t n)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc_fast(~0u, bytes, n);
#endif
    return ~crc_plain(~0u, bytes, n);
}

static uint32_t record_crc(const struct record *r)
{
    return crc32c((const uint8_t *)r + sizeof r->crc, sizeof *r - sizeof r->crc);
}

static bool record_fits(const struct record *r, uint64_t after)
{
    if (r->kind == RECORD_NONE || r->kind >= RECORD_KINDS || r->seq <= after ||
        r->how >= WIRE_HOWS || r->cause >= WIRE_CAUSES || r->flags & ~RECORD_FLAGS ||
        r->crc != record_crc(r))
        return false;
    bool has_end = r->kind >= RECORD_EXITED;
    return !has_end || (r->ended.log.kind < LOG_KINDS && r->ended.text[RECORD_TEXT_MAX - 1] == 0);
}

long journal_count(const void *bytes, size_t len)
{
    const struct head *head = bytes;
    const struct record *r = bytes;
    size_t cap = len / sizeof *r, n = 1;
    if (cap < 1 || memcmp(head->magic, JOURNAL_MAGIC, JOURNAL_MAGIC_LEN) != 0)
        return -1;
    uint64_t seq = 0;
    while (n < cap && record_fits(&r[n], seq))
        seq = r[n++].seq;
    return (long)n - 1;
}

bool journal_read_old(int dir, const uint8_t boot_id[16], struct journal_old *out, struct err *e)
{
    CLEANUP(fd_close)
    int fd = openat(dir, "journal", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *out = (struct journal_old){0};
    if (fd < 0)
        return errno == ENOENT || err_sys(e, "journal");
    if (!fd_read_all(fd, JOURNAL_BYTES_MAX, &out->bytes, e))
        return err_wrap(e, "journal");
    long n = journal_count(out->bytes.at, out->bytes.len);
    if (n < 0)
        return true;
    const struct head *head = (const void *)out->bytes.at;
    out->at = (const struct record *)(const void *)out->bytes.at + 1;
    out->count = (size_t)n;
    out->seq = n ? MAX(head->seq, out->at[n - 1].seq) : head->seq;
    out->same_boot = memcmp(head->boot_id, boot_id, sizeof head->boot_id) == 0;
    return true;
}

static bool file_make(int dir, size_t size, struct record **out, struct err *e)
{
    CLEANUP(fd_close)
    int fd = openat(dir, "journal.new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_sys(e, "journal.new");
    errno = posix_fallocate(fd, 0, (off_t)size);
    if (errno)
        return err_sys(e, "journal.new");
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return err_sys(e, "journal.new");
    *out = at;
    return true;
}

bool journal_renew(struct journal *j, const struct record *const *keep, size_t keep_count,
                   size_t room, struct err *e)
{
    struct record *at = NULL;
    size_t cap = 1 + keep_count + room, size = cap * sizeof *at;
    if (!file_make(j->dir, size, &at, e))
        return false;
    struct head *head = (struct head *)(void *)at;
    memcpy(head->magic, JOURNAL_MAGIC, JOURNAL_MAGIC_LEN);
    memcpy(head->boot_id, j->boot_id, sizeof head->boot_id);
    head->seq = j->seq;
    for (size_t i = 0; i < keep_count; i++)
        at[1 + i] = *keep[i];
    if (renameat(j->dir, "journal.new", j->dir, "journal")) {
        munmap(at, size);
        return err_sys(e, "journal");
    }
    journal_close(j);
    j->at = at;
    j->cap = cap;
    j->count = 1 + keep_count;
    return true;
}

void journal_close(struct journal *j)
{
    if (j->at)
        munmap(j->at, j->cap * sizeof *j->at);
    j->at = NULL;
    j->cap = j->count = 0;
}

size_t journal_room(const struct journal *j)
{
    return j->cap - j->count;
}

const struct record *journal_add(struct journal *j, struct record *r)
{
    ASSERT(j->count < j->cap);
    r->seq = ++j->seq;
    r->crc = record_crc(r);
    struct record *to = &j->at[j->count++];
    *to = *r;
    return to;
}
