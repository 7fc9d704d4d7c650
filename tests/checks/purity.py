#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The cores are functions: no clock, no disk, no chance, no luck.

Follows every undefined symbol of a core's object through the objects that
define it. Whatever is reached must be in the same room, in the model, in the
few files of base that only move memory, or one of libc's pure functions.
"""
import glob
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import test, check, main, TESTS  # noqa: E402

CORES = ['executor/core', 'scheduler/core', 'health/core', 'watcher/sync']
PURE_BASE = {'civil', 'arena', 'base', 'buf', 'err', 'map', 'str', 'utf8', 'hash'}
PURE_LIBC = set('''
    memcpy memset memmove memcmp memchr memrchr memmem strlen strnlen strcmp strncmp strchr strrchr
    strstr strcasecmp strncasecmp strspn strcspn
    malloc calloc realloc reallocarray free abort qsort bsearch snprintf vsnprintf strtol strtoul
    strtoll strtoull strtod log exp pow sqrt floor ceil round __errno_location strerror
    strerror_r __ctype_b_loc __stack_chk_fail __assert_fail _GLOBAL_OFFSET_TABLE_
    __memcpy_chk __memset_chk __memmove_chk __snprintf_chk __vsnprintf_chk __isoc99_sscanf sscanf
'''.split())
# What a failed assertion needs to say so before it ends the process.
LAST_WORDS = {'fprintf', 'fputs', 'fputc', 'fwrite', 'stderr', '__fprintf_chk', '_exit', 'exit',
              'dprintf', 'write', 'backtrace', 'backtrace_symbols_fd', 'vfprintf'}


def nm(path, *flags):
    out = subprocess.run(['nm', '-P', *flags, path], capture_output=True, text=True, check=True)
    return {line.split()[0] for line in out.stdout.splitlines() if line.strip()}


class Objects:
    def __init__(self, build):
        self.where = {}
        self.paths = {}
        for path in glob.glob(os.path.join(build, 'src', '*', 'lib*.a.p', '*.c.o')):
            floor = path.split(os.sep)[-3]
            name = f'{floor}/{os.path.basename(path)[:-4]}'
            self.paths[name] = path
            for symbol in nm(path, '--defined-only', '-g'):
                self.where[symbol] = name

    def breaches(self, core):
        """(object, symbol) pairs reachable from `core` that a core may not know."""
        room, out, seen, todo = core.split('/')[0], [], {core}, [core]
        while todo:
            name = todo.pop()
            floor, base = name.split('/')
            for s in sorted(nm(self.paths[name], '-u')):
                s = s.split('@')[0]
                if s in PURE_LIBC or s.startswith(('__asan', '__ubsan', '__gcov', '__sanitizer')):
                    continue
                if s.startswith('civil_'):
                    continue  # arithmetic on days, which lives beside the clocks
                if floor == 'base' and base in ('base', 'err') and s in LAST_WORDS:
                    continue
                to = self.where.get(s)
                if to is None or not self.allowed(room, to):
                    out.append(f'{name} knows {s}' + (f' of {to}' if to else ''))
                elif to not in seen:
                    seen.add(to)
                    todo.append(to)
        return out

    @staticmethod
    def allowed(room, name):
        floor, base = name.split('/')
        return floor in (room, 'model') or (floor == 'base' and base in PURE_BASE)


def pure(core):
    def run():
        objects = Objects(os.environ['GOWTF_BUILD'])
        check(core in objects.paths, f'{core}.c is not there')
        out = objects.breaches(core)
        check(not out, '\n'.join(out))
    run.__doc__ = f'{core}.c reaches no clock, file or chance'
    run.__name__ = core.replace('/', '_')
    TESTS.append(run)


for core in CORES:
    if os.path.exists(os.path.join(os.environ['GOWTF_SOURCE'], 'src', core + '.c')):
        pure(core)


@test
def an_impure_object_is_noticed():
    """an object that opens files is noticed"""
    check(Objects(os.environ['GOWTF_BUILD']).breaches('store/store'), 'store is not pure')


main()
