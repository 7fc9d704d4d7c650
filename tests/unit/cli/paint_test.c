/* SPDX-License-Identifier: MIT
 *
 * What reaches a terminal, and what does not. */
#include "../check.h"

#include "cli/paint.h"

TEST(task_output_cannot_harm_the_terminal)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *in, *colour, *plain;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("plain text\n", "plain text\n", "plain text\n"),
        ROW("\033[31mred\033[0m", "\033[31mred\033[0m", "red"),
        ROW("\033[38;5;12mx", "\033[38;5;12mx", "x"),
        /* moves, erases, titles, questions, strings */
        ROW("a\033[2Jb\033[1;1Hc", "abc", "abc"),
        ROW("\033]0;title\007after", "after", "after"),
        ROW("\033]0;title\033\\after", "after", "after"),
        ROW("\033P1$r0m\033\\after", "after", "after"),
        ROW("\033[?25lhidden", "hidden", "hidden"),
        ROW("\033[6nx", "x", "x"),
        ROW("\033(0qqq", "qqq", "qqq"),
        ROW("\033cx", "x", "x"),
        /* control characters */
        ROW("a\rb\bc\ad\x7f", "abcd", "abcd"),
        ROW("tab\tstays", "tab\tstays", "tab\tstays"),
        ROW("c1 \xc2\x9b"
            "31mx",
            "c1 31mx", "c1 31mx"),
        /* no sequence goes beyond its line */
        ROW("\033]0;never ends\nnext", "\nnext", "\nnext"),
        ROW("\033[31", "", ""),
        /* text that is not ASCII, and bytes that are not text */
        ROW("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"),
        ROW("\xff", "\xef\xbf\xbd", "\xef\xbf\xbd"),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++)
        for (int colour = 0; colour < 2; colour++) {
            struct tame t = {0};
            struct buf out = {0};
            tame_add(&t, &out, rows[i].in, strlen(rows[i].in), colour);
            CHECK_STR(rows[i].line, out.at ? out.at : "", colour ? rows[i].colour : rows[i].plain);
            buf_free(&out);
        }
}

TEST(a_sequence_may_come_in_two_pieces)
{
    TEST_BEGIN;
    struct tame t = {0};
    struct buf out = {0};
    tame_add(&t, &out, "a\033[3", 4, true);
    tame_add(&t, &out, "1mb", 3, true);
    CHECK_STR(__LINE__, out.at, "a\033[31mb");
    buf_free(&out);
}

static const char *pairs; /* "NAME=value NAME=value" */
static const char *env(const char *name)
{
    static char value[40];
    const char *p = strstr(pairs, name);
    if (!p || p[strlen(name)] != '=' || (p != pairs && p[-1] != ' '))
        return NULL;
    p += strlen(name) + 1;
    snprintf(value, sizeof value, "%.*s", (int)strcspn(p, " "), p);
    return value;
}

TEST(colour_follows_the_environment)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *when;
        bool tty;
        const char *pairs;
        bool want;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("auto", true, "TERM=xterm", true),
        ROW("auto", false, "TERM=xterm", false),
        ROW("auto", true, "TERM=dumb", false),
        ROW("auto", true, "NO_COLOR=1", false),
        ROW("auto", true, "NO_COLOR= TERM=xterm", true), /* empty is not set */
        ROW("auto", false, "CLICOLOR_FORCE=1", true),
        ROW("auto", false, "CLICOLOR_FORCE=0", false),
        ROW("auto", false, "FORCE_COLOR=1", true),
        ROW("auto", false, "NO_COLOR=1 FORCE_COLOR=1", false),
        ROW("always", false, "NO_COLOR=1", true),
        ROW("never", true, "CLICOLOR_FORCE=1", false),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        pairs = rows[i].pairs;
        CHECK_INT(rows[i].line, paint_wants_colour(rows[i].when, rows[i].tty, env), rows[i].want);
    }
}

TEST(signs_are_ascii_where_the_locale_is_not_utf8)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *pairs;
        bool want;
    } rows[] = {
        {__LINE__, "LANG=de_DE.UTF-8", false},
        {__LINE__, "LANG=C", true},
        {__LINE__, "LANG=C.utf8", false},
        {__LINE__, "LC_ALL=C LANG=de_DE.UTF-8", true},
        {__LINE__, "GOWTF_ASCII=1 LANG=de_DE.UTF-8", true},
        {__LINE__, "GOWTF_ASCII=0 LANG=C", false},
        {__LINE__, "", false},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        pairs = rows[i].pairs;
        CHECK_INT(rows[i].line, paint_wants_ascii(env), rows[i].want);
    }
}

static void print(const struct paint *p, struct buf *out)
{
    struct table t;
    table_init(&t, p, 3, 1u << 1);
    table_text(&t, "a");
    table_text(&t, "1");
    table_text(&t, "a rather long last column");
    table_text(&t, "✔✔");
    table_text(&t, "100");
    table_text(&t, "");
    table_print(&t, out);
    table_free(&t);
}

TEST(columns_are_aligned_on_a_terminal_and_tabbed_in_a_pipe)
{
    TEST_BEGIN;
    struct buf out = {0};
    print(&(struct paint){.tty = true, .width = 20}, &out);
    CHECK_STR(__LINE__, out.at, "a     1  a rather lo\n✔✔  100\n");
    buf_clear(&out);
    print(&(struct paint){.width = 20}, &out);
    CHECK_STR(__LINE__, out.at, "a\t1\ta rather long last column\n✔✔\t100\t\n");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(task_output_cannot_harm_the_terminal),
        cmocka_unit_test(a_sequence_may_come_in_two_pieces),
        cmocka_unit_test(colour_follows_the_environment),
        cmocka_unit_test(signs_are_ascii_where_the_locale_is_not_utf8),
        cmocka_unit_test(columns_are_aligned_on_a_terminal_and_tabbed_in_a_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
