/* SPDX-License-Identifier: MIT
 *
 * Conditions: what they mean, by a table; and that the compiled form means the
 * same as a slow reading of the same tree, by many random ones. */
#include "model/expr.h"
#include "model/load.h"
#include "../check.h"

/* a and b are parents of z; s was skipped, u never ran; top is far above. */
static const struct {
    const char *name;
    struct task_outcome outcome;
} world[] = {
    {"top", {TASK_SUCCESS, REASON_NONE, true, 0, 1}},
    {"a", {TASK_SUCCESS, REASON_NONE, true, 0, 2}},
    {"b-1", {TASK_FAILED, REASON_TIMEOUT, true, 143, 3}},
    {"s.x", {TASK_SKIPPED, REASON_CONDITION, false, 0, 0}},
    {"u", {TASK_UPSTREAM_FAILED, REASON_UPSTREAM_FAILED, false, 0, 0}},
    {"c", {TASK_CANCELLED, REASON_CANCELLED, true, -1, 1}},
};
#define PARENTS "[a, b-1, s.x, u, c]"

static void look(const void *ctx, uint32_t task, struct task_outcome *out)
{
    (void)ctx;
    CHECK(task < countof(world));
    *out = world[task].outcome;
}

static struct workflow *load(const char *condition, const char *parents, struct problems *ps)
{
    CLEANUP(buf_free) struct buf b = {0};
    buf_puts(&b, "name: w\ntasks:\n- {name: top, script: x}\n");
    for (size_t i = 1; i < countof(world); i++)
        buf_printf(&b, "- {name: %s, script: x, depends_on: [top]}\n", world[i].name);
    buf_printf(&b, "- name: z\n  script: x\n  depends_on: %s\n  condition: |-\n    %s\n", parents,
               condition);
    return workflow_load((struct str){b.at, b.len}, S("w.yaml"), ps);
}

static char eval(const char *condition, const char *parents)
{
    struct problems ps = {0};
    struct workflow *w = load(condition, parents, &ps);
    if (!w)
        print_error("%s: %.*s\n", condition, STR_ARG(ps.at[0].message));
    CHECK(w);
    const struct task *z = &w->tasks[countof(world)];
    enum expr_result r = expr_eval(z->condition, z, look, NULL);
    workflow_free(w);
    problems_free(&ps);
    return r == EXPR_TRUE ? 'T' : r == EXPR_FALSE ? 'F' : 'E';
}

