# SPDX-License-Identifier: MIT
"""tap.py: a test script is a list of functions; a point of TAP each.

A function's doc string is the sentence the point is known by. It passes by
returning, fails by raising, and says that it cannot be tried here by Skip.
"""
import sys
import traceback

TESTS = []


class Skip(Exception):
    pass


def test(fn):
    """Marks a function as a test, in the order of the file."""
    TESTS.append(fn)
    return fn


def check(condition, text='it does not hold'):
    if not condition:
        raise AssertionError(text)


def equal(got, want, text=''):
    if got != want:
        raise AssertionError(f'{text + ": " if text else ""}got {got!r}, want {want!r}')


def sentence(fn):
    return (fn.__doc__ or fn.__name__.replace('_', ' ')).strip().splitlines()[0].replace('#', ' ')


def main(setup=None, teardown=None):
    """Runs the tests named on the command line, or all; exits 1 if one failed."""
    wanted = sys.argv[1:]
    tests = [t for t in TESTS if not wanted or t.__name__ in wanted]
    print(f'1..{len(tests)}', flush=True)
    failed = 0
    for n, fn in enumerate(tests, 1):
        try:
            if setup:
                setup()
            fn()
            print(f'ok {n} - {sentence(fn)}', flush=True)
        except Skip as e:
            print(f'ok {n} - {sentence(fn)} # SKIP {e}', flush=True)
        except BaseException as e:  # a test that was interrupted has failed
            failed += 1
            print(f'not ok {n} - {sentence(fn)}', flush=True)
            for line in traceback.format_exc().splitlines():
                print('#   ' + line, flush=True)
            if isinstance(e, KeyboardInterrupt):
                break
        finally:
            if teardown:
                teardown()
    sys.exit(1 if failed else 0)
