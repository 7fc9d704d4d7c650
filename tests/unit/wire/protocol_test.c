/* SPDX-License-Identifier: MIT
 *
 * docs/PROTOCOL.md and the list of frames are the same list. */
#include "base/fd.h"
#include "wire/wire.h"
#include "../check.h"

#include <fcntl.h>

static void read_document(struct buf *out)
{
    struct err e = {0};
    int fd = -1;
    CHECK(fd_open_read(AT_FDCWD, PROTOCOL_PATH, &fd, &e));
    CHECK(fd_read_all(fd, 1 << 20, out, &e));
    fd_close(&fd);
}

TEST(every_frame_is_described_under_its_number_and_no_other_is)
{
    TEST_BEGIN;
    struct buf text = {0};
    int described = 0, known = 0;
    read_document(&text);
#define X(name, number, who)                                                                       \
    known++;                                                                                       \
    if (!strstr(text.at, "\n| " #name " | " #number " |")) {                                       \
        print_error("%s (%d) is not described\n", #name, number);                                  \
        fail();                                                                                    \
    }
    WIRE_LIST(X)
#undef X
    for (const char *at = text.at; (at = strstr(at, "\n| ")); at++) {
        char word[32];
        int number;
        described += sscanf(at, "\n| %31[A-Z] | %d |", word, &number) == 2;
    }
    CHECK_INT(__LINE__, described, known);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_is_described_under_its_number_and_no_other_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
