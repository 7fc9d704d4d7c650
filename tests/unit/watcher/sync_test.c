/* SPDX-License-Identifier: MIT
 *
 * The machine that decides which file defines which workflow: stories, and a
 * long random walk beside a slow and simple oracle. */
#include "watcher/sync.h"
#include "../check.h"

/* A directory in memory: a path and what its file says. A text is a name, or
 * "!" for a wrong one; `mark` changes with every write. */
struct world_file {
    const char *path, *text;
    int64_t mark;
};
enum { PATHS = 6, NAMES = 3 };

struct world {
    struct sync *sync;
    struct world_file files[PATHS + 8];
    size_t count;
    int64_t clock;
    size_t reads, adoptions;
    char told[512]; /* what the last scan came to */
};

static void put(struct world *w, const char *path, const char *text)
{
    size_t i = 0;
    while (i < w->count && strcmp(w->files[i].path, path) != 0)
        i++;
    w->count += i == w->count;
    w->files[i] = (struct world_file){path, text, ++w->clock};
}

static void take(struct world *w, const char *path)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->files[i].path, path) == 0)
            w->files[i--] = w->files[--w->count];
}

static const struct world_file *look(const struct world *w, struct str path)
{
    for (size_t i = 0; i < w->count; i++)
        if (str_is(path, w->files[i].path))
            return &w->files[i];
    return NULL;
}

static struct file_stat stat_for(const struct world_file *f)
{
    return (struct file_stat){.dev = 1, .ino = f->mark, .size = 1, .mtime_ns = f->mark};
}

static void list(struct world *w)
{
    sync_begin(w->sync);
    for (size_t i = w->count; i-- > 0;) { /* not by path order */
        struct file_stat st = stat_for(&w->files[i]);
        bool odd = strcmp(w->files[i].text, "odd") == 0;
        sync_entry(w->sync, str_of(w->files[i].path), &st, odd ? "a FIFO" : NULL);
    }
}

static void read_file(struct world *w, struct sync_file *f)
{
    const struct world_file *wf = look(w, f->path);
    struct file_stat st = stat_for(wf);
    w->reads++;
    if (sync_is_same(f, wf->text)) {
        sync_same(w->sync, f, &st);
        return;
    }
    bool wrong = strcmp(wf->text, "!") == 0;
    struct str name = wrong ? STR_NONE : str_of(wf->text);
    w->adoptions += sync_read(w->sync, f, &st, wf->text, name) == SYNC_ADOPT;
}

/* What came of it, as a line: "a.yaml active X; b.yaml gone; -Y;" */
static void tell(struct world *w)
{
    const struct sync_files *changed = sync_changed(w->sync);
    const struct sync_names *gone = sync_gone(w->sync);
    size_t at = 0;
    w->told[0] = 0;
    for (size_t i = 0; i < changed->count; i++) {
        const struct sync_file *f = changed->at[i];
        at += (size_t)snprintf(w->told + at, sizeof w->told - at, "%.*s %s%s%.*s; ",
                               STR_ARG(f->path), f->gone ? "gone" : file_state_word(f->state),
                               f->claim ? " " : "", STR_ARG(f->claim ? f->claim->name : STR_NONE));
    }
    for (size_t i = 0; i < gone->count; i++)
        at += (size_t)snprintf(w->told + at, sizeof w->told - at, "-%.*s; ",
                               STR_ARG(gone->at[i]->name));
    sync_written(w->sync);
}

static size_t scan_sure(struct world *w, bool sure, bool root_gone)
{
    struct sync_file *f;
    list(w);
    size_t held = sync_listed(w->sync, sure, root_gone);
    do
        while ((f = sync_next(w->sync)))
            read_file(w, f);
    while (sync_settle(w->sync));
    tell(w);
    return held;
}

static const char *scan(struct world *w)
{
    scan_sure(w, true, false);
    return w->told;
}

#define SAYS(w, text) check_str(__FILE__, __LINE__, scan(w), text)

static struct world world_new(void)
{
    return (struct world){.sync = sync_new()};
}

