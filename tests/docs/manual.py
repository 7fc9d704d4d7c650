#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The manual against the program: what it shows is true, and it is complete."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import test, check, equal, Skip, main  # noqa: E402

ROOT = os.environ['GOWTF_SOURCE']
BIN = os.path.join(os.environ['GOWTF_BUILD'], 'gowtf')
PAGES = sorted(['README.md', 'CHANGELOG.md'] + [os.path.relpath(p, ROOT) for p in
                                                 glob.glob(os.path.join(ROOT, 'docs/*.md'))])


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        return f.read()


def gowtf(*args, text=None):
    return subprocess.run([BIN, *args], input=text, capture_output=True, text=True)


def blocks(kind):
    """(page, line, words after the kind, text) of every fenced block of a kind."""
    for page in PAGES:
        for m in re.finditer(r'^```(\S+)([^\n]*)\n(.*?)^```$', read(page), re.S | re.M):
            if m.group(1) == kind:
                yield page, read(page).count('\n', 0, m.start()) + 1, m.group(2).split(), m.group(3)


TABLE = None


def told():
    global TABLE
    TABLE = TABLE or json.loads(gowtf('help', '--json').stdout)
    return TABLE


@test
def every_workflow_shown_is_valid():
    """every workflow in the manual is valid, without a warning"""
    n = 0
    for page, line, words, text in blocks('yaml'):
        if 'bad' in words:
            continue
        check(words == ['gowtf'], f'{page}:{line}: say "yaml gowtf" or "yaml bad CODE"')
        r = gowtf('validate', '--strict', '-', text=text)
        check(r.returncode == 0, f'{page}:{line}:\n{r.stdout}{r.stderr}')
        n += 1
    check(n >= 10, f'only {n} workflows found')


@test
def every_mistake_shown_is_that_mistake():
    """every wrong file in the manual has the mistake it is shown for"""
    n = 0
    for page, line, words, text in blocks('yaml'):
        if 'bad' in words:
            doc = json.loads(gowtf('validate', '--json', '-', text=text).stdout)
            codes = [p['code'] for p in doc['items']]
            check(words[1] in codes, f'{page}:{line}: {words[1]} is not among {codes}')
            n += 1
    check(n >= 40, f'only {n} found')


@test
def every_command_shown_exists():
    """every gowtf command in the manual exists, with the options it is given"""
    commands = {c['name']: c for c in told()['commands']}
    common = {o['name'] for o in told()['options']} | {o['letter'] for o in told()['options']}
    n = 0
    for page, line, _, text in blocks('console'):
        for command in re.findall(r'gowtf ((?:-C \S+ )?[a-z].*)', text):
            words = re.sub(r'^-C \S+ ', '', command).split('#')[0]
            words = re.sub(r"'[^']*'|\"[^\"]*\"", 'X', words).replace(')', ' ').replace('"', ' ').split()
            check(words[0] in commands, f'{page}:{line}: no command {words[0]}')
            known = common | {x for o in commands[words[0]]['options']
                              for x in (o['name'], o['letter'])}
            for w in words[1:]:
                name = re.match(r'--?([a-z][a-z-]*)', w)
                if name and w.startswith('--'):
                    check(name.group(1) in known, f'{page}:{line}: {words[0]} has no {w}')
                elif name:
                    check(w[1] in known, f'{page}:{line}: {words[0]} has no {w}')
            n += 1
    check(n >= 40, f'only {n} commands found')


@test
def the_tables_are_as_generated():
    """commands, keys, codes, views, messages and man pages are as the tables say"""
    r = subprocess.run([sys.executable, os.path.join(ROOT, 'tools/docgen.py'), BIN, '--check'],
                       capture_output=True, text=True)
    check(r.returncode == 0, 'run tools/docgen.py for:\n' + r.stdout + r.stderr)


@test
def nothing_is_missing():
    """every key, code, command, exit status, message, state and reason has its place"""
    yaml, errors, cli = read('docs/yaml.md'), read('docs/errors.md'), read('docs/cli.md')
    for k in told()['keys']:
        check(f'`{k["name"]}`' in yaml, f'docs/yaml.md lacks {k["name"]}')
    for c in told()['problem_codes']:
        check(f'`{c["code"]}`' in errors, f'docs/errors.md lacks {c["code"]}')
    for c in told()['commands']:
        check(f'\n## {c["name"]}\n' in cli, f'docs/cli.md lacks {c["name"]}')
    states = read('docs/STATES.md')
    for word in re.findall(r'X\((?:TASK|RUN|REASON|ATTEMPT|SLOT)_\w+,\s+"(\w+)"\)',
                           read('src/model/state.h')):
        check(f'`{word}`' in states, f'docs/STATES.md lacks {word}')
    for name in re.findall(r'X\(([A-Z_]+),\s+\w+,\s+\w+,\s+\w+\)', read('src/bus/msg.h')):
        check(f'`{name}`' in read('docs/ARCHITECTURE.md'), f'docs/ARCHITECTURE.md lacks {name}')


