#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 of the keeper: survivors are adopted, what nobody saw is lost, nothing
is doubled (F003, F005, F006)."""
import os
import random
import time

from harness import House, QUICK, alive, check, equal, flow, kill, main, start_line, task, test, \
    wait_for

KILLS = int(os.environ.get('GOWTF_KEEPER_KILLS') or (4 if QUICK else 12))
UNTIL_GO = 'while [ ! -e "$LEDGER.go" ]; do sleep 0.02; done; '


def kill_keeper(house):
    keeper = wait_for(house.keepers, 15, 'a keeper')[0]
    kill(keeper)
    wait_for(lambda: not alive(keeper), 10, "the keeper's end")
    return keeper


@test
def adopted():
    """a task survives its keeper, is found again, and is not started twice"""
    with House({'w': flow(task('wait', start_line(UNTIL_GO + 'exit 0')))}) as house:
        run = house.run('w')
        pid = house.wait_running(run, 'wait')
        keeper = kill_keeper(house)
        wait_for(lambda: [k for k in house.keepers() if k != keeper], 30, 'a new keeper')
        check(alive(pid), 'the task died with the keeper')
        equal(house.state(run), 'running')
        open(house.ledger_path + '.go', 'w').close()
        house.wait_run(run, 40)
        a = house.attempt(run, 'wait')
        check(a['state'] in ('lost', 'success'), f'guessed: {dict(a)}')
        check(a['exit_code'] in (None, 0), f'guessed: {dict(a)}')
        house.check_ledger()
        house.check_rows()


@test
def dead_with_it():
    """a task that ends while there is no keeper is lost, never guessed"""
    with House({'w': flow(task('wait', start_line(UNTIL_GO + 'exit 0'), retries=1,
                               retry_delay='10ms'))}) as house:
        run = house.run('w')
        pid = house.wait_running(run, 'wait')
        daemon = house.daemon()
        kill(daemon, 19)  # nobody starts another keeper meanwhile
        kill_keeper(house)
        kill(pid)
        wait_for(lambda: not alive(pid), 10, 'the end of the task')
        open(house.ledger_path + '.go', 'w').close()
        kill(daemon, 18)
        equal(house.wait_run(run, 60), 'success')
        a = house.attempt(run, 'wait', 1)  # a kernel from 6.15 on remembers how it ended
        check(a['state'] == 'lost' or (a['state'], a['signal']) == ('failed', 9), f'{a}')
        equal(house.attempt(run, 'wait', 2)['state'], 'success')
        house.check_ledger()
        house.check_rows()


@test
def alternating():
    """keeper, daemon and both are killed in turn under load: none runs twice"""
    chance = random.Random(2)
    tasks = [task(f't{i}', start_line(f'sleep 0.{i}'), retries=5, retry_delay='10ms')
             for i in range(6)]
    tasks.append(task('join', start_line(), after=[f't{i}' for i in range(6)]))
    with House({'load': flow(*tasks)}) as house:
        for i in range(KILLS):
            house.run('load')
            time.sleep(chance.random() * 0.5)
            if i % 3 != 1:
                kill_keeper(house)
            if i % 3 != 0:
                house.kill_daemon()
                house.start(40)
            wait_for(house.keepers, 30, 'a new keeper')
        house.wait_all(120)
        house.check_nobody_left(20)
        house.check_rows()
        attempts = house.check_ledger(lost_may_be_unseen=True)
        lost = house.one("select count(*) from attempts where state = 'lost'")
        states = house.sql("select distinct state from workflow_runs")
        equal(states, [('success',)], 'how runs with retries ended')
        print(f'# {KILLS} kills, {attempts} attempts, {lost} lost', flush=True)


main()
