/* SPDX-License-Identifier: MIT
 *
 * gowtf-keeper DIR [SLOTS [LINGER_MS [LOG_MAX [CGROUP]]]]: a keeper and nothing else, for
 * tests. A newline on standard output says that it listens. */
#include "keeper/keeper.h"

#include <fcntl.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: gowtf-keeper DIR [SLOTS [LINGER_MS [LOG_MAX [CGROUP]]]]\n", stderr);
        return 2;
    }
    struct keeper_opts opts = {.data_dir = argv[1], .ready_fd = fcntl(1, F_DUPFD_CLOEXEC, 3)};
    if (argc > 2)
        opts.slots = (uint32_t)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        opts.linger_ms = strtol(argv[3], NULL, 10);
    if (argc > 4)
        opts.log_max = strtoull(argv[4], NULL, 10);
    if (argc > 5)
        opts.cgroup = argv[5];
    return keeper_main(&opts);
}
