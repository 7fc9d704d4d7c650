#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docgen.py GOWTF [--check]: the parts of the manual that tables know.

Writes docs/cli.md and man/*, and what stands between "begin" and "end" marks
in other pages of docs/, from `gowtf help --json` and the schema. With --check
it writes nothing and exits 1 naming every file that would change.
"""
import json
import os
import re
import sqlite3
import subprocess
import sys
import textwrap

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEAD = '.\\" SPDX-License-Identifier: MIT\n'
PAGES = {'yaml': (5, 'workflow files of gowtf'), 'conditions': (7, 'when a task of gowtf runs'),
         'cron': (7, 'schedules of gowtf')}


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        return f.read()


def between(text, name, new):
    """`text` with what stands between the marks of `name` replaced."""
    start, end = f'<!-- begin {name} -->\n', f'<!-- end {name} -->'
    a, b = text.index(start) + len(start), text.index(end)
    return text[:a] + new + text[b:]


def row(*cells):
    return '| ' + ' | '.join(c.replace('|', '\\|') for c in cells) + ' |\n'


def table(heads, rows):
    return row(*heads) + row(*['---'] * len(heads)) + ''.join(row(*r) for r in rows)


def flag(o):
    return ''.join([f'-{o["letter"]}, ' if o['letter'] else '', f'--{o["name"]}',
                    f' {o["wants"]}' if o['wants'] else ''])


# ---- Markdown

def options_md(options):
    if not options:
        return ''
    rows = [(f'`{flag(o)}`', o['help'] + (f' (default: {o["default"]})' if o['default'] and
                                          o['default'] not in o['help'] else '')) for o in options]
    return table(('option', ''), rows) + '\n'


def cli_md(d):
    out = ['# Commands\n\nMade from the table behind `gowtf help`. On a terminal there is colour and columns; in a pipe '
           'tabs, whole\ntexts and RFC 3339 times. Results go to standard output, everything else to standard error.\n\n']
    out.append(table(('command', ''), [(f'[`{c["name"]}`](#{c["name"]})', c['help'])
                                       for c in d['commands']]))
    out.append('\n## Options of every command\n\n' + options_md(d['options']))
    out.append('## Exit status\n\n' + table(('', 'means'), [(str(x['code']), x['means'])
                                                             for x in d['exit_codes']]))
    for c in d['commands']:
        out.append(f'\n## {c["name"]}\n\n{c["help"]}.\n\n```text\ngowtf {c["name"]} {c["args"]}'.rstrip())
        out.append('\n```\n\n')
        if c['more']:
            out.append(c['more'] + '\n\n')
        out.append(options_md(c['options']))
        if c['json']:
            out.append('Answers `--json`.\n\n')
        out.append('```console\n' + ''.join(f'$ {x}\n' for x in c['examples']) + '```\n')
    return ''.join(out)


def keys_md(d, where):
    return table(('key', 'wants', 'what it is'),
                 [(f'`{k["name"]}`' + (' (required)' if k['required'] else ''), k['wants'], k['help'])
                  for k in d['keys'] if k['where'] == where and k['built']])


def later_md(d):
    words = {'root': 'Of a file', 'task': 'Of a task', 'schedule': 'Of a schedule entry'}
    return ''.join(f'* {text}: ' + ', '.join(f'`{k["name"]}`' for k in d['keys']
                                             if k['where'] == where and not k['built']) + '\n'
                   for where, text in words.items())


def codes_md(d):
    return table(('code', 'what it says'), [(f'`{c["code"]}`', c['title'])
                                            for c in d['problem_codes']])


def views_md():
    db = sqlite3.connect(':memory:')
    schema = os.path.join(ROOT, 'src/store/schema')
    for name in sorted(os.listdir(schema)):
        db.executescript(read(f'src/store/schema/{name}'))
    views = [v for v, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY rowid")]
    return ''.join(f'* `{v}`: ' + ', '.join(f'`{c[1]}`' for c in db.execute(f'PRAGMA table_info({v})'))
                   + '\n' for v in views)


def messages_md():
    lines = re.findall(r'X\((\w+),\s+(\w+),\s+(\w+),\s+\w+\)\s+/\* (.*?) \*/', read('src/bus/msg.h'))
    return table(('message', 'from', 'to', 'what it says'),
                 [(f'`{n}`', a.lower(), b.lower(), what) for n, a, b, what in lines])


