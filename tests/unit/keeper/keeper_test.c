/* SPDX-License-Identifier: MIT
 *
 * Stories of a real keeper process and real tasks. */
#include "client.h"
#include "../check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_dir(const struct client *c)
{
    return open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The text of a stream at the place `ref` says. */
static const char *log_text(const struct client *c, const struct log_ref *ref, enum log_stream s)
{
    static struct buf text;
    struct log_reader *r;
    struct err e = {0};
    uint64_t at = 0, next;
    int dir = open_dir(c);
    buf_clear(&text);
    buf_puts(&text, "");
    if (!log_open(dir, ref, &r, &e)) {
        print_error("log_open: %s\n", e.text);
        fail();
    }
    for (; log_read(r, s, at, 1000, &text, &next, &e) && next > at; at = next)
        continue;
    log_close(r);
    close(dir);
    return text.at;
}

static long files_in(const struct client *c, const char *folder)
{
    char command[200];
    long n = -1;
    snprintf(command, sizeof command, "find %s/%s -type f | wc -l", c->dir, folder);
    FILE *p = popen(command, "re");
    CHECK(p && fscanf(p, "%ld", &n) == 1);
    pclose(p);
    return n;
}

/* ---- ends ---- */

TEST(exit_codes_signals_and_what_could_not_run_are_told_apart)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *script;
        int how, code;
    } rows[] = {
        {__LINE__, "exit 0", WIRE_EXIT, 0},
        {__LINE__, "exit 1", WIRE_EXIT, 1},
        {__LINE__, "exit 126", WIRE_EXIT, 126},
        {__LINE__, "exit 127", WIRE_EXIT, 127},
        {__LINE__, "exit 137", WIRE_EXIT, 137},
        {__LINE__, "exit 255", WIRE_EXIT, 255},
        {__LINE__, "kill -9 $$", WIRE_SIGNAL, 9},
        {__LINE__, "kill -TERM $$", WIRE_SIGNAL, 15},
        {__LINE__, "kill -SEGV $$", WIRE_SIGNAL, 11},
        {__LINE__, "exec >&- 2>&-; exit 3", WIRE_EXIT, 3},
        {__LINE__, "cat", WIRE_EXIT, 0},
    };
    struct client c = {0};
    client_open(&c);
    for (uint32_t i = 0; i < countof(rows); i++) {
        client_sh(&c, i, rows[i].script, NULL);
        struct wire_ended ended = client_ended(&c);
        CHECK_INT(rows[i].line, ended.name.task, i);
        CHECK_INT(rows[i].line, ended.how, rows[i].how);
        CHECK_INT(rows[i].line, ended.code, rows[i].code);
        CHECK_INT(rows[i].line, ended.cause, WIRE_SELF);
        CHECK_INT(rows[i].line, ended.log.kind, LOG_NONE);
    }
    client_close(&c);
}

TEST(what_cannot_be_launched_says_of_what)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    char script[128], text[256];
    snprintf(script, sizeof script, "%s/not-executable", c.dir);
    close(open(script, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    const struct {
        int line;
        const char *program, *dir;
        int code;
        const char *text;
    } rows[] = {
        {__LINE__, "/no/such/program", "/", ENOENT, "/no/such/program: No such file or directory"},
        {__LINE__, "no-such-program", "/", ENOENT, "no-such-program: No such file or directory"},
        {__LINE__, script, "/", EACCES, NULL},
        {__LINE__, "/bin/true", "/no/such/dir", ENOENT,
         "working directory /no/such/dir: No such file or directory"},
        {__LINE__, "/etc", "/", EACCES, "/etc: Permission denied"},
    };
    snprintf(text, sizeof text, "%s: Permission denied", script);
    for (uint32_t i = 0; i < countof(rows); i++) {
        const char *argv[] = {rows[i].program, NULL}, *env[] = {"PATH=/bin:/nowhere", NULL};
        client_start(&c, i, argv, env, rows[i].dir, NULL);
        struct wire_ended ended = client_ended(&c);
        CHECK_INT(rows[i].line, ended.how, WIRE_LAUNCH);
        CHECK_INT(rows[i].line, ended.code, rows[i].code);
        CHECK_STR(rows[i].line, c.text, rows[i].text ? rows[i].text : text);
    }
    client_close(&c);
}

TEST(an_environment_too_large_is_a_launch_error)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    char *big = calloc(1, 140000);
    memset(big, 'x', 139999);
    memcpy(big, "BIG=", 4);
    const char *argv[] = {"true", NULL}, *env[] = {"PATH=/bin", big, NULL};
    client_start(&c, 1, argv, env, "/", NULL);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.how, WIRE_LAUNCH);
    CHECK_INT(__LINE__, ended.code, E2BIG);
    free(big);
    client_close(&c);
}

