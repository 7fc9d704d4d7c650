#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tally must be able to be red."""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from tap import test, equal, main  # noqa: E402

TALLY = os.path.join(os.path.dirname(HERE), 'tally.py')
GREEN = '1..3\nok 1 - one\nok 2 - two\nok 3 - three # SKIP not here\n'


def tally(*logs):
    """Counts logs given as lists of (result, stdout), None for one that is missing."""
    with tempfile.TemporaryDirectory() as d:
        paths = []
        for i, log in enumerate(logs):
            paths.append(os.path.join(d, f'{i}.json'))
            if log is not None:
                with open(paths[-1], 'w') as f:
                    for result, out in log:
                        f.write(json.dumps({'name': 't', 'result': result, 'stdout': out}) + '\n')
        p = subprocess.run([sys.executable, TALLY] + paths, capture_output=True, text=True)
        return p.returncode, p.stdout.splitlines()[-1]


@test
def green():
    """points of TAP are counted, skipped ones apart"""
    equal(tally([('OK', GREEN), ('OK', '')]), (0, '3 passed, 0 failed, 1 skipped'))


@test
def one_red_point():
    """one failed point makes it red"""
    equal(tally([('FAIL', '1..2\nok 1 - a\nnot ok 2 - b\n')]), (1, '1 passed, 1 failed'))


@test
def crash_after_green_points():
    """a runner that dies after its last good point makes it red"""
    equal(tally([('ERROR', 'ok 1 - a\n')]), (1, '1 passed, 1 failed'))
    equal(tally([('TIMEOUT', '')]), (1, '0 passed, 1 failed'))


@test
def suite_that_could_not_run():
    """a suite that could not run makes it red"""
    equal(tally([('OK', 'ok 1 - a\n')], None), (1, '1 passed, 1 failed'))
    equal(tally([]), (1, '0 passed, 1 failed'))


@test
def nothing_but_skips():
    """a run in which everything was skipped is not green"""
    equal(tally([('SKIP', '1..0 # SKIP no\n')]), (1, '0 passed, 0 failed, 1 skipped'))


main()