TEST(a_condition_means_what_it_says)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *condition;
        char want;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("always", 'T'),
        ROW("always()", 'T'),
        ROW("never()", 'F'),
        ROW("true", 'T'),
        ROW("false", 'F'),
        /* attributes */
        ROW("a.success", 'T'),
        ROW("tasks.a.success", 'T'),
        ROW("a.failed", 'F'),
        ROW("a.done", 'T'),
        ROW("b-1.failed", 'T'),
        ROW("b-1.broken", 'T'),
        ROW("b-1.timed_out", 'T'),
        ROW("a.timed_out", 'F'),
        ROW("s.x.skipped", 'T'),
        ROW("tasks.s.x.skipped", 'T'),
        ROW("s.x.broken", 'F'),
        /* failed is this task itself, broken is anything that went wrong */
        ROW("u.failed", 'F'),
        ROW("u.broken", 'T'),
        ROW("c.cancelled", 'T'),
        ROW("c.broken", 'T'),
        ROW("c.failed", 'F'),
        ROW("u.state == 'upstream_failed'", 'T'),
        ROW("\"failed\" != b-1.state", 'F'),
        ROW("b-1.exit_code == 143", 'T'),
        ROW("c.exit_code == -1", 'T'),
        ROW("c.exit_code < 0", 'T'),
        ROW("a.attempts >= 2", 'T'),
        ROW("a.attempts > 2", 'F'),
        ROW("a.attempts <= b-1.attempts", 'T'),
        ROW("a.success == b-1.success", 'F'),
        ROW("top.success", 'T'),
        /* what was never run has no exit code, and null answers nothing */
        ROW("s.x.exit_code == 0", 'E'),
        ROW("0 != u.exit_code", 'E'),
        ROW("s.x.exit_code == u.exit_code", 'E'),
        ROW("s.x.done and s.x.exit_code == 0", 'E'),
        ROW("s.x.success and s.x.exit_code == 0", 'F'),
        ROW("s.x.skipped or s.x.exit_code == 0", 'T'),
        /* groups are about direct parents */
        ROW("all_upstream.done", 'T'),
        ROW("all_upstream.success", 'F'),
        ROW("any_upstream.success", 'T'),
        ROW("any_upstream.failed", 'T'),
        ROW("any_upstream.skipped and any_upstream.cancelled", 'T'),
        ROW("none_upstream.success", 'F'),
        ROW("none_upstream.broken", 'F'),
        /* or binds less than and, and less than not, not less than == */
        ROW("true or false and false", 'T'),
        ROW("(true or false) and false", 'F'),
        ROW("not false and false", 'F'),
        ROW("not (false and false)", 'T'),
        ROW("not a.attempts == 1", 'T'),
        ROW("not not true", 'T'),
        ROW("!false && !false || false", 'T'),
        ROW("!a.failed", 'T'),
        ROW("((((1))))==1", 'T'),
        ROW("1==1 and 'a'=='a' and 'a'!='b'", 'T'),
        ROW("(1 < 2) == (2 < 3) and (1 < 2) != (3 < 2)", 'T'),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        if (eval(rows[i].condition, PARENTS) != rows[i].want)
            print_error("%s\n", rows[i].condition);
        CHECK_INT(rows[i].line, eval(rows[i].condition, PARENTS), rows[i].want);
    }
    CHECK(eval("all_upstream.success", "[a]") == 'T');
    CHECK(eval("none_upstream.success", "[b-1]") == 'T');
    CHECK(eval("any_upstream.success", "[b-1]") == 'F');
}

/* The code of the first problem and where it stands in the condition, from 0. */
TEST(a_bad_condition_is_bad_at_one_place)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *condition, *code;
        uint32_t at, to;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("a.success and", "E0401", 13, 14),
        ROW("a.success b-1.success", "E0401", 10, 21),
        ROW("and a.success", "E0401", 0, 3),
        ROW("(a.success", "E0401", 10, 11),
        ROW("a.success)", "E0401", 9, 10),
        ROW("a.success & b-1.success", "E0401", 10, 11),
        ROW("a.state = 'failed'", "E0401", 8, 9),
        ROW("a.state == 'failed", "E0401", 11, 12),
        ROW("1 < 2 < 3", "E0401", 6, 7),
        ROW("foo(1)", "E0401", 0, 3),
        ROW("always(1)", "E0401", 7, 8),
        ROW("1 == 99999999999999999999", "E0401", 5, 25),
        ROW("q.success", "E0402", 0, 1),
        ROW("not tasks.q.success", "E0402", 10, 11),
        ROW("a.state == failed", "E0402", 11, 17),
        ROW("a.sucess", "E0403", 2, 8),
        ROW("a", "E0403", 0, 1),
        ROW("a.", "E0403", 2, 3),
        ROW("all_upstream", "E0403", 12, 13),
        ROW("all_upstream.exit_code", "E0403", 13, 22),
        ROW("any_upstream.timed_out", "E0403", 13, 22),
        ROW("z.success", "E0404", 0, 1),
        ROW("true and c.success", "E0404", 9, 10),
        ROW("a.exit_code", "E0405", 0, 11),
        ROW("not a.state", "E0405", 4, 11),
        ROW("a.success and a.exit_code", "E0405", 14, 25),
        ROW("a.exit_code == 'x'", "E0405", 0, 18),
        ROW("a.state < 'x'", "E0405", 0, 13),
        ROW("a.state == 'sucess'", "E0405", 12, 18),
        ROW("'bogus' != a.state", "E0405", 1, 6),
        ROW("params.x == 1", "E0406", 0, 8),
        ROW("run.id == 1", "E0406", 0, 6),
        ROW("a.outputs.n == 1", "E0406", 2, 11),
        ROW("a.exit_code + 1 == 2", "E0406", 12, 13),
        ROW("a.exit_code in [1]", "E0406", 12, 14),
        ROW("a.success ? true : false", "E0406", 10, 11),
        ROW("len('x') == 1", "E0406", 0, 3),
        ROW("1.5 == 1", "E0406", 0, 3),
        ROW("null == 1", "E0406", 0, 4),
        ROW("\xc3\xa4 == 1", "E0401", 0, 1),
        ROW("a.success and \xc3\xa4", "E0401", 14, 15),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct problems ps = {0};
        struct workflow *w = load(rows[i].condition, "[a, b-1, s.x, u]", &ps);
        CHECK(!w && ps.count == 1);
        CHECK_STR(rows[i].line, ps.at[0].code, rows[i].code);
        if (ps.at[0].line == 13) { /* the condition's own line: five blanks before */
            CHECK_INT(rows[i].line, ps.at[0].column - 5, rows[i].at);
            CHECK_INT(rows[i].line, ps.at[0].end_column - 5, rows[i].to);
        } else {
            CHECK_INT(rows[i].line, rows[i].at, strlen(rows[i].condition));
        }
        problems_free(&ps);
    }
}