TEST(a_task_gets_its_environment_directory_and_nothing_else_of_ours)
{
    TEST_BEGIN;
    struct client c = {0};
    char want[512], name[WIRE_NAME_TEXT_MAX];
    client_open(&c);
    const char *argv[] = {"/bin/sh", "-c",
                          "env | sort; pwd; umask; ls /proc/self/fd | wc -l; "
                          "grep -E '^(SigBlk|SigIgn|NoNewPrivs)' /proc/self/status; "
                          "ps -o sid= -p $$ | tr -d ' ' | grep -qx $$ && echo own session",
                          NULL};
    const char *env[] = {"PATH=/usr/bin:/bin", "A=b c", "GOWTF_COOKIE=forged", NULL};
    client_start(&c, 5, argv, env, "/", NULL);
    struct wire_ended ended = client_ended(&c);
    struct wire_name n = client_name(&c, 5);
    snprintf(want, sizeof want,
             "A=b c\nGOWTF_COOKIE=%s\nPATH=/usr/bin:/bin\nPWD=/\n/\n0022\n4\n"
             "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nNoNewPrivs:\t1\nown session\n",
             wire_name_text(&n, name));
    CHECK_STR(__LINE__, log_text(&c, &ended.log, LOG_OUT), want);
    client_close(&c);
}

TEST(a_script_without_an_interpreter_line_is_given_to_the_shell)
{
    TEST_BEGIN;
    struct client c = {0};
    char path[128];
    client_open(&c);
    snprintf(path, sizeof path, "%s/script", c.dir);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
    CHECK(write(fd, "exit $#\n", 8) == 8);
    close(fd);
    const char *argv[] = {path, "one", "two", NULL};
    client_start(&c, 1, argv, NULL, "/", NULL);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.how, WIRE_EXIT);
    CHECK_INT(__LINE__, ended.code, 2);
    client_close(&c);
}

TEST(a_name_is_started_once_until_its_end_is_acknowledged)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1, "echo x >> ran", NULL);
    client_sh(&c, 1, "echo x >> ran", NULL);
    struct wire_ended ended = client_ended(&c);
    client_sh(&c, 1, "echo x >> ran", NULL);
    client_sh(&c, 2, "wc -l < ran", NULL);
    ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.name.task, 2);
    CHECK_STR(__LINE__, log_text(&c, &ended.log, LOG_OUT), "1\n");
    client_close(&c);
}

TEST(more_attempts_than_slots_and_threads_all_end)
{
    TEST_BEGIN;
    struct client c = {.slots = 2};
    client_open(&c);
    enum { COUNT = 60 };
    bool seen[COUNT] = {0};
    for (uint32_t i = 0; i < COUNT; i++)
        client_sh(&c, i, "exit 7", NULL);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct wire_ended ended = client_ended(&c);
        CHECK_INT(__LINE__, ended.code, 7);
        CHECK(ended.name.task < COUNT && !seen[ended.name.task]);
        seen[ended.name.task] = true;
        client_ack(&c, ended.seq);
    }
    client_close(&c);
}

TEST(when_memory_runs_out_a_task_goes_before_the_keeper)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1,
              "own=$(cat /proc/$PPID/oom_score_adj); want=$((own + 200)); "
              "[ $want -le 1000 ] || want=1000; "
              "until [ $(cat /proc/$$/oom_score_adj) = $want ]; do sleep 0.01; done; "
              "exec test $(cat /proc/$PPID/oom_score_adj) = $own",
              NULL);
    CHECK_INT(__LINE__, client_ended(&c).code, 0);
    client_close(&c);
}

