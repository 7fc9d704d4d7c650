#!/bin/sh
# SPDX-License-Identifier: MIT
# The core knows no clock, no file and no room: whatever it needs from outside
# is in this list.
known='^(mem_new|mem_grow|map_get|map_put|map_take|map_free|map_each|assert_fail|cron_fire_next|free|strlen|memcpy|memset|memcmp|memmove|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__asan.*|__ubsan.*|__sanitizer.*|__gcov.*)$'
echo 1..1
names=$(nm "$1") || exit 1
defined=$(printf '%s\n' "$names" | awk 'NF == 3 && $2 ~ /[TDRB]/ {print $3}' | sort -u)
strange=$(printf '%s\n' "$names" | awk '$1 == "U" {print $2}' | sort -u |
  grep -Ev "$known" | grep -vxF "$defined")
if [ -n "$defined" ] && [ -z "$strange" ]; then
  echo 'ok 1 - the scheduler core knows nothing of the world'
else
  echo 'not ok 1 - the scheduler core knows nothing of the world'
  printf '# it asks for: %s\n' $strange
fi
