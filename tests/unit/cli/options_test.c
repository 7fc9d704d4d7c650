/* SPDX-License-Identifier: MIT
 *
 * Options, as people write them. */
#include "../check.h"

#include "cli/command.h"

struct got {
    bool flag;
    int64_t count;
    const char *text;
    ms_t time;
    struct opt_list list;
};
static const struct opt table_of_opts[] = {
#define AT(member) offsetof(struct got, member)
    {"flag", 'f', OPT_FLAG, AT(flag), NULL, NULL, ""},
    {"count", 'n', OPT_COUNT, AT(count), "N", "7", ""},
    {"text", 't', OPT_TEXT, AT(text), "TEXT", NULL, ""},
    {"time", 0, OPT_TIME, AT(time), "TIME", NULL, ""},
    {"param", 'p', OPT_LIST, AT(list), "K=V", NULL, ""},
#undef AT
};
static const struct command cmd_test = {
    .name = "test", .args = "", .opts = table_of_opts, .opt_count = countof(table_of_opts)};

/* What is made of one line of words: options, then arguments, or the error. */
static void read_line(const char *line, char *out, size_t size)
{
    char words[200], *argv[20];
    int argc = 0;
    struct cli c = {0};
    struct got g = {0};
    struct buf hint = {0};
    struct err e = {0};
    snprintf(words, sizeof words, "%s", line);
    char *rest = words, *word;
    while ((word = strsep(&rest, " ")))
        argv[argc++] = word;
    if (!command_parse(&c, &cmd_test, &g, &argc, argv, &hint, &e)) {
        snprintf(out, size, "%s|%s", e.text, hint.at ? hint.at : "");
    } else {
        int n = snprintf(out, size, "f%d n%lld t%s %lldms p%zu json%d", g.flag, (long long)g.count,
                         g.text ? g.text : "-", (long long)g.time, g.list.count, c.json);
        for (int i = 0; i < argc; i++)
            n += snprintf(out + n, size - (size_t)n, " <%s>", argv[i]);
    }
    buf_free(&hint);
}

TEST(options_stand_anywhere_and_in_every_form)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *words, *want;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("a b", "f0 n7 t- 0ms p0 json0 <a> <b>"),
        ROW("-f a", "f1 n7 t- 0ms p0 json0 <a>"),
        ROW("a -n 3", "f0 n3 t- 0ms p0 json0 <a>"),
        ROW("-n3 a", "f0 n3 t- 0ms p0 json0 <a>"),
        ROW("-fn3", "f1 n3 t- 0ms p0 json0"),
        ROW("--count=3 --text x", "f0 n3 tx 0ms p0 json0"),
        ROW("--time 2m", "f0 n7 t- 120000ms p0 json0"),
        ROW("-p a=1 -pb=2 --param c=3", "f0 n7 t- 0ms p3 json0"),
        ROW("--json a", "f0 n7 t- 0ms p0 json1 <a>"),
        ROW("--json=id,state", "f0 n7 t- 0ms p0 json1"),
        ROW("-- -f --count", "f0 n7 t- 0ms p0 json0 <-f> <--count>"),
        ROW("- a", "f0 n7 t- 0ms p0 json0 <-> <a>"),
        /* mistakes, with what was meant */
        ROW("--cuont 3", "there is no option '--cuont'|did you mean --count?"),
        ROW("--zzzzzz", "there is no option '--zzzzzz'|"),
        ROW("-z", "there is no option '-z'|"),
        ROW("--count", "--count wants N|"),
        ROW("--count x", "--count wants a number, not 'x'|"),
        ROW("--count=-1", "--count wants a number, not '-1'|"),
        ROW("--time soon", "--time wants a time such as 30s or 2h, not 'soon'|"),
        ROW("--flag=yes", "--flag takes no value|"),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char got[600];
        read_line(rows[i].words, got, sizeof got);
        CHECK_STR(rows[i].line, got, rows[i].want);
    }
}

TEST(every_kind_of_error_has_an_exit_status)
{
    TEST_BEGIN;
    for (enum err_kind k = ERR_INVALID; k < ERR_KINDS; k++)
        CHECK(err_exit_code(k) >= EXIT_USAGE && err_exit_code(k) <= EXIT_INTERNAL);
    CHECK_INT(__LINE__, err_exit_code(ERR_DOWN), EXIT_DOWN);
    CHECK_INT(__LINE__, err_exit_code(ERR_NOT_FOUND), EXIT_ABSENT);
    CHECK_INT(__LINE__, err_exit_code(ERR_CONFLICT), EXIT_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere_and_in_every_form),
        cmocka_unit_test(every_kind_of_error_has_an_exit_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
