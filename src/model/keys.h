/* SPDX-License-Identifier: MIT
 *
 * model/keys.h: every key of the workflow language, for those who explain it.
 *
 * The same table reads the files, so the manual, `gowtf help yaml` and the
 * editor cannot say anything else than what is accepted. */
#ifndef MODEL_KEYS_H
#define MODEL_KEYS_H

#include "base/str.h"

enum key_where { KEY_ROOT, KEY_TASK, KEY_SCHEDULE, KEY_WHERES };

struct key {
    struct str name;
    enum key_where where;
    const char *wants;    /* "a list of task names": after "'depends_on' wants" */
    const char *help;     /* one line for the manual */
    bool built;           /* false: known, but not in this version */
    bool not_in_defaults; /* a task key that `defaults` may not hold */
    bool required;
};

size_t key_count(void);
const struct key *key_at(size_t i); /* by place, then as the manual orders them */
/* NULL: no such key there. */
const struct key *key_find(enum key_where where, struct str name);
/* "root", "task", "schedule" */
const char *key_where_word(enum key_where where);

#endif
