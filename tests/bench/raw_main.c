/* SPDX-License-Identifier: MIT
 *
 * raw COUNT WIDTH: the bare loop by itself; prints tasks a second. */
#include "raw.h"
#include "base/str.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    uint32_t count, width;
    if (argc != 3 || !str_to_u32(str_of(argv[1]), &count) || !str_to_u32(str_of(argv[2]), &width) ||
        !count || !width || width > 64) {
        fprintf(stderr, "usage: raw COUNT WIDTH (1 to 64)\n");
        return 2;
    }
    printf("%.1f\n", (double)count * 1e6 / (double)raw_run(width, count));
    return 0;
}
