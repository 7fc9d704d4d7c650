#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A full disk (F060): nothing is accepted that cannot be kept, what runs runs on,
and work resumes by itself."""
import os
import shutil
import subprocess
import tempfile

from harness import House, Refused, Skip, check, equal, flow, main, start_line, task, test, \
    wait_for

GATE = 'while [ ! -e "$LEDGER.go" ]; do sleep 0.02; done; '


class SmallDisk:
    def __init__(self, size):
        self.top = tempfile.mkdtemp(prefix='gowtf-disk-')
        self.path = os.path.join(self.top, 'home')
        os.mkdir(self.path)
        p = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size},mode=700', 'tmpfs',
                            self.path], capture_output=True, text=True)
        if p.returncode:
            shutil.rmtree(self.top, ignore_errors=True)
            raise Skip('no right to mount')

    def fill(self):
        with open(os.path.join(self.path, 'ballast'), 'wb') as f:
            try:
                while True:
                    f.write(b'x' * 65536)
                    f.flush()
            except OSError:
                pass
            try:
                while True:
                    os.write(f.fileno(), b'x' * 512)
            except OSError:
                pass

    def free(self):
        os.unlink(os.path.join(self.path, 'ballast'))

    def close(self):
        subprocess.run(['umount', '-l', self.path], capture_output=True)
        shutil.rmtree(self.top, ignore_errors=True)


@test
def full():
    """a full disk refuses new runs, keeps the old ones, and is forgiven when space is back"""
    disk = SmallDisk('12m')
    house = House({'a': flow(task('t', start_line(GATE)), task('u', start_line(), after=['t']))},
                  top=disk.top)
    try:
        house.start()
        run = house.run('a')
        house.wait_running(run, 't')
        disk.fill()

        def refused():
            try:
                house.run('a', timeout=2)
                return False
            except TimeoutError:
                return False  # the wish that met the full disk waits with its turn
            except Refused as e:
                check(e.status in (503, 507), str(e))
                return True
        wait_for(refused, 30, 'a refusal')
        open(house.ledger_path + '.go', 'w').close()  # outside the full disk
        wait_for(lambda: house.one('select 1') == 1, 5, 'a reading answer')
        disk.free()
        equal(house.wait_run(run, 60), 'success')
        again = wait_for(lambda: accepted(house), 30, 'an accepted run')
        equal(house.wait_run(again, 60), 'success')
        house.wait_all()
        house.check_rows()
        house.check_ledger()
    finally:
        house.close()
        disk.close()


def accepted(house):
    try:
        return house.run('a')
    except Refused:
        return None


main()