/* ---- logs ---- */

TEST(little_output_goes_to_the_segment_and_the_slot_is_used_again)
{
    TEST_BEGIN;
    struct client c = {.slots = 1};
    client_open(&c);
    for (uint32_t i = 0; i < 5; i++) {
        char script[64], want[64];
        snprintf(script, sizeof script, "echo out %u; echo err %u >&2", i, i);
        client_sh(&c, i, script, NULL);
        struct wire_ended ended = client_ended(&c);
        CHECK_INT(__LINE__, ended.log.kind, LOG_SEGMENT);
        snprintf(want, sizeof want, "out %u\n", i);
        CHECK_STR(__LINE__, log_text(&c, &ended.log, LOG_OUT), want);
        snprintf(want, sizeof want, "err %u\n", i);
        CHECK_STR(__LINE__, log_text(&c, &ended.log, LOG_ERR), want);
        client_ack(&c, ended.seq);
    }
    CHECK_INT(__LINE__, files_in(&c, "logs/segments"), 1);
    CHECK_INT(__LINE__, files_in(&c, "logs/slots"), 3);
    CHECK_INT(__LINE__, files_in(&c, "logs/files"), 0);
    client_close(&c);
}

TEST(much_output_becomes_files_of_its_own)
{
    TEST_BEGIN;
    struct client c = {.slots = 1};
    client_open(&c);
    client_sh(&c, 3, "head -c 200000 /dev/zero | tr '\\0' x; echo end >&2", NULL);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.log.kind, LOG_FILES);
    CHECK_INT(__LINE__, ended.log.out_len, 200000);
    CHECK_INT(__LINE__, strlen(log_text(&c, &ended.log, LOG_OUT)), 200000);
    CHECK_STR(__LINE__, log_text(&c, &ended.log, LOG_ERR), "end\n");
    client_sh(&c, 4, "echo next", NULL);
    ended = client_ended(&c);
    CHECK_STR(__LINE__, log_text(&c, &ended.log, LOG_OUT), "next\n");
    client_close(&c);
}

TEST(a_running_task_is_read_while_it_writes)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1, "echo first; while [ ! -e go ]; do sleep 0.01; done; echo second", NULL);
    struct wire_started started = client_expect(&c, WIRE_STARTED).started;
    CHECK(started.start_ticks > 0);
    struct log_ref live = {.kind = LOG_SLOT, .number = started.slot, .name = started.name};
    for (int i = 0; i < 1000 && strcmp(log_text(&c, &live, LOG_OUT), "first\n") != 0; i++)
        usleep(2000);
    CHECK_STR(__LINE__, log_text(&c, &live, LOG_OUT), "first\n");
    struct log_reader *r;
    struct err e = {0};
    int dir = open_dir(&c), go = openat(dir, "go", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(log_open(dir, &live, &r, &e));
    struct wire_ended ended = client_ended(&c);
    CHECK_STR(__LINE__, log_text(&c, &ended.log, LOG_OUT), "first\nsecond\n");
    CHECK(!log_refresh(r, &e));
    CHECK_INT(__LINE__, e.kind, ERR_CONFLICT);
    log_close(r);
    CHECK(!log_open(dir, &live, &r, &e));
    CHECK_INT(__LINE__, e.kind, ERR_CONFLICT);
    close(go);
    close(dir);
    client_close(&c);
}

TEST(out_and_err_are_merged_in_the_order_they_were_written)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1,
              "sleep 0.05; echo a; sleep 0.1; echo b >&2; sleep 0.1; echo c; sleep 0.1; echo d >&2",
              NULL);
    struct wire_ended ended = client_ended(&c);
    CHECK_STR(__LINE__, log_text(&c, &ended.log, LOG_BOTH), "a\nb\nc\nd\n");
    CHECK(ended.log.marks_len >= 4 * sizeof(struct log_mark));
    client_close(&c);
}

