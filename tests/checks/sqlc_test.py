#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A wrong statement must stop the build."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import test, check, main  # noqa: E402

SQLC = os.path.join(os.environ['GOWTF_BUILD'], 'tools', 'sqlc')
SCHEMA = '''CREATE TABLE mine (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE theirs (id INTEGER PRIMARY KEY, x INTEGER) STRICT;
'''


def sqlc(text):
    with tempfile.TemporaryDirectory() as d:
        for name, content in (('room.sql', text), ('schema.sql', SCHEMA)):
            with open(os.path.join(d, name), 'w') as f:
                f.write(content)
        return subprocess.run([SQLC, 'room.sql', 'schema.sql'], cwd=d, capture_output=True,
                              text=True)


def refused(text, line):
    p = sqlc(text)
    check(p.returncode != 0, 'it was accepted')
    check(f'room.sql:{line}' in p.stderr, f'the place is not named: {p.stderr}')


@test
def good():
    """a good file becomes functions with types"""
    p = sqlc('-- writes: mine\n\n-- put(id int, name text)\n'
             'INSERT INTO mine (id, name) VALUES (:id, :name);\n\n'
             '-- look(id int) -> (name text)\nSELECT name FROM mine WHERE id = :id;\n')
    check(p.returncode == 0, p.stderr)
    for part in ('sql_put(struct db *', 'struct look_row', 'sql_look_next'):
        check(part in p.stdout or 'sql_' + part in p.stdout or part.replace('struct ', 'struct sql_')
              in p.stdout, f'{part} is missing')


@test
def foreign_table():
    """a write to another room's table is refused"""
    refused('-- writes: mine\n\n-- grab(id int)\nDELETE FROM theirs WHERE id = :id;\n', 3)


@test
def only_the_right_granted():
    """who may insert may not delete"""
    refused('-- inserts: mine\n\n-- drop(id int)\nDELETE FROM mine WHERE id = :id;\n', 3)


@test
def typo():
    """a column that does not exist is refused"""
    refused('-- writes: mine\n\n-- look(id int) -> (nam text)\n'
            'SELECT nam FROM mine WHERE id = :id;\n', 3)


@test
def parameters():
    """a parameter that is not declared, or not used, is refused"""
    refused('-- look(id int) -> (name text)\nSELECT name FROM mine WHERE id = :ident;\n', 1)
    refused('-- look(id int, more int) -> (name text)\nSELECT name FROM mine WHERE id = :id;\n', 1)


@test
def columns():
    """a column list that differs from the statement's is refused"""
    refused('-- look(id int) -> (name text, x int)\nSELECT name FROM mine WHERE id = :id;\n', 1)


@test
def reader():
    """a file that claims no table only reads"""
    refused('-- put(id int)\nINSERT INTO theirs (id) VALUES (:id);\n', 1)


main()
