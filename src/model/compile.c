/* SPDX-License-Identifier: MIT
 *
 * model/compile.c: conditions, from text to steps.
 *
 *     or      := and { ("or" | "||") and }
 *     and     := not { ("and" | "&&") not }
 *     not     := ("not" | "!") not | compare
 *     compare := primary [ ("==" | "!=" | "<" | "<=" | ">" | ">=") primary ]
 *     primary := "(" or ")" | NUMBER | TEXT | "true" | "false"
 *              | "always" [ "()" ] | "never()"
 *              | [ "tasks." ] TASK "." ATTRIBUTE
 *              | ("all_upstream" | "any_upstream" | "none_upstream") "." STATE
 *
 * A name may hold '-' and '.', so a word is read whole, and what is a task in
 * it and what an attribute is found by looking tasks up.
 *
 * What must stay true:
 *
 *   - what compiles can be run: every task exists and is upstream, every
 *     comparison compares two of a kind;
 *   - an error stands under the very word that is wrong;
 *   - a word of the full language that is not here yet is told so, and not
 *     taken for a typing mistake;
 *   - depth, length and steps are bounded, so this recursion is too. */
#include "model/compile.h"

#include "model/code.h"
#include "model/limits.h"

#include <stdarg.h>
#include <stdio.h>

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_NUMBER,
    TOKEN_TEXT,
    TOKEN_SIGN, /* everything else; two characters at most */
};

struct token {
    enum token_kind kind;
    uint32_t from, to; /* bytes of the condition */
    struct str text;   /* without quotes */
};

enum type { TYPE_BOOL, TYPE_INT, TYPE_TEXT };

struct operand {
    enum type type;
    uint32_t from, to;
    bool is_state, is_literal;
    struct str text; /* of a literal text */
};

/* An ancestor that is no parent: answered for all conditions at once. */
struct look {
    const struct yaml *node;
    uint32_t from, to;
};

struct looks {
    struct reach *asked;
    struct look *at;
    size_t count, asked_cap, at_cap;
};

static void looks_free(struct looks *l)
{
    free(l->asked);
    free(l->at);
}

struct compiler {
    struct spec *s;
    struct looks *looks; /* NULL: do not ask who is upstream */
    const struct yaml *node;
    uint32_t self;
    const uint32_t *parent_of; /* parent_of[t] == self + 1: t is a direct parent */
    struct str text;
    struct token token;
    uint32_t depth;
    bool faulty;               /* the last condition was */
    const struct expr *shared; /* the last condition, if it is the same for all tasks */
    struct step steps[CONDITION_OPS];
    int64_t ints[CONDITION_OPS];
    struct str texts[CONDITION_OPS];
    uint32_t count, int_count, text_count;
};

/* Errors: all return false. */

static struct problem *fault(struct compiler *c, enum code code, uint32_t from, uint32_t to,
                             const char *fmt, ...) PRINTF(5, 6);
static struct problem *fault(struct compiler *c, enum code code, uint32_t from, uint32_t to,
                             const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    uint32_t len = (uint32_t)c->text.len;
    struct place at = spec_part(c->s, c->node, MIN(from, len), MIN(to, len));
    return problem_add(c->s->ps, code, at, "%s", text);
}

static struct problem *token_fault(struct compiler *c, enum code code, const char *message)
{
    return fault(c, code, c->token.from, c->token.to, "%s", message);
}

static const char *shown(struct compiler *c, struct str s)
{
    return problem_name(c->s->ps, s);
}

/* Words */

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

static bool is_word(char ch)
{
    return is_digit(ch) || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.at[i]))
            return false;
    return s.len > 0;
}

static char char_at(const struct compiler *c, size_t i)
{
    return i < c->text.len ? c->text.at[i] : 0;
}

static size_t word_end(const struct compiler *c, size_t i)
{
    while (is_word(char_at(c, i)) || char_at(c, i) == '-' || char_at(c, i) == '.')
        i++;
    return i;
}

static size_t sign_end(const struct compiler *c, size_t i)
{
    static const char *const pairs[] = {"==", "!=", "<=", ">=", "&&", "||", "??"};
    for (size_t k = 0; k < countof(pairs); k++)
        if (char_at(c, i) == pairs[k][0] && char_at(c, i + 1) == pairs[k][1])
            return i + 2;
    do
        i++;
    while (((unsigned char)char_at(c, i) & 0xc0) == 0x80); /* all of a character */
    return i;
}

