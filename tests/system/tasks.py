#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tasks that behave badly (F021-F024, F033-F036, F136), and how each end is told."""
import os
import time

from harness import House, QUICK, UnixConnection, check, equal, flow, main, start_line, task, \
    test, wait_for


@test
def exit_codes():
    """every exit code is told as it is"""
    codes = range(0, 256, 1 if not QUICK else 17)
    flows = {'codes': flow(*[task(f'c{c}', start_line(f'exit {c}')) for c in codes])}
    with House(flows, slots=16) as house:
        run = house.run('codes')
        equal(house.wait_run(run, 90), 'failed')
        rows = dict(house.sql('select t.name, a.exit_code from attempts a join tasks t'
                              ' on t.task = a.task and t.version_id ='
                              ' (select version_id from workflow_runs where id = a.run_id)'
                              ' where a.run_id = ? and a.signal is null', run))
        equal(rows, {f'c{c}': c for c in codes})
        house.check_ledger()
        house.check_rows()


@test
def signals():
    """every deadly signal is told apart from exit codes"""
    deadly = [s for s in range(1, 32) if s not in (17, 18, 19, 20, 21, 22, 23, 28)]
    flows = {'s': flow(*[task(f's{s}', start_line(f'ulimit -c 0; kill -{s} $$; sleep 5'))
                         for s in deadly])}
    with House(flows, slots=16) as house:
        run = house.run('s')
        equal(house.wait_run(run, 90), 'failed')
        rows = dict(house.sql('select t.name, a.signal from attempts a join tasks t'
                              ' on t.task = a.task and t.version_id ='
                              ' (select version_id from workflow_runs where id = a.run_id)'
                              ' where a.run_id = ? and a.exit_code is null', run))
        equal(rows, {f's{s}': s for s in deadly})


@test
def timeout():
    """a task that takes too long is stopped and told so, also while no daemon lives"""
    with House({'t': flow(task('slow', start_line('sleep 1000'), timeout='1s'))}) as house:
        run = house.run('t')
        pid = house.wait_running(run, 'slow')
        house.kill_daemon()
        wait_for(lambda: not os.path.exists(f'/proc/{pid}'), 15, 'the stop by the keeper')
        house.start()
        equal(house.wait_run(run), 'failed')
        equal(house.attempt(run, 'slow')['state'], 'timed_out')
        house.check_nobody_left()
        equal(house.one('select reason from task_instances where run_id = ?', run), 'timeout')


@test
def ignores_term():
    """a task that ignores the polite signal is killed after the grace"""
    with House({'t': flow(task('deaf', start_line(
            "trap '' TERM; while :; do sleep 0.1; done"), timeout='1s'))}) as house:
        run = house.run('t')
        equal(house.wait_run(run, 40), 'failed')
        a = house.attempt(run, 'deaf')
        equal((a['state'], a['needed_kill']), ('timed_out', 1))
        house.check_nobody_left()


@test
def stopped_at_cancel():
    """a stopped task is woken to hear that it was cancelled"""
    with House({'t': flow(task('stopped', start_line('kill -STOP $$; sleep 1000')),
                          task('after', start_line(), after=['stopped']))}) as house:
        run = house.run('t')
        pid = house.wait_running(run, 'stopped')
        wait_for(lambda: open(f'/proc/{pid}/stat').read().rsplit(') ', 1)[1][0] == 'T', 10,
                 'the stop')
        began = time.monotonic()
        house.call('POST', f'/runs/{run}/cancel')
        equal(house.wait_run(run, 30), 'cancelled')
        check(time.monotonic() - began < 8, 'it was not woken but killed')
        equal(house.one("select state from task_instances where run_id = ? and task = 1", run),
              'cancelled')
        house.check_nobody_left()


@test
def handed_out_ahead():
    """what waits at the keeper for a slot never runs once its run is cancelled"""
    tasks = [task(f't{i}', start_line('sleep 1000')) for i in range(10)]
    with House({'q': flow(*tasks)}, slots=1) as house:
        run = house.run('q')
        house.wait_running(run, 't0')
        wait_for(lambda: house.one("select count(*) from task_instances where state = 'queued'"),
                 what='tasks that wait')
        house.call('POST', f'/runs/{run}/cancel')
        equal(house.wait_run(run), 'cancelled')
        equal(len(house.ledger()), 1, 'tasks that began')
        equal(house.sql('select distinct state from attempts where run_id = ?', run), [('killed',)])
        house.check_rows()
        house.check_nobody_left()


