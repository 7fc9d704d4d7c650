/* SPDX-License-Identifier: MIT
 *
 * model/codes.h: the code of every problem a workflow file can have.
 *
 * A code means the same thing for ever: people search for it, and the manual
 * has a section for each. E is an error, W a warning; 01 YAML and keys, 02 the
 * graph, 03 schedules, 04 conditions and expressions, 05 environment and
 * parameters, 06 how a task is run. */
#ifndef MODEL_CODES_H
#define MODEL_CODES_H

#include "base/str.h"

/* clang-format off */
#define CODE_LIST(X) \
    X(CODE_SYNTAX,            "E0101", "the text is not YAML") \
    X(CODE_LIMIT,             "E0102", "the file exceeds a limit") \
    X(CODE_DUPLICATE_KEY,     "E0103", "a key is given twice") \
    X(CODE_ANCHOR,            "E0104", "an alias without an anchor") \
    X(CODE_ALIAS_CYCLE,       "E0105", "an alias inside its own anchor") \
    X(CODE_MERGE,             "E0106", "'<<' merges something that is no map") \
    X(CODE_DOCUMENTS,         "E0107", "more than one document in a file") \
    X(CODE_ENCODING,          "E0108", "the file is not UTF-8 text") \
    X(CODE_TAB,               "E0109", "a tab where YAML wants spaces") \
    X(CODE_TAG,               "E0110", "a YAML tag that is not known") \
    X(CODE_UNKNOWN_KEY,       "E0111", "a key that does not exist") \
    X(CODE_NOT_YET,           "E0112", "a key that is not in this version") \
    X(CODE_TYPE,              "E0113", "a value of the wrong kind") \
    X(CODE_MISSING,           "E0114", "a key that must be there is not") \
    X(CODE_NULL,              "E0115", "a key without a value") \
    X(CODE_EMPTY,             "E0116", "the file is not a map of keys") \
    X(CODE_NUL,               "E0117", "a NUL character in a text") \
    X(CODE_NAME,              "E0118", "a name with characters it may not have") \
    X(CODE_NO_TASK,           "E0201", "a task that does not exist") \
    X(CODE_DUPLICATE_TASK,    "E0202", "two tasks with one name") \
    X(CODE_SELF_EDGE,         "E0203", "a task that waits for itself") \
    X(CODE_DUPLICATE_EDGE,    "E0204", "a dependency given twice") \
    X(CODE_CYCLE,             "E0210", "tasks that wait for each other in a circle") \
    X(CODE_CRON,              "E0301", "a cron expression that cannot be read") \
    X(CODE_ZONE,              "E0302", "a time zone that does not exist") \
    X(CODE_SCHEDULE,          "E0303", "a schedule entry without a time") \
    X(CODE_EVERY,             "E0304", "a period that is too short") \
    X(CODE_CRON_HINT,         "W0301", "a cron expression that other programs read differently") \
    X(CODE_EXPR_SYNTAX,       "E0401", "a condition that cannot be read") \
    X(CODE_EXPR_TASK,         "E0402", "a condition about a task that does not exist") \
    X(CODE_EXPR_ATTRIBUTE,    "E0403", "a condition about something tasks do not have") \
    X(CODE_EXPR_UPSTREAM,     "E0404", "a condition about a task that may not be over yet") \
    X(CODE_EXPR_TYPE,         "E0405", "a condition that compares what cannot be compared") \
    X(CODE_EXPR_NOT_YET,      "E0406", "a part of the expression language that is not in this version") \
    X(CODE_EXPR_LIMIT,        "E0407", "a condition that is too large") \
    X(CODE_EXPR_FIELD,        "E0408", "an expression in a field, which is not in this version") \
    X(CODE_VARIABLE,          "E0501", "a variable or parameter name that no shell accepts") \
    X(CODE_PARAM_TWICE,       "E0502", "parameters that differ only in case") \
    X(CODE_VARIABLE_LONG,     "E0503", "a value longer than the kernel accepts") \
    X(CODE_SCRIPT_TEMPLATE,   "W0501", "an expression inside a script") \
    X(CODE_VARIABLE_OURS,     "W0502", "a variable that gowtf sets itself") \
    X(CODE_TWO_ACTIONS,       "E0601", "a task with both a script and a command") \
    X(CODE_NO_ACTION,         "E0602", "a task with nothing to do") \
    X(CODE_DURATION,          "E0603", "a time that cannot be read") \
    X(CODE_NUMBER,            "E0604", "a number out of range") \
    X(CODE_EXIT_CODES,        "E0605", "exit codes that do not exist") \
    X(CODE_SHELL,             "E0606", "a shell that cannot be found in the text") \
    X(CODE_RETRY_DELAY,       "W0601", "a retry delay without retries")
/* clang-format on */

enum code {
#define X(name, text, title) name,
    CODE_LIST(X)
#undef X
        CODE_COUNT
};

struct code_info {
    const char *text, *title;
};
extern const struct code_info code_info[CODE_COUNT];

/* NULL: no such code. */
const struct code_info *code_find(struct str text);

#endif