static bool next_text(struct compiler *c, size_t from)
{
    const char *end = memchr(c->text.at + from + 1, c->text.at[from], c->text.len - from - 1);
    if (!end) {
        fault(c, CODE_EXPR_SYNTAX, (uint32_t)from, (uint32_t)from + 1, "a text that does not end");
        return false;
    }
    size_t to = (size_t)(end - c->text.at) + 1;
    c->token = (struct token){
        TOKEN_TEXT, (uint32_t)from, (uint32_t)to, {c->text.at + from + 1, to - from - 2}};
    return true;
}

static bool next(struct compiler *c)
{
    size_t i = c->token.to, to;
    while (memchr(" \t\n\r", char_at(c, i), 4) && i < c->text.len)
        i++;
    char ch = char_at(c, i);
    if (i < c->text.len && (ch == '\'' || ch == '"'))
        return next_text(c, i);
    enum token_kind kind = TOKEN_SIGN;
    if (i == c->text.len) {
        kind = TOKEN_END;
        to = i;
    } else if (is_word(ch) || (ch == '-' && is_digit(char_at(c, i + 1)))) {
        to = word_end(c, i + 1);
        struct str word = {c->text.at + i + (ch == '-'), to - i - (ch == '-')};
        kind = all_digits(word) ? TOKEN_NUMBER : TOKEN_WORD;
    } else {
        to = sign_end(c, i);
    }
    c->token = (struct token){kind, (uint32_t)i, (uint32_t)to, {c->text.at + i, to - i}};
    return true;
}

static bool token_is(const struct compiler *c, const char *text)
{
    return (c->token.kind == TOKEN_WORD || c->token.kind == TOKEN_SIGN) &&
           str_is(c->token.text, text);
}

static bool in_words(struct str word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(word, words[i]))
            return true;
    return false;
}
#define IN(word, list) in_words((word), (list), countof(list))

/* Steps */

static bool emit(struct compiler *c, enum step_kind kind, uint32_t sub, uint32_t arg)
{
    if (c->count == CONDITION_OPS) {
        fault(c, CODE_EXPR_LIMIT, 0, (uint32_t)c->text.len, "a condition has at most %d terms",
              CONDITION_OPS);
        return false;
    }
    c->steps[c->count++] = (struct step){(uint8_t)kind, (uint8_t)sub, arg};
    return true;
}

static bool emit_int(struct compiler *c, int64_t n)
{
    if (!emit(c, STEP_INT, 0, c->int_count))
        return false;
    c->ints[c->int_count++] = n;
    return true;
}

static bool emit_text(struct compiler *c, struct str text)
{
    if (!emit(c, STEP_TEXT, 0, c->text_count))
        return false;
    c->texts[c->text_count++] = text;
    return true;
}

/* Names */

static const struct {
    const char *name;
    enum type type;
} attributes[ATTR_COUNT] = {
    [ATTR_SUCCESS] = {"success", TYPE_BOOL},     [ATTR_FAILED] = {"failed", TYPE_BOOL},
    [ATTR_BROKEN] = {"broken", TYPE_BOOL},       [ATTR_SKIPPED] = {"skipped", TYPE_BOOL},
    [ATTR_CANCELLED] = {"cancelled", TYPE_BOOL}, [ATTR_DONE] = {"done", TYPE_BOOL},
    [ATTR_TIMED_OUT] = {"timed_out", TYPE_BOOL}, [ATTR_STATE] = {"state", TYPE_TEXT},
    [ATTR_EXIT_CODE] = {"exit_code", TYPE_INT},  [ATTR_ATTEMPTS] = {"attempts", TYPE_INT},
};

/* Of the full language, not in this version. */
static const char *const later_attributes[] = {"cached", "duration", "outputs", "items"};
static const char *const roots[] = {"params", "env",        "vars",   "run",     "trigger",
                                    "item",   "item_index", "matrix", "attempt", "state"};