TEST(past_log_max_head_and_tail_are_kept_and_the_task_is_not_failed)
{
    TEST_BEGIN;
    struct client c = {.log_max = 1 << 20};
    client_open(&c);
    client_sh(&c, 1, "seq 1 1000000", NULL);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.code, 0);
    CHECK_INT(__LINE__, ended.log.out_len, 6888896);
    CHECK(ended.log.out_dropped > 5 << 20);
    const char *text = log_text(&c, &ended.log, LOG_OUT);
    CHECK(strncmp(text, "1\n2\n3\n", 6) == 0);
    CHECK_STR(__LINE__, text + strlen(text) - 15, "999999\n1000000\n");
    CHECK_INT(__LINE__, strlen(text), ended.log.out_len - ended.log.out_dropped);
    client_close(&c);
}

/* ---- stopping ---- */

static void short_grace(struct wire_start *s)
{
    s->grace_ms = 150;
}
static void timeout_100(struct wire_start *s)
{
    s->timeout_ms = 100;
    s->grace_ms = 5000;
}

TEST(a_timeout_ends_a_task)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1, "sleep 1000", timeout_100);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.cause, WIRE_TIMEOUT);
    CHECK_INT(__LINE__, ended.how, WIRE_SIGNAL);
    CHECK_INT(__LINE__, ended.code, SIGTERM);
    CHECK(!ended.needed_kill);
    CHECK(ended.at - ended.started_at >= 100);
    client_close(&c);
}

TEST(a_task_may_clean_up_before_it_stops)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1, "trap 'echo clean; exit 5' TERM; echo up; echo x > ready; sleep 1000 & wait",
              NULL);
    client_await_file(&c, "ready");
    client_stop(&c, 1, WIRE_STOPPED);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.cause, WIRE_STOPPED);
    CHECK_INT(__LINE__, ended.how, WIRE_EXIT);
    CHECK_INT(__LINE__, ended.code, 5);
    CHECK_STR(__LINE__, log_text(&c, &ended.log, LOG_OUT), "up\nclean\n");
    client_close(&c);
}

TEST(who_ignores_the_stop_signal_is_killed_after_the_grace)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1, "trap '' TERM; echo $$ > pid; while :; do sleep 0.01; done", short_grace);
    client_await_file(&c, "pid");
    client_stop(&c, 1, WIRE_STALLED);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.cause, WIRE_STALLED);
    CHECK_INT(__LINE__, ended.code, SIGKILL);
    CHECK(ended.needed_kill);
    client_close(&c);
}

TEST(a_stopped_process_can_be_stopped)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1, "echo $$ > pid; kill -STOP $$; sleep 1000", NULL);
    client_await_file(&c, "pid");
    client_expect(&c, WIRE_STARTED);
    client_stop(&c, 1, WIRE_STOPPED);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.code, SIGTERM);
    client_close(&c);
}

TEST(a_tree_that_hides_is_found_and_ended_before_the_end_is_told)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    /* another session, double fork, no descriptors, TERM ignored; and one without the cookie */
    client_sh(
        &c, 1,
        "setsid sh -c 'trap \"\" TERM; (echo $$ > a; exec sleep 1000) >/dev/null 2>&1 &' & "
        "(trap '' TERM; sh -c 'echo $$ > b; exec sleep 1000' & ) & "
        "env -i /bin/sh -c 'echo $$ > d; exec sleep 1000' & "
        "while [ ! -s a ] || [ ! -s b ] || [ ! -s d ]; do sleep 0.01; done; echo x > ready; wait",
        short_grace);
    client_await_file(&c, "ready");
    long b = client_read_number(&c, "b"), d = client_read_number(&c, "d");
    client_stop(&c, 1, WIRE_STOPPED);
    client_ended(&c);
    CHECK(kill((pid_t)b, 0) && errno == ESRCH);
    CHECK(kill((pid_t)d, 0) && errno == ESRCH);
    char command[200];
    struct wire_name n = client_name(&c, 1);
    char name[WIRE_NAME_TEXT_MAX];
    snprintf(command, sizeof command, "grep -lz GOWTF_COOKIE=%s /proc/[0-9]*/environ 2>/dev/null",
             wire_name_text(&n, name));
    CHECK(system(command) != 0);
    client_close(&c);
}

