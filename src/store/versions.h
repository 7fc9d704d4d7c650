/* SPDX-License-Identifier: MIT
 *
 * store/versions.h: the library of definitions.
 *
 * A version is parsed from its stored text when somebody first needs it, and
 * shared: it never changes. Whoever keeps a pointer beyond a turn holds the
 * version; those that nobody holds make room for others. */
#ifndef STORE_VERSIONS_H
#define STORE_VERSIONS_H

#include "model/workflow.h"
#include "store/db.h"

struct versions;

/* Borrows `db`, which must outlive it. `bytes_max`: what unheld versions may
 * keep in memory. */
struct versions *versions_new(struct db *db, size_t bytes_max);
void versions_free(struct versions *v);

/* The workflow of version `id`, valid until the next versions_get() unless
 * held. A stored text that no longer loads is ERR_INVALID. */
bool versions_get(struct versions *v, int64_t id, const struct workflow **out, struct err *e);
bool versions_hold(struct versions *v, int64_t id, const struct workflow **out, struct err *e);
void versions_drop(struct versions *v, int64_t id); /* undoes one hold */

#endif
