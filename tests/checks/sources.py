#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What must be true of every source file."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import test, check, Skip, main  # noqa: E402

ROOT = os.environ['GOWTF_SOURCE']
SKIP_DIRS = {'.git', 'node_modules', '__pycache__'}
CODE = ('.c', '.h', '.py', '.sh', '.sql', '.ts', '.tsx', '.mjs', '.js', '.css')
BANNED = {
    'strcpy': 'use arena_copy or buf', 'strcat': 'use buf', 'sprintf': 'use snprintf or buf',
    'vsprintf': 'use vsnprintf', 'system': 'no shell in the engine', 'popen': 'likewise',
    'gets': 'never', 'strtok': 'it has a hidden state', 'signal': 'use signalfd, or sigaction',
    'setenv': 'environments are values', 'putenv': 'likewise', 'alloca': 'the stack is small',
    'tmpnam': 'use O_TMPFILE or mkostemp', 'atoi': 'use str_to_i64',
}
CALL = re.compile(r'(?<![\w.>])(' + '|'.join(BANNED) + r')\s*\(')


def tree(*tops):
    for top in tops:
        for d, dirs, files in os.walk(os.path.join(ROOT, top)):
            dirs[:] = [x for x in dirs if x not in SKIP_DIRS and not x.startswith('build')]
            for name in sorted(files):
                yield os.path.join(d, name)


def code(*tops):
    return [p for p in tree(*tops) if p.endswith(CODE) and 'corpus' not in p.split(os.sep)
            and 'vendor' not in p.split(os.sep)]


def read(path):
    with open(path, encoding='utf-8', errors='replace') as f:
        return f.read()


def name(path):
    return os.path.relpath(path, ROOT)


def without_comments(text):
    """Comments and string literals blanked, line ends kept."""
    def blank(m):
        return re.sub(r'[^\n]', ' ', m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def banned_calls(text):
    text = without_comments(text)
    for m in CALL.finditer(text):
        if m.group(1) == 'signal' and re.match(r'\(\w+, SIG_(IGN|DFL)\)', text[m.end() - 1:]):
            continue  # no handler: nothing to get wrong
        yield text.count('\n', 0, m.start()) + 1, m.group(1)


@test
def licence():
    """every source file begins with its licence"""
    bad = []
    for p in code('src', 'tools', 'tests', 'ui'):
        head = read(p).split('\n', 3)[:2]
        if not any('SPDX-License-Identifier: MIT' in line for line in head):
            bad.append(name(p))
    check(not bad, 'no SPDX line: ' + ' '.join(bad))
    check('MIT License' in read(os.path.join(ROOT, 'LICENSE')), 'LICENSE is not the MIT licence')


@test
def banned():
    """nobody calls what is banned"""
    bad = [f'{name(p)}:{n}: {f}: {BANNED[f]}' for p in code('src') if p.endswith(('.c', '.h'))
           for n, f in banned_calls(read(p))]
    check(not bad, '\n'.join(bad))


@test
def banned_is_noticed():
    """a banned call is noticed, its name in a comment is not"""
    check(list(banned_calls('x;\n  strcpy(a, b);')) == [(2, 'strcpy')])
    check(not list(banned_calls('/* strcpy(a) */ "system(x)" my_system(1); s.signal(1);')))


@test
def formatted():
    """the C sources are as clang-format leaves them"""
    if not shutil.which('clang-format'):
        raise Skip('clang-format is not installed')
    files = [p for p in code('src', 'tests', 'tools') if p.endswith(('.c', '.h'))]
    p = subprocess.run(['clang-format', '--dry-run', '-Werror', '--ferror-limit=1', *files],
                       capture_output=True, text=True, cwd=ROOT)
    bad = sorted({line.split(':')[0] for line in p.stderr.splitlines() if ': error: ' in line})
    check(not bad and p.returncode == 0,
          'make format: ' + (' '.join(os.path.relpath(b, ROOT) for b in bad) or p.stderr[:500]))


@test
def no_machine_paths():
    """no file names a place on somebody's machine"""
    places = re.compile(r'(?<![\w.])/(work|root|home/(?!runner\b|you\b|user\b|alice\b|bob\b|ann\b|me\b)[a-z]+)/')
    bad = []
    for p in code('src', 'tools', 'ui', 'tests', 'docs', 'examples', 'packaging') + [
            p for p in tree('docs', 'examples', 'packaging') if p.endswith(('.md', '.yaml'))]:
        for n, line in enumerate(read(p).splitlines(), 1):
            m = places.search(line)
            if m and 'no_machine_paths' not in line and 'places = ' not in line:
                bad.append(f'{name(p)}:{n}: {m.group(0)}')
    check(not bad, '\n'.join(bad))


@test
def headers_say_what_they_are():
    """every header of src says what it is for before its first declaration"""
    bad = []
    for p in code('src'):
        if p.endswith('.h'):
            m = re.match(r'/\*.*?\*/', read(p), re.S)
            if not m or len(m.group(0)) < 60:
                bad.append(name(p))
    check(not bad, 'no words at the head of ' + ' '.join(bad))


@test
def nothing_left_undone():
    """no file says that something is to be done later"""
    word = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b')
    bad = [f'{name(p)}:{n}' for p in code('src', 'tools', 'ui', 'tests')
           if '/corpus/' not in p and not p.endswith('package-lock.json')
           for n, line in enumerate(read(p).splitlines(), 1)
           if word.search(line) and 'mkostemp' not in line and 'XXXXXX' not in line]
    check(not bad, ' '.join(bad))


main()
