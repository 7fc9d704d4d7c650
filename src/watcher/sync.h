/* SPDX-License-Identifier: MIT
 *
 * watcher/sync.h: which file defines which workflow.
 *
 * The truth is the directory's contents, whole; events are only a reason to
 * look. So the watcher lists everything, and this machine says what to do
 * about it. It reads no file and no clock.
 *
 *     sync_begin()  sync_entry() for each entry  sync_listed()
 *     do  sync_next(), sync_read() for each of them  while (sync_settle())
 *     sync_changed(), sync_gone(): write them down; sync_written()
 *
 * A file claims the name its text gives. While its text is wrong it goes on
 * claiming the name of its last good text, so that a mistake takes nothing
 * away. Of several files that claim a name, the first by path order owns it
 * and the others are in conflict. A name nobody claims any more is gone.
 *
 * Owns everything it knows. A struct sync_file lives until a scan has found it
 * gone and sync_written() was called. */
#ifndef WATCHER_SYNC_H
#define WATCHER_SYNC_H

#include "base/str.h"

enum {
    GUARD_COUNT = 5, /* so many may vanish at once without a question */
    GUARD_PERCENT = 50,
};
#define GUARD_HOLD_MS ((ms_t)5 * 60 * 1000) /* then it was meant */

enum { HASH_TEXT_MAX = 65 };

struct file_stat {
    int64_t dev, ino, size, mtime_ns, ctime_ns;
};

enum file_state { FILE_NEW, FILE_ACTIVE, FILE_INVALID, FILE_CONFLICT, FILE_IGNORED };

/* A name and the file whose text is its definition. */
struct sync_name {
    struct str name;
    struct sync_file *owner; /* NULL: its definition is gone, or about to be found */
    bool live;               /* the store says that it is active */
    bool orphan, elected;    /* its owner is to be settled at the end of the scan */
    struct sync_name *next;  /* of the same hash bucket */
};

struct sync_file {
    struct str path; /* below the watched directory */
    struct file_stat stat;
    enum file_state state;
    char hash[HASH_TEXT_MAX]; /* of the text last read, "" if none was */
    char *reason;             /* of FILE_CONFLICT, FILE_IGNORED and what cannot be read, or NULL */
    struct sync_name *claim;  /* NULL: none */
    bool again;               /* read it even if it looks the same */
    bool gone;                /* its row is to be deleted */
    bool listed, due, skipped, changed;
    struct sync_file *next; /* of the same hash bucket */
};

struct sync_files {
    struct sync_file **at;
    size_t count, cap;
};
struct sync_names {
    struct sync_name **at;
    size_t count, cap;
};

struct sync;

struct sync *sync_new(void);
void sync_free(struct sync *s); /* NULL is fine */

/* ---- before the first scan: what the store knows ---- */

/* `claim` may be absent; `owner`: the claimed name's current definition is of
 * this file. The caller sets hash and reason (allocated, taken). */
struct sync_file *sync_know(struct sync *s, struct str path, const struct file_stat *stat,
                            enum file_state state, struct str claim, bool owner);
/* A workflow the store says is active; if no file owns it, it will be gone. */
void sync_know_name(struct sync *s, struct str name);

/* ---- a scan ---- */

void sync_begin(struct sync *s);

/* An entry of the listing, in any order. `odd`: NULL, or why it is not one to
 * read ("a directory"). */
void sync_entry(struct sync *s, struct str path, const struct file_stat *stat, const char *odd);
/* Somebody has it open for writing: for this scan it is as it was. */
void sync_keep(struct sync *s, struct str path);

/* The listing is complete. Unless `sure`, a mass disappearance is not believed:
 * then all of it is kept and the number of files missing is returned, else 0.
 * `root_gone`: the directory itself is not there. */
size_t sync_listed(struct sync *s, bool sure, bool root_gone);

/* The next file to read, by path order; NULL: none, go on with sync_settle(). */
struct sync_file *sync_next(struct sync *s);

/* Each file from sync_next() gets exactly one of these four. */
enum sync_verdict { SYNC_ADOPT, SYNC_CONFLICT, SYNC_INVALID };
/* Its text says `name`, or is wrong (absent). SYNC_ADOPT: it is from now on the
 * definition of its name. */
enum sync_verdict sync_read(struct sync *s, struct sync_file *f, const struct file_stat *stat,
                            const char *hash, struct str name);
/* Its text is as it was (see sync_is_same()). */
void sync_same(struct sync *s, struct sync_file *f, const struct file_stat *stat);
/* It cannot be read. What it defined, it goes on defining. */
void sync_unreadable(struct sync *s, struct sync_file *f, const struct file_stat *stat,
                     const char *why);
/* It has changed under our hands, or vanished: the next scan will tell. */
void sync_skip(struct sync *s, struct sync_file *f);

/* A text with this hash needs no parsing, since it is in force already. */
bool sync_is_same(const struct sync_file *f, const char *hash);

/* True: a file has come into its right, go on with sync_next(). False: the scan
 * is over. */
bool sync_settle(struct sync *s);

/* ---- what came of it, since the last sync_written() ---- */

const struct sync_files *sync_changed(const struct sync *s); /* rows to write or delete */
const struct sync_names *sync_gone(const struct sync *s);    /* names without definition */
void sync_written(struct sync *s);

/* ---- */

struct sync_file *sync_find(const struct sync *s, struct str path); /* NULL: unknown */
const char *file_state_word(enum file_state st);
bool file_state_parse(struct str word, enum file_state *out);

#endif
