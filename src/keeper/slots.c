/* SPDX-License-Identifier: MIT
 *
 * keeper/slots.c: see the header.
 *
 * What must stay true:
 *
 *   - the bytes of an attempt are in its slot until the journal says that they
 *     are somewhere else, so a death between the two moves them a second time
 *     and loses none;
 *   - an index entry never names an attempt whose bytes are not in the files:
 *     the turn is odd while that is being changed;
 *   - a disk without room never fails a task: what cannot be kept is counted.
 *
 * A busy writer is not allowed to wake us for each line: a watch is good for
 * one event and is set again GAP_MS later. */
#include "keeper/slots.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    GAP_MS = 20,
    SEGMENT_MAX = 64 << 20,   /* bytes; then the next one is begun */
    BLOCK = 4096,             /* holes begin and end at multiples */
    LOG_KEEP_MIN = 128 << 10, /* the least log_max: small logs are never cut */
};

static const char *const which[2] = {"out", "err"};

/* ---- making ---- */

static bool dir_make(const char *path, struct err *e)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST || err_sys(e, "%s", path);
}

static void slot_close_files(struct slot *s)
{
    fd_close(&s->fd[0]);
    fd_close(&s->fd[1]);
    s->broken = true;
}

static bool slot_open_files(struct slot *s, struct err *e)
{
    char path[LOG_PATH_MAX];
    for (int i = 0; i < 2; i++) {
        fd_close(&s->fd[i]);
        log_slot_path(s->number, which[i], path);
        s->fd[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (s->fd[i] < 0) {
            err_sys(e, "%s", path);
            slot_close_files(s);
            return false;
        }
    }
    s->broken = false;
    return true;
}

static struct slot *slot_make(struct slots *ss, struct err *e)
{
    uint32_t number = ss->count;
    errno = posix_fallocate(ss->index, (off_t)number * LOG_ENTRY_BYTES, LOG_ENTRY_BYTES);
    if (errno) {
        err_sys(e, LOG_SLOT_INDEX);
        return NULL;
    }
    struct slot *s = mem_new(sizeof *s);
    *s = (struct slot){.number = number,
                       .fd = {-1, -1},
                       .watch = {-1, -1},
                       .entry = &ss->entries[number],
                       .rearm_at = MS_NEVER};
    if (!slot_open_files(s, e)) {
        free(s);
        return NULL;
    }
    ss->at[ss->count++] = s;
    return s;
}

/* Segments are numbered for ever: never one that was there before. */
static void segments_count(struct slots *ss)
{
    DIR *d = opendir("logs/segments");
    if (!d)
        return;
    for (struct dirent *entry; (entry = readdir(d));) {
        uint32_t number;
        struct str name = str_of(entry->d_name);
        if (str_ends(name, S(".log")) && str_to_u32((struct str){name.at, name.len - 4}, &number))
            ss->segment = MAX(ss->segment, number);
    }
    closedir(d);
}

bool slots_open(struct slots *ss, uint32_t count, struct err *e)
{
    *ss = (struct slots){.index = -1, .inotify = -1, .segment_fd = -1};
    if (!dir_make("logs", e) || !dir_make("logs/slots", e) || !dir_make("logs/segments", e) ||
        !dir_make("logs/files", e))
        return false;
    ss->index = open(LOG_SLOT_INDEX, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (ss->index < 0)
        return err_sys(e, LOG_SLOT_INDEX);
    ss->entries = mmap(NULL, SLOTS_MAX * sizeof *ss->entries, PROT_READ | PROT_WRITE, MAP_SHARED,
                       ss->index, 0);
    if (ss->entries == MAP_FAILED)
        return err_sys(e, LOG_SLOT_INDEX);
    ss->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK); /* -1: looked at less often */
    ss->at = mem_new(SLOTS_MAX * sizeof(struct slot *));
    segments_count(ss);
    while (ss->count < count)
        if (!slot_make(ss, e))
            return false;
    return true;
}

void slots_close(struct slots *ss)
{
    for (uint32_t i = 0; i < ss->count; i++) {
        slot_close_files(ss->at[i]);
        free(ss->at[i]);
    }
    free(ss->at);
    if (ss->entries && ss->entries != MAP_FAILED)
        munmap(ss->entries, SLOTS_MAX * sizeof *ss->entries);
    fd_close(&ss->index);
    fd_close(&ss->inotify);
    fd_close(&ss->segment_fd);
    map_free(&ss->by_watch);
    buf_free(&ss->scratch);
    *ss = (struct slots){.index = -1, .inotify = -1, .segment_fd = -1};
}

struct slot *slots_take(struct slots *ss)
{
    struct err e;
    for (uint32_t i = 0; i < ss->count; i++) {
        struct slot *s = ss->at[i];
        if (s->used || (s->broken && !slot_open_files(s, &e)))
            continue;
        s->used = true;
        return s;
    }
    struct slot *s = ss->count < SLOTS_MAX ? slot_make(ss, &e) : NULL;
    if (s)
        s->used = true;
    return s;
}

struct slot *slots_take_back(struct slots *ss, uint32_t number)
{
    struct err e;
    if (number >= SLOTS_MAX)
        return NULL;
    while (ss->count <= number)
        if (!slot_make(ss, &e))
            return NULL;
    struct slot *s = ss->at[number];
    if (s->used)
        return NULL;
    s->used = true;
    return s;
}

/* ---- the entry ---- */

static void entry_change(struct log_entry *entry)
{
    __atomic_store_n(&entry->head.turn, entry->head.turn | 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void entry_changed(struct log_entry *entry)
{
    __atomic_store_n(&entry->head.turn, entry->head.turn + 1, __ATOMIC_RELEASE);
}

static void entry_set(struct log_entry *entry, const struct wire_name *name, ms_t wall)
{
    uint32_t turn = entry->head.turn | 1;
    entry_change(entry);
    entry->head = (struct log_head){.turn = turn, .name = *name, .started_at = wall};
    memcpy(entry->head.magic, LOG_MAGIC, sizeof entry->head.magic);
    entry_changed(entry);
}

static void slot_keep(struct slot *s, uint64_t log_max)
{
    s->log_max = MAX(log_max, LOG_KEEP_MIN);
    s->mark_gap = GAP_MS;
    s->rearm_at = MS_NEVER;
    s->watched = false;
    s->output_at = 0;
    s->len[0] = s->len[1] = 0;
}

void slot_begin(struct slot *s, const struct wire_name *name, ms_t wall, uint64_t log_max)
{
    entry_set(s->entry, name, wall);
    slot_keep(s, log_max);
}

bool slot_resume(struct slot *s, const struct wire_name *name, uint64_t log_max)
{
    const struct log_head *h = &s->entry->head;
    if (memcmp(h->magic, LOG_MAGIC, sizeof h->magic) != 0 || h->turn % 2 ||
        h->marks_count > LOG_MARKS_MAX || !wire_name_eq(&h->name, name))
        return false;
    slot_keep(s, log_max);
    s->resumed = true;
    return true;
}

bool slot_is_held(const struct slot *s)
{
    for (int i = 0; i < 2; i++) {
        if (s->fd[i] < 0)
            continue;
        if (flock(s->fd[i], LOCK_EX | LOCK_NB))
            return true;
        flock(s->fd[i], LOCK_UN);
    }
    return false;
}

/* ---- growth ---- */

/* Every second mark goes, and the next ones come half as often. */
static void marks_thin(struct slot *s)
{
    struct log_entry *entry = s->entry;
    uint32_t kept = 0;
    entry_change(entry);
    for (uint32_t i = 1; i < entry->head.marks_count; i += 2)
        entry->marks[kept++] = entry->marks[i];
    entry->head.marks_count = kept;
    entry_changed(entry);
    s->mark_gap *= 2;
}

static void mark_add(struct slot *s, ms_t wall, bool last)
{
    struct log_head *head = &s->entry->head;
    const struct log_mark *before =
        head->marks_count ? &s->entry->marks[head->marks_count - 1] : NULL;
    if (before && before->out_len == s->len[0] && before->err_len == s->len[1])
        return;
    if (before && !last && wall - before->at < s->mark_gap)
        return;
    if (head->marks_count == LOG_MARKS_MAX)
        marks_thin(s);
    s->entry->marks[head->marks_count] = (struct log_mark){wall, s->len[0], s->len[1]};
    __atomic_store_n(&head->marks_count, head->marks_count + 1, __ATOMIC_RELEASE);
}

/* Let go of what is neither in the first nor in the last half of log_max. The
 * entry says so before it is true: a reader may find bytes that it skips. */
static void slot_punch(struct slot *s, int i)
{
    struct log_hole *hole = i ? &s->entry->head.err_hole : &s->entry->head.out_hole;
    uint64_t half = (s->log_max / 2 + BLOCK - 1) / BLOCK * BLOCK;
    if (s->len[i] <= 2 * half || s->fd[i] < 0)
        return;
    uint64_t end = (s->len[i] - half) / BLOCK * BLOCK;
    uint64_t done = hole->len ? hole->at + hole->len : half;
    if (end < done + MAX(half / 8, BLOCK))
        return;
    *hole = (struct log_hole){half, end - half};
    if (fallocate(s->fd[i], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)done,
                  (off_t)(end - done)))
        *hole = done > half ? (struct log_hole){half, done - half} : (struct log_hole){0, 0};
}

static bool slot_sizes(struct slot *s)
{
    bool grew = false;
    for (int i = 0; i < 2; i++) {
        struct stat st;
        if (s->fd[i] < 0 || fstat(s->fd[i], &st))
            continue;
        grew |= (uint64_t)st.st_size != s->len[i];
        s->len[i] = (uint64_t)st.st_size;
    }
    return grew;
}

static bool slot_look_again(struct slot *s, ms_t wall, bool last)
{
    bool grew = slot_sizes(s);
    if (grew)
        s->output_at = wall;
    if (!grew && !last)
        return false;
    if (s->len[0] || s->len[1])
        mark_add(s, wall, last);
    slot_punch(s, 0);
    slot_punch(s, 1);
    return grew;
}

void slot_look(struct slot *s, ms_t wall)
{
    slot_look_again(s, wall, false);
}

static void slot_arm(struct slots *ss, struct slot *s)
{
    char path[LOG_PATH_MAX];
    for (int i = 0; ss->inotify >= 0 && i < 2; i++) {
        log_slot_path(s->number, which[i], path);
        int watch = inotify_add_watch(ss->inotify, path, IN_MODIFY | IN_ONESHOT);
        if (watch < 0)
            continue;
        s->watch[i] = watch;
        map_put(&ss->by_watch, watch, s);
    }
}

void slot_watch(struct slots *ss, struct slot *s, ms_t wall)
{
    s->watched = true;
    slot_arm(ss, s);
    slot_look(s, wall);
}

static void slot_unwatch(struct slots *ss, struct slot *s)
{
    for (int i = 0; i < 2; i++) {
        if (s->watch[i] >= 0 && map_take(&ss->by_watch, s->watch[i]))
            inotify_rm_watch(ss->inotify, s->watch[i]);
        s->watch[i] = -1;
    }
    s->watched = false;
    s->rearm_at = MS_NEVER;
}

static void hear_one(struct slots *ss, const struct inotify_event *ev, ms_t wall, ms_t boot)
{
    struct slot *s = map_get(&ss->by_watch, ev->wd);
    if (!s)
        return;
    if (ev->mask & IN_MODIFY) {
        slot_look(s, wall);
        s->rearm_at = MIN(s->rearm_at, boot + GAP_MS);
    }
    if (ev->mask & IN_IGNORED) {
        map_take(&ss->by_watch, ev->wd);
        s->watch[s->watch[1] == ev->wd] = -1;
    }
}

void slots_hear(struct slots *ss, ms_t wall, ms_t boot)
{
    _Alignas(struct inotify_event) char text[4096];
    for (ssize_t n; (n = read(ss->inotify, text, sizeof text)) > 0;)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *ev = (const void *)(text + at);
            hear_one(ss, ev, wall, boot);
            at += (ssize_t)(sizeof *ev + ev->len);
        }
}

void slots_tick(struct slots *ss, ms_t wall, ms_t boot)
{
    for (uint32_t i = 0; i < ss->count; i++) {
        struct slot *s = ss->at[i];
        if (s->rearm_at > boot)
            continue;
        s->rearm_at = MS_NEVER;
        slot_arm(ss, s);
        if (slot_look_again(s, wall, false))
            s->rearm_at = boot + GAP_MS;
    }
}

ms_t slots_deadline(const struct slots *ss)
{
    ms_t first = MS_NEVER;
    for (uint32_t i = 0; i < ss->count; i++)
        first = MIN(first, ss->at[i]->rearm_at);
    return first;
}

/* ---- the end of an attempt's output ---- */

static bool segment_ready(struct slots *ss)
{
    char path[LOG_PATH_MAX];
    if (ss->segment_fd >= 0 && ss->segment_len < SEGMENT_MAX)
        return true;
    fd_close(&ss->segment_fd);
    log_segment_path(ss->segment + 1, path);
    ss->segment_fd =
        open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (ss->segment_fd < 0)
        return false;
    ss->segment++;
    ss->segment_len = 0;
    return true;
}

static bool scratch_read(struct slots *ss, int fd, uint64_t len)
{
    char chunk[16384];
    for (uint64_t at = 0; at < len;) {
        ssize_t n = pread(fd, chunk, MIN(sizeof chunk, len - at), (off_t)at);
        if (n <= 0)
            return false;
        buf_add(&ss->scratch, chunk, (size_t)n);
        at += (uint64_t)n;
    }
    return true;
}

/* [out][err][marks] at the end of the current segment. */
static bool slot_to_segment(struct slots *ss, struct slot *s, struct log_ref *ref)
{
    struct err e;
    if (!segment_ready(ss))
        return false;
    buf_clear(&ss->scratch);
    for (int i = 0; i < 2; i++)
        if (s->len[i] && !scratch_read(ss, s->fd[i], s->len[i]))
            return false;
    ref->marks_len = s->entry->head.marks_count * (uint32_t)sizeof(struct log_mark);
    buf_add(&ss->scratch, s->entry->marks, ref->marks_len);
    if (!fd_write_all(ss->segment_fd, ss->scratch.at, ss->scratch.len, &e)) {
        if (ftruncate(ss->segment_fd, (off_t)ss->segment_len))
            fd_close(&ss->segment_fd);
        return false;
    }
    ref->kind = LOG_SEGMENT;
    ref->number = ss->segment;
    ref->offset = ss->segment_len;
    ss->segment_len += ss->scratch.len;
    return true;
}

/* Marks and holes beside files of their own. */
static void write_idx(const struct slot *s, const struct wire_name *name)
{
    struct err e;
    char path[LOG_PATH_MAX];
    log_files_path(name, "idx", path);
    struct str bytes = {(const char *)s->entry,
                        LOG_HEAD_BYTES + s->entry->head.marks_count * sizeof(struct log_mark)};
    CLEANUP(fd_close)
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && !fd_write_all(fd, bytes.at, bytes.len, &e))
        unlink(path); /* better none than half of one */
}

