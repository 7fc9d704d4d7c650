# SPDX-License-Identifier: MIT
"""harness.py: the real binary in a house of its own.

A House has a private directory, a free port, a ledger that its tasks write and
a cookie in their environment, so that tests run side by side and no process is
forgotten. What it claims about runs rests on the ledger and on the rows, never
on what the program says of itself.
"""
import collections
import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Skip, check, equal, main, test  # noqa: E402,F401

GOWTF = os.path.abspath(os.environ.get('GOWTF_BIN') or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), '..', '..', 'build', 'gowtf'))
QUICK = bool(os.environ.get('GOWTF_QUICK'))
OVER = ('success', 'failed', 'cancelled')

def read_invariants():
    """[(name, query)] of invariants.sql: a blank line parts them."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'invariants.sql')
    with open(path, encoding='utf-8') as file:
        parts = file.read().split('\n\n')[1:]
    return [(part.splitlines()[0].lstrip('- '), part) for part in parts]


INVARIANTS = read_invariants()

def wait_for(condition, seconds=20, what='it'):
    """What `condition` returns as soon as it is true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'{what} did not come about within {seconds} s')
        time.sleep(0.01)


def proc_stat(pid):
    """(state, parent) of a process, or None when there is none."""
    try:
        with open(f'/proc/{pid}/stat') as f:
            parts = f.read().rsplit(') ', 1)[1].split()
        return parts[0], int(parts[1])
    except (OSError, IndexError):
        return None


def alive(pid):
    stat = proc_stat(pid)
    return stat is not None and stat[0] not in 'ZX'


def pids():
    return [int(p) for p in os.listdir('/proc') if p.isdigit()]


def kill(pid, signo=signal.SIGKILL):
    try:
        os.kill(pid, signo)
        return True
    except ProcessLookupError:
        return False


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=10):
        super().__init__('localhost', timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f'HTTP {status}: {body}')
        self.status, self.body = status, body


