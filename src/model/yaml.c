/* SPDX-License-Identifier: MIT
 *
 * model/yaml.c: from events to a tree.
 *
 * libyaml knows the grammar; everything a hostile or careless file can do
 * beyond the grammar is stopped here:
 *
 *     events ──> open nodes (a stack) ──> closed node ──> its parent
 *                                           │
 *                     duplicates dropped, merges done, weight counted
 *
 * What must stay true:
 *
 *   - a reader that walks the tree, copies of aliases included, meets at most
 *     ALIAS_FACTOR_MAX times as many nodes and bytes as were written;
 *   - nothing recurses and nothing takes the square of anything: keys of a map
 *     are compared by sorting them;
 *   - an alias shares its anchor's children, so a bomb costs one node.
 *
 * Tested by tests/unit/model/yaml_test.c and fuzzed by tests/fuzz/workflow.c. */
#include "model/yaml.h"

#include "base/map.h"
#include "base/utf8.h"
#include "model/limits.h"

#include <stdio.h>
#include <yaml.h>

struct anchor {
    struct str name;
    const struct yaml *node; /* NULL while it is open */
    struct anchor *next;     /* same hash */
};

struct open {
    struct yaml *node, *last;
    struct anchor *anchor;
    struct place key_at; /* of the last key, to say what has no value */
};

struct entry { /* a pair of a map, to be sorted */
    struct yaml *key;
    uint32_t order;
    bool merged;
};

struct build {
    yaml_parser_t parser;
    struct str text;
    struct arena *a, scratch;
    struct problems *ps;
    struct open stack[DEPTH_MAX];
    uint32_t depth;
    struct yaml *root;
    struct map anchors;
    size_t anchor_count;
    size_t made;          /* nodes in memory */
    size_t written, seen; /* weight as written, weight as a reader sees it */
    uint32_t documents;
    struct entry *entries;
    size_t entry_cap;
};

static void build_done(struct build *b)
{
    yaml_parser_delete(&b->parser);
    arena_free(&b->scratch);
    map_free(&b->anchors);
    free(b->entries);
}

static struct place place_of(const yaml_event_t *ev)
{
    return (struct place){(uint32_t)ev->start_mark.line + 1, (uint32_t)ev->start_mark.column + 1,
                          (uint32_t)ev->end_mark.line + 1, (uint32_t)ev->end_mark.column + 1};
}

static struct place point(size_t line, size_t column)
{
    return (struct place){(uint32_t)line + 1, (uint32_t)column + 1, (uint32_t)line + 1,
                          (uint32_t)column + 2};
}

static bool limit(struct build *b, struct place at, const char *what, size_t max)
{
    problem_add(b->ps, CODE_LIMIT, at, "the file has more than %zu %s", max, what);
    return false;
}

/* The core schema */

static bool one_of(struct str s, const char *words)
{
    for (size_t n; *words; words += n + (words[n] == ' ')) {
        n = strcspn(words, " ");
        if (str_eq(s, (struct str){words, n}))
            return true;
    }
    return false;
}

static size_t digits(struct str s, size_t from)
{
    size_t i = from;
    while (i < s.len && s.at[i] >= '0' && s.at[i] <= '9')
        i++;
    return i - from;
}

static bool is_based(struct str s, char letter, const char *allowed)
{
    if (s.len < 3 || s.at[0] != '0' || s.at[1] != letter)
        return false;
    for (size_t i = 2; i < s.len; i++)
        if (!strchr(allowed, s.at[i]))
            return false;
    return true;
}

static enum yaml_type number_type(struct str s)
{
    size_t i = s.at[0] == '-' || s.at[0] == '+', whole = digits(s, i);
    bool zero_first = whole > 1 && s.at[i] == '0';
    if (whole && i + whole == s.len)
        return zero_first ? YAML_TEXT : YAML_INT;
    i += whole;
    size_t part = 0;
    if (i < s.len && s.at[i] == '.') {
        part = digits(s, i + 1);
        i += 1 + part;
    }
    if (whole + part == 0 || zero_first)
        return YAML_TEXT;
    if (i < s.len && (s.at[i] == 'e' || s.at[i] == 'E')) {
        i++;
        i += i < s.len && (s.at[i] == '-' || s.at[i] == '+');
        size_t exponent = digits(s, i);
        i = exponent ? i + exponent : s.len + 1;
    }
    return i == s.len ? YAML_FLOAT : YAML_TEXT;
}