TEST(new_changed_and_removed_files_are_seen_once)
{
    TEST_BEGIN;
    struct world w = world_new();
    put(&w, "a.yaml", "X");
    SAYS(&w, "a.yaml active X; ");
    SAYS(&w, "");
    CHECK_INT(__LINE__, w.reads, 1);
    put(&w, "a.yaml", "X"); /* touched */
    SAYS(&w, "a.yaml active X; ");
    CHECK_INT(__LINE__, w.adoptions, 1);
    take(&w, "a.yaml");
    SAYS(&w, "a.yaml gone; -X; ");
    put(&w, "a.yaml", "X");
    SAYS(&w, "a.yaml active X; ");
    sync_free(w.sync);
}

TEST(a_wrong_text_takes_nothing_away)
{
    TEST_BEGIN;
    struct world w = world_new();
    put(&w, "a.yaml", "X");
    put(&w, "b.yaml", "!");
    SAYS(&w, "a.yaml active X; b.yaml invalid; ");
    put(&w, "a.yaml", "!");
    SAYS(&w, "a.yaml invalid X; ");
    put(&w, "a.yaml", "X");
    SAYS(&w, "a.yaml active X; ");
    take(&w, "b.yaml");
    SAYS(&w, "b.yaml gone; ");
    sync_free(w.sync);
}

TEST(the_first_by_path_order_owns_a_name_and_fixing_either_recovers)
{
    TEST_BEGIN;
    struct world w = world_new();
    put(&w, "b.yaml", "X");
    put(&w, "c.yaml", "X");
    SAYS(&w, "b.yaml active X; c.yaml conflict X; ");
    CHECK_STR(__LINE__, sync_find(w.sync, S("c.yaml"))->reason, "the name 'X' belongs to b.yaml");
    put(&w, "a.yaml", "X"); /* before them all */
    SAYS(&w, "b.yaml conflict X; a.yaml active X; ");
    put(&w, "a.yaml", "Y"); /* gives the name up: the next one has it */
    SAYS(&w, "a.yaml active Y; b.yaml active X; ");
    take(&w, "b.yaml");
    SAYS(&w, "b.yaml gone; c.yaml active X; ");
    sync_free(w.sync);
}

TEST(a_renamed_file_keeps_its_workflow)
{
    TEST_BEGIN;
    struct world w = world_new();
    put(&w, "b.yaml", "X");
    scan(&w);
    take(&w, "b.yaml");
    put(&w, "c.yaml", "X"); /* later in the order */
    SAYS(&w, "c.yaml active X; b.yaml gone; ");
    take(&w, "c.yaml");
    put(&w, "a.yaml", "X"); /* earlier */
    SAYS(&w, "a.yaml active X; c.yaml gone; ");
    sync_free(w.sync);
}

TEST(two_files_may_swap_their_names)
{
    TEST_BEGIN;
    struct world w = world_new();
    put(&w, "a.yaml", "X");
    put(&w, "b.yaml", "Y");
    scan(&w);
    put(&w, "a.yaml", "Y");
    put(&w, "b.yaml", "X");
    SAYS(&w, "b.yaml active X; a.yaml active Y; ");
    sync_free(w.sync);
}

TEST(what_is_no_regular_file_defines_nothing)
{
    TEST_BEGIN;
    struct world w = world_new();
    put(&w, "a.yaml", "X");
    scan(&w);
    put(&w, "a.yaml", "odd");
    SAYS(&w, "a.yaml ignored; -X; ");
    SAYS(&w, "");
    put(&w, "a.yaml", "X");
    SAYS(&w, "a.yaml active X; ");
    sync_free(w.sync);
}

static const char *const many[] = {"1.yaml", "2.yaml", "3.yaml", "4.yaml",
                                   "5.yaml", "6.yaml", "7.yaml", "8.yaml"};
static const char *const names_of_many[] = {"A", "B", "C", "D", "E", "F", "G", "H"};

