/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/fuzz.h: what every fuzz target includes. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