/* Almost every scalar is a text, and most begin like one. */
static bool is_plainly_text(struct str s)
{
    return !strchr("~nNtTfF.+-0123456789", s.at[0]) || (s.len > 5 && strchr("nNtTfF", s.at[0]));
}

static enum yaml_type plain_type(struct str s)
{
    if (s.len == 0)
        return YAML_NULL;
    if (is_plainly_text(s))
        return YAML_TEXT;
    if (one_of(s, "~ null Null NULL"))
        return YAML_NULL;
    if (one_of(s, "true True TRUE false False FALSE"))
        return YAML_BOOL;
    if (is_based(s, 'o', "01234567") || is_based(s, 'x', "0123456789abcdefABCDEF"))
        return YAML_INT;
    if (one_of(s, ".nan .NaN .NAN .inf .Inf .INF -.inf -.Inf -.INF +.inf +.Inf +.INF"))
        return YAML_FLOAT;
    return number_type(s);
}

/* Anchors */

static uint64_t name_hash(struct str s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.at[i]) * 0x100000001b3u;
    return h;
}

static struct anchor *anchor_find(struct build *b, struct str name)
{
    struct anchor *n = map_get(&b->anchors, (int64_t)name_hash(name));
    while (n && !str_eq(n->name, name))
        n = n->next;
    return n;
}

/* An anchor may be set again; aliases mean the last one before them. */
static bool anchor_set(struct build *b, const yaml_char_t *text, struct place at,
                       struct anchor **out)
{
    *out = NULL;
    if (!text)
        return true;
    struct str name = str_of((const char *)text);
    struct anchor *n = anchor_find(b, name);
    if (!n) {
        if (++b->anchor_count > ANCHORS_MAX)
            return limit(b, at, "anchors", ANCHORS_MAX);
        int64_t hash = (int64_t)name_hash(name);
        n = arena_new(&b->scratch, struct anchor, 1);
        n->name = arena_str(&b->scratch, name);
        n->next = map_get(&b->anchors, hash);
        map_put(&b->anchors, hash, n);
    }
    n->node = NULL;
    *out = n;
    return true;
}

/* Maps: duplicates, merges */

static int by_key(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int c = str_cmp(a->key->text, b->key->text);
    return c ? c : (a->order > b->order) - (a->order < b->order);
}

static int by_order(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    return (a->order > b->order) - (a->order < b->order);
}

static void entry_add(struct build *b, size_t *count, struct yaml *key, bool merged)
{
    b->entries = mem_grow(b->entries, &b->entry_cap, *count + 1, sizeof *b->entries);
    b->entries[*count] = (struct entry){key, (uint32_t)*count, merged};
    ++*count;
}

static bool weigh(struct build *b, struct place at, size_t nodes)
{
    b->seen += nodes;
    if (b->seen <= b->written * ALIAS_FACTOR_MAX + ALIAS_FREE_NODES)
        return true;
    problem_add(b->ps, CODE_LIMIT, at, "aliases blow the file up to more than %d times its size",
                ALIAS_FACTOR_MAX);
    return false;
}

static bool nodes_left(struct build *b, struct place at)
{
    return b->made < NODES_MAX || limit(b, at, "nodes", NODES_MAX);
}

/* Shallow copies of a map's pairs, so that they may stand in a second one. */
static bool merge_one(struct build *b, size_t *count, const struct yaml *map)
{
    if (!weigh(b, map->at, map->weight))
        return false;
    for (const struct yaml *k = map->first; k; k = k->next->next) {
        if (!nodes_left(b, map->at))
            return false;
        struct yaml *pair = arena_new(b->a, struct yaml, 2);
        b->made += 2;
        pair[0] = *k;
        pair[1] = *k->next;
        pair[0].next = &pair[1];
        pair[1].next = NULL;
        entry_add(b, count, pair, true);
    }
    return true;
}