@test
def process_trees():
    """nobody of a family outlives a cancelled task: setsid, nohup and double forks"""
    script = start_line('sleep 1000 & setsid sleep 1001 & (setsid sh -c "sleep 1002 &" &) ; '
                        'nohup sleep 1003 >/dev/null 2>&1 & wait')
    with House({'t': flow(task('family', script))}) as house:
        run = house.run('t')
        house.wait_running(run, 'family')
        wait_for(lambda: len(house.survivors()) >= 5, 10, 'the family')
        house.call('POST', f'/runs/{run}/cancel')
        equal(house.wait_run(run, 40), 'cancelled')
        house.check_nobody_left(20)


@test
def left_overs():
    """a task ends with its own process; what it left behind is ended too"""
    script = start_line('setsid sleep 1000 & sleep 1001 & echo done; exit 0')
    with House({'t': flow(task('leaver', script))}) as house:
        run = house.run('t')
        equal(house.wait_run(run, 40), 'success')
        house.check_nobody_left(20)
        check(b'done' in house.log(run, 'leaver'), 'its output is lost')


@test
def cannot_start():
    """what cannot be started says why and is not a failure of the task's own"""
    flows = {'t': flow(
        '  - {name: missing, command: [/no/such/program]}\n',
        '  - {name: directory, command: [/tmp]}\n',
        '  - {name: shell, script: "true", shell: /no/such/shell}\n',
        '  - {name: workdir, script: "true", workdir: /no/such/dir}\n')}
    with House(flows) as house:
        run = house.run('t')
        equal(house.wait_run(run), 'failed')
        for name in ('missing', 'directory', 'shell', 'workdir'):
            a = house.attempt(run, name)
            equal(a['state'], 'spawn_failed', name)
            check(a['message'], f'{name} does not say why')


@test
def quiet_streams():
    """stdin is empty, and closing the outputs harms nobody"""
    flows = {'t': flow(task('reads', start_line('cat; echo over')),
                       task('closes', start_line('exec >&- 2>&-; sleep 0.1')),
                       task('binary', start_line(r"printf '\377\000\001x'")))}
    with House(flows) as house:
        run = house.run('t')
        equal(house.wait_run(run), 'success')
        equal(house.log(run, 'reads'), b'over\n')
        equal(house.log(run, 'closes'), b'')
        equal(house.log(run, 'binary'), b'\xff\x00\x01x')


@test
def clean_birth():
    """a task has three descriptors, default signals and no secret of ours"""
    os.environ['GOWTF_TEST_SECRET'] = 'hunter2'
    script = start_line('ls /proc/$$/fd | tr "\\n" " "; grep -E "Sig(Blk|Ign)" /proc/self/status; env')
    try:
        with House({'t': flow(task('look', script))}) as house:
            run = house.run('t')
            equal(house.wait_run(run), 'success')
            text = house.log(run, 'look').decode()
            check(text.startswith(('0 1 2 ', '0 1 10 2 ', '0 1 2 255 ')), text[:60])
            check('SigBlk:\t0000000000000000' in text, f'signals are blocked: {text[:300]}')
            check('hunter2' not in text, 'the environment of the daemon leaks')
            with open(os.path.join(house.home, 'token')) as f:
                check(f.read().strip() not in text, 'the token leaks')
            for name in ('GOWTF_RUN_ID', 'GOWTF_TASK=look', 'PATH=', 'HOME='):
                check(name in text, f'{name} is missing')
    finally:
        del os.environ['GOWTF_TEST_SECRET']


@test
def whole_logs():
    """a long output is stored byte for byte while the daemon is killed"""
    n = 60000 if QUICK else 300000
    with House({'t': flow(task('noise', start_line(f'seq 1 {n}; sleep 0.2; seq 1 {n}')))}) as house:
        run = house.run('t')
        house.wait_running(run, 'noise')
        house.kill_daemon()
        house.start()
        equal(house.wait_run(run, 60), 'success')
        one = ''.join(f'{i}\n' for i in range(1, n + 1)).encode()
        a = house.attempt(run, 'noise')
        equal(a['out_bytes'], 2 * len(one))
        equal(a['dropped_bytes'], 0)
        text, offset = b'', 0
        while True:
            c = UnixConnection(os.path.join(house.home, 'server.sock'))
            c.request('GET', f'/api/v1/runs/{run}/tasks/noise/attempts/1/log'
                             f'?stream=out&offset={offset}')
            piece = c.getresponse().read()
            c.close()
            if not piece:
                break
            text += piece
            offset += len(piece)
        check(text == one + one, f'the log differs: {len(text)} of {2 * len(one)} bytes')


main()
