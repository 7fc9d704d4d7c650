#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 of the daemon at any moment under load (F001, F004, F125, F126).

The tasks write a ledger, the client writes down every run it was told of. In
the end both must agree with the rows: nothing lost, nothing twice, every exit
code the one the task gave.
"""
import http.client
import os
import random
import threading
import time

from harness import House, QUICK, Refused, alive, check, equal, flow, kill, main, start_line, \
    task, test, wait_for

KILLS = int(os.environ.get('GOWTF_KILLS') or (12 if QUICK else 500))


def load_flow():
    """Twelve tasks in three layers: failures, retries, signals, silence and noise."""
    tasks = [task(f'root{i}', start_line(f'sleep 0.{i}; exit 0')) for i in range(3)]
    tasks.append(task('seven', start_line('sleep 0.05; exit 7'), allow_failure=True))
    tasks.append(task('flaky', start_line('test $GOWTF_ATTEMPT -ge 3 || exit 9'), retries=3,
                      retry_delay='20ms'))
    tasks.append(task('signal', start_line('kill -9 $$'), allow_failure=True))
    tasks.append(task('noise', start_line('seq 1 2000')))
    tasks.append(task('join', start_line('sleep 0.1'), after=['root0', 'root1', 'root2']))
    tasks.append(task('last', start_line(), after=['join', 'noise', 'flaky']))
    tasks.append(task('never', start_line(), after=['seven'], condition='seven.success'))
    return flow(*tasks)


class Client(threading.Thread):
    """Starts runs without end, as somebody who repeats until he has an answer."""

    def __init__(self, house):
        super().__init__(daemon=True)
        self.house, self.told, self.done, self.error = house, {}, False, None

    def run(self):
        n = 0
        while not self.done:
            n += 1
            key = f'key-{n}'
            try:
                self.told[key] = self.insist(key)
            except Exception as e:  # noqa: BLE001
                self.error = e
                return
            time.sleep(0.1)

    def insist(self, key):
        end = time.monotonic() + 60
        while True:
            try:
                return self.house.run('load', key=key)
            except Refused as e:
                if e.status not in (429, 503, 507) or time.monotonic() > end:
                    raise
            except (OSError, EOFError, ValueError, http.client.HTTPException):
                if time.monotonic() > end:
                    raise
            time.sleep(0.02)


def right_ends(house):
    """The rows tell of every attempt what the task did."""
    rows = house.sql('select t.name, a.attempt, a.state, a.exit_code, a.signal, a.run_id'
                     ' from attempts a join workflow_runs r on r.id = a.run_id'
                     ' join tasks t on t.version_id = r.version_id and t.task = a.task')
    for name, attempt, state, code, signal, run in rows:
        want = {'seven': ('failed', 7, None), 'signal': ('failed', None, 9)}.get(
            name, ('success', 0, None))
        if name == 'flaky' and attempt < 3:
            want = ('failed', 9, None)
        equal((state, code, signal), want, f'run {run} {name} attempt {attempt}')
    return len(rows)


@test
def under_load():
    """the daemon is killed again and again: nothing is lost, nothing runs twice"""
    chance = random.Random(int(os.environ.get('GOWTF_SEED', '1')))
    with House({'load': load_flow()}) as house:
        client = Client(house)
        client.start()
        for _ in range(KILLS):
            time.sleep(chance.choice([0.0, 0.01, 0.05, 0.1, 0.3]) * chance.random())
            house.kill_daemon()
            house.start()
        client.done = True
        client.join(70)
        check(not client.is_alive() and not client.error, f'the client: {client.error}')
        house.wait_all(120)
        house.check_nobody_left()
        house.check_rows()
        attempts = house.check_ledger()
        equal(attempts, right_ends(house), 'attempts in the ledger and in the rows')
        for key, run in client.told.items():
            rows = house.sql('select id from workflow_runs where idem_key = ?', key)
            equal(rows, [(run,)], f'run told of for {key}')
        wrong = house.sql("select i.run_id, t.name, i.state from task_instances i"
                          " join workflow_runs r on r.id = i.run_id join tasks t"
                          " on t.version_id = r.version_id and t.task = i.task"
                          " where t.name in ('join', 'last', 'root0', 'noise', 'flaky')"
                          " and i.state <> 'success' or t.name = 'never' and i.state <> 'skipped'")
        check(not wrong, f'wrong verdicts: {wrong[:5]}')
        equal(house.zombies(), [], 'zombies')
        print(f'# {KILLS} kills, {len(client.told)} runs, {attempts} attempts', flush=True)


@test
def parent_restarts_it():
    """a killed daemon is back within a second or two, by its parent, and tasks go on"""
    with House({'long': flow(task('wait', start_line(
            'while [ ! -e "$LEDGER.go" ]; do sleep 0.02; done; exit 3')))}) as house:
        run = house.run('long')
        pid = house.wait_running(run, 'wait')
        daemon = house.daemon()
        kill(daemon)
        began = time.monotonic()
        wait_for(lambda: house.daemon() not in (None, daemon) and house.is_ready(), 10,
                 'a new daemon')
        print(f'# back after {time.monotonic() - began:.2f} s', flush=True)
        check(alive(pid), 'the task died with the daemon')
        open(house.ledger_path + '.go', 'w').close()
        equal(house.wait_run(run), 'failed')
        a = house.attempt(run, 'wait')
        equal((a['state'], a['exit_code']), ('failed', 3))
        house.check_ledger()
        house.check_rows()


@test
def ends_while_it_is_away():
    """a task that ends while there is no daemon is recorded with its exit code"""
    with House({'w': flow(task('wait', start_line(
            'while [ ! -e "$LEDGER.go" ]; do sleep 0.02; done; echo bye; exit 5')))}) as house:
        run = house.run('w')
        pid = house.wait_running(run, 'wait')
        house.kill_daemon()
        open(house.ledger_path + '.go', 'w').close()
        wait_for(lambda: not alive(pid), 10, 'the end of the task')
        house.start()
        equal(house.wait_run(run), 'failed')
        equal(house.attempt(run, 'wait')['exit_code'], 5)
        check(b'bye' in house.log(run, 'wait'), 'its output is lost')
        house.check_ledger()


main()