static void merge_bad(struct build *b, const struct yaml *value)
{
    struct problem *p =
        problem_add(b->ps, CODE_MERGE, value->at, "'<<' takes a map or a list of maps, found %s",
                    yaml_what(value));
    problem_help(b->ps, p, "write '<<: *anchor', with '&anchor' at a map before");
}

static bool merge(struct build *b, size_t *count, const struct yaml *value)
{
    if (value->kind == YAML_MAP)
        return merge_one(b, count, value);
    if (value->kind == YAML_SCALAR)
        merge_bad(b, value);
    else
        for (const struct yaml *y = value->first; y; y = y->next) {
            if (y->kind != YAML_MAP)
                merge_bad(b, y);
            else if (!merge_one(b, count, y))
                return false;
        }
    return true;
}

static void duplicate(struct build *b, const struct yaml *first, const struct yaml *second)
{
    struct problem *p = problem_add(b->ps, CODE_DUPLICATE_KEY, second->at,
                                    "key '%s' is given twice", problem_name(b->ps, second->text));
    problem_under(b->ps, p, "and again here");
    problem_label(b->ps, p, first->at, "it is given here");
}

/* Sorts away what is there twice, and puts the rest back into order. */
static size_t entries_unique(struct build *b, size_t count)
{
    size_t kept = 0;
    if (!count)
        return 0;
    qsort(b->entries, count, sizeof *b->entries, by_key);
    for (size_t i = 0; i < count; i++) {
        const struct entry *last = kept ? &b->entries[kept - 1] : NULL;
        if (!last || !str_eq(last->key->text, b->entries[i].key->text))
            b->entries[kept++] = b->entries[i];
        else if (!b->entries[i].merged)
            duplicate(b, last->key, b->entries[i].key);
    }
    qsort(b->entries, kept, sizeof *b->entries, by_order);
    return kept;
}

static void entries_link(struct build *b, struct yaml *map, size_t count)
{
    struct yaml **to = &map->first;
    for (size_t i = 0; i < count; i++) {
        *to = b->entries[i].key;
        to = &b->entries[i].key->next->next;
    }
    *to = NULL;
    map->count = (uint32_t)count;
}

static bool is_merge_key(const struct yaml *k)
{
    return k->style == YAML_PLAIN && str_eq(k->text, S("<<"));
}

/* Most maps are small: no merge, a few keys that all differ. */
static bool map_is_simple(const struct yaml *map)
{
    if (map->count > 8)
        return false;
    for (const struct yaml *k = map->first; k; k = k->next->next) {
        if (is_merge_key(k))
            return false;
        for (const struct yaml *o = map->first; o != k; o = o->next->next)
            if (str_eq(o->text, k->text))
                return false;
    }
    return true;
}

/* What is written in the map wins over what is merged, earlier merges over
 * later ones: the order entries are added in, as sorting keeps the first. */
static bool map_close(struct build *b, struct yaml *map)
{
    size_t count = 0;
    if (map_is_simple(map))
        return true;
    for (struct yaml *k = map->first; k; k = k->next->next)
        if (!is_merge_key(k))
            entry_add(b, &count, k, false);
    for (struct yaml *k = map->first; k; k = k->next->next)
        if (is_merge_key(k) && !merge(b, &count, k->next))
            return false;
    entries_link(b, map, entries_unique(b, count));
    map->weight = 1;
    for (const struct yaml *k = map->first; k; k = k->next)
        map->weight += k->weight;
    return true;
}

/* The tree */

static bool is_key_next(const struct open *o)
{
    return o->node->kind == YAML_MAP && o->node->count % 2 == 0;
}

static bool key_is_fit(struct build *b, const struct yaml *y)
{
    if (y->kind == YAML_SCALAR)
        return true;
    problem_add(b->ps, CODE_TYPE, y->at, "a key must be a word, found %s", yaml_what(y));
    return false;
}

/* While a map is open, `count` counts nodes; closing turns it into pairs. */
static bool attach(struct build *b, struct yaml *y)
{
    if (b->depth == 0) {
        b->root = y;
        return true;
    }
    struct open *o = &b->stack[b->depth - 1];
    if (is_key_next(o) && !key_is_fit(b, y))
        return false;
    if (o->last)
        o->last->next = y;
    else
        o->node->first = y;
    o->last = y;
    o->node->count++;
    return true;
}