/* ---- groups ---- */

/* A group to divide below the cgroup2 mount; or the word that there is none. */
static bool make_cgroup(char out[128])
{
    static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    for (size_t i = 0; i < countof(mounts); i++) {
        char events[160];
        snprintf(out, 128, "%s/gowtf-test-%d", mounts[i], getpid());
        snprintf(events, sizeof events, "%s/cgroup.kill", out);
        if (mkdir(out, 0755) == 0 && access(events, W_OK) == 0)
            return true;
        rmdir(out);
    }
    print_message("# skipped: no cgroup v2 that we may divide\n");
    return false;
}

static void remove_cgroup(const char *path)
{
    char keeper[160];
    snprintf(keeper, sizeof keeper, "%s/keeper", path);
    CHECK(rmdir(keeper) == 0);
    CHECK(rmdir(path) == 0); /* so the groups of attempts are gone, too */
}

/* Another session, no cookie, a parent that is gone: only its group tells whose it is. */
static const char stranger[] = "(env -i setsid /bin/sh -c 'echo $$ > a; exec sleep 1000' "
                               ">/dev/null 2>&1 &) ; while [ ! -s a ]; do sleep 0.01; done; ";

TEST(in_a_group_of_its_own_a_tree_cannot_hide_at_all)
{
    TEST_BEGIN;
    struct client c = {0};
    char path[128], script[400];
    if (!make_cgroup(path))
        skip();
    c.cgroup = path;
    client_open(&c);
    snprintf(script, sizeof script, "%s echo x > ready; exec sleep 1000", stranger);
    client_sh(&c, 1, script, short_grace);
    client_await_file(&c, "ready");
    long a = client_read_number(&c, "a");
    client_stop(&c, 1, WIRE_STOPPED);
    CHECK_INT(__LINE__, client_ended(&c).code, SIGTERM);
    CHECK(kill((pid_t)a, 0) && errno == ESRCH);
    client_close(&c);
    remove_cgroup(path);
}

TEST(a_left_over_that_only_its_group_knows_is_told_and_ended)
{
    TEST_BEGIN;
    struct client c = {.linger_ms = 50};
    char path[128];
    if (!make_cgroup(path))
        skip();
    c.cgroup = path;
    client_open(&c);
    client_sh(&c, 1, stranger, NULL);
    struct wire_ended ended = client_ended(&c);
    CHECK(ended.leftovers && ended.how == WIRE_EXIT && ended.code == 0);
    client_await_gone((pid_t)client_read_number(&c, "a"));
    client_close(&c);
    remove_cgroup(path);
}

TEST(groups_are_used_again_and_only_when_empty)
{
    TEST_BEGIN;
    struct client c = {.slots = 2};
    char path[128], command[200];
    if (!make_cgroup(path))
        skip();
    c.cgroup = path;
    client_open(&c);
    for (uint32_t i = 0; i < 40; i++) {
        client_sh(&c, i, "grep -q '^0::.*/a[12]$' /proc/self/cgroup", NULL);
        struct wire_ended ended = client_ended(&c);
        CHECK_INT(__LINE__, ended.code, 0);
        CHECK(!ended.leftovers);
        client_ack(&c, ended.seq);
    }
    snprintf(command, sizeof command, "[ $(ls -d %s/a* | wc -l) -le 2 ]", path);
    CHECK(system(command) == 0);
    client_close(&c);
    remove_cgroup(path);
}

TEST(a_directory_that_is_no_cgroup_is_refused)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    char command[300];
    snprintf(command, sizeof command, "%s %s/other 1 0 0 %s 2>&1 >/dev/null | grep -q keeper",
             KEEPER_PATH, c.dir, c.dir);
    CHECK(system(command) == 0);
    client_close(&c);
}

TEST(what_was_queued_and_is_stopped_never_runs)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    struct wire_frame f = {.kind = WIRE_STOP, .stop = {client_name(&c, 99), WIRE_STOPPED}};
    client_send(&c, &f); /* unknown: nothing happens */
    client_sh(&c, 1, "exit 0", NULL);
    CHECK_INT(__LINE__, client_ended(&c).name.task, 1);
    client_close(&c);
}

