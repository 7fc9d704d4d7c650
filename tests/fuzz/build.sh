#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh OUT SOURCE_ROOT LIBS FLOORS FILE...: a fuzz target with clang's
# libFuzzer and sanitizers, over the sources of the floors it may know.
set -eu
out=$1 root=$2 libs=$3 floors=$4
shift 4
for floor in $floors; do
    set -- "$@" "$root/src/$floor"/*.c
done
exec clang -std=gnu17 -g -O1 -D_GNU_SOURCE -fno-strict-aliasing \
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I"$root/src" -o "$out" "$@" $libs
