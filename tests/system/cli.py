#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command line, on the real binary: exit codes, streams, terminals, JSON."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import test, check, equal, main  # noqa: E402

BIN = os.path.join(os.environ['GOWTF_BUILD'], 'gowtf')
ROOT = os.environ['GOWTF_SOURCE']
TMP = tempfile.mkdtemp(prefix='gowtf-cli-')
HOME = os.path.join(TMP, 'home')
FLOWS = os.path.join(TMP, 'flows')
ENV = {'PATH': os.environ['PATH'], 'HOME': TMP, 'LANG': 'C.UTF-8', 'TERM': 'xterm', 'TZ': 'UTC'}

FILES = {
    'good': 'name: good\ntasks:\n  - {name: a, script: echo one}\n'
            '  - {name: b, depends_on: [a], script: "echo two >&2"}\n',
    'bad': 'name: bad\ntasks:\n  - {name: a, script: "echo before; echo ERROR: no >&2; exit 3"}\n'
           '  - {name: b, depends_on: [a], script: echo never}\n',
    'slow': 'name: slow\ntasks:\n  - {name: a, script: "echo began; sleep 300"}\n',
    'noisy': 'name: noisy\ntasks:\n  - name: a\n    script: |\n'
             '      printf "\\033[31mred\\033[0m \\033]0;title\\007end\\n"\n'
             '      for i in 1 2 3; do echo "line $i"; done\n',
    'param': 'name: param\nparams: {who: world}\ntasks:\n'
             '  - {name: a, script: "echo hello $GOWTF_PARAM_WHO"}\n',
}


def gowtf(*args, env=None, text=None, timeout=60):
    return subprocess.run([BIN, '-C', HOME, *args], env={**ENV, **(env or {})}, input=text,
                          capture_output=True, text=True, timeout=timeout)


def flow(name):
    return os.path.join(FLOWS, name + '.yaml')


def on_terminal(*args, env=None, columns=80, act=None, timeout=60):
    """Runs it on a terminal of its own; what it printed and how it ended."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(BIN, [BIN, '-C', HOME, *args], {**ENV, 'COLUMNS': str(columns), **(env or {})})
    text, until = b'', time.monotonic() + timeout
    while time.monotonic() < until:
        ready, _, _ = select.select([fd], [], [], 1)
        if ready:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                piece = b''
            if not piece:
                break
            text += piece
            if act and act(text.decode(errors='replace'), pid, fd):
                act = None
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return text.decode(errors='replace').replace('\r\n', '\n'), os.waitstatus_to_exitcode(status)


def wait_for(condition, what, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        got = condition()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError(f'waited {seconds} s for {what}')


# ---- without an engine

@test
def usage_errors_are_three_lines():
    """a usage error is three lines on standard error and exit status 2"""
    rows = [
        (('stauts',), "error: gowtf has no command 'stauts'\n  did you mean 'status'?\n  read on: gowtf help\n"),
        (('runs', '--cuont', '3'), "error: there is no option '--cuont'\n  did you mean --count?\n  read on: gowtf runs -h\n"),
        (('logs',), 'error: logs wants RUN[/TASK[.N]]\n  usage: gowtf logs RUN[/TASK[.N]]\n  read on: gowtf logs -h\n'),
        (('version', 'x'), 'error: version does not take that many arguments\n  usage: gowtf version\n  read on: gowtf version -h\n'),
        (('pause', 'x', '--json'), 'error: pause has no --json\n  usage: gowtf pause WORKFLOW...\n  read on: gowtf pause -h\n'),
        (('ls', '--color', 'pink'), "error: --color is auto, always or never, not 'pink'\n  usage: gowtf ls [FILTER...]\n  read on: gowtf ls -h\n"),
    ]
    for args, want in rows:
        r = gowtf(*args)
        equal((r.returncode, r.stdout, r.stderr), (2, '', want), ' '.join(args))


@test
def reading_without_a_database_says_how_to_start():
    """without a database reading commands end with 3 and name the command that starts an engine"""
    for args in (['ls'], ['runs'], ['status'], ['next'], ['start', 'x']):
        r = subprocess.run([BIN, '-C', TMP + '/none', *args], env=ENV, capture_output=True, text=True)
        equal(r.returncode, 3, args[0])
        check('gowtf serve' in r.stderr and r.stderr.count('\n') == 1, r.stderr)


@test
def mistakes_are_shown_with_a_caret():
    """a mistake in a file is shown byte for byte as promised"""
    text = 'name: x\ntasks:\n  - name: fetch\n    script: echo\n  - name: load\n    script: echo\n    depends_on: [fetchh]\n'
    r = gowtf('validate', '-', text=text)
    equal(r.returncode, 1)
    equal(r.stdout, """error[E0201]: no task named 'fetchh'
  --> stdin.yaml:7:18
   |
 3 |   - name: fetch
   |           ----- a task named 'fetch' is defined here
   :
 7 |     depends_on: [fetchh]
   |                  ^^^^^^ task 'load' depends on it
   |
   = help: did you mean 'fetch'?