static bool slot_to_files(struct slot *s, const struct wire_name *name, struct log_ref *ref)
{
    char from[LOG_PATH_MAX], to[LOG_PATH_MAX];
    bool moved = true;
    log_files_path(name, "out", to);
    *strrchr(to, '/') = 0;
    if (mkdir(to, 0700) && errno != EEXIST)
        return false;
    for (int i = 0; i < 2; i++) {
        log_slot_path(s->number, which[i], from);
        log_files_path(name, which[i], to);
        moved &= rename(from, to) == 0;
    }
    if (!moved)
        return false;
    write_idx(s, name);
    ref->kind = LOG_FILES;
    return true;
}

static bool files_are_there(const struct wire_name *name)
{
    char path[LOG_PATH_MAX];
    struct stat st;
    log_files_path(name, "out", path);
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

struct log_ref slot_finish(struct slots *ss, struct slot *s, bool held, ms_t wall)
{
    struct log_head *head = &s->entry->head;
    struct log_ref ref = {.kind = LOG_NONE, .name = head->name};
    s->held = held;
    slot_unwatch(ss, s);
    slot_look_again(s, wall, true);
    ref.out_len = s->len[0];
    ref.err_len = s->len[1];
    ref.out_dropped = head->out_hole.len;
    ref.err_dropped = head->err_hole.len;
    uint64_t total = s->len[0] + s->len[1];
    if (total == 0 && s->resumed && files_are_there(&head->name)) {
        ref.kind = LOG_FILES; /* moved there by the keeper before us, who died then */
        return ref;
    }
    if (total == 0 && !held)
        return ref;
    if (!held && total <= LOG_SMALL_MAX && slot_to_segment(ss, s, &ref))
        return ref;
    if (slot_to_files(s, &head->name, &ref))
        return ref;
    ref.out_dropped = ref.out_len;
    ref.err_dropped = ref.err_len;
    return ref;
}

static void slot_empty(struct slot *s)
{
    for (int i = 0; i < 2; i++)
        if (s->len[i] && ftruncate(s->fd[i], 0))
            slot_close_files(s);
}

/* Somebody else's bytes must not come after ours: other files from now on. */
static void slot_renew_files(struct slot *s, bool unlink_old)
{
    struct err e;
    char path[LOG_PATH_MAX];
    for (int i = 0; unlink_old && i < 2; i++) {
        log_slot_path(s->number, which[i], path);
        unlink(path);
    }
    slot_close_files(s);
    slot_open_files(s, &e);
}

void slot_release(struct slot *s, const struct log_ref *ref)
{
    entry_set(s->entry, &(struct wire_name){0}, 0);
    if (ref->kind == LOG_FILES || s->broken)
        slot_renew_files(s, false);
    else if (s->held)
        slot_renew_files(s, true);
    else
        slot_empty(s);
    s->used = s->held = s->resumed = false;
}

void slots_clean(struct slots *ss)
{
    for (uint32_t i = 0; i < ss->count; i++) {
        struct slot *s = ss->at[i];
        if (s->used || s->broken)
            continue;
        slot_sizes(s);
        s->held = slot_is_held(s);
        slot_release(s, &(struct log_ref){0});
    }
}
