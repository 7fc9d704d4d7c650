/* SPDX-License-Identifier: MIT
 *
 * Every file in bad/ is loaded, and what is said about it must be the text file
 * beside it, byte for byte. GOWTF_TEST_WRITE=1 writes those texts anew: then
 * read the difference. */
#include "base/fd.h"
#include "model/load.h"
#include "../check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

static void read_file(const char *path, struct buf *out)
{
    CLEANUP(fd_close)
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct err e = {0};
    if (fd >= 0)
        CHECK(fd_read_all(fd, 32 << 20, out, &e));
}

static void say(struct str text, const char *name, struct buf *out)
{
    struct problems ps = {0};
    struct workflow *w = workflow_load(text, str_of(name), &ps);
    CHECK(!w == (ps.error_count > 0));
    for (size_t i = 0; i < ps.count; i++) {
        if (i)
            buf_putc(out, '\n');
        problem_print(&ps.at[i], str_of(name), text, false, out);
    }
    workflow_free(w);
    problems_free(&ps);
}

static void check_file(const char *dir, const char *name)
{
    CLEANUP(buf_free)
    struct buf yaml = {0}, got = {0}, want = {0};
    char path[4096];
    struct err e = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    read_file(path, &yaml);
    say((struct str){yaml.at ? yaml.at : "", yaml.len}, name, &got);
    snprintf(path, sizeof path, "%s/%.*s.txt", dir, (int)(strlen(name) - 5), name);
    struct str text = {got.at ? got.at : "", got.len};
    if (getenv("GOWTF_TEST_WRITE"))
        CHECK(fd_replace_file(path, text, &e));
    read_file(path, &want);
    if (!str_eq(text, (struct str){want.at ? want.at : "", want.len})) {
        print_error("%s:\n--- got\n%s--- want\n%s", name, text.at, want.at ? want.at : "");
        fail();
    }
}

TEST(what_is_said_about_a_bad_file_is_fixed)
{
    TEST_BEGIN;
    const char *dir = getenv("GOWTF_TEST_BAD");
    CHECK(dir);
    DIR *d = opendir(dir);
    size_t files = 0;
    CHECK(d);
    for (struct dirent *f; (f = readdir(d));) {
        size_t n = strlen(f->d_name);
        if (n > 5 && strcmp(f->d_name + n - 5, ".yaml") == 0) {
            check_file(dir, f->d_name);
            files++;
        }
    }
    closedir(d);
    CHECK(files >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_about_a_bad_file_is_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