/* ---- left-overs ---- */

TEST(a_task_that_leaves_a_process_behind_is_over_and_the_process_goes_later)
{
    TEST_BEGIN;
    struct client c = {.linger_ms = 50};
    client_open(&c);
    client_sh(&c, 1, "sleep 1000 & echo $! > left; echo done", NULL);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.how, WIRE_EXIT);
    CHECK_INT(__LINE__, ended.code, 0);
    CHECK(ended.leftovers);
    CHECK_INT(__LINE__, ended.log.kind, LOG_FILES);
    CHECK_STR(__LINE__, log_text(&c, &ended.log, LOG_OUT), "done\n");
    long left = client_read_number(&c, "left");
    client_await_gone((pid_t)left);
    CHECK(strstr(log_text(&c, &ended.log, LOG_ERR), "sleep"));
    client_close(&c);
}

TEST(a_left_over_without_our_files_is_swept_up)
{
    TEST_BEGIN;
    struct client c = {.linger_ms = 50};
    client_open(&c);
    client_sh(&c, 1,
              "(setsid sh -c 'echo $$ > left; exec sleep 1000' </dev/null >/dev/null 2>&1 &); "
              "while [ ! -s left ]; do sleep 0.01; done",
              NULL);
    struct wire_ended ended = client_ended(&c);
    CHECK(ended.leftovers == (getenv("KEEPER_CGROUP") != NULL)); /* its group tells */
    client_await_gone((pid_t)client_read_number(&c, "left"));
    client_close(&c);
}

static void detach(struct wire_start *s)
{
    s->flags = WIRE_START_DETACH;
}

TEST(what_may_be_detached_is_left_alone)
{
    TEST_BEGIN;
    struct client c = {.linger_ms = 20};
    client_open(&c);
    client_sh(&c, 1, "sleep 1000 & echo $! > left", detach);
    client_ended(&c);
    client_sh(&c, 2, "sleep 0.2", NULL); /* ten times the linger */
    client_ended(&c);
    pid_t left = (pid_t)client_read_number(&c, "left");
    CHECK(kill(left, 0) == 0);
    kill(left, SIGKILL);
    client_await_gone(left);
    client_close(&c);
}

TEST(orphans_come_home_and_are_reaped_in_silence)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1, "for i in 1 2 3 4 5 6 7 8; do (sh -c 'sleep 0.02' &); done; sleep 0.1", NULL);
    CHECK_INT(__LINE__, client_ended(&c).code, 0);
    struct wire_frame f;
    client_send(&c, &(struct wire_frame){.kind = WIRE_PING, .ping = {5}});
    CHECK(client_next(&c, &f, 5000));
    CHECK_INT(__LINE__, f.kind, WIRE_PONG);
    char command[100];
    snprintf(command, sizeof command, "test -z \"$(ps -o stat= --ppid %d)\"", c.keeper);
    CHECK_INT(__LINE__, system(command), 0);
    client_close(&c);
}

/* ---- deaths ---- */

TEST(a_new_daemon_hears_what_the_old_one_did_not_acknowledge)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1, "exit 3", NULL);
    client_sh(&c, 2, "echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done; exit 4", NULL);
    client_await_file(&c, "pid");
    client_disconnect(&c);
    client_connect(&c);
    CHECK_INT(__LINE__, client_expect(&c, WIRE_WELCOME).welcome.pid, c.keeper);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.name.task, 1);
    CHECK_INT(__LINE__, ended.code, 3);
    struct wire_frame alive = client_expect(&c, WIRE_ALIVE);
    CHECK_INT(__LINE__, alive.alive.count, 1);
    CHECK_INT(__LINE__, wire_alive_at(&alive.alive, 0).name.task, 2);
    client_ack(&c, ended.seq);
    client_connect(&c);
    struct wire_frame f;
    do {
        CHECK(client_next(&c, &f, 5000));
        CHECK(f.kind != WIRE_ENDED);
    } while (f.kind != WIRE_ALIVE);
    client_sh(&c, 3, "touch go", NULL);
    for (int i = 0; i < 2; i++) {
        ended = client_ended(&c);
        CHECK_INT(__LINE__, ended.code, ended.name.task == 2 ? 4 : 0);
    }
    client_close(&c);
}