static const char *const functions[] = {
    "len",    "contains", "starts_with", "ends_with", "matches",     "split",
    "join",   "trim",     "lower",       "upper",     "int",         "float",
    "json",   "to_json",  "now",         "add_time",  "format_time", "hash_files",
    "exists", "min",      "max",         "range",     "default",
};
static const char *const later_signs[] = {"+", "-",  "*", "/", "%", "?",
                                          ":", "??", "[", "]", "{", "}"};

static bool not_yet(struct compiler *c, uint32_t from, uint32_t to)
{
    struct str word = {c->text.at + from, to - from};
    fault(c, CODE_EXPR_NOT_YET, from, to, "'%s' in a condition is not in this version",
          shown(c, word));
    return false;
}

/* The attribute with this name, among the first `count`; -1: none. */
static int attribute_find(struct str name, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(name, attributes[i].name))
            return (int)i;
    return -1;
}

static bool bad_attribute(struct compiler *c, struct str name, size_t count, const char *of)
{
    uint32_t from = (uint32_t)(name.at - c->text.at), to = from + (uint32_t)name.len;
    size_t first = MIN(name.len, strcspn(name.at, "."));
    if (count == ATTR_COUNT && IN(((struct str){name.at, first}), later_attributes))
        return not_yet(c, from, to);
    struct str names[ATTR_COUNT];
    for (size_t i = 0; i < count; i++)
        names[i] = str_of(attributes[i].name);
    struct problem *p = fault(c, CODE_EXPR_ATTRIBUTE, from, MAX(to, from + (name.len == 0)),
                              "%s has no '%s'", of, shown(c, name));
    int near = spec_nearest(c->s, name, names, count);
    if (near >= 0)
        problem_suggest(c->s->ps, p, names[near]);
    else
        problem_help(c->s->ps, p, "there are success, failed, broken, skipped, cancelled, done%s",
                     count == ATTR_COUNT ? ", timed_out, state, exit_code, attempts" : "");
    return false;
}

static bool is_upstream(struct compiler *c, uint32_t task, uint32_t from, uint32_t to)
{
    const struct task *t = &c->s->tasks[task], *self = &c->s->tasks[c->self];
    if (task == c->self) {
        fault(c, CODE_EXPR_UPSTREAM, from, to, "a condition cannot ask about its own task");
        return false;
    }
    if (!c->looks || c->parent_of[task] == c->self + 1)
        return true;
    if (self->up_count && t->down_count) {
        struct looks *l = c->looks;
        l->asked = mem_grow(l->asked, &l->asked_cap, l->count + 1, sizeof *l->asked);
        l->at = mem_grow(l->at, &l->at_cap, l->count + 1, sizeof *l->at);
        l->asked[l->count] = (struct reach){task, c->self, (uint32_t)l->count, false};
        l->at[l->count++] = (struct look){c->node, from, to};
        return true;
    }
    struct problem *p = fault(c, CODE_EXPR_UPSTREAM, from, to, "'%s' is not upstream of '%s'",
                              shown(c, t->name), shown(c, self->name));
    problem_help(c->s->ps, p, "add it to 'depends_on'");
    return false;
}

static bool task_attribute(struct compiler *c, uint32_t task, struct str name, struct operand *out)
{
    int attr = attribute_find(name, ATTR_COUNT);
    if (attr < 0)
        return bad_attribute(c, name, ATTR_COUNT, "a task");
    uint32_t word = c->token.from, end = (uint32_t)(name.at - c->text.at) - 1;
    out->type = attributes[attr].type;
    out->is_state = attr == ATTR_STATE;
    return is_upstream(c, task, word, end) && emit(c, STEP_TASK, (uint32_t)attr, task);
}

static bool no_such_task(struct compiler *c, struct str name)
{
    uint32_t from = (uint32_t)(name.at - c->text.at);
    struct problem *p = fault(c, CODE_EXPR_TASK, from, from + (uint32_t)name.len,
                              "no task named '%s'", shown(c, name));
    int64_t near = spec_nearest_task(c->s, name);
    if (near >= 0)
        problem_suggest(c->s->ps, p, c->s->tasks[near].name);
    return false;
}