TEST(conditions_have_bounds)
{
    TEST_BEGIN;
    CLEANUP(buf_free) struct buf deep = {0}, wide = {0}, ok = {0};
    for (int i = 0; i < 40; i++)
        buf_puts(&deep, "not ");
    buf_puts(&deep, "true");
    for (int i = 0; i < 600; i++)
        buf_puts(&wide, "true or ");
    buf_puts(&wide, "true");
    for (int i = 0; i < 32; i++)
        buf_puts(&ok, "(true == ");
    buf_puts(&ok, "false");
    for (int i = 0; i < 32; i++)
        buf_puts(&ok, ")");
    const char *bad[] = {deep.at, wide.at};
    for (size_t i = 0; i < countof(bad); i++) {
        struct problems ps = {0};
        CHECK(!load(bad[i], "[a]", &ps) && ps.count == 1);
        CHECK_STR(__LINE__, ps.at[0].code, "E0407");
        problems_free(&ps);
    }
    CHECK(eval(ok.at, "[a]") == 'F');
}

TEST(the_graph_knows_whose_failure_a_condition_handles)
{
    TEST_BEGIN;
    static const struct {
        int line;
        const char *condition;
        bool a, b;
    } rows[] = {
#define ROW(...) {__LINE__, __VA_ARGS__}
        ROW("a.failed", true, false),
        ROW("b-1.broken and a.success", false, true),
        ROW("any_upstream.failed", true, true),
        ROW("not any_upstream.broken", true, true),
        ROW("none_upstream.failed", false, false),
        ROW("all_upstream.failed", false, false),
        ROW("a.done and b-1.state == 'failed'", false, false),
        ROW("top.failed", false, false),
        ROW("always", false, false),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct problems ps = {0};
        struct workflow *w = load(rows[i].condition, "[b-1, a]", &ps);
        CHECK(w);
        CHECK_INT(rows[i].line, w->tasks[1].down_handles[0], rows[i].a);
        CHECK_INT(rows[i].line, w->tasks[2].down_handles[0], rows[i].b);
        CHECK(!w->tasks[0].down_handles[0]);
        workflow_free(w);
        problems_free(&ps);
    }
}

/* Random conditions, written and answered at the same time by the plainest
 * means: `want` is 'T', 'F' or 'E', with the left side deciding first. */

static uint64_t seed = 7;

