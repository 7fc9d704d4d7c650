/* SPDX-License-Identifier: MIT
 *
 * The watcher on a real directory and a real store: every way in which people,
 * editors and deployments save files ends in the store saying what the
 * directory says. */
#include "watcher/watcher.h"
#include "base/clock.h"
#include "../check.h"
#include "../tempdir.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct bench {
    char top[TEMPDIR_MAX], dir[96], home[96];
    struct store store;
    struct corridor corridor;
    struct door *door;
    struct watcher *watcher;
    ms_t ahead; /* how far the clock of the room was moved */
    struct buf heard;
};

static struct bench room;

static void set_time(void)
{
    room.corridor.now = clock_wall() + room.ahead;
    room.corridor.steady = clock_boot() + room.ahead;
}

static void must(bool ok, const struct err *e)
{
    if (!ok)
        CHECK_STR(__LINE__, e->text, "no error");
}

static void hear_messages(void)
{
    struct msg m;
    while (corridor_take(&room.corridor, &m))
        buf_printf(&room.heard, "%s ", m.kind == MSG_WORKFLOW_GONE ? "gone" : "changed");
}

static void write_down(void)
{
    struct err e = {0};
    if (!watcher_dirty(room.watcher))
        return;
    must(store_begin(&room.store, &e), &e);
    must(watcher_write(room.watcher, &e), &e);
    store_rollback(&room.store); /* a turn may be undone and done again */
    must(store_begin(&room.store, &e), &e);
    must(watcher_write(room.watcher, &e), &e);
    must(store_commit(&room.store, &e), &e);
    watcher_committed(room.watcher);
    hear_messages();
}

static void turn(void)
{
    struct pollfd p = {.fd = watcher_fd(room.watcher), .events = POLLIN};
    set_time();
    ms_t wait = watcher_deadline(room.watcher) - room.corridor.steady;
    poll(&p, 1, wait < 0 ? 0 : wait > 20 ? 20 : (int)wait);
    set_time();
    if (p.revents)
        watcher_ready(room.watcher);
    if (watcher_deadline(room.watcher) <= room.corridor.steady)
        watcher_tick(room.watcher);
    write_down();
}

static void open_room(void)
{
    struct err e = {0};
    struct watcher_opts o = {.root = room.dir};
    set_time();
    room.watcher = watcher_new(&o, &room.corridor, &room.store, room.door, &e);
    must(room.watcher != NULL, &e);
    while (watcher_busy(room.watcher))
        turn();
}

static int set_up(void **state)
{
    (void)state;
    struct err e = {0};
    room = (struct bench){0};
    if (!tempdir_make(room.top))
        return -1;
    snprintf(room.dir, sizeof room.dir, "%s/flows", room.top);
    snprintf(room.home, sizeof room.home, "%s/home", room.top);
    mkdir(room.dir, 0755);
    corridor_init(&room.corridor, 64);
    room.door = door_new(-1);
    must(store_open(room.home, DURABLE_NORMAL, &room.store, &e), &e);
    open_room();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    watcher_free(room.watcher);
    door_free(room.door);
    corridor_done(&room.corridor);
    store_close(&room.store);
    buf_free(&room.heard);
    return tempdir_remove(room.top) ? 0 : -1;
}

/* ---- what the store says ---- */

/* The first column of all rows. `sql` must be a literal: statements are kept by
 * the address of their text. */
static const char *ask(const char *sql)
{
    static char text[4096];
    struct db_rows q;
    struct err e = {0};
    size_t at = 0;
    must(db_prepare(&room.store.db, sql, &q, &e), &e);
    text[0] = 0;
    while (db_next(&q))
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", at ? " " : "",
                               STR_ARG(db_get_text(&q, 0)));
    must(db_rows_end(&q, &e), &e);
    return text;
}

static const char shown[] =
    "SELECT w.name || ':' || v.number || ':' || w.path FROM workflows w"
    " JOIN workflow_versions v ON v.id = w.version_id WHERE w.state = 'active' ORDER BY 1";