/* `name` is TASK.ATTRIBUTE; both may hold dots, the longest task wins. */
static bool task_word(struct compiler *c, struct str name, struct operand *out)
{
    for (size_t dot = name.len; dot-- > 0;) {
        if (name.at[dot] != '.')
            continue;
        int64_t task = workflow_task(c->s->w, (struct str){name.at, dot});
        if (task >= 0)
            return task_attribute(c, (uint32_t)task,
                                  (struct str){name.at + dot + 1, name.len - dot - 1}, out);
    }
    const char *dot = memrchr(name.at, '.', name.len);
    if (dot)
        return no_such_task(c, (struct str){name.at, (size_t)(dot - name.at)});
    if (workflow_task(c->s->w, name) < 0)
        return no_such_task(c, name);
    uint32_t from = (uint32_t)(name.at - c->text.at);
    struct problem *p = fault(c, CODE_EXPR_ATTRIBUTE, from, from + (uint32_t)name.len,
                              "a task is neither true nor false");
    problem_help(c->s->ps, p, "say what of it: '%s.success'", shown(c, name));
    return false;
}

static bool root_word(struct compiler *c, struct str root)
{
    struct str name = c->token.text;
    const char *dot = memrchr(name.at, '.', name.len);
    struct str task = {name.at, dot ? (size_t)(dot - name.at) : name.len};
    if (workflow_task(c->s->w, task) < 0)
        return not_yet(c, c->token.from, c->token.to);
    struct problem *p = token_fault(c, CODE_EXPR_TASK, "a word the language keeps for itself");
    problem_under(c->s->ps, p, "'%s' is not a task here", shown(c, root));
    problem_help(c->s->ps, p, "write 'tasks.%s'", shown(c, name));
    return false;
}

static bool group_word(struct compiler *c, enum step_kind kind, struct str name,
                       struct operand *out)
{
    int attr = attribute_find(name, ATTR_GROUP_COUNT);
    out->type = TYPE_BOOL;
    if (attr < 0)
        return bad_attribute(c, name, ATTR_GROUP_COUNT, "the group of parents");
    return emit(c, kind, (uint32_t)attr, 0);
}

static bool call_word(struct compiler *c, struct str name, struct operand *out)
{
    bool value = str_is(name, "always");
    out->type = TYPE_BOOL;
    if (!value && !str_is(name, "never")) {
        if (IN(name, functions))
            return not_yet(c, out->from, out->to);
        fault(c, CODE_EXPR_SYNTAX, out->from, out->to, "no function named '%s'", shown(c, name));
        return false;
    }
    if (!next(c))
        return false;
    if (!token_is(c, ")")) {
        token_fault(c, CODE_EXPR_SYNTAX, "')' was expected here");
        return false;
    }
    out->to = c->token.to;
    return next(c) && emit(c, STEP_BOOL, 0, value);
}

static const struct group {
    struct str head;
    enum step_kind kind;
} groups[] = {
    {S("all_upstream"), STEP_ALL}, {S("any_upstream"), STEP_ANY}, {S("none_upstream"), STEP_NONE}};

/* What follows `head` and a dot; the empty text if there is nothing. */
static bool after(struct str word, struct str head, struct str *rest)
{
    bool hit = str_starts(word, head) && (word.len == head.len || word.at[head.len] == '.');
    if (hit)
        *rest = (struct str){word.at + MIN(head.len + 1, word.len),
                             word.len - MIN(head.len + 1, word.len)};
    return hit;
}

static bool is_decimal(struct str word)
{
    const char *dot = memchr(word.at, '.', word.len);
    size_t whole = dot ? (size_t)(dot - word.at) : word.len;
    return dot && all_digits((struct str){word.at, whole}) &&
           all_digits((struct str){dot + 1, word.len - whole - 1});
}

/* A word that is neither a call nor a constant. */
static bool name_word(struct compiler *c, struct operand *out)
{
    struct str word = c->token.text, rest;
    struct str root = {word.at, MIN(word.len, strcspn(word.at, "."))};
    for (size_t i = 0; i < countof(groups); i++)
        if (after(word, groups[i].head, &rest))
            return group_word(c, groups[i].kind, rest, out);
    if (after(word, S("tasks"), &rest) && rest.len)
        return task_word(c, rest, out);
    if (is_decimal(word))
        return not_yet(c, c->token.from, c->token.to);
    if (IN(root, roots))
        return root_word(c, root);
    if (str_is(word, "null"))
        return not_yet(c, c->token.from, c->token.to);
    return task_word(c, word, out);
}