class House:
    def __init__(self, flows=None, slots=8, top=None, **options):
        self.own_top = top is None
        self.top = top or tempfile.mkdtemp(prefix='gowtf-system-')
        self.home = os.path.join(self.top, 'home')
        self.flows = os.path.join(self.top, 'flows')
        self.ledger_path = os.path.join(self.top, 'ledger')
        self.stderr_path = os.path.join(self.top, 'stderr')
        self.cookie = uuid.uuid4().hex
        self.slots = slots
        self.options = options
        self.parent = None
        self.parents = []
        self.keepers_seen = set()
        os.makedirs(self.flows, exist_ok=True)
        for name, text in (flows or {}).items():
            self.save(name, text)

    # ---- definitions

    def save(self, name, text):
        """Write a workflow file; its tasks get the ledger and the cookie."""
        path = os.path.join(self.flows, name + '.yaml')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(self.text(text))
        return path

    def text(self, text):
        return f'env: {{LEDGER: "{self.ledger_path}", COOKIE: "{self.cookie}"}}\n' + text

    # ---- coming and going

    def args(self):
        a = [GOWTF, 'serve', '-C', self.home, '--workflows', self.flows, '--listen',
             '127.0.0.1:0', '--slots', str(self.slots)]
        for key, value in self.options.items():
            a += ['--' + key.replace('_', '-'), str(value)]
        return a

    def start(self, seconds=20):
        with open(self.stderr_path, 'a') as err:
            p = subprocess.Popen(self.args(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=err, text=True)
        self.parent = p
        self.parents.append(p)
        wait_for(lambda: p.poll() is not None or self.is_ready(), seconds, 'the start')
        if p.poll() is not None:
            raise AssertionError(f'serve ended with {p.returncode}: {self.stderr()}')
        self.remember_keeper()
        return self

    def stderr(self):
        with open(self.stderr_path) as f:
            return f.read()[-3000:]

    def is_ready(self):
        try:
            c = UnixConnection(os.path.join(self.home, 'server.sock'), 2)
            c.request('GET', '/readyz')
            ok = c.getresponse().status == 200 and self.daemon() is not None
            c.close()
            return ok and self.call('GET', '/system') is not None
        except (OSError, http.client.HTTPException, Refused):
            return False

    def stop(self, seconds=20):
        """As a person stops it: SIGTERM; returns the exit status."""
        if self.parent is None:
            return None
        kill(self.parent.pid, signal.SIGTERM)
        status = self.parent.wait(seconds)
        self.parent.stdout.close()
        self.parent = None
        return status

    def daemon(self):
        """The pid of the daemon below `serve`, or None."""
        if self.parent is None:
            return None
        for pid in pids():
            stat = proc_stat(pid)
            if stat and stat[1] == self.parent.pid and stat[0] not in 'ZX':
                return pid
        return None

    def keepers(self):
        """Pids of living keepers of this house."""
        found = []
        for pid in pids():
            try:
                with open(f'/proc/{pid}/cmdline', 'rb') as f:
                    args = f.read().split(b'\0')
            except OSError:
                continue
            if b'keeper' in args and any(self.top.encode() in a for a in args) and alive(pid):
                found.append(pid)
        return found

    def remember_keeper(self):
        self.keepers_seen |= set(self.keepers())

    def kill_daemon(self):
        """The daemon and its parent at one blow, as a machine would never do it gently."""
        daemon = wait_for(self.daemon, 10, 'the daemon')
        kill(self.parent.pid, signal.SIGSTOP)  # so that it starts nobody in between
        kill(daemon)
        kill(self.parent.pid)
        self.parent.wait(10)
        self.parent.stdout.close()
        self.parent = None
        wait_for(self.is_free, 10, "the daemon's end")

    def is_free(self):
        """Nobody holds the data directory: every thread of a killed daemon is gone."""
        fd = os.open(self.home, os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False
        finally:
            os.close(fd)

    def close(self):
        try:
            self.stop()
        except (subprocess.TimeoutExpired, OSError):
            pass
        for p in self.parents:
            if p.poll() is None:
                p.kill()
                p.wait(10)
        for _ in range(50):
            left = self.keepers() + self.survivors()
            for pid in left:
                kill(pid)
            if not left:
                break
            time.sleep(0.02)
        if self.own_top:
            shutil.rmtree(self.top, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind:
            print('#   standard error of the house:', *self.stderr().splitlines()[-15:],
                  sep='\n#     ', flush=True)
        self.close()

    # ---- talking to it

    def call(self, method, path, body=None, headers=None, timeout=10):
        c = UnixConnection(os.path.join(self.home, 'server.sock'), timeout)
        try:
            c.request(method, '/api/v1' + path,
                      json.dumps(body) if body is not None else None,
                      {'Content-Type': 'application/json', **(headers or {})})
            r = c.getresponse()
            data = r.read()
        finally:
            c.close()
        if r.status >= 300:
            raise Refused(r.status, data.decode(errors='replace'))
        return json.loads(data) if data else None

    def tcp(self, method, path, headers=None, token=True):
        """(status, body) over TCP, with the token or without."""
        c = http.client.HTTPConnection(*self.address(), timeout=10)
        try:
            h = dict(headers or {})
            if token:
                with open(os.path.join(self.home, 'token')) as f:
                    h['Authorization'] = 'Bearer ' + f.read().strip()
            c.request(method, path, headers=h)
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def address(self):
        """Where it listens, from the kernel: the TCP socket the daemon holds."""
        daemon = self.daemon()
        inodes = set()
        for fd in os.listdir(f'/proc/{daemon}/fd'):
            try:
                link = os.readlink(f'/proc/{daemon}/fd/{fd}')
            except OSError:
                continue
            if link.startswith('socket:['):
                inodes.add(link[8:-1])
        with open('/proc/net/tcp') as f:
            for line in f.readlines()[1:]:
                p = line.split()
                if p[3] == '0A' and p[9] in inodes:
                    return '127.0.0.1', int(p[1].split(':')[1], 16)
        raise AssertionError('it listens nowhere')

    def cli(self, *args, timeout=30):
        return subprocess.run([GOWTF, *args, '-C', self.home], capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL)

    def run(self, name, params=None, key=None, timeout=10):
        headers = {'Idempotency-Key': key} if key else None
        return self.call('POST', f'/workflows/{name}/runs', {'params': params or {}},
                         headers, timeout)['id']

    # ---- the rows

    def sql(self, text, *args):
        db = sqlite3.connect(f'file:{self.home}/gowtf.db?mode=ro', uri=True, timeout=10)
        try:
            return db.execute(text, args).fetchall()
        finally:
            db.close()

    def one(self, text, *args):
        rows = self.sql(text, *args)
        return rows[0][0] if rows else None

    def knows(self, name, number=None, seconds=15):
        """Wait until the workflow is active, at this version."""
        def it_does():
            return self.sql('select 1 from v_workflows where name = ? and state = ?'
                            ' and (? is null or version = ?)', name, 'active', number, number)
        wait_for(it_does, seconds, f'{name} version {number}')

    def state(self, run):
        return self.one('select state from workflow_runs where id = ?', run)

    def wait_run(self, run, seconds=30):
        wait_for(lambda: self.state(run) in OVER, seconds, f'the end of run {run}')
        return self.state(run)

    def wait_all(self, seconds=60):
        wait_for(lambda: self.one("select count(*) from workflow_runs where state not in"
                                  " ('success', 'failed', 'cancelled')") == 0,
                 seconds, 'the end of all runs')

    def attempt(self, run, task, number=1):
        """The row of an attempt as a dict."""
        db = sqlite3.connect(f'file:{self.home}/gowtf.db?mode=ro', uri=True, timeout=10)
        db.row_factory = sqlite3.Row
        try:
            row = db.execute('select a.* from attempts a join workflow_runs r on r.id = a.run_id'
                             ' join tasks t on t.version_id = r.version_id and t.task = a.task'
                             ' where a.run_id = ? and t.name = ? and a.attempt = ?',
                             (run, task, number)).fetchone()
            return dict(row) if row else None
        finally:
            db.close()

    def wait_running(self, run, task, number=1):
        """Wait until the attempt has a process; its pid."""
        def it_has():
            a = self.attempt(run, task, number)
            return a and a['state'] == 'running' and a['pid']
        return wait_for(it_has, 20, f'the start of {task}')

    def log(self, run, task, number=1):
        c = UnixConnection(os.path.join(self.home, 'server.sock'))
        c.request('GET', f'/api/v1/runs/{run}/tasks/{task}/attempts/{number}/log')
        text = c.getresponse().read()
        c.close()
        return text

    # ---- what must be true

    def ledger(self):
        """How often each (run, task, attempt, word) was written by the tasks."""
        try:
            with open(self.ledger_path) as f:
                return collections.Counter(tuple(line.split()) for line in f)
        except FileNotFoundError:
            return collections.Counter()

    def check_ledger(self, lost_may_be_unseen=False):
        """Every attempt of the rows ran once, and nothing else ran."""
        book = self.ledger()
        starts = {k[:3]: n for k, n in book.items() if k[3] == 'start'}
        twice = {k: n for k, n in starts.items() if n != 1}
        check(not twice, f'run more than once: {twice}')
        rows = {(str(r), t, str(a)): s for r, t, a, s in self.sql(
            'select a.run_id, t.name, a.attempt, a.state from attempts a'
            ' join workflow_runs r on r.id = a.run_id'
            ' join tasks t on t.version_id = r.version_id and t.task = a.task')}
        unknown = set(starts) - set(rows)
        check(not unknown, f'ran but has no row: {sorted(unknown)[:10]}')
        unseen = {k for k, s in rows.items() if k not in starts and s != 'spawn_failed'
                  and not (lost_may_be_unseen and s == 'lost')}
        check(not unseen, f'has a row but never ran: {sorted(unseen)[:10]}')
        return len(starts)

    def check_rows(self):
        for name, query in INVARIANTS:
            rows = self.sql(query)
            check(not rows, f'{name}: {rows[:5]}')
        db = sqlite3.connect(f'file:{self.home}/gowtf.db?mode=ro', uri=True, timeout=10)
        try:
            equal(db.execute('pragma integrity_check').fetchall(), [('ok',)], 'integrity')
            equal(db.execute('pragma foreign_key_check').fetchall(), [], 'foreign keys')
        finally:
            db.close()

    def survivors(self):
        """Living processes that carry the cookie: tasks and what they left behind."""
        mark, found = f'COOKIE={self.cookie}'.encode(), []
        for pid in pids():
            try:
                with open(f'/proc/{pid}/environ', 'rb') as f:
                    if mark in f.read() and alive(pid):
                        found.append(pid)
            except OSError:
                continue
        return found

    def check_nobody_left(self, seconds=10):
        wait_for(lambda: not self.survivors(), seconds, 'an end of all processes')

    def fds(self, pid):
        return len(os.listdir(f'/proc/{pid}/fd'))

    def zombies(self):
        """Dead children that nobody asks after."""
        ours = {p for p in [self.daemon(), *self.keepers()] if p}
        return [p for p in pids() if (s := proc_stat(p)) and s[0] == 'Z' and s[1] in ours]


def start_line(then='true'):
    """A script that writes itself into the ledger, works, and writes its end."""
    return ('echo "$GOWTF_RUN_ID $GOWTF_TASK $GOWTF_ATTEMPT start" >> "$LEDGER"; ' + then)


def task(name, script, after=(), **keys):
    """A task of a workflow file as a line of YAML."""
    parts = {'name': name, 'script': script, **keys}
    if after:
        parts['depends_on'] = list(after)
    return '  - ' + json.dumps(parts) + '\n'


def flow(*tasks, **keys):
    return ''.join(f'{k}: {json.dumps(v)}\n' for k, v in keys.items()) + 'tasks:\n' + ''.join(tasks)