@test
def nothing_is_made_up():
    """the manual names no error code, variable or route that does not exist"""
    codes = {c['code'] for c in told()['problem_codes']}
    source = ''.join(read(os.path.relpath(p, ROOT)) for p in
                     glob.glob(os.path.join(ROOT, 'src/**/*.[ch]'), recursive=True))
    for page in PAGES:
        for code in re.findall(r'\b[EW]0\d{3}\b', read(page)):
            check(code in codes, f'{page}: no code {code}')
        for name in set(re.findall(r'\bGOWTF_[A-Z_]+\b', read(page))):
            known = name in source or (name.startswith('GOWTF_PARAM_') and 'GOWTF_PARAM_' in source)
            check(known, f'{page}: nothing in the source says {name}')


@test
def links_lead_somewhere():
    """every link of the manual leads to a file that is there"""
    for page in PAGES:
        here = os.path.dirname(os.path.join(ROOT, page))
        for target in re.findall(r'\]\(([^)\s]+)\)', re.sub(r'```.*?```', '', read(page), flags=re.S)):
            if target.startswith(('http', '#')):
                continue
            check(os.path.exists(os.path.join(here, target.split('#')[0])), f'{page}: {target}')


@test
def man_pages_are_well_formed():
    """mandoc finds nothing wrong with the man pages but their missing dates"""
    if not shutil.which('mandoc'):
        raise Skip('mandoc is not installed')
    pages = glob.glob(os.path.join(ROOT, 'man/*.[0-9]'))
    check(len(pages) > 20, f'{len(pages)} pages')
    r = subprocess.run(['mandoc', '-Tlint', '-Wwarning', *pages], capture_output=True, text=True)
    wrong = [x for x in r.stdout.splitlines() if 'missing date' not in x]
    check(not wrong, '\n'.join(wrong))


@test
def help_fits_a_small_terminal():
    """-h of every command fits 80 columns and 24 lines and has two examples"""
    for c in told()['commands']:
        text = gowtf(c['name'], '-h').stdout
        lines = text.splitlines()
        check(len(lines) <= 24, f'{c["name"]}: {len(lines)} lines')
        for x in lines:
            check(len(x) <= 80, f'{c["name"]}: {len(x)} columns: {x}')
        check(len(c['examples']) == 2, f'{c["name"]}: {len(c["examples"])} examples')
    for page in ['yaml', 'conditions', 'targets', 'filters', 'exit-codes', 'environment', 'json']:
        check(gowtf('help', page).stdout.count('\n') > 3, page)


@test
def the_front_page_is_short():
    """the front page has at most 250 lines"""
    check(read('README.md').count('\n') <= 250)


@test
def examples_are_valid():
    """every example is valid and says what it shows and what to expect"""
    paths = glob.glob(os.path.join(ROOT, 'examples/**/*.yaml'), recursive=True)
    check(len(paths) >= 12, f'{len(paths)} examples')
    r = gowtf('validate', '--strict', os.path.join(ROOT, 'examples'))
    check(r.returncode == 0, r.stdout)
    for p in paths:
        head = read(os.path.relpath(p, ROOT)).split('name:')[0]
        check('# Shows: ' in head and '# Expected: ' in head, f'{p}: no header')


@test
def examples_end_as_they_say():
    """every example runs by itself and ends as its header says"""
    if os.environ.get('GOWTF_QUICK'):
        raise Skip('takes a minute')
    home = tempfile.mkdtemp(prefix='gowtf-docs-')
    try:
        for p in sorted(glob.glob(os.path.join(ROOT, 'examples/*.yaml'))):
            expected = re.search(r'# Expected: (\w+)( or failed)?', read(os.path.relpath(p, ROOT)))
            r = subprocess.run([BIN, '-C', home, 'run', p], capture_output=True, text=True,
                               timeout=120)
            fine = r.returncode == 0 or (expected.group(2) and r.returncode == 1)
            check(fine, f'{os.path.basename(p)} ended with {r.returncode}:\n{r.stdout}{r.stderr}')
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == '__main__':
    main()