static bool word(struct compiler *c, struct operand *out)
{
    struct token t = c->token;
    if (str_is(t.text, "true") || str_is(t.text, "false")) {
        out->type = TYPE_BOOL;
        return emit(c, STEP_BOOL, 0, t.text.at[0] == 't') && next(c);
    }
    size_t i = t.to;
    while (char_at(c, i) == ' ')
        i++;
    if (char_at(c, i) == '(')
        return next(c) && call_word(c, t.text, out);
    if (str_is(t.text, "always")) {
        out->type = TYPE_BOOL;
        return emit(c, STEP_BOOL, 0, true) && next(c);
    }
    return name_word(c, out) && next(c);
}

/* The grammar */

static bool parse_or(struct compiler *c, struct operand *out);

static bool deeper(struct compiler *c)
{
    if (++c->depth <= CONDITION_DEPTH)
        return true;
    struct problem *p = token_fault(c, CODE_EXPR_LIMIT, "the condition is nested too deeply");
    problem_under(c->s->ps, p, "more than %d levels", CONDITION_DEPTH);
    return false;
}

static bool brackets(struct compiler *c, struct operand *out)
{
    uint32_t from = c->token.from;
    if (!deeper(c) || !next(c) || !parse_or(c, out))
        return false;
    if (!token_is(c, ")")) {
        token_fault(c, CODE_EXPR_SYNTAX, "')' was expected here");
        return false;
    }
    c->depth--;
    *out = (struct operand){.type = out->type, .from = from, .to = c->token.to};
    return next(c);
}

static bool unexpected(struct compiler *c, const char *wanted)
{
    if (c->token.kind == TOKEN_SIGN && IN(c->token.text, later_signs))
        return not_yet(c, c->token.from, c->token.to);
    if (token_is(c, "in"))
        return not_yet(c, c->token.from, c->token.to);
    struct problem *p = token_fault(c, CODE_EXPR_SYNTAX, wanted);
    if (token_is(c, "="))
        problem_help(c->s->ps, p, "write '==' to compare");
    return false;
}

static bool primary(struct compiler *c, struct operand *out)
{
    static const char *const keywords[] = {"and", "or", "in"};
    struct token t = c->token;
    *out = (struct operand){.from = t.from, .to = t.to};
    if (token_is(c, "("))
        return brackets(c, out);
    if (t.kind == TOKEN_NUMBER) {
        int64_t n;
        out->type = TYPE_INT;
        if (!str_to_i64(t.text, &n)) {
            token_fault(c, CODE_EXPR_SYNTAX, "a number that is too large");
            return false;
        }
        return emit_int(c, n) && next(c);
    }
    if (t.kind == TOKEN_TEXT) {
        out->type = TYPE_TEXT;
        out->is_literal = true;
        out->text = t.text;
        return emit_text(c, t.text) && next(c);
    }
    if (t.kind == TOKEN_WORD && !IN(t.text, keywords))
        return word(c, out);
    return unexpected(c, "a task's state, a value or a bracket was expected here");
}

/* 'sucess' is never a state. */
static bool state_fits(struct compiler *c, const struct operand *a, const struct operand *b)
{
    enum task_state state;
    if (!a->is_state || !b->is_literal || task_state_parse(b->text, &state))
        return true;
    struct str names[TASK_STATE_COUNT];
    for (size_t i = 0; i < TASK_STATE_COUNT; i++)
        names[i] = str_of(task_state_word((enum task_state)i));
    struct problem *p = fault(c, CODE_EXPR_TYPE, b->from + 1, b->to - 1, "no state is called '%s'",
                              shown(c, b->text));
    int near = spec_nearest(c->s, b->text, names, TASK_STATE_COUNT);
    if (near >= 0)
        problem_suggest(c->s->ps, p, names[near]);
    return false;
}

static const char *const type_words[] = {"true or false", "a number", "a text"};

static bool types_fit(struct compiler *c, const struct operand *a, const struct operand *b,
                      bool ordered)
{
    if (a->type != b->type) {
        struct problem *p = fault(c, CODE_EXPR_TYPE, a->from, b->to, "these cannot be compared");
        problem_under(c->s->ps, p, "%s with %s", type_words[a->type], type_words[b->type]);
        return false;
    }
    if (ordered && a->type != TYPE_INT) {
        struct problem *p = fault(c, CODE_EXPR_TYPE, a->from, b->to, "only numbers have an order");
        problem_under(c->s->ps, p, "this is %s", type_words[a->type]);
        return false;
    }
    return state_fits(c, a, b) && state_fits(c, b, a);
}

