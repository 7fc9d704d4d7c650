#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The law of floors: who may include whom (docs/ARCHITECTURE.md).

    5  cli
    4  daemon                                   wires the rooms
    3  watcher scheduler executor worker health server        keeper
    2  bus     store
    1  model                                    wire
    0  base
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import test, check, equal, main  # noqa: E402

ROOMS = ['watcher', 'scheduler', 'executor', 'worker', 'health', 'server']
MAY = {
    'base': {'base'},
    'model': {'base', 'model'},
    'wire': {'base', 'wire'},
    'bus': {'base', 'model', 'bus'},
    'store': {'base', 'model', 'store'},
    'keeper': {'base', 'wire', 'keeper'},
    'daemon': {'base', 'model', 'wire', 'bus', 'store', 'keeper', 'daemon', *ROOMS},
    'cli': {'base', 'model', 'wire', 'bus', 'store', 'keeper', 'server', 'daemon', 'cli'},
}
for room in ROOMS:
    MAY[room] = {'base', 'model', 'bus', 'store', room}
MAY['worker'].add('wire')

WHY = {
    'base': 'base knows only libc',
    'model': 'model knows no SQLite, socket or clock',
    'wire': 'wire knows base only',
    'keeper': 'keeper sees base and wire only: it could be thrown over the wall',
    'bus': 'bus knows model and base',
    'store': 'store knows model and base',
}
# Libraries that betray a floor: (header prefix, floors that may include it).
LIBRARIES = {
    'sqlite3.h': {'store', 'cli'},
    'yaml.h': {'model'},
    'microhttpd.h': {'server'},
    'sys/inotify.h': {'watcher', 'keeper', 'server', 'cli'},
}
CLOCKS = {'base', 'keeper', 'daemon', 'cli', 'server'}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def law_broken(floor, kind, header):
    """What law `#include header` in a file of `floor` breaks, or None."""
    if kind == '<':
        allowed = LIBRARIES.get(header)
        if allowed and floor not in allowed:
            return f'{floor} may not know {header}; {", ".join(sorted(allowed))} may'
        return None
    target = header.split('/')[0] if '/' in header else floor
    if header == 'base/clock.h' and floor in ROOMS and floor not in CLOCKS:
        return None  # civil dates and texts live there; purity.py watches the clocks
    if target in MAY and target not in MAY[floor]:
        if floor in ROOMS and target in ROOMS:
            return 'rooms never include each other; they leave messages in the corridor'
        if floor == 'server' and header == 'wire/logfile.h':
            return None  # it reads the logs where the keeper put them
        if floor in ROOMS and target == 'wire':
            return 'of the rooms only worker sees wire'
        return WHY.get(floor, f'{floor} may include {", ".join(sorted(MAY[floor]))} only')
    return None


def includes(path):
    with open(path, encoding='utf-8') as f:
        for n, line in enumerate(f, 1):
            m = INCLUDE.match(line)
            if m:
                yield n, m.group(1), m.group(2)


def broken_in(root):
    out = []
    for floor in MAY:
        for d, _, files in os.walk(os.path.join(root, 'src', floor)):
            for name in sorted(files):
                if name.endswith(('.c', '.h')):
                    path = os.path.join(d, name)
                    for n, kind, header in includes(path):
                        law = law_broken(floor, kind, header)
                        if law:
                            out.append(f'{os.path.relpath(path, root)}:{n}: {header}: {law}')
    return out


@test
def every_folder_has_a_floor():
    """every folder of src is on a floor"""
    src = os.path.join(os.environ['GOWTF_SOURCE'], 'src')
    equal(sorted(d for d in os.listdir(src) if os.path.isdir(os.path.join(src, d))), sorted(MAY))


@test
def the_law_is_kept():
    """no file includes what its floor may not know"""
    out = broken_in(os.environ['GOWTF_SOURCE'])
    check(not out, '\n'.join(out))


@test
def the_law_can_be_broken():
    """breaches are noticed and named"""
    rows = [('executor', '"', 'scheduler/core.h'), ('health', '"', 'wire/wire.h'),
            ('keeper', '"', 'model/state.h'), ('model', '<', 'sqlite3.h'),
            ('base', '"', 'model/state.h'), ('store', '"', 'bus/msg.h'),
            ('scheduler', '<', 'sqlite3.h'), ('daemon', '"', 'cli/cli.h')]
    for row in rows:
        check(law_broken(*row), f'{row} went unnoticed')
    for row in [('worker', '"', 'wire/wire.h'), ('daemon', '"', 'executor/executor.h'),
                ('executor', '"', 'core.h'), ('base', '<', 'string.h')]:
        check(not law_broken(*row), f'{row} was refused')


main()
