/* SPDX-License-Identifier: MIT */
#include "daemon/keeper_start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool prepare(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr, const char *log)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    return posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0) == 0 &&
           posix_spawn_file_actions_addopen(files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600) ==
               0 &&
           posix_spawn_file_actions_adddup2(files, 1, 2) == 0 &&
           posix_spawn_file_actions_addclosefrom_np(files, 3) == 0 &&
           posix_spawnattr_setsigmask(attr, &none) == 0 &&
           posix_spawnattr_setsigdefault(attr, &all) == 0 &&
           posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF) == 0;
}

bool keeper_start(const char *home, uint32_t slots, struct err *e)
{
    char log[4096], count[16];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    pid_t pid;
    snprintf(log, sizeof log, "%s/keeper", home);
    if (mkdir(log, 0700) && errno != EEXIST)
        return err_sys(e, "%s", log);
    snprintf(log, sizeof log, "%s/keeper/log", home);
    snprintf(count, sizeof count, "%u", slots);
    char *argv[] = {"gowtf", "keeper", "-C", (char *)(intptr_t)home, "--slots", count, NULL};
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    int code = prepare(&files, &attr, log)
                   ? posix_spawn(&pid, "/proc/self/exe", &files, &attr, argv, environ)
                   : EINVAL;
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    errno = code;
    return code == 0 || err_sys(e, "cannot start `gowtf keeper`");
}
