/* SPDX-License-Identifier: MIT
 *
 * store/zones.h: time zones by name, from the system's zone tree.
 *
 * A cache that belongs to one thread. What it hands out lives as long as the
 * cache, also when the file behind it has changed since: then the next
 * zones_get() reads the new one. */
#ifndef STORE_ZONES_H
#define STORE_ZONES_H

#include "model/load.h"
#include "model/tz.h"

struct zones;

/* `root` NULL: $TZDIR, else /usr/share/zoneinfo. */
struct zones *zones_new(const char *root);
void zones_free(struct zones *z); /* NULL is fine */

/* ERR_INVALID: not a name a zone can have. ERR_NOT_FOUND: the tree has no such
 * zone. "UTC" is always there. */
bool zones_get(struct zones *z, struct str name, const struct tz **out, struct err *e);

/* The server's own zone, by /etc/localtime or /etc/timezone. `*said` is false
 * when neither tells a name the tree knows and UTC was taken instead: say so.
 * `name` lives as long as the cache. */
const struct tz *zones_local(struct zones *z, struct str *name, bool *said);

/* For workflow_load_with(): names are looked up in this tree. A zone that cannot
 * be read for a reason of the moment counts as known. Borrows `z`. */
struct load_zones zones_for_load(struct zones *z);

/* What may have been meant: a name that differs in case only, one that ends in
 * `word` ("berlin"), or the nearest in letters; else absent. Lives as long as
 * the cache. */
struct str zones_nearest(struct zones *z, struct str word);

/* Letters, digits, "_", "+", "-" and single slashes between; no "..", at most
 * 64 bytes. Says nothing about whether there is such a zone. */
bool zone_name_good(struct str name);

#endif