static struct yaml *node_new(struct build *b, struct place at, enum yaml_kind kind, size_t len)
{
    struct yaml *y = arena_new(b->a, struct yaml, 1);
    y->kind = (uint8_t)kind;
    y->at = at;
    y->weight = (uint32_t)(1 + len / sizeof *y);
    b->written += y->weight;
    b->seen += y->weight;
    b->made++;
    return y;
}

#define TAG_CORE "tag:yaml.org,2002:"

static bool tag_is(const yaml_char_t *tag, const char *want)
{
    return tag && strcmp((const char *)tag, want) == 0;
}

/* A tag may say what is there anyway, or that a scalar is text. */
static bool tag_fits(struct build *b, const yaml_char_t *tag, const struct yaml *y)
{
    static const char *const names[] = {"str", "null", "bool", "int", "float"};
    const char *want = y->kind == YAML_MAP ? "map" : y->kind == YAML_LIST ? "seq" : names[y->type];
    const char *text = (const char *)tag;
    if (!tag || tag_is(tag, "!") ||
        (strncmp(text, TAG_CORE, strlen(TAG_CORE)) == 0 &&
         strcmp(text + strlen(TAG_CORE), want) == 0))
        return true;
    struct problem *p = problem_add(b->ps, CODE_TAG, y->at, "'%s' is not a tag gowtf knows",
                                    problem_name(b->ps, str_of(text)));
    problem_help(b->ps, p, "put the value in quotes if it begins with '!'");
    return false;
}

static bool on_scalar(struct build *b, const yaml_event_t *ev)
{
    struct place at = place_of(ev);
    struct anchor *anchor;
    if (!nodes_left(b, at) || !anchor_set(b, ev->data.scalar.anchor, at, &anchor))
        return false;
    struct yaml *y = node_new(b, at, YAML_SCALAR, ev->data.scalar.length);
    yaml_scalar_style_t style = ev->data.scalar.style;
    const yaml_char_t *tag = ev->data.scalar.tag;
    y->text =
        arena_str(b->a, (struct str){(const char *)ev->data.scalar.value, ev->data.scalar.length});
    y->style = style == YAML_PLAIN_SCALAR_STYLE ? YAML_PLAIN
               : style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE
                   ? YAML_BLOCK
                   : YAML_QUOTED;
    bool is_text = tag_is(tag, "!") || tag_is(tag, TAG_CORE "str");
    y->type = (uint8_t)(y->style == YAML_PLAIN && !is_text ? plain_type(y->text) : YAML_TEXT);
    tag_fits(b, tag, y);
    if (memchr(y->text.at, 0, y->text.len))
        problem_add(b->ps, CODE_NUL, at, "a text may not hold the character NUL");
    if (anchor)
        anchor->node = y;
    return attach(b, y);
}

static bool on_open(struct build *b, const yaml_event_t *ev, enum yaml_kind kind,
                    const yaml_char_t *anchor_name, const yaml_char_t *tag)
{
    struct place at = place_of(ev);
    struct anchor *anchor;
    if (b->depth == DEPTH_MAX)
        return limit(b, at, "levels", DEPTH_MAX);
    if (!nodes_left(b, at) || !anchor_set(b, anchor_name, at, &anchor))
        return false;
    struct yaml *y = node_new(b, at, kind, 0);
    tag_fits(b, tag, y);
    if (!attach(b, y))
        return false;
    b->stack[b->depth++] = (struct open){.node = y, .anchor = anchor};
    return true;
}

/* A block ends where the next thing begins; what is meant is its last child. */
static struct place end_of(const struct open *o, const yaml_event_t *ev)
{
    struct place at = o->node->at, end = place_of(ev);
    bool flow = ev->end_mark.index > ev->start_mark.index;
    const struct place *last = flow || !o->last ? &end : &o->last->at;
    return (struct place){at.line, at.column, last->end_line, last->end_column};
}

