/* SPDX-License-Identifier: MIT
 *
 * server/event_view.h: what an event says to those outside. */
#ifndef SERVER_EVENT_VIEW_H
#define SERVER_EVENT_VIEW_H

#include "base/buf.h"

/* The members an event of `kind` has, from the object stored with it, into an
 * open object: all of them, absent ones as null, times as times. Members that
 * docs/api.md does not name are not told, so none can be there twice. */
void event_members(struct str kind, struct str data, struct json *j);

#endif