/* Turn until the query says this; five seconds are for ever. */
static void until(int line, const char *sql, const char *want)
{
    ms_t end = clock_boot() + 5000;
    while (strcmp(ask(sql), want) != 0 && clock_boot() < end)
        turn();
    CHECK_STR(line, ask(sql), want);
}
#define UNTIL(want) until(__LINE__, shown, want)

/* Turn until the directory has been looked at after all events were heard. */
static void look_again(void)
{
    room.ahead += WATCH_RESCAN_MS;
    do
        turn();
    while (watcher_busy(room.watcher));
    turn();
    while (watcher_busy(room.watcher))
        turn();
}

/* ---- what people do ---- */

static const char *path_of(const char *name)
{
    static char paths[4][256];
    static int i;
    i = (i + 1) % 4;
    snprintf(paths[i], sizeof paths[i], "%s/%s", room.dir, name);
    return paths[i];
}

static const char *flow(const char *name, const char *script)
{
    static char text[512];
    snprintf(text, sizeof text, "name: %s\ntasks:\n  - name: t\n    script: %s\n", name, script);
    return text;
}

static void save_at(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void save(const char *name, const char *text)
{
    save_at(path_of(name), text);
}

static void shell(const char *command)
{
    char text[1024];
    snprintf(text, sizeof text, "cd %s && %s", room.dir, command);
    CHECK_INT(__LINE__, system(text), 0);
}

TEST(a_new_file_a_changed_one_and_a_removed_one)
{
    TEST_BEGIN;
    save("a.yaml", flow("a", "one"));
    UNTIL("a:1:a.yaml");
    save("a.yaml", flow("a", "two"));
    UNTIL("a:2:a.yaml");
    unlink(path_of("a.yaml"));
    UNTIL("");
    CHECK_STR(__LINE__, ask("SELECT count(*) FROM workflow_versions"), "2");
    save("a.yaml", flow("a", "two")); /* it comes back: its history goes on */
    UNTIL("a:2:a.yaml");
    CHECK_STR(__LINE__, room.heard.at, "changed changed gone changed ");
    CHECK_STR(__LINE__, ask("SELECT json_extract(data, '$.what') FROM events ORDER BY seq"),
              "added changed gone added");
}

TEST(rows_of_a_version_are_what_its_text_says)
{
    TEST_BEGIN;
    save("a.yaml", "name: a\ntimezone: Europe/Berlin\ntags: [x, \"y z\"]\n"
                   "schedule: [\"0 3 * * *\", {every: 90s}, {cron: \"5 4 * * *\", timezone: UTC}]\n"
                   "tasks:\n  - name: one\n    script: \"true\"\n    retries: 2\n"
                   "  - name: two\n    command: [ls]\n    depends_on: [one]\n"
                   "    condition: one.failed\n");
    UNTIL("a:1:a.yaml");
    CHECK_STR(__LINE__, ask("SELECT entry || '/' || kind FROM schedules ORDER BY position"),
              "0 3 * * * Europe/Berlin/cron every 90s/every 5 4 * * * UTC/cron");
    CHECK_STR(__LINE__, ask("SELECT task || name || kind || retries FROM tasks ORDER BY task"),
              "0onescript2 1twocommand0");
    CHECK_STR(__LINE__, ask("SELECT task || '<' || upstream FROM task_dependencies"), "1<0");
    CHECK_STR(__LINE__, ask("SELECT tags FROM workflows"), "[\"x\",\"y z\"]");
    CHECK_STR(__LINE__, ask("SELECT dir FROM workflows"), room.dir);
    CHECK_STR(__LINE__, ask("SELECT hash = lower(hex('')) FROM workflow_versions"), "0");
}

TEST(a_mistake_never_replaces_what_is_good)
{
    TEST_BEGIN;
    save("a.yaml", flow("a", "one"));
    UNTIL("a:1:a.yaml");
    save("a.yaml", "name: a\ntasks:\n  - nam: t\n");
    until(__LINE__, "SELECT state FROM definition_files", "invalid");
    UNTIL("a:1:a.yaml");
    CHECK_STR(__LINE__, ask("SELECT count(*) > 0 FROM definition_errors"), "1");
    CHECK_STR(__LINE__, ask("SELECT count(*) FROM workflow_versions"), "1");
    save("a.yaml", flow("a", "three"));
    UNTIL("a:2:a.yaml");
    CHECK_STR(__LINE__, ask("SELECT count(*) FROM definition_errors"), "0");
    save("a.yaml", flow("a", "one")); /* back to a text it had before */
    UNTIL("a:1:a.yaml");
    CHECK_STR(__LINE__, ask("SELECT count(*) FROM workflow_versions"), "2");
}

/* ---- the ways to save ---- */

TEST(sed_in_place_and_moving_over)
{
    TEST_BEGIN;
    save("a.yaml", flow("a", "one"));
    UNTIL("a:1:a.yaml");
    shell("sed -i s/one/two/ a.yaml");
    UNTIL("a:2:a.yaml");
    save(".a.yaml.tmp", flow("a", "three"));
    rename(path_of(".a.yaml.tmp"), path_of("a.yaml"));
    UNTIL("a:3:a.yaml");
    shell("cp -p a.yaml b && sed -i s/three/four/ b && cp b a.yaml");
    UNTIL("a:4:a.yaml");
    CHECK_STR(__LINE__, room.heard.at, "changed changed changed changed ");
}

TEST(emacs_moves_the_old_file_aside)
{
    TEST_BEGIN;
    save("a.yaml", flow("a", "one"));
    UNTIL("a:1:a.yaml");
    rename(path_of("a.yaml"), path_of("a.yaml~"));
    save("a.yaml", flow("a", "two"));
    UNTIL("a:2:a.yaml");
    CHECK_STR(__LINE__, room.heard.at, "changed changed "); /* never gone */
}

TEST(git_checkout_deletes_and_writes)
{
    TEST_BEGIN;
    for (int i = 0; i < 8; i++) {
        char name[32], text[32];
        snprintf(name, sizeof name, "f%d.yaml", i);
        snprintf(text, sizeof text, "f%d", i);
        save(name, flow(text, "one"));
    }
    until(__LINE__, "SELECT count(*) FROM workflows WHERE state = 'active'", "8");
    for (int i = 0; i < 8; i++) {
        char name[32], text[32];
        snprintf(name, sizeof name, "f%d.yaml", i);
        snprintf(text, sizeof text, "f%d", i);
        unlink(path_of(name));
        save(name, flow(text, "two"));
    }
    until(__LINE__,
          "SELECT count(*) FROM workflows w JOIN workflow_versions v ON v.id = w.version_id"
          " WHERE w.state = 'active' AND v.number = 2",
          "8");
    CHECK(!strstr(room.heard.at, "gone"));
}

TEST(a_config_map_swaps_a_hidden_link)
{
    TEST_BEGIN;
    mkdir(path_of("..1"), 0755);
    save("..1/w.yaml", flow("a", "one"));
    CHECK(symlink("..1", path_of("..data")) == 0);
    CHECK(symlink("..data/w.yaml", path_of("w.yaml")) == 0);
    UNTIL("a:1:w.yaml");
    mkdir(path_of("..2"), 0755);
    save("..2/w.yaml", flow("a", "two"));
    CHECK(symlink("..2", path_of("..data_tmp")) == 0);
    CHECK(rename(path_of("..data_tmp"), path_of("..data")) == 0);
    UNTIL("a:2:w.yaml");
}

TEST(an_edit_through_a_hard_link_is_found_by_looking)
{
    TEST_BEGIN;
    char outside[128];
    snprintf(outside, sizeof outside, "%s/outside", room.top);
    save_at(outside, flow("a", "one"));
    CHECK(link(outside, path_of("a.yaml")) == 0);
    UNTIL("a:1:a.yaml");
    save_at(outside, flow("a", "two"));
    look_again();
    CHECK_STR(__LINE__, ask(shown), "a:2:a.yaml");
}

TEST(a_write_through_memory_counts_when_the_file_is_closed)
{
    TEST_BEGIN;
    save("a.yaml", flow("a", "one"));
    UNTIL("a:1:a.yaml");
    int fd = open(path_of("a.yaml"), O_RDWR);
    char *at = mmap(NULL, 64, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(at != MAP_FAILED);
    char *one = strstr(at, "one");
    CHECK(one != NULL);
    memcpy(one, "two", 3);
    msync(at, 64, MS_SYNC);
    munmap(at, 64);
    close(fd);
    UNTIL("a:2:a.yaml");
}

TEST(a_nameless_file_is_linked_into_place)
{
    TEST_BEGIN;
    char proc[64];
    int fd = open(room.dir, O_TMPFILE | O_WRONLY, 0644);
    const char *text = flow("a", "one");
    if (fd < 0)
        skip();
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    CHECK(linkat(AT_FDCWD, proc, AT_FDCWD, path_of("a.yaml"), AT_SYMLINK_FOLLOW) == 0);
    close(fd);
    UNTIL("a:1:a.yaml");
}

TEST(a_file_written_in_three_strokes_is_read_when_it_is_closed)
{
    TEST_BEGIN;
    const char *text = flow("a", "one");
    int fd = open(path_of("a.yaml"), O_WRONLY | O_CREAT, 0644);
    CHECK(write(fd, text, strlen(text)) > 0);
    for (int i = 0; i < 10; i++) { /* a good text, but somebody still writes */
        room.ahead += 300;
        turn();
    }
    CHECK_STR(__LINE__, ask(shown), "");
    CHECK(write(fd, "  - name: u\n", 12) == 12);
    for (int i = 0; i < 5; i++)
        turn();
    CHECK(write(fd, "    script: two\n", 16) == 16);
    close(fd);
    UNTIL("a:1:a.yaml");
    CHECK_STR(__LINE__, ask("SELECT task_count FROM workflow_versions"), "2");
}

TEST(a_directory_removed_and_made_again)
{
    TEST_BEGIN;
    save("a.yaml", flow("a", "one"));
    UNTIL("a:1:a.yaml");
    unlink(path_of("a.yaml"));
    rmdir(room.dir);
    for (int i = 0; i < 10; i++)
        turn();
    mkdir(room.dir, 0755);
    save("a.yaml", flow("a", "two"));
    UNTIL("a:2:a.yaml");
    save("a.yaml", flow("a", "three")); /* and it is watched again */
    UNTIL("a:3:a.yaml");
    CHECK(!strstr(room.heard.at, "gone"));
}

TEST(subdirectories_are_watched_as_they_come)
{
    TEST_BEGIN;
    mkdir(path_of("x"), 0755);
    save("x/a.yaml", flow("a", "one"));
    UNTIL("a:1:x/a.yaml");
    mkdir(path_of("x/y"), 0755);
    for (int i = 0; i < 10; i++)
        turn();
    save("x/y/b.yml", flow("b", "one"));
    UNTIL("a:1:x/a.yaml b:1:x/y/b.yml");
    char want[128];
    snprintf(want, sizeof want, "%s/x/y", room.dir);
    CHECK_STR(__LINE__, ask("SELECT dir FROM workflows WHERE name = 'b'"), want);
    CHECK(rename(path_of("x"), path_of("z")) == 0);
    UNTIL("a:1:z/a.yaml b:1:z/y/b.yml");
    CHECK(!strstr(room.heard.at, "gone"));
}

TEST(two_files_of_one_name)
{
    TEST_BEGIN;
    save("b.yaml", flow("a", "one"));
    UNTIL("a:1:b.yaml");
    save("c.yaml", flow("a", "two"));
    until(__LINE__, "SELECT reason FROM definition_files WHERE state = 'conflict'",
          "the name 'a' belongs to b.yaml");
    UNTIL("a:1:b.yaml");
    unlink(path_of("b.yaml"));
    UNTIL("a:2:c.yaml");
    CHECK(!strstr(room.heard.at, "gone"));
}

TEST(a_file_renamed_keeps_its_workflow)
{
    TEST_BEGIN;
    save("b.yaml", flow("a", "one"));
    UNTIL("a:1:b.yaml");
    CHECK(rename(path_of("b.yaml"), path_of("c.yaml")) == 0);
    UNTIL("a:1:c.yaml");
    CHECK_STR(__LINE__, room.heard.at, "changed "); /* nothing new for the scheduler */
}

TEST(a_touched_file_is_no_new_version)
{
    TEST_BEGIN;
    save("a.yaml", flow("a", "one"));
    UNTIL("a:1:a.yaml");
    size_t events = (size_t)atol(ask("SELECT count(*) FROM events"));
    shell("touch -d 2001-01-01 a.yaml");
    until(__LINE__, "SELECT mtime_ns / 1000000000 < 1000000000 FROM definition_files", "1");
    CHECK_INT(__LINE__, (size_t)atol(ask("SELECT count(*) FROM events")), events);
    CHECK_STR(__LINE__, room.heard.at, "changed ");
}

TEST(what_is_no_definition_is_ignored_and_named)
{
    TEST_BEGIN;
    save(".hidden.yaml", flow("h", "one"));
    save("a.yaml~", flow("h", "one"));
    save("#a.yaml#", flow("h", "one"));
    save(".a.yaml.swp", flow("h", "one"));
    save("_defaults.yaml", "env: {}\n");
    mkdir(path_of("dir.yaml"), 0755);
    mkfifo(path_of("fifo.yaml"), 0644);
    CHECK(symlink("/etc/hostname", path_of("out.yaml")) == 0);
    CHECK(symlink("loop.yaml", path_of("loop.yaml")) == 0);
    CHECK(symlink("nothing.yaml", path_of("broken.yaml")) == 0);
    save("z.yaml", flow("z", "one"));
    UNTIL("z:1:z.yaml");
    CHECK_STR(__LINE__,
              ask("SELECT path || ': ' || reason || ';' FROM definition_files"
                  " WHERE state = 'ignored' ORDER BY path"),
              "_defaults.yaml: directory defaults are not in this version; "
              "broken.yaml: a link to something that is not there; "
              "dir.yaml: a directory; fifo.yaml: a FIFO; "
              "loop.yaml: a link that leads nowhere; "
              "out.yaml: a link that leads out of the directory;");
}

TEST(a_mass_disappearance_is_held_until_somebody_says_so)
{
    TEST_BEGIN;
    static const char count[] = "SELECT count(*) FROM workflows WHERE state = 'active'";
    for (int i = 0; i < 8; i++) {
        char name[32], text[32];
        snprintf(name, sizeof name, "f%d.yaml", i);
        snprintf(text, sizeof text, "f%d", i);
        save(name, flow(text, "one"));
    }
    until(__LINE__, count, "8");
    shell("rm *.yaml");
    until(__LINE__, "SELECT data FROM events WHERE data LIKE '%held%'",
          "{\"what\":\"held\",\"count\":8}");
    CHECK_STR(__LINE__, ask(count), "8");
    CHECK_INT(__LINE__, watcher_held(room.watcher), 8);
    room.ahead += (ms_t)4 * 60 * 1000;
    look_again();
    CHECK_STR(__LINE__, ask(count), "8");
    room.ahead += (ms_t)60 * 1000;
    look_again();
    CHECK_STR(__LINE__, ask(count), "0");
    CHECK_INT(__LINE__, watcher_held(room.watcher), 0);
}

/* ---- starting again ---- */

static void reopen(void)
{
    struct err e = {0};
    watcher_free(room.watcher);
    store_close(&room.store);
    must(store_open(room.home, DURABLE_NORMAL, &room.store, &e), &e);
    buf_clear(&room.heard);
    open_room();
}

TEST(a_start_with_nothing_changed_reads_nothing_and_says_nothing)
{
    TEST_BEGIN;
    save("a.yaml", flow("a", "one"));
    save("b.yaml", "name: [\n");
    UNTIL("a:1:a.yaml");
    until(__LINE__, "SELECT state FROM definition_files WHERE path = 'b.yaml'", "invalid");
    size_t events = (size_t)atol(ask("SELECT count(*) FROM events"));
    reopen();
    CHECK_INT(__LINE__, (size_t)atol(ask("SELECT count(*) FROM events")), events);
    CHECK_STR(__LINE__, room.heard.at, "");
    CHECK_STR(__LINE__, ask(shown), "a:1:a.yaml");
}

TEST(what_changed_while_nobody_looked_is_found_at_the_start)
{
    TEST_BEGIN;
    save("a.yaml", flow("a", "one"));
    save("b.yaml", flow("b", "one"));
    UNTIL("a:1:a.yaml b:1:b.yaml");
    watcher_free(room.watcher);
    room.watcher = NULL;
    save("a.yaml", flow("a", "two"));
    unlink(path_of("b.yaml"));
    save("c.yaml", flow("c", "one"));
    buf_clear(&room.heard);
    open_room();
    CHECK_STR(__LINE__, ask(shown), "a:2:a.yaml c:1:c.yaml");
    CHECK_STR(__LINE__, room.heard.at, "changed changed gone ");
}

TEST(another_directory_is_not_a_disappearance)
{
    TEST_BEGIN;
    for (int i = 0; i < 8; i++) {
        char name[32], text[32];
        snprintf(name, sizeof name, "f%d.yaml", i);
        snprintf(text, sizeof text, "f%d", i);
        save(name, flow(text, "one"));
    }
    until(__LINE__, "SELECT count(*) FROM workflows WHERE state = 'active'", "8");
    watcher_free(room.watcher);
    room.watcher = NULL;
    snprintf(room.dir, sizeof room.dir, "%s/others", room.top);
    mkdir(room.dir, 0755);
    save("f1.yaml", flow("f1", "one"));
    open_room();
    CHECK_STR(__LINE__, ask(shown), "f1:1:f1.yaml");
    CHECK_STR(__LINE__, ask("SELECT dir FROM workflows WHERE name = 'f1'"), room.dir);
}

TEST(a_single_file_leaves_the_rest_alone)
{
    TEST_BEGIN;
    save("a.yaml", flow("a", "one"));
    save("b.yaml", flow("b", "one"));
    UNTIL("a:1:a.yaml b:1:b.yaml");
    watcher_free(room.watcher);
    char path[128];
    struct err e = {0};
    snprintf(path, sizeof path, "%s/mine.yaml", room.top);
    save_at(path, flow("mine", "one"));
    struct watcher_opts o = {.file = path};
    room.watcher = watcher_new(&o, &room.corridor, &room.store, room.door, &e);
    must(room.watcher != NULL, &e);
    write_down();
    CHECK(watcher_single(room.watcher) > 0);
    CHECK(!watcher_busy(room.watcher));
    CHECK_STR(__LINE__, ask("SELECT dir FROM workflows WHERE name = 'mine'"), room.top);
    save_at(path, "name: mine\n");
    watcher_free(room.watcher);
    room.watcher = watcher_new(&o, &room.corridor, &room.store, room.door, &e);
    CHECK(!room.watcher && e.kind == ERR_INVALID);
    open_room(); /* in the directory's service it is nobody's */
    CHECK_STR(__LINE__, ask(shown), "a:1:a.yaml b:1:b.yaml");
}

int main(void)
{
#define ROOM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROOM(a_new_file_a_changed_one_and_a_removed_one),
        ROOM(rows_of_a_version_are_what_its_text_says),
        ROOM(a_mistake_never_replaces_what_is_good),
        ROOM(sed_in_place_and_moving_over),
        ROOM(emacs_moves_the_old_file_aside),
        ROOM(git_checkout_deletes_and_writes),
        ROOM(a_config_map_swaps_a_hidden_link),
        ROOM(an_edit_through_a_hard_link_is_found_by_looking),
        ROOM(a_write_through_memory_counts_when_the_file_is_closed),
        ROOM(a_nameless_file_is_linked_into_place),
        ROOM(a_file_written_in_three_strokes_is_read_when_it_is_closed),
        ROOM(a_directory_removed_and_made_again),
        ROOM(subdirectories_are_watched_as_they_come),
        ROOM(two_files_of_one_name),
        ROOM(a_file_renamed_keeps_its_workflow),
        ROOM(a_touched_file_is_no_new_version),
        ROOM(what_is_no_definition_is_ignored_and_named),
        ROOM(a_mass_disappearance_is_held_until_somebody_says_so),
        ROOM(a_start_with_nothing_changed_reads_nothing_and_says_nothing),
        ROOM(what_changed_while_nobody_looked_is_found_at_the_start),
        ROOM(another_directory_is_not_a_disappearance),
        ROOM(a_single_file_leaves_the_rest_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
