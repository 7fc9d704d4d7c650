#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh NAME...: install those Debian packages that are missing, and say so.
# A usable node and npm already on PATH are as good as Debian's.
set -eu

node_is_usable() {
    command -v npm >/dev/null 2>&1 &&
        node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' 2>/dev/null
}

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "Not a Debian system: please see that there is what these packages hold: $*" >&2
    exit 0
fi

installed=" $(dpkg-query -W -f='${Package}=${db:Status-Status} ' "$@" 2>/dev/null || true)"
missing=
for p in "$@"; do
    case "$installed" in
    *" $p=installed "*) ;;
    *)
        case $p in nodejs | npm) if node_is_usable; then continue; fi ;; esac
        missing="$missing $p"
        ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "Please install as root: apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi
echo "Installing with apt-get:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
