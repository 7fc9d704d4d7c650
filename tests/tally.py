#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tally.py [--quiet] TESTLOG...: count what the test runners wrote down.

Reads Meson's testlog.json files (one JSON object a line, a test each) and
counts the subtests in the TAP of each. A test whose runner says it failed
counts as a failure even when none of its subtests does; a log that is not
there, or holds no test, is a suite that could not run: a failure too.

The last line is `N passed, N failed`, and `, N skipped` if there were any.
"""
import json
import re
import sys

POINT = re.compile(r'^(not )?ok\b[^#]*(#\s*(skip|todo)\b)?', re.I)


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.red = []

    def fail(self, name):
        self.failed += 1
        self.red.append(name)

    def subtests(self, test):
        """Counts the points of a test's TAP; how many there were and how many failed."""
        points = failures = 0
        for line in (test.get('stdout') or '').splitlines():
            m = POINT.match(line)
            if not m:
                continue
            points += 1
            if m.group(3):
                self.skipped += 1
            elif m.group(1):
                failures += 1
                self.fail(f"{test['name']}: {line}")
            else:
                self.passed += 1
        return points, failures

    def test(self, test):
        result = test['result']
        points, failures = self.subtests(test)
        if result in ('OK', 'EXPECTEDFAIL'):
            if not points:
                self.passed += 1
        elif result == 'SKIP':
            if not points:
                self.skipped += 1
        elif not failures:
            self.fail(f"{test['name']}: {result.lower()}")

    def log(self, path):
        tests = 0
        try:
            with open(path, encoding='utf-8', errors='replace') as f:
                for line in f:
                    if line.strip():
                        self.test(json.loads(line))
                        tests += 1
        except (OSError, ValueError, KeyError) as e:
            self.fail(f'{path}: {e}')
            return
        if not tests:
            self.fail(f'{path}: no test in it')


def main(args):
    quiet = '--quiet' in args
    paths = [a for a in args if a != '--quiet']
    t = Tally()
    for path in paths:
        t.log(path)
    if not paths:
        t.fail('no test log was named')
    if not quiet:
        for name in t.red:
            print('failed:', name)
    print(f'{t.passed} passed, {t.failed} failed' + (f', {t.skipped} skipped' if t.skipped else ''))
    return 1 if t.failed or not t.passed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