TEST(a_mass_disappearance_is_not_believed_at_once)
{
    TEST_BEGIN;
    struct world w = world_new();
    for (size_t i = 0; i < countof(many); i++)
        put(&w, many[i], names_of_many[i]);
    scan(&w);
    for (size_t i = 0; i < 5; i++) /* five may go without a question */
        take(&w, many[i]);
    CHECK_INT(__LINE__, scan_sure(&w, false, false), 0);
    for (size_t i = 0; i < 5; i++)
        put(&w, many[i], names_of_many[i]);
    scan(&w);
    for (size_t i = 0; i < 6; i++)
        take(&w, many[i]);
    CHECK_INT(__LINE__, scan_sure(&w, false, false), 6);
    CHECK_STR(__LINE__, w.told, "");
    put(&w, "7.yaml", "Z"); /* the rest goes on as usual */
    CHECK_INT(__LINE__, scan_sure(&w, false, false), 6);
    CHECK_STR(__LINE__, w.told, "7.yaml active Z; -G; ");
    CHECK_INT(__LINE__, scan_sure(&w, true, false), 0); /* it was meant */
    CHECK(strstr(w.told, "-A; -B; -C; -D; -E; -F; "));
    sync_free(w.sync);
}

TEST(a_missing_root_is_not_believed_and_moved_files_are_not_missing)
{
    TEST_BEGIN;
    struct world w = world_new();
    put(&w, "a.yaml", "X");
    scan(&w);
    take(&w, "a.yaml");
    CHECK_INT(__LINE__, scan_sure(&w, false, true), 1);
    for (size_t i = 0; i < countof(many); i++)
        put(&w, many[i], names_of_many[i]);
    scan(&w);
    static const char *const moved[] = {"z/1.yaml", "z/2.yaml", "z/3.yaml", "z/4.yaml",
                                        "z/5.yaml", "z/6.yaml", "z/7.yaml", "z/8.yaml"};
    for (size_t i = 0; i < countof(many); i++)
        for (size_t k = 0; k < w.count; k++)
            if (strcmp(w.files[k].path, many[i]) == 0)
                w.files[k].path = moved[i]; /* same inode */
    CHECK_INT(__LINE__, scan_sure(&w, false, false), 0);
    CHECK(!strchr(w.told, '-'));
    sync_free(w.sync);
}

TEST(what_the_store_knows_needs_no_reading)
{
    TEST_BEGIN;
    struct world w = world_new();
    put(&w, "a.yaml", "X");
    struct file_stat st = stat_for(&w.files[0]);
    sync_know(w.sync, S("a.yaml"), &st, FILE_ACTIVE, S("X"), true);
    sync_know_name(w.sync, S("X"));
    sync_know_name(w.sync, S("Y")); /* its file went while nobody looked */
    SAYS(&w, "-Y; ");
    CHECK_INT(__LINE__, w.reads, 0);
    sync_free(w.sync);
}

TEST(a_file_that_changes_while_it_is_read_is_left_and_looked_at_again)
{
    TEST_BEGIN;
    struct world w = world_new();
    put(&w, "a.yaml", "X");
    scan(&w);
    put(&w, "a.yaml", "Y");
    list(&w);
    sync_listed(w.sync, true, false);
    sync_skip(w.sync, sync_next(w.sync));
    CHECK(!sync_settle(w.sync));
    tell(&w);
    CHECK_STR(__LINE__, w.told, "");
    SAYS(&w, "a.yaml active Y; -X; ");
    sync_free(w.sync);
}

/* ---- the random walk ---- */

/* The oracle: who owns each name now, from the directory, and from who owned it
 * before only where a wrong text hides what a file says. */
struct oracle_file {
    bool there, good;
    int claim; /* -1: none */
};
struct oracle {
    struct oracle_file files[PATHS];
    int owner[NAMES];
};

static const char *const walk_paths[PATHS] = {"a.yaml", "b.yaml",   "c.yaml",
                                              "d.yaml", "e/a.yaml", "f.yml"};
static const char *const walk_names[NAMES] = {"X", "Y", "Z"};

