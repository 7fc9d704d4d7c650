/* SPDX-License-Identifier: MIT
 *
 * store/schema.h: the schema, one text a step. Step i brings a database from
 * version i to i + 1. A step that has been released never changes. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

extern const char *const schema_migrations[];
extern const int schema_version; /* how many there are */

#endif
