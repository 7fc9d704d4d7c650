#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Starting, stopping, asking twice, schedules and the switch."""
import os
import signal
import stat
import subprocess
import time

from harness import House, Refused, alive, check, equal, flow, kill, main, start_line, task, \
    test, wait_for

HELLO = flow(task('t', start_line('echo hello')))
GATE = 'while [ ! -e "$LEDGER.go" ]; do sleep 0.02; done; '


@test
def second_daemon():
    """a second daemon is refused and names the first (F016)"""
    with House({'a': HELLO}) as house:
        p = subprocess.run(house.args(), capture_output=True, text=True, timeout=20,
                           stdin=subprocess.DEVNULL)
        equal(p.returncode, 5, p.stderr)
        check(str(house.daemon()) in p.stderr, p.stderr)
        equal(house.wait_run(house.run('a')), 'success')


@test
def files_are_private():
    """the data directory, the token, the database and the socket are for their owner only"""
    with House({'a': HELLO}) as house:
        for name in ('', 'token', 'gowtf.db'):
            mode = stat.S_IMODE(os.stat(os.path.join(house.home, name)).st_mode)
            equal(mode & 0o077, 0, name or 'the directory')


@test
def needs_a_token():
    """over TCP nothing is told without the token, and nothing to a foreign Host"""
    with House({'a': HELLO}) as house:
        equal(house.tcp('GET', '/healthz', token=False)[0], 200)
        for path in ('/api/v1/workflows', '/api/v1/system', '/api/v1/stream'):
            equal(house.tcp('GET', path, token=False)[0], 401, path)
        equal(house.tcp('GET', '/api/v1/workflows')[0], 200)
        status, body = house.tcp('GET', '/api/v1/workflows', {'Host': 'evil.test'})
        equal(status, 421)
        check(b'evil' not in body, 'the name is echoed')


@test
def last_output():
    """a living attempt's row says when it last wrote something"""
    with House({'a': flow(task('t', start_line(GATE)))}) as house:
        run = house.run('a')
        house.wait_running(run, 't')
        asked = 'select last_output_at from attempts where run_id = ?'
        equal(house.one(asked, run), None)
        with open(os.path.join(house.home, 'logs', 'slots', '0.out'), 'a') as f:
            f.write('as if the task had said it\n')
        wait_for(lambda: house.one(asked, run), what='the time of the last output')
        open(house.ledger_path + '.go', 'w').close()
        equal(house.wait_run(run), 'success')


@test
def rescan():
    """who asks for a look at the directory is answered once it was looked at"""
    with House({'a': HELLO}) as house:
        house.save('b', HELLO)
        house.call('POST', '/rescan', {})
        check(house.sql("select 1 from workflows where name = 'b'"), 'the new file is not there')


@test
def one_key_one_run():
    """a wish repeated with its key is one run, also after a restart (F125)"""
    with House({'a': HELLO, 'b': HELLO}) as house:
        first = house.run('a', key='k1')
        equal(house.run('a', key='k1'), first)
        try:
            house.run('a', params={'x': 'y'}, key='k1')
            raise AssertionError('another wish under the same key was taken')
        except Refused as e:
            check(e.status in (400, 409), str(e))
        house.kill_daemon()
        house.start()
        equal(house.run('a', key='k1'), first)
        house.wait_all()
        equal(house.one('select count(*) from workflow_runs'), 1)
        house.check_rows()


@test
def stop_leaves_tasks():
    """a stopped daemon leaves its tasks running and finds them again (F018)"""
    with House({'a': flow(task('t', start_line(GATE + 'exit 4')))}) as house:
        run = house.run('a')
        pid = house.wait_running(run, 't')
        equal(house.stop(), 0)
        check(alive(pid), 'the task was stopped too')
        house.start()
        equal(house.state(run), 'running')
        open(house.ledger_path + '.go', 'w').close()
        equal(house.wait_run(run), 'failed')
        equal(house.attempt(run, 't')['exit_code'], 4)
        house.check_ledger()


@test
def pause_of_the_daemon():
    """a daemon that was stopped by a signal declares nobody dead (F007)"""
    with House({'a': flow(task('t', start_line('sleep 2')))}) as house:
        run = house.run('a')
        house.wait_running(run, 't')
        daemon = house.daemon()
        kill(daemon, signal.SIGSTOP)
        try:
            wait_for(lambda: not house.survivors(), 20, 'the end of the task')
        finally:
            kill(daemon, signal.SIGCONT)
        equal(house.wait_run(run), 'success')
        house.check_ledger()