TEST(a_killed_keeper_s_tasks_live_on_and_the_next_keeper_tells_how_they_ended)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1, "exit 3", NULL);
    CHECK_INT(__LINE__, client_ended(&c).code, 3);
    client_sh(&c, 2, "echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done; echo late; exit 4",
              NULL);
    client_await_file(&c, "pid");
    client_sh(&c, 3, "echo $$ > pid3; exec sleep 1000", NULL);
    client_await_file(&c, "pid3");
    pid_t gone = (pid_t)client_read_number(&c, "pid3");
    client_kill(&c);
    kill(gone, SIGKILL);
    client_await_gone(gone);
    CHECK(kill((pid_t)client_read_number(&c, "pid"), 0) == 0);
    client_spawn(&c);
    client_connect(&c);
    struct wire_welcome w = client_expect(&c, WIRE_WELCOME).welcome;
    CHECK_INT(__LINE__, w.pid, c.keeper);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.name.task, 1);
    CHECK_INT(__LINE__, ended.code, 3);
    ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.name.task, 3);
    CHECK_INT(__LINE__, ended.how, WIRE_UNKNOWN);
    CHECK_STR(__LINE__, c.text, "exit status unknown: the keeper was killed");
    struct wire_frame alive = client_expect(&c, WIRE_ALIVE);
    CHECK_INT(__LINE__, alive.alive.count, 1);
    client_sh(&c, 2, "exit 99", NULL); /* asked again: ignored */
    int go = open_dir(&c), file = openat(go, "go", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.name.task, 2);
    if (ended.how != WIRE_UNKNOWN) {
        CHECK_INT(__LINE__, ended.how, WIRE_EXIT);
        CHECK_INT(__LINE__, ended.code, 4);
    }
    print_message("# the kernel remembers exit codes: %d\n", ended.how != WIRE_UNKNOWN);
    CHECK_STR(__LINE__, log_text(&c, &ended.log, LOG_OUT), "late\n");
    close(file);
    close(go);
    client_close(&c);
}

TEST(an_adopted_tree_can_be_stopped_whole)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1,
              "trap '' TERM; setsid sh -c 'echo $$ > a; exec sleep 1000' & echo $$ > pid; "
              "while :; do sleep 0.05; done",
              short_grace);
    client_await_file(&c, "pid");
    client_await_file(&c, "a");
    client_kill(&c);
    client_spawn(&c);
    client_connect(&c);
    client_expect(&c, WIRE_ALIVE);
    client_stop(&c, 1, WIRE_STOPPED);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.cause, WIRE_STOPPED);
    client_await_gone((pid_t)client_read_number(&c, "a"));
    client_await_gone((pid_t)client_read_number(&c, "pid"));
    client_close(&c);
}

TEST(a_second_keeper_in_the_same_directory_goes_away)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    char command[300];
    snprintf(command, sizeof command, "%s %s 2>&1 >/dev/null | grep -q 'pid %d'", KEEPER_PATH,
             c.dir, c.keeper);
    CHECK_INT(__LINE__, system(command), 0);
    snprintf(command, sizeof command, "%s %s >/dev/null 2>&1", KEEPER_PATH, c.dir);
    CHECK_INT(__LINE__, WEXITSTATUS(system(command)), 100);
    client_close(&c);
}

TEST(a_keeper_told_to_end_ends_its_tasks_and_says_so_later)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1, "sleep 1000", NULL);
    client_expect(&c, WIRE_STARTED);
    kill(c.keeper, SIGTERM);
    waitpid(c.keeper, NULL, 0);
    client_spawn(&c);
    client_connect(&c);
    struct wire_ended ended = client_ended(&c);
    CHECK_INT(__LINE__, ended.cause, WIRE_SHUTDOWN);
    CHECK_INT(__LINE__, ended.code, SIGTERM);
    client_close(&c);
}

