/* SPDX-License-Identifier: MIT
 *
 * model/yaml.h: the text of a file as a tree that knows where it stands.
 *
 * Source of the format: YAML 1.2.2, typed by its core schema, with one change:
 * a number with a leading zero ("08") is text. libyaml finds the events. */
#ifndef MODEL_YAML_H
#define MODEL_YAML_H

#include "model/problem.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };
enum yaml_type { YAML_TEXT, YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT };
enum yaml_style { YAML_PLAIN, YAML_QUOTED, YAML_BLOCK };

struct yaml {
    struct yaml *next; /* in its list; in a map a key's next is its value */
    union {
        struct str text; /* of a scalar, as written, without its quotes */
        struct {
            struct yaml *first;
            uint32_t count; /* elements of a list, pairs of a map */
        };
    };
    struct place at;
    uint32_t weight; /* nodes below, as a reader sees them; long texts count as several */
    uint8_t kind;    /* enum yaml_kind */
    uint8_t type;    /* enum yaml_type of a scalar; YAML_TEXT when quoted */
    uint8_t style;   /* enum yaml_style of a scalar */
};

/* The pairs of a map are walked by
 *     for (const struct yaml *k = map->first; k; k = k->next->next)
 * with k->next the value. Keys are scalars and each is there once: merges are
 * done, duplicates reported and dropped. */

/* The tree of `text` in `a`, or NULL when there is none. What is wrong is added
 * to `ps`; a tree may come along with errors, so that more can be said. */
const struct yaml *yaml_read(struct str text, struct arena *a, struct problems *ps);

/* The value of `key` in a map, or NULL. */
const struct yaml *yaml_get(const struct yaml *map, struct str key);

/* "a list", "a map", "the number 3", ... for "found ...". */
const char *yaml_what(const struct yaml *y);

#endif