@test
def every_second():
    """a schedule of every second fires every second, across a restart"""
    with House({'a': flow(task('t', start_line()), schedule={'every': '1s'})}) as house:
        wait_for(lambda: house.one('select count(*) from schedule_slots') >= 2, 20, 'slots')
        house.kill_daemon()
        time.sleep(1.2)
        house.start()
        n = house.one('select count(*) from schedule_slots')
        wait_for(lambda: house.one('select count(*) from schedule_slots') >= n + 2, 20, 'more')
        house.call('POST', '/workflows/a/disable')
        house.wait_all()
        slots = [s for s, in house.sql('select slot_at from schedule_slots order by slot_at')]
        gaps = {b - a for a, b in zip(slots, slots[1:])}
        equal(gaps, {1000}, 'instants between slots')
        house.check_rows()
        house.check_ledger()


@test
def paused():
    """a paused workflow fires nothing, says so, and the switch outlives a restart"""
    with House({'a': flow(task('t', start_line()), schedule={'every': '1s'})}) as house:
        house.call('POST', '/workflows/a/disable', {'reason': 'a test'})
        wait_for(lambda: house.one('select enabled from v_workflows') == 0, 10, 'the switch')
        fired = house.one("select count(*) from schedule_slots where outcome = 'fired'")
        house.kill_daemon()
        house.start()
        wait_for(lambda: house.one("select count(*) from schedule_slots"
                                   " where outcome = 'skipped'") >= 2, 20, 'skipped slots')
        equal(house.one("select count(*) from schedule_slots where outcome = 'fired'"), fired)
        equal(house.wait_run(house.run('a')), 'success')  # by hand it may run
        house.call('POST', '/workflows/a/enable')
        wait_for(lambda: house.one("select count(*) from schedule_slots"
                                   " where outcome = 'fired'") > fired, 20, 'a fire')
        house.check_rows()


@test
def retry_what_failed():
    """a person's retry runs what failed and what hangs on it, in the same run"""
    flows = {'a': flow(task('good', start_line()),
                       task('bad', start_line('test -e "$LEDGER.go"'), after=['good']),
                       task('next', start_line(), after=['bad']))}
    with House(flows) as house:
        run = house.run('a')
        equal(house.wait_run(run), 'failed')
        open(house.ledger_path + '.go', 'w').close()
        house.call('POST', f'/runs/{run}/retry')
        wait_for(lambda: house.state(run) == 'success', 20, 'its success')
        equal(house.sql('select task, attempt, state from attempts where run_id = ? order by 1, 2',
                        run), [(0, 1, 'success'), (1, 1, 'failed'), (1, 2, 'success'),
                               (2, 1, 'success')])
        house.check_ledger()


@test
def command_line():
    """the command line starts, follows, lists and explains"""
    with House({'a': HELLO}) as house:
        p = house.cli('start', 'a')
        equal(p.returncode, 0, p.stderr)
        house.wait_all()
        for args in (['ls'], ['runs'], ['show', 'a'], ['status'], ['logs', '1/t']):
            p = house.cli(*args)
            equal(p.returncode, 0, f'{args}: {p.stderr}')
        check('hello' in p.stdout, p.stdout)


@test
def run_without_a_daemon():
    """`gowtf run FILE` needs no daemon and ends with the run's verdict"""
    house = House({'a': HELLO, 'bad': flow(task('t', 'exit 3'))})
    try:
        ok = house.cli('run', os.path.join(house.flows, 'a.yaml'))
        equal(ok.returncode, 0, ok.stderr)
        bad = house.cli('run', os.path.join(house.flows, 'bad.yaml'))
        check(bad.returncode not in (0, None), 'a failed run ended with 0')
        check('a#1' in ok.stdout + ok.stderr, ok.stdout + ok.stderr)
        again = house.cli('run', os.path.join(house.flows, 'a.yaml'))
        check('a#' in again.stdout + again.stderr and again.returncode == 0, again.stderr)
        house.check_nobody_left()
    finally:
        house.close()


@test
def no_zombies_and_no_leaks():
    """after many runs there are no zombies, no processes and no more descriptors"""
    with House({'a': flow(*[task(f't{i}', start_line()) for i in range(20)])}) as house:
        equal(house.wait_run(house.run('a')), 'success')
        daemon, keeper = house.daemon(), house.keepers()[0]
        before = house.fds(daemon), house.fds(keeper)
        for _ in range(10):
            equal(house.wait_run(house.run('a')), 'success')
        wait_for(lambda: house.fds(daemon) <= before[0] + 2, 10, 'closed descriptors')
        wait_for(lambda: house.fds(keeper) <= before[1] + 4, 10, "the keeper's descriptors")
        wait_for(lambda: not house.zombies(), 10, 'an end of zombies')
        house.check_nobody_left()
        house.check_ledger()


main()