stdin.yaml: 1 error, 0 warnings

""")
    r = gowtf('validate', '--format=short', '-', text=text)
    equal(r.stdout, "stdin.yaml:7:18: error[E0201]: no task named 'fetchh'\n")


@test
def validate_is_quiet_when_all_is_well():
    """validate says nothing and ends with 0 when all is well, and 4 when a file is not there"""
    r = gowtf('validate', FLOWS)
    equal((r.returncode, r.stdout, r.stderr), (0, '', ''))
    equal(gowtf('validate', '/nowhere/x.yaml').returncode, 4)


@test
def first_contact_is_no_wall():
    """gowtf alone is a handful of lines, and help one screen"""
    r = subprocess.run([BIN], env=ENV, capture_output=True, text=True)
    check(r.returncode == 0 and r.stdout.count('\n') < 12, r.stdout)
    r = gowtf('help')
    check(r.stdout.count('\n') <= 40 and max(map(len, r.stdout.splitlines())) <= 100, r.stdout)


@test
def cron_explains_itself():
    """cron says what an expression means, and where it is wrong"""
    r = gowtf('cron', '30 2 * * *', '--tz', 'Europe/Berlin', '--from', '2027-03-27', '-n', '2')
    equal(r.stdout.splitlines()[1].split('\t')[0], '2027-03-28T01:00:00.000Z')
    doc = json.loads(gowtf('cron', '0 3 * * 1-5', '--json', '-n', '3').stdout)
    equal((doc['schema'], len(doc['items'])), ('gowtf.cron/1', 3))
    r = gowtf('cron', '0 99 * * *')
    check(r.returncode == 1 and '^^ hour' in r.stderr, r.stderr)


# ---- run FILE

@test
def a_run_ends_with_its_result():
    """run ends with 0 when the run succeeded and 1 when it failed"""
    r = gowtf('run', flow('good'))
    equal(r.returncode, 0, r.stdout + r.stderr)
    kinds = [' '.join(re.sub(r' \d+ms', '', x).split()[1:4]) for x in r.stdout.splitlines()]
    check(kinds[0].startswith('run good#') and kinds[1:3] == ['task a success', 'task b success'],
          r.stdout)
    r = gowtf('run', flow('bad'))
    equal(r.returncode, 1)
    check(re.search(r'task  a failed \d+ms exit=3', r.stdout), r.stdout)
    check('--- a, attempt 1: output ---\nbefore\nERROR: no\n--- a: end ---' in r.stdout, r.stdout)
    check(re.search(r'run   bad#\d+ failed \d+ms ok=0 failed=1 not_run=1', r.stdout), r.stdout)


@test
def a_file_with_mistakes_does_not_run():
    """run shows the mistakes of a file and ends with 1; a file that is not there is 4"""
    path = os.path.join(TMP, 'wrong.yaml')
    with open(path, 'w') as f:
        f.write('name: wrong\ntasks:\n  - {name: a}\n')
    r = gowtf('run', path)
    equal(r.returncode, 1)
    check('error[E0602]' in r.stderr and r.stdout == '', r.stderr)
    equal(gowtf('run', './none.yaml').returncode, 4)


@test
def parameters_reach_the_task():
    """run -p gives a parameter to the tasks and refuses one the file does not know"""
    home = os.path.join(HOME, 'local')
    equal(gowtf('run', flow('param'), '-p', 'who=you', '-q').returncode, 0)
    r = subprocess.run([BIN, '-C', home, 'logs', 'param@last/a'], env=ENV, capture_output=True, text=True)
    equal(r.stdout, 'hello you\n', r.stderr)
    equal(gowtf('run', flow('param'), '-p', 'whom=you').returncode, 2)
    equal(gowtf('run', flow('param'), '-p', 'who').returncode, 2)


@test
def a_terminal_gets_signs_colour_and_a_verdict():
    """on a terminal a run shows signs, colours and a verdict with the next command"""
    text, code = on_terminal('run', flow('bad'))
    equal(code, 1, text)
    for want in ('✖', '\033[', 'last lines of attempt 1', 'ERROR: no', 'read    gowtf', 'again   gowtf run '):
        check(want in text, f'{want!r} is not in {text!r}')
    text, code = on_terminal('run', flow('good'), env={'NO_COLOR': '1'})
    equal(code, 0)
    check('\033[3' not in text and '✔' in text, text)
    text, code = on_terminal('run', flow('good'), env={'GOWTF_ASCII': '1', 'NO_COLOR': '1'})
    check(all(ord(c) < 128 for c in text) and '+ a' in text, text)


def processes():
    """Process groups that sleep for us, told by their odd number of seconds."""
    out = subprocess.run(['ps', '-eo', 'pid,args'], capture_output=True, text=True).stdout
    return [x for x in out.splitlines() if re.search(r'\bsleep 300$', x)]


@test
def an_interrupted_run_is_cancelled():
    """Ctrl-C cancels a run in the foreground, ends with 8 and leaves no process behind"""
    before = set(processes())

    def press(text, pid, fd):
        if not (set(processes()) - before):
            return False
        os.write(fd, b'\x03')
        return True
    text, code = on_terminal('run', flow('slow'), act=press)
    check(code in (8, 130), f'{code}: {text}')
    check('cancelled' in text, text)
    wait_for(lambda: not (set(processes()) - before), 'the task to be gone')


# ---- with an engine

ENGINE = None


def engine():
    """The engine of this test, started once."""
    global ENGINE
    if not ENGINE:
        log = open(os.path.join(TMP, 'serve.log'), 'w')
        ENGINE = subprocess.Popen([BIN, '-C', HOME, 'serve', '--workflows', FLOWS, '--listen', '127.0.0.1:0'],
                                  env=ENV, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(lambda: gowtf('status').returncode == 0 and len(gowtf('ls').stdout.splitlines()) == len(FILES),
                 'the engine')
    return ENGINE


@test
def start_prints_a_number_and_wait_the_result():
    """start prints the run's number; --wait ends with its result; logs reads its output"""
    engine()
    r = gowtf('start', 'good')
    equal(r.returncode, 0, r.stderr)
    run = int(r.stdout)
    wait_for(lambda: gowtf('show', str(run), '--json=state').stdout.find('"success"') > 0, 'the run')
    equal(gowtf('logs', f'{run}/a').stdout, 'one\n')
    equal(gowtf('logs', f'{run}/b', '--err').stdout, 'two\n')
    equal(gowtf('logs', f'{run}/b', '--out').stdout, '')
    equal(gowtf('start', 'bad', '--wait').returncode, 1)
    equal(gowtf('start', 'good', '--wait', '-q').returncode, 0)
    equal(gowtf('run', 'good').returncode, 0)


