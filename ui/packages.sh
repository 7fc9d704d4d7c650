#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh NPM DIR STAMP: install exactly what DIR/package-lock.json names.
set -e
cd "$2"
"$1" ci --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null
touch "$OLDPWD/$3"