static bool on_close(struct build *b, const yaml_event_t *ev)
{
    struct open *o = &b->stack[--b->depth];
    struct yaml *y = o->node;
    y->at = end_of(o, ev);
    for (const struct yaml *c = y->first; c; c = c->next)
        y->weight += c->weight;
    if (y->kind == YAML_MAP) {
        y->count /= 2;
        if (!map_close(b, y))
            return false;
    }
    if (o->anchor)
        o->anchor->node = y;
    return true;
}

/* A copy of the node in the alias's place; it shares the children, and an
 * alias of a scalar points at where it is used. */
static bool on_alias(struct build *b, const yaml_event_t *ev)
{
    struct place at = place_of(ev);
    struct str name = str_of((const char *)ev->data.alias.anchor);
    struct anchor *n = anchor_find(b, name);
    if (!n) {
        problem_add(b->ps, CODE_ANCHOR, at, "no anchor '&%s' before this alias",
                    problem_name(b->ps, name));
        return false;
    }
    if (!n->node) {
        problem_add(b->ps, CODE_ALIAS_CYCLE, at, "alias '*%s' stands inside its own anchor",
                    problem_name(b->ps, name));
        return false;
    }
    if (!nodes_left(b, at))
        return false;
    struct yaml *y = node_new(b, at, (enum yaml_kind)n->node->kind, 0);
    *y = *n->node;
    y->next = NULL;
    if (y->kind == YAML_SCALAR)
        y->at = at;
    return weigh(b, at, y->weight - 1) && attach(b, y);
}

static bool on_document(struct build *b, const yaml_event_t *ev)
{
    if (++b->documents == 1)
        return true;
    struct problem *p = problem_add(b->ps, CODE_DOCUMENTS, point(ev->start_mark.line, 0),
                                    "a second document begins here");
    problem_help(b->ps, p,
                 "one file holds one workflow; remove the '---' or make it a file of its own");
    return false;
}

