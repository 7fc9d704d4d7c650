/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/dump.h: a workflow as a file that says the same. */
#ifndef TESTS_FUZZ_DUMP_H
#define TESTS_FUZZ_DUMP_H

#include "base/buf.h"
#include "model/workflow.h"

void workflow_dump(const struct workflow *w, struct buf *out);
void dump_text(struct buf *out, struct str s); /* in double quotes, all ASCII */

#endif