@test
def every_reading_command_answers_json():
    """every --json answer is one document with a schema"""
    engine()
    for args in (['ls'], ['runs'], ['show', 'good@last'], ['show', 'bad@last/a'], ['show', 'good'],
                 ['next'], ['status'], ['version'], ['help'], ['sql', 'SELECT * FROM v_runs'],
                 ['cron', '@daily'], ['validate', FLOWS], ['why', 'good'], ['why', 'bad@last'],
                 ['why', 'bad@last/a'], ['logs', 'bad@last'], ['logs', 'bad@last/a']):
        r = gowtf(*args, '--json')
        equal(r.returncode, 0, f'{args}: {r.stderr}')
        check(isinstance(json.loads(r.stdout), dict), args)
    doc = json.loads(gowtf('runs', '--json=id,state').stdout)
    check(all(set(x) == {'id', 'state'} for x in doc['items']), doc)


@test
def a_pipe_gets_tabs_and_whole_texts():
    """in a pipe lists have tabs, no head line and RFC 3339 times; on a terminal columns"""
    engine()
    equal(gowtf('start', 'good', '--wait', '-q').returncode, 0)
    rows = [x.split('\t') for x in gowtf('runs').stdout.splitlines()]
    check(rows and all(len(r) == 8 for r in rows), rows)
    check(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z', rows[0][3]), rows[0])
    text, code = on_terminal('runs', env={'NO_COLOR': '1'})
    check('WORKFLOW' in text and '\t' not in text and code == 0, text)
    check(all(len(x) <= 80 for x in text.splitlines()), text)
    text, _ = on_terminal('ls', env={'NO_COLOR': '1'}, columns=40)
    check(all(len(x) <= 40 for x in text.splitlines()), text)


@test
def names_that_do_not_exist_are_4():
    """what does not exist ends with 4 and names what comes close"""
    engine()
    r = gowtf('show', 'goood')
    equal((r.returncode, r.stderr), (4, "error: there is no workflow 'goood'; did you mean 'good'?\n"))
    equal(gowtf('show', '99999').returncode, 4)
    equal(gowtf('logs', 'good@last/zzz').returncode, 4)
    equal(gowtf('start', 'nothing').returncode, 4)
    equal(gowtf('show', 'good@lost').returncode, 2)


@test
def output_is_tamed_on_a_terminal_only():
    """on a terminal task output keeps its colours only; in a pipe its bytes"""
    engine()
    equal(gowtf('start', 'noisy', '--wait', '-q').returncode, 0)
    equal(gowtf('logs', 'noisy@last/a', '-n', '2').stdout, 'line 2\nline 3\n')
    check('\033]0;title\007' in gowtf('logs', 'noisy@last/a').stdout, 'bytes are missing')
    text, _ = on_terminal('logs', 'noisy@last/a')
    check('\033[31mred' in text and '\033]0' not in text and 'end' in text, repr(text))
    text, _ = on_terminal('logs', 'noisy@last/a', env={'NO_COLOR': '1'})
    check('\033' not in text, repr(text))
    equal(gowtf('logs', 'noisy@last/a', '--grep', 'line [13]').stdout, 'line 1\nline 3\n')
    equal(gowtf('logs', 'noisy@last/a', '--grep', 'nothing').returncode, 1)


@test
def cancel_retry_pause_resume_act():
    """cancel, retry, pause and resume do what they say, and say 5 when they cannot"""
    engine()
    run = gowtf('start', 'slow').stdout.strip()
    wait_for(lambda: 'began' in gowtf('logs', f'{run}/a').stdout, 'output')
    follower = subprocess.Popen([BIN, '-C', HOME, 'logs', '-f', run], env=ENV, stdout=subprocess.PIPE, text=True)
    equal(gowtf('cancel', run).returncode, 0)
    out, _ = follower.communicate(timeout=30)
    check('began' in out and follower.returncode == 0, out)
    wait_for(lambda: '"cancelled"' in gowtf('show', run, '--json=state').stdout, 'the end')
    equal(gowtf('cancel', run).returncode, 5)
    equal(gowtf('start', 'bad', '--wait').returncode, 1)
    r = gowtf('retry', 'bad@failed', '--wait')
    check(r.returncode == 1, r.stdout + r.stderr)
    equal(gowtf('pause', 'good', '--reason', 'a test').returncode, 0)
    check('paused' in gowtf('ls', 'good').stdout, gowtf('ls', 'good').stdout)
    check('a test' in gowtf('why', 'good').stdout, gowtf('why', 'good').stdout)
    equal(gowtf('resume', 'good').returncode, 0)
    check('paused' not in gowtf('ls', 'good').stdout)


@test
def why_says_why():
    """why names the cause of a failed run and of a task that was not run"""
    engine()
    text = gowtf('why', 'bad@last').stdout
    check('exit 3' in text, text)
    text = gowtf('why', 'bad@last/b').stdout
    check('after a' in text and 'exit 3' in text, text)


@test
def sql_reads_and_does_not_write():
    """sql answers over the views and cannot change anything"""
    engine()
    equal(gowtf('sql', "SELECT count(*) > 3 FROM v_runs").stdout.splitlines()[-1], '1')
    check(gowtf('sql', 'DELETE FROM workflow_runs').returncode != 0)
    equal(gowtf('sql', 'SELECT 1; SELECT 2').returncode, 2)


@test
def a_link_opens_the_browser_interface():
    """ui prints one link, and none without an engine"""
    engine()
    r = gowtf('ui')
    check(r.returncode == 0 and re.fullmatch(r'http://127\.0\.0\.1:\d+/login\?code=\S+\n', r.stdout),
          r.stdout + r.stderr)


@test
def a_second_engine_is_refused():
    """a second engine in the same data directory ends with 5"""
    engine()
    r = gowtf('serve', '--workflows', FLOWS, '--listen', '127.0.0.1:0')
    equal(r.returncode, 5, r.stderr)


@test
def the_engine_stops_when_told():
    """the engine ends with 0 on SIGTERM, and status then says 3"""
    p = engine()
    p.terminate()
    equal(p.wait(timeout=30), 0)
    equal(gowtf('status').returncode, 3)
    check(gowtf('runs').stdout, 'the history is still there')


def clean():
    if ENGINE and ENGINE.poll() is None:
        ENGINE.terminate()
        ENGINE.wait()
    shutil.rmtree(TMP, ignore_errors=True)


if __name__ == '__main__':
    os.makedirs(FLOWS)
    for name, text in FILES.items():
        with open(flow(name), 'w') as f:
            f.write(text)
    try:
        main()
    finally:
        clean()