static bool on_event(struct build *b, const yaml_event_t *ev)
{
    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT: return on_document(b, ev);
    case YAML_SCALAR_EVENT: return on_scalar(b, ev);
    case YAML_ALIAS_EVENT: return on_alias(b, ev);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(b, ev, YAML_LIST, ev->data.sequence_start.anchor,
                       ev->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return on_open(b, ev, YAML_MAP, ev->data.mapping_start.anchor, ev->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return on_close(b, ev);
    default: return true;
    }
}

/* What libyaml says, in words that help. */

static const struct saying {
    const char *theirs, *ours, *help;
} sayings[] = {
    {"mapping values are not allowed in this context", "a ':' where no value may begin",
     "put the text in quotes if the ':' belongs to it, or check the indentation"},
    {"did not find expected key", "a key was expected here",
     "check the indentation: keys of one map begin in one column"},
    {"did not find expected '-' indicator", "a '-' was expected here",
     "check the indentation: entries of one list begin in one column"},
    {"could not find expected ':'", "a key without ':'",
     "write 'key: value'; check the indentation"},
    {"did not find expected ',' or ']'", "a list that is not closed",
     "entries are separated by ',' and end with ']'"},
    {"did not find expected ',' or '}'", "a map that is not closed",
     "entries are separated by ',' and end with '}'"},
    {"found unexpected end of stream", "a quote that is not closed", "add the closing quote"},
    {"found character that cannot start any token", "a character that cannot begin a value",
     "put the value in quotes"},
    {"block sequence entries are not allowed in this context", "a list entry where none may begin",
     "put the list on lines of its own below the key"},
    {"found unknown escape character", "an escape that YAML does not know",
     "in double quotes write '\\\\' for a backslash, or use single quotes"},
    {"did not find expected <document start>", "text after the end of the document",
     "check the indentation of this line"},
};

static const struct saying *saying_find(const char *theirs)
{
    for (size_t i = 0; i < countof(sayings); i++)
        if (strcmp(theirs, sayings[i].theirs) == 0)
            return &sayings[i];
    return NULL;
}

/* Line and column of a byte, for errors libyaml gives an offset for. */
static struct place byte_place(struct str text, size_t offset)
{
    size_t line = 0, start = 0;
    offset = MIN(offset, text.len);
    for (size_t i = start; i < offset; i++)
        if (text.at[i] == '\n') {
            line++;
            start = i + 1;
        }
    return point(line, offset > start ? utf8_count(text.at + start, offset - start) : 0);
}

static void encoding_problem(struct build *b)
{
    const yaml_parser_t *y = &b->parser;
    struct place at = byte_place(b->text, y->problem_offset);
    bool control = strcmp(y->problem, "control characters are not allowed") == 0;
    struct problem *p = problem_add(b->ps, CODE_ENCODING, at,
                                    control ? "a control character (0x%02x) in the file"
                                            : "the file is not UTF-8 (byte 0x%02x)",
                                    (unsigned)y->problem_value);
    problem_help(b->ps, p, "save the file as UTF-8 text");
}

/* The byte at libyaml's index, which counts characters. */
static char char_at(struct str text, size_t index)
{
    size_t i = 0;
    for (; index && i < text.len; index--)
        i += MAX(utf8_span(text.at + i, text.len - i), (size_t)1);
    return i < text.len ? text.at[i] : 0;
}

static void syntax_problem(struct build *b)
{
    const yaml_parser_t *y = &b->parser;
    struct place at = point(y->problem_mark.line, y->problem_mark.column);
    if (char_at(b->text, y->problem_mark.index) == '\t') {
        struct problem *p = problem_add(b->ps, CODE_TAB, at, "a tab cannot indent YAML");
        problem_help(b->ps, p, "use spaces");
        return;
    }
    const struct saying *s = saying_find(y->problem);
    struct problem *p = problem_add(b->ps, CODE_SYNTAX, at, "%s", s ? s->ours : y->problem);
    if (y->context && y->context_mark.line < y->problem_mark.line)
        problem_label(b->ps, p, point(y->context_mark.line, y->context_mark.column), "%s",
                      y->context);
    if (s)
        problem_help(b->ps, p, "%s", s->help);
}

static bool parse(struct build *b)
{
    yaml_event_type_t type = YAML_NO_EVENT;
    while (type != YAML_STREAM_END_EVENT) {
        yaml_event_t ev;
        if (!yaml_parser_parse(&b->parser, &ev)) {
            if (b->parser.error == YAML_READER_ERROR)
                encoding_problem(b);
            else
                syntax_problem(b);
            return false;
        }
        bool ok = on_event(b, &ev);
        type = ev.type;
        yaml_event_delete(&ev);
        if (!ok)
            return false;
    }
    return true;
}

static bool text_is_fit(struct str text, struct problems *ps)
{
    static const struct place start = {1, 1, 1, 2};
    if (text.len > FILE_BYTES_MAX) {
        problem_add(ps, CODE_LIMIT, start, "the file is larger than %zu MiB", FILE_BYTES_MAX >> 20);
        return false;
    }
    if (str_starts(text, S("\xff\xfe")) || str_starts(text, S("\xfe\xff"))) {
        struct problem *p = problem_add(ps, CODE_ENCODING, start, "the file is UTF-16");
        problem_help(ps, p, "save the file as UTF-8 text");
        return false;
    }
    return true;
}

const struct yaml *yaml_read(struct str text, struct arena *a, struct problems *ps)
{
    if (!text_is_fit(text, ps))
        return NULL;
    if (str_starts(text, S("\xef\xbb\xbf")))
        text = (struct str){text.at + 3, text.len - 3};
    CLEANUP(build_done)
    struct build b = {.text = text, .a = a, .ps = ps};
    ASSERT(yaml_parser_initialize(&b.parser));
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const yaml_char_t *)text.at, text.len);
    return parse(&b) ? b.root : NULL;
}

const struct yaml *yaml_get(const struct yaml *map, struct str key)
{
    ASSERT(map->kind == YAML_MAP);
    for (const struct yaml *k = map->first; k; k = k->next->next)
        if (str_eq(k->text, key))
            return k->next;
    return NULL;
}

const char *yaml_what(const struct yaml *y)
{
    static const char *const scalars[] = {"text", "nothing", "true or false", "a whole number",
                                          "a number"};
    if (y->kind == YAML_MAP)
        return "a map";
    return y->kind == YAML_LIST ? "a list" : scalars[y->type];
}