static void oracle_see(struct oracle *o, const struct world *w, int p)
{
    const struct world_file *f = look(w, str_of(walk_paths[p]));
    struct oracle_file *of = &o->files[p];
    if (!f || strcmp(f->text, "odd") == 0) {
        *of = (struct oracle_file){.there = f != NULL, .claim = -1};
        return;
    }
    of->there = true;
    of->good = strcmp(f->text, "!") != 0;
    for (int n = 0; n < NAMES; n++)
        if (strcmp(f->text, walk_names[n]) == 0)
            of->claim = n;
}

static void oracle_scan(struct oracle *o, const struct world *w)
{
    for (int p = 0; p < PATHS; p++)
        oracle_see(o, w, p);
    for (int n = 0; n < NAMES; n++) {
        int was = o->owner[n];
        o->owner[n] = -1;
        for (int p = 0; p < PATHS && o->owner[n] < 0; p++)
            if (o->files[p].claim == n && (o->files[p].good || p == was))
                o->owner[n] = p;
    }
}

static uint32_t chance(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

static void step(struct world *w, uint64_t *seed)
{
    static const char *const texts[] = {"X", "Y", "Z", "X", "Y", "!", "!", "odd"};
    const char *path = walk_paths[chance(seed, PATHS)];
    if (chance(seed, 4) == 0)
        take(w, path);
    else
        put(w, path, texts[chance(seed, countof(texts))]);
}

static void compare(const struct world *w, const struct oracle *o, uint64_t seed)
{
    for (int p = 0; p < PATHS; p++) {
        const struct sync_file *f = sync_find(w->sync, str_of(walk_paths[p]));
        const struct oracle_file *of = &o->files[p];
        bool owns = of->claim >= 0 && o->owner[of->claim] == p;
        enum file_state want =
            of->claim >= 0 && of->good ? (owns ? FILE_ACTIVE : FILE_CONFLICT)
            : strcmp(look(w, str_of(walk_paths[p])) ? look(w, str_of(walk_paths[p]))->text : "",
                     "odd") == 0
                ? FILE_IGNORED
                : FILE_INVALID;
        CHECK((f != NULL) == of->there);
        if (f && (f->state != want || (f->claim && f->claim->owner == f) != owns)) {
            print_error("seed %llu: %s is %s, want %s\n", (unsigned long long)seed, walk_paths[p],
                        file_state_word(f->state), file_state_word(want));
            fail();
        }
    }
}

TEST(after_every_scan_the_store_is_what_the_directory_says)
{
    TEST_BEGIN;
    for (uint64_t start = 1; start <= 400; start++) {
        uint64_t seed = start;
        struct world w = world_new();
        struct oracle o = {.owner = {-1, -1, -1}};
        bool live[NAMES] = {0};
        for (int p = 0; p < PATHS; p++)
            o.files[p].claim = -1;
        for (int round = 0; round < 50; round++) {
            for (uint32_t k = 1 + chance(&seed, 5); k > 0; k--)
                step(&w, &seed);
            scan(&w);
            oracle_scan(&o, &w);
            compare(&w, &o, start);
            for (int n = 0; n < NAMES; n++) {
                char gone[8];
                snprintf(gone, sizeof gone, "-%s; ", walk_names[n]);
                CHECK_INT(__LINE__, strstr(w.told, gone) != NULL, live[n] && o.owner[n] < 0);
                live[n] = o.owner[n] >= 0;
            }
        }
        sync_free(w.sync);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_changed_and_removed_files_are_seen_once),
        cmocka_unit_test(a_wrong_text_takes_nothing_away),
        cmocka_unit_test(the_first_by_path_order_owns_a_name_and_fixing_either_recovers),
        cmocka_unit_test(a_renamed_file_keeps_its_workflow),
        cmocka_unit_test(two_files_may_swap_their_names),
        cmocka_unit_test(what_is_no_regular_file_defines_nothing),
        cmocka_unit_test(a_mass_disappearance_is_not_believed_at_once),
        cmocka_unit_test(a_missing_root_is_not_believed_and_moved_files_are_not_missing),
        cmocka_unit_test(what_the_store_knows_needs_no_reading),
        cmocka_unit_test(a_file_that_changes_while_it_is_read_is_left_and_looked_at_again),
        cmocka_unit_test(after_every_scan_the_store_is_what_the_directory_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