# ---- man pages (man(7))

def roff(text):
    text = text.replace('\\', '\\e').replace('-', '\\-')
    for plain, name in (('—', '\\(em'), ('✔', 'ok'), ('…', '...')):
        text = text.replace(plain, name)
    return re.sub(r"^([.'])", r'\\&\1', text, flags=re.M)


def inline(text):
    text = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', text)
    parts = re.split(r'(`[^`]*`|\*\*[^*]*\*\*|\*[^*\s][^*]*\*)', text)
    out = ''
    for p in parts:
        if p.startswith('`') and len(p) > 1:
            out += '\\fB' + roff(p[1:-1]) + '\\fR'
        elif p.startswith('**') or (p.startswith('*') and p.endswith('*') and len(p) > 2):
            out += '\\fI' + roff(p.strip('*')) + '\\fR'
        else:
            out += roff(p)
    return '\\&' + out if out[:1] in ".'" else out


def flow(text):
    """Running text in lines of at most 78 bytes, none of which is a macro."""
    lines = textwrap.wrap(text, 74, break_long_words=False, break_on_hyphens=False)
    return '\n'.join('\\&' + x if x[0] in ".'" else x for x in lines)


def header(name, section, what):
    return (HEAD + f'.TH {name.upper()} {section} "" "gowtf" "gowtf"\n.SH NAME\n'
            f'{roff(name)} \\- {roff(what)}\n')


def literal(lines):
    return '.PP\n.nf\n.RS 4\n' + ''.join((roff(x) if x else '\\&') + '\n' for x in lines) + '.RE\n.fi\n'


def options_man(options):
    return ''.join(f'.TP\n\\fB{roff(flag(o))}\\fR\n{roff(o["help"])}\n' for o in options)


def command_man(d, c):
    out = header('gowtf-' + c['name'], 1, c['help'])
    out += f'.SH SYNOPSIS\n\\fBgowtf {roff(c["name"])}\\fR {roff(c["args"])}'.rstrip()
    out += (' [options]' if c['options'] else '') + '\n'
    out += f'.SH DESCRIPTION\n{flow(roff(c["more"] or c["help"] + "."))}\n'
    if c['options']:
        out += '.SH OPTIONS\n' + options_man(c['options'])
    out += '.SH EXAMPLES\n' + literal(c['examples']).replace('.PP\n', '', 1)
    return out + '.SH SEE ALSO\n.BR gowtf (1)\n'


def gowtf_man(d):
    out = header('gowtf', 1, 'run workflows of shell commands')
    out += '.SH SYNOPSIS\n\\fBgowtf\\fR \\fIcommand\\fR [\\fItarget\\fR] [options]\n.SH DESCRIPTION\n'
    out += ('Runs workflows of shell commands on one machine: on a schedule, in the order their\ndependencies '
            'ask for, with retries, history and a web UI.\n')
    for g in dict.fromkeys(c['group'] for c in d['commands']):
        out += f'.SS {g}\n' + ''.join(
            f'.TP\n\\fB{roff(c["name"])}\\fR {roff(c["args"])}'.rstrip() + f'\n{roff(c["help"])}.\n'
            for c in d['commands'] if c['group'] == g)
    out += '.SH OPTIONS OF EVERY COMMAND\n' + options_man(d['options'])
    out += '.SH EXIT STATUS\n' + ''.join(f'.TP\n{x["code"]}\n{roff(x["means"])}\n'
                                         for x in d['exit_codes'])
    pages = sorted(['gowtf-' + c['name'] + ' 1' for c in d['commands']] +
                   [f'gowtf-{n} {s}' for n, (s, _) in PAGES.items()] + ['gowtf-api 7'],
                   key=lambda p: (p.split()[1], p))
    return out + '.SH SEE ALSO\n' + ',\n'.join(
        f'.BR {p.split()[0]} ({p.split()[1]})' for p in pages).replace(',\n', ' ,\n') + '\n'


def table_man(lines):
    cells = [[c.strip().replace('\\|', '|') for c in re.split(r'(?<!\\)\|', x)[1:-1]] for x in lines]
    return ''.join(f'.TP\n{inline(r[0])}\n' + (flow(inline('; '.join(c for c in r[1:] if c))) or '\\&') + '\n'
                   for r in cells[2:])