TEST(a_retired_keeper_goes_when_nothing_lives_and_nobody_is_there)
{
    TEST_BEGIN;
    struct client c = {0};
    client_open(&c);
    client_sh(&c, 1, "while [ ! -e go ]; do sleep 0.01; done", NULL);
    client_send(&c, &(struct wire_frame){.kind = WIRE_RETIRE});
    client_sh(&c, 2, "touch go", NULL);
    client_disconnect(&c);
    CHECK(waitpid(c.keeper, NULL, 0) == c.keeper);
    c.keeper = 0;
    client_close(&c);
}

TEST(a_peer_that_talks_nonsense_is_let_go)
{
    TEST_BEGIN;
    struct client c = {0};
    struct wire_frame f;
    client_open(&c);
    CHECK(send(c.fd, "\x05\0\0\0\x63nonsense", 13, MSG_NOSIGNAL) == 13);
    CHECK(!client_next(&c, &f, 5000));
    client_connect(&c);
    client_expect(&c, WIRE_ALIVE);
    client_close(&c);
}

/* An argument chooses stories: '*_stopped_*'. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_signals_and_what_could_not_run_are_told_apart),
        cmocka_unit_test(what_cannot_be_launched_says_of_what),
        cmocka_unit_test(an_environment_too_large_is_a_launch_error),
        cmocka_unit_test(a_task_gets_its_environment_directory_and_nothing_else_of_ours),
        cmocka_unit_test(a_script_without_an_interpreter_line_is_given_to_the_shell),
        cmocka_unit_test(a_name_is_started_once_until_its_end_is_acknowledged),
        cmocka_unit_test(more_attempts_than_slots_and_threads_all_end),
        cmocka_unit_test(when_memory_runs_out_a_task_goes_before_the_keeper),
        cmocka_unit_test(little_output_goes_to_the_segment_and_the_slot_is_used_again),
        cmocka_unit_test(much_output_becomes_files_of_its_own),
        cmocka_unit_test(a_running_task_is_read_while_it_writes),
        cmocka_unit_test(out_and_err_are_merged_in_the_order_they_were_written),
        cmocka_unit_test(past_log_max_head_and_tail_are_kept_and_the_task_is_not_failed),
        cmocka_unit_test(a_timeout_ends_a_task),
        cmocka_unit_test(a_task_may_clean_up_before_it_stops),
        cmocka_unit_test(who_ignores_the_stop_signal_is_killed_after_the_grace),
        cmocka_unit_test(a_stopped_process_can_be_stopped),
        cmocka_unit_test(a_tree_that_hides_is_found_and_ended_before_the_end_is_told),
        cmocka_unit_test(in_a_group_of_its_own_a_tree_cannot_hide_at_all),
        cmocka_unit_test(a_left_over_that_only_its_group_knows_is_told_and_ended),
        cmocka_unit_test(groups_are_used_again_and_only_when_empty),
        cmocka_unit_test(a_directory_that_is_no_cgroup_is_refused),
        cmocka_unit_test(what_was_queued_and_is_stopped_never_runs),
        cmocka_unit_test(a_task_that_leaves_a_process_behind_is_over_and_the_process_goes_later),
        cmocka_unit_test(a_left_over_without_our_files_is_swept_up),
        cmocka_unit_test(what_may_be_detached_is_left_alone),
        cmocka_unit_test(orphans_come_home_and_are_reaped_in_silence),
        cmocka_unit_test(a_new_daemon_hears_what_the_old_one_did_not_acknowledge),
        cmocka_unit_test(a_killed_keeper_s_tasks_live_on_and_the_next_keeper_tells_how_they_ended),
        cmocka_unit_test(an_adopted_tree_can_be_stopped_whole),
        cmocka_unit_test(a_second_keeper_in_the_same_directory_goes_away),
        cmocka_unit_test(a_keeper_told_to_end_ends_its_tasks_and_says_so_later),
        cmocka_unit_test(a_retired_keeper_goes_when_nothing_lives_and_nobody_is_there),
        cmocka_unit_test(a_peer_that_talks_nonsense_is_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
