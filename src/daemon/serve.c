/* SPDX-License-Identifier: MIT
 *
 * daemon/serve.c: `gowtf serve`: a parent of a few lines, and the daemon.
 *
 *     parent ──fork──▶ daemon (engine thread, server threads)
 *
 * The parent starts the daemon again when it dies. After CRASHES_MAX deaths
 * within CRASH_WINDOW_MS it lets it serve what the database says, read-only,
 * and say why: tasks are held by the keeper all the while. */
#include "base/clock.h"
#include "daemon/engine.h"
#include "server/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CRASHES_MAX = 5, CRASH_WINDOW_MS = 60000, EXIT_IN_USE = 5, EXIT_INTERNAL = 7 };

/* Tell the service manager, if one listens (sd_notify(3): one datagram). */
static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!path || !path[0] || strlen(path) >= sizeof to.sun_path)
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    memcpy(to.sun_path, path, strlen(path) + 1);
    socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (to.sun_path[0] == '@')
        to.sun_path[0] = 0;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, n);
    close(fd);
}

static struct server_opts server_opts_for(const struct serve_opts *o, const char *home)
{
    return (struct server_opts){.home = home,
                                .listen = o->listen,
                                .assets = server_assets,
                                .asset_count = server_asset_count};
}

static bool start_server(struct engine *g, const struct serve_opts *o, struct err *e)
{
    struct server_opts so = server_opts_for(o, g->store.home);
    return server_start(&so, g->door, &g->server, e);
}

static void say_where(struct engine *g, const struct serve_opts *o)
{
    char code[SERVER_CODE_MAX];
    if (o->quiet)
        return;
    server_login_code(g->server, code);
    printf("gowtf " GOWTF_VERSION " serves %s\n\n"
           "  open      %s/login?code=%s   (works once; more by: gowtf ui)\n"
           "  data      %s\n"
           "  stop      Ctrl-C (running tasks go on and are found again)\n\n",
           o->workflows, server_address(g->server), code, g->store.home);
    fflush(stdout);
}

static FILE *open_trace(const char *path)
{
    FILE *f = path ? fopen(path, "ae") : NULL;
    if (f)
        setvbuf(f, NULL, _IOLBF, 0);
    else if (path)
        fprintf(stderr, "gowtf: no trace: %s: %s\n", path, strerror(errno));
    return f;
}

static int exit_status(const struct err *e)
{
    fprintf(stderr, "gowtf: %s\n", e->text);
    return e->kind == ERR_CONFLICT ? EXIT_IN_USE : EXIT_INTERNAL;
}

static int daemon_main(const struct serve_opts *o, bool first)
{
    struct err e = {0};
    struct engine *g;
    struct engine_opts eo = {
        .home = o->home,
        .workflows = o->workflows,
        .slots = o->slots,
        .durability = o->durability,
        .retention = o->retention,
        .trace = open_trace(o->trace),
    };
    prctl(PR_SET_DUMPABLE, 0);
    if (!engine_new(&eo, &g, &e))
        return exit_status(&e);
    if (!start_server(g, o, &e)) {
        engine_free(g);
        return exit_status(&e);
    }
    engine_open(g);
    if (first)
        say_where(g, o);
    notify("READY=1");
    while (!g->told)
        engine_turn(g, -1);
    notify("STOPPING=1");
    server_stop(g->server);
    g->server = NULL;
    engine_free(g);
    if (eo.trace)
        fclose(eo.trace);
    return 0;
}

/* The engine does not stay up: serve what is in the database and say so. */
static int degraded_main(const struct serve_opts *o)
{
    struct err e = {0};
    struct server *server;
    struct door *door = door_new(-1);
    struct server_opts so = server_opts_for(o, o->home);
    int signo;
    sigset_t set;
    door_refuse(door, ERR_DOWN,
                "the engine has ended unexpectedly 5 times within a minute; this is a read-only "
                "view. See what it said on standard error, then start gowtf again");
    if (!server_start(&so, door, &server, &e))
        return exit_status(&e);
    fprintf(stderr, "gowtf: the engine does not stay up; serving a read-only view on %s\n",
            server_address(server));
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigwait(&set, &signo);
    server_stop(server);
    door_free(door);
    return EXIT_INTERNAL;
}

/* ---- the parent ---- */

static pid_t start_daemon(const struct serve_opts *o, bool first, bool degraded)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* without a parent nobody would start it again */
    if (getppid() != parent)
        _exit(0);
    exit(degraded ? degraded_main(o) : daemon_main(o, first));
}

/* Wait for the daemon's end and pass on what we are told. True: it is to be
 * started again; else *status is how `serve` ends. */
static bool wait_for(pid_t pid, int signals, int *status)
{
    struct signalfd_siginfo s;
    bool told = false;
    while (read(signals, &s, sizeof s) == sizeof s) {
        int how;
        if (s.ssi_signo != SIGCHLD) {
            told = true;
            kill(pid, (int)s.ssi_signo);
            continue;
        }
        if (waitpid(pid, &how, WNOHANG) != pid)
            continue;
        *status = WIFEXITED(how) ? WEXITSTATUS(how) : EXIT_INTERNAL;
        if (WIFSIGNALED(how) && !told)
            fprintf(stderr, "gowtf: the daemon was ended by signal %d; starting it again\n",
                    WTERMSIG(how));
        return !told && (WIFSIGNALED(how) || *status == 71);
    }
    return false;
}

static int block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

int daemon_serve(const struct serve_opts *o)
{
    ms_t deaths[CRASHES_MAX] = {0};
    int status = EXIT_INTERNAL, signals = block_signals();
    bool degraded = false;
    if (mkdir(o->workflows, 0777) && errno != EEXIST) {
        fprintf(stderr, "gowtf: %s: %s\n", o->workflows, strerror(errno));
        return EXIT_INTERNAL;
    }
    for (int n = 0;; n++) {
        pid_t pid = start_daemon(o, n == 0, degraded);
        if (pid < 0)
            fprintf(stderr, "gowtf: cannot start the daemon: %s\n", strerror(errno));
        if (pid < 0 || !wait_for(pid, signals, &status) || degraded)
            break;
        ms_t now = clock_boot();
        degraded = deaths[n % CRASHES_MAX] && now - deaths[n % CRASHES_MAX] < CRASH_WINDOW_MS;
        deaths[n % CRASHES_MAX] = now;
    }
    close(signals);
    return status;
}