def page_man(name, section, what):
    out, lines = header('gowtf-' + name, section, what), read(f'docs/{name}.md').splitlines()
    out += '.SH DESCRIPTION\n'
    i, fresh = 1, True
    while i < len(lines):
        x = lines[i]
        if x.startswith('```'):
            end = lines.index('```', i + 1)
            out += literal(lines[i + 1:end]).replace('.PP\n', '' if fresh else '.PP\n', 1)
            i = end
            fresh = False
        elif x.startswith('## '):
            out, fresh = out + f'.SH {roff(x[3:]).upper()}\n', True
        elif x.startswith('### '):
            out, fresh = out + f'.SS {roff(x[4:])}\n', True
        elif x.startswith('|'):
            end = i
            while end < len(lines) and lines[end].startswith('|'):
                end += 1
            out += table_man(lines[i:end])
            i, fresh = end - 1, False
        elif x.startswith('* '):
            text = x[2:]
            while i + 1 < len(lines) and lines[i + 1].startswith('  '):
                i += 1
                text += ' ' + lines[i].strip()
            out, fresh = out + f'.IP \\(bu 2\n{flow(inline(text))}\n', False
        elif x and not x.startswith('<!--'):
            text = x
            while i + 1 < len(lines) and lines[i + 1] and lines[i + 1][0] not in '#|`*<':
                i += 1
                text += '\n' + lines[i]
            out, fresh = out + ('' if fresh else '.PP\n') + flow(inline(text)) + '\n', False
        i += 1
    return out + '.SH SEE ALSO\n.BR gowtf (1)\n'


def api_man():
    return (header('gowtf-api', 7, 'the HTTP interface of gowtf') + '.SH DESCRIPTION\n'
            'The engine answers HTTP on a loopback address and, without a token, on the unix\nsocket '
            '.I server.sock\nof its data directory. All answers are JSON.\n'
            .replace('socket .I', 'socket\n.I') + literal(
                ['curl \\-\\-unix\\-socket HOME/server.sock http://localhost/api/v1/runs'.replace('\\-', '-')]) +
            '.PP\nRoutes, fields and the event stream are described in\n.I docs/api.md\n'
            'of the source and in the documentation directory of an installation.\n'
            '.SH SEE ALSO\n.BR gowtf (1)\n')


def files(d):
    """Every file the tables know: path and text."""
    yield 'docs/cli.md', cli_md(d)
    text = read('docs/yaml.md')
    for where in ('root', 'task', 'schedule'):
        text = between(text, where + ' keys', keys_md(d, where))
    yield 'docs/yaml.md', between(text, 'later keys', later_md(d))
    yield 'docs/errors.md', between(read('docs/errors.md'), 'codes', codes_md(d))
    yield 'docs/database.md', between(read('docs/database.md'), 'views', views_md())
    yield 'docs/ARCHITECTURE.md', between(read('docs/ARCHITECTURE.md'), 'messages', messages_md())
    yield 'man/gowtf.1', gowtf_man(d)
    for c in d['commands']:
        yield f'man/gowtf-{c["name"]}.1', command_man(d, c)
    for name, (section, what) in PAGES.items():
        yield f'man/gowtf-{name}.{section}', page_man(name, section, what)
    yield 'man/gowtf-api.7', api_man()


def with_list(pages):
    """The files, and the list by which Meson installs the man pages."""
    names = []
    for path, text in pages:
        if path.startswith('man/'):
            names.append(path[4:])
        yield path, text
    yield ('man/meson.build', '# SPDX-License-Identifier: MIT\n# Made by tools/docgen.py.\ninstall_man(\n'
           + ''.join(f"  '{n}',\n" for n in sorted(names)) + ')\n')


def main():
    d = json.loads(subprocess.run([sys.argv[1], 'help', '--json'], check=True,
                                  capture_output=True).stdout)
    wrong = []
    for path, text in with_list(files(d)):
        full = os.path.join(ROOT, path)
        if os.path.exists(full) and read(path) == text:
            continue
        wrong.append(path)
        if '--check' not in sys.argv:
            with open(full, 'w', encoding='utf-8') as f:
                f.write(text)
    if '--check' in sys.argv:
        for path in wrong:
            print(path)
        sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
