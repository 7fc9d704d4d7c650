#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files change while the daemon runs (F081, F090-F094) and while it does not."""
import os
import shutil
import subprocess
import time

from harness import House, QUICK, check, equal, flow, main, start_line, task, test, wait_for

GATE = 'while [ ! -e "$LEDGER.go" ]; do sleep 0.02; done; '


def one(script, name=None):
    return flow(task('t', start_line(script)), **({'name': name} if name else {}))


@test
def in_effect_soon():
    """a saved file is in effect at once"""
    with House({'a': one('true')}) as house:
        house.knows('a', 1)
        slow = []
        for n in range(2, 8):
            began = time.monotonic()
            house.save('a', one(f'true {n}'))
            house.knows('a', n)
            slow.append(time.monotonic() - began)
        print(f'# median {sorted(slow)[len(slow) // 2] * 1000:.0f} ms', flush=True)
        check(min(slow) < 1, f'{slow}')


@test
def ways_to_save():
    """sed, mv, cp, git and a swap of links all come to the new version"""
    with House({'a': one('echo one')}) as house:
        path = os.path.join(house.flows, 'a.yaml')
        house.knows('a', 1)
        subprocess.run(['sed', '-i', 's/one/two/', path], check=True)
        house.knows('a', 2)
        with open(path + '.tmp', 'w') as f:
            f.write(house.text(one('echo three')))
        os.rename(path + '.tmp', path)
        house.knows('a', 3)
        os.rename(path, path + '~')
        house.save('a', one('echo four'))
        house.knows('a', 4)
        shutil.copy(path, path + '.copy')
        subprocess.run(['sed', '-i', 's/four/five/', path + '.copy'], check=True)
        shutil.copyfile(path + '.copy', path)
        house.knows('a', 5)
        gone = house.sql("select 1 from events where kind = 'workflow' and data like '%gone%'")
        equal(gone, [], 'the workflow was gone in between')


@test
def mistake():
    """a mistake is shown with its place, and the good version goes on"""
    with House({'a': one('echo good')}) as house:
        house.knows('a', 1)
        house.save('a', 'tasks:\n  - name: t\n    scrpt: echo bad\n')
        wait_for(lambda: house.sql('select 1 from definition_errors'), 10, 'the error')
        rows = house.sql('select code, line, problem from definition_errors')
        check(all(code.startswith('E') for code, _, _ in rows), str(rows))
        check(any(line == 4 and 'script' in problem for _, line, problem in rows), str(rows))
        listed = house.call('GET', '/workflows')
        check('a.yaml' in str(listed), 'the file is not among those that do not load')
        run = house.run('a')
        equal(house.wait_run(run), 'success')
        check(b'good' in house.log(run, 't'))
        house.save('a', one('echo better'))
        house.knows('a', 2)
        equal(house.sql('select 1 from definition_errors'), [])


@test
def run_keeps_its_version():
    """a run keeps the version it began with, the next one has the new"""
    with House({'a': flow(task('one', start_line(GATE)),
                          task('two', start_line('echo old'), after=['one']))}) as house:
        first = house.run('a')
        house.wait_running(first, 'one')
        house.save('a', flow(task('one', start_line('true')),
                             task('two', start_line('echo new'), after=['one'])))
        house.knows('a', 2)
        open(house.ledger_path + '.go', 'w').close()
        equal(house.wait_run(first), 'success')
        second = house.run('a')
        equal(house.wait_run(second), 'success')
        check(b'old' in house.log(first, 'two') and b'new' in house.log(second, 'two'))
        house.check_rows()


@test
def deleted_while_running():
    """a deleted file lets its run finish; made again it has its history"""
    with House({'a': flow(task('t', start_line(GATE)))}) as house:
        run = house.run('a')
        house.wait_running(run, 't')
        path = os.path.join(house.flows, 'a.yaml')
        with open(path) as f:
            text = f.read()
        os.unlink(path)
        wait_for(lambda: house.one("select state from workflows where name = 'a'") == 'gone', 10,
                 'its disappearance')
        open(house.ledger_path + '.go', 'w').close()
        equal(house.wait_run(run), 'success')
        with open(path, 'w') as f:
            f.write(text)
        house.knows('a', 1)
        equal(house.one("select count(*) from v_runs where workflow = 'a'"), 1)
        equal(house.wait_run(house.run('a')), 'success')


@test
def renamed():
    """a renamed file is the same workflow and fires no slot twice"""
    with House({'a': flow(task('t', start_line()), name='x', schedule={'every': '1s'})}) as house:
        wait_for(lambda: house.one('select count(*) from schedule_slots') >= 2, 20, 'two slots')
        os.rename(os.path.join(house.flows, 'a.yaml'), os.path.join(house.flows, 'b.yaml'))
        wait_for(lambda: house.one('select path from workflows') == 'b.yaml', 10, 'the new path')
        n = house.one('select count(*) from schedule_slots')
        wait_for(lambda: house.one('select count(*) from schedule_slots') >= n + 2, 20, 'more')
        equal(house.one('select count(*) from workflows'), 1)
        equal(house.one('select count(*) from workflow_versions'), 1)
        house.wait_all()
        house.check_rows()


@test
def while_it_was_away():
    """what was changed while no daemon ran is in effect when it starts"""
    with House({'a': one('true'), 'b': one('true')}) as house:
        house.knows('b', 1)
        house.stop()
        house.save('a', one('echo changed'))
        os.unlink(os.path.join(house.flows, 'b.yaml'))
        house.save('c', one('true'))
        house.start()
        equal(sorted(house.sql("select name, version from v_workflows where state = 'active'")),
              [('a', 2), ('c', 1)])


@test
def many_files():
    """a thousand new files are in effect soon, and the API answers meanwhile"""
    n = 200 if QUICK else 1000
    with House() as house:
        began = time.monotonic()
        for i in range(n):
            house.save(f'f{i}', one('true'))
        slowest = 0
        while house.one('select count(*) from workflows') < n:
            t = time.monotonic()
            house.call('GET', '/system')
            slowest = max(slowest, time.monotonic() - t)
            check(time.monotonic() - began < 60, 'they never came')
        print(f'# {n} files in {time.monotonic() - began:.2f} s, slowest answer'
              f' {slowest * 1000:.0f} ms', flush=True)
        check(slowest < 5, f'an answer took {slowest:.1f} s')


main()