static int compare_sign(const struct compiler *c)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    for (size_t i = 0; i < countof(signs); i++)
        if (c->token.kind == TOKEN_SIGN && str_is(c->token.text, signs[i]))
            return (int)i;
    return -1;
}

static bool parse_compare(struct compiler *c, struct operand *out)
{
    struct operand b;
    if (!primary(c, out))
        return false;
    int sign = compare_sign(c);
    if (sign < 0)
        return true;
    if (!next(c) || !primary(c, &b) || !types_fit(c, out, &b, sign >= COMPARE_LT))
        return false;
    if (compare_sign(c) >= 0) {
        struct problem *p = token_fault(c, CODE_EXPR_SYNTAX, "comparisons do not chain");
        problem_help(c->s->ps, p, "join them with 'and'");
        return false;
    }
    *out = (struct operand){.type = TYPE_BOOL, .from = out->from, .to = b.to};
    return emit(c, STEP_COMPARE, (uint32_t)sign, 0);
}

static bool wants_bool(struct compiler *c, const struct operand *a)
{
    if (a->type == TYPE_BOOL)
        return true;
    struct problem *p = fault(c, CODE_EXPR_TYPE, a->from, a->to, "this is neither true nor false");
    problem_under(c->s->ps, p, "it is %s", type_words[a->type]);
    problem_help(c->s->ps, p, "compare it with something");
    return false;
}

static bool parse_not(struct compiler *c, struct operand *out)
{
    uint32_t from = c->token.from;
    if (!token_is(c, "not") && !token_is(c, "!"))
        return parse_compare(c, out);
    if (!deeper(c) || !next(c) || !parse_not(c, out) || !wants_bool(c, out))
        return false;
    c->depth--;
    out->from = from;
    return emit(c, STEP_NOT, 0, 0);
}

typedef bool parse_fn(struct compiler *c, struct operand *out);

/* Operands of one kind of join; each jumps to the end of all as soon as the
 * answer is clear. */
static bool parse_join(struct compiler *c, struct operand *out, parse_fn *part, const char *word_,
                       const char *sign, enum step_kind kind)
{
    struct operand b;
    if (!part(c, out))
        return false;
    while (token_is(c, word_) || token_is(c, sign)) {
        uint32_t jump = c->count;
        if (!wants_bool(c, out) || !emit(c, kind, 0, 0) || !next(c) || !part(c, &b) ||
            !wants_bool(c, &b))
            return false;
        c->steps[jump].arg = c->count;
        out->to = b.to;
    }
    return true;
}

static bool parse_and(struct compiler *c, struct operand *out)
{
    return parse_join(c, out, parse_not, "and", "&&", STEP_AND);
}

static bool parse_or(struct compiler *c, struct operand *out)
{
    return parse_join(c, out, parse_and, "or", "||", STEP_OR);
}

static bool parse(struct compiler *c)
{
    struct operand all;
    if (c->text.len > CONDITION_BYTES) {
        problem_add(c->s->ps, CODE_EXPR_LIMIT, c->node->at, "a condition has at most %d bytes",
                    CONDITION_BYTES);
        return false;
    }
    if (!next(c) || !parse_or(c, &all))
        return false;
    if (c->token.kind != TOKEN_END)
        return unexpected(c, "'and', 'or' or a comparison was expected here");
    return wants_bool(c, &all);
}

/* All tasks */

static const struct expr *expr_keep(struct compiler *c)
{
    struct arena *a = &c->s->w->arena;
    struct expr *x = arena_new(a, struct expr, 1);
    struct str *texts = arena_new(a, struct str, c->text_count);
    for (uint32_t i = 0; i < c->text_count; i++)
        texts[i] = arena_str(a, c->texts[i]);
    *x = (struct expr){
        .steps = (struct step *)arena_copy(a, (char *)c->steps, c->count * sizeof *c->steps),
        .ints = (int64_t *)arena_copy(a, (char *)c->ints, c->int_count * sizeof *c->ints),
        .texts = texts,
        .count = c->count,
    };
    return x;
}