static uint32_t roll(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static char truth(bool b)
{
    return b ? 'T' : 'F';
}

static bool has(const struct task_outcome *o, uint32_t what)
{
    switch (what) {
    case 0: return o->state == TASK_SUCCESS;
    case 1: return o->state == TASK_FAILED;
    case 2:
        return o->state == TASK_FAILED || o->state == TASK_UPSTREAM_FAILED ||
               o->state == TASK_CANCELLED;
    case 3: return o->state == TASK_SKIPPED;
    case 4: return o->state == TASK_CANCELLED;
    case 5: return true;
    default: return o->reason == REASON_TIMEOUT;
    }
}
static const char *const words[] = {"success",   "failed", "broken",   "skipped",
                                    "cancelled", "done",   "timed_out"};

static char atom(struct buf *b)
{
    static const char *const heads[] = {"all", "any", "none"};
    uint32_t what = roll(6), head = roll(3), count = 0, task = 1 + roll(countof(world) - 1);
    if (roll(4) == 0) {
        for (size_t i = 1; i < countof(world); i++)
            count += has(&world[i].outcome, what);
        buf_printf(b, "%s_upstream.%s", heads[head], words[what]);
        return truth(head == 0 ? count == countof(world) - 1 : head == 1 ? count > 0 : count == 0);
    }
    what = roll(7);
    buf_printf(b, "%s%s.%s", roll(2) ? "tasks." : "", world[task].name, words[what]);
    return truth(has(&world[task].outcome, what));
}

static char comparison(struct buf *b)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    uint32_t task = 1 + roll(countof(world) - 1), sign = roll(6);
    const struct task_outcome *o = &world[task].outcome;
    bool code = roll(2);
    int left = code ? o->exit_code : (int)o->attempts, right = (int)roll(4);
    buf_printf(b, "%s.%s %s %d", world[task].name, code ? "exit_code" : "attempts", signs[sign],
               right);
    if (code && !o->has_exit_code)
        return 'E';
    bool holds[] = {left == right, left != right, left<right, left <= right, left> right,
                    left >= right};
    return truth(holds[sign]);
}

static char any_condition(struct buf *b, int depth)
{
    uint32_t kind = depth ? roll(6) : 4 + roll(2);
    if (kind == 4)
        return atom(b);
    if (kind == 5)
        return comparison(b);
    if (kind == 3) {
        buf_puts(b, roll(2) ? "not (" : "!(");
        char r = any_condition(b, depth - 1);
        buf_puts(b, ")");
        return r == 'E' ? 'E' : truth(r == 'F');
    }
    buf_puts(b, "(");
    char l = any_condition(b, depth - 1);
    if (kind == 2) {
        buf_puts(b, ") == (");
        char r = any_condition(b, depth - 1);
        buf_puts(b, ")");
        return l == 'E' || r == 'E' ? 'E' : truth(l == r);
    }
    buf_puts(b, kind == 0 ? ") and (" : ") or (");
    char r = any_condition(b, depth - 1);
    buf_puts(b, ")");
    return l == 'E' || l == (kind == 0 ? 'F' : 'T') ? l : r;
}

TEST(compiled_conditions_agree_with_a_plain_reading)
{
    TEST_BEGIN;
    size_t seen[128] = {0};
    for (int i = 0; i < 5000; i++) {
        CLEANUP(buf_free) struct buf b = {0};
        char want = any_condition(&b, 1 + i % 6);
        char got = eval(b.at, PARENTS);
        if (got != want)
            print_error("%s: got %c, want %c\n", b.at, got, want);
        CHECK(got == want);
        seen[(int)got]++;
    }
    CHECK(seen['T'] > 500 && seen['F'] > 500 && seen['E'] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_means_what_it_says),
        cmocka_unit_test(a_bad_condition_is_bad_at_one_place),
        cmocka_unit_test(conditions_have_bounds),
        cmocka_unit_test(the_graph_knows_whose_failure_a_condition_handles),
        cmocka_unit_test(compiled_conditions_agree_with_a_plain_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