static bool asks_about_tasks(const struct compiler *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->steps[i].kind == STEP_TASK)
            return true;
    return false;
}

/* A condition of `defaults` is every task's: what is wrong with it is told once,
 * and steps that name no task are shared. */
static void condition_compile(struct compiler *c, uint32_t self)
{
    struct task *t = &c->s->tasks[self];
    if (c->node == c->s->nodes[self].condition && (c->faulty || c->shared)) {
        t->condition = c->shared;
        return;
    }
    c->node = c->s->nodes[self].condition;
    c->self = self;
    c->text = t->condition_text;
    c->token = (struct token){0};
    c->depth = c->count = c->int_count = c->text_count = 0;
    c->shared = NULL;
    c->faulty = !parse(c);
    if (c->faulty)
        return;
    c->s->condition_ops += c->count;
    if (c->s->condition_ops > CONDITION_OPS_TOTAL)
        problem_add(c->s->ps, CODE_EXPR_LIMIT, c->node->at,
                    "the conditions of all tasks have more than %d terms", CONDITION_OPS_TOTAL);
    else
        t->condition = expr_keep(c);
    if (!asks_about_tasks(c))
        c->shared = t->condition;
}

static void looks_answer(struct spec *s, struct looks *l)
{
    if (!graph_reach(s->w, l->asked, l->count, &s->scratch)) {
        problem_add(s->ps, CODE_EXPR_LIMIT, l->at[0].node->at,
                    "conditions ask about too many tasks that are no direct parents");
        return;
    }
    for (size_t i = 0; i < l->count; i++) {
        const struct reach *r = &l->asked[i];
        const struct look *at = &l->at[r->tag];
        if (r->yes)
            continue;
        struct problem *p = problem_add(
            s->ps, CODE_EXPR_UPSTREAM, spec_part(s, at->node, at->from, at->to),
            "'%s' is not upstream of '%s'", s->tasks[r->from].name.at, s->tasks[r->to].name.at);
        problem_help(s->ps, p, "add it to 'depends_on'");
    }
}

/* `mentions[t] == self + 1`: the condition speaks of a failure of task t. True:
 * of any parent's. */
static bool failures_mentioned(const struct expr *x, uint32_t self, uint32_t *mentions)
{
    bool any = false;
    for (uint32_t i = 0; i < x->count; i++) {
        const struct step *step = &x->steps[i];
        bool failure = step->sub == ATTR_FAILED || step->sub == ATTR_BROKEN;
        if (failure && step->kind == STEP_TASK)
            mentions[step->arg] = self + 1;
        any = any || (failure && step->kind == STEP_ANY);
    }
    return any;
}

/* Children stand in their parents' rows in the order of the file, so walking
 * the tasks in that order meets each row's places one by one. */
static void handles_link(struct spec *s)
{
    uint32_t count = s->w->task_count;
    uint32_t *mentions = arena_new(&s->scratch, uint32_t, count);
    uint32_t *place = arena_new(&s->scratch, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct task *t = &s->tasks[i];
        bool any = t->condition && failures_mentioned(t->condition, i, mentions);
        for (uint32_t u = 0; u < t->up_count; u++) {
            const struct task *parent = &s->tasks[t->up[u]];
            uint32_t at = place[t->up[u]]++;
            ASSERT(parent->down[at] == i);
            ((bool *)parent->down_handles)[at] = any || mentions[t->up[u]] == i + 1;
        }
    }
}

void conditions_compile(struct spec *s, bool whole)
{
    CLEANUP(looks_free)
    struct looks looks = {0};
    uint32_t *parent_of = arena_new(&s->scratch, uint32_t, s->w->task_count);
    struct compiler *c = arena_new(&s->scratch, struct compiler, 1);
    c->s = s;
    c->looks = whole ? &looks : NULL;
    c->parent_of = parent_of;
    for (uint32_t i = 0; i < s->w->task_count && s->condition_ops <= CONDITION_OPS_TOTAL; i++) {
        const struct task *t = &s->tasks[i];
        if (!t->condition_text.at)
            continue;
        for (uint32_t u = 0; whole && u < t->up_count; u++)
            parent_of[t->up[u]] = i + 1;
        condition_compile(c, i);
    }
    if (looks.count)
        looks_answer(s, &looks);
    if (whole)
        handles_link(s);
}
