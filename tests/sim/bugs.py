#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bugs for the simulator to find: each is one edit of a core's source.

bugs.py --list                 one line a bug: its file
bugs.py --plant N IN OUT       OUT is IN with bug N in it
bugs.py --find SIM...          run each planted simulator; TAP

A text that does not occur exactly once (whatever the blanks in it) is an error,
so that the list keeps up with the source."""
import re
import subprocess
import sys

LIVES = 10000
ATTEMPTS, RULES, RUNS, SETTLE, SLOTS = (
    'executor/attempts.c', 'executor/rules.c', 'executor/runs.c', 'executor/settle.c',
    'executor/slots.c')
SCHEDULER, HEALTH = 'scheduler/core.c', 'health/core.c'
BUGS = [
    ('an end does not give the slot back', ATTEMPTS,
     '    n->tried = true;\n    exec_release(x, r, n);\n    if (!task',
     '    n->tried = true;\n    if (!task'),
    ('an end told twice is believed twice', ATTEMPTS,
     '    if (has_ended(x, end->attempt))\n        return;\n', ''),
    ('a start that was never written down is a stranger', ATTEMPTS,
     'return r->nodes[a.task].try == a.try ? r : NULL;',
     'return r->nodes[a.task].try == a.try && r->nodes[a.task].tried ? r : NULL;'),
    ('a retry does not wait', ATTEMPTS,
     'at + rule_jitter(exec_current(r, task), t->retry_delay)', 'at'),
    ('one try is missing', ATTEMPTS, 'r->nodes[task].charged > t->retries',
     'r->nodes[task].charged >= t->retries'),
    ('a retry has the name of the try before', ATTEMPTS, '    n->try++;\n', ''),
    ('a cascade stops after the first step', SETTLE,
     'todo->head != NO_TASK; todo->head = r->nodes[todo->head].next)',
     'todo->head != NO_TASK; todo->head = NO_TASK)'),
    ('max_parallel lets one more in', SLOTS, 'r->live >= r->workflow->max_parallel',
     'r->live > r->workflow->max_parallel'),
    ('there is always one more slot', SLOTS, 'x->live < x->slots && (r =',
     'x->live <= x->slots && (r ='),
    ('runs of a workflow do not stand in line', RUNS, 'lane->running < x->limit &&', ''),
    ('the next run in line is not called', RUNS,
     '    exec_lane_wake(x, r->lane);\n    map_take(&x->runs, r->id);',
     '    map_take(&x->runs, r->id);'),
    ('what may have been lost on the way is not said again', SLOTS,
     '            say_again(runs[i], fx);', '            (void)say_again;'),
    ('a restart forgets who holds a slot', RUNS,
     '            exec_hold(x, r, n);\n    }\n    for', '            n->tried = true;\n    }\n    for'),
    ('a cancelled task does not wait for its process', RUNS,
     '        if (r->nodes[i].live)\n            exec_emit_stop(exec_current(r, i), CAUSE_STOPPED, fx);\n'
     '        else if', '        if'),
    ('a cancellation does not wait for the journal', RUNS, '    if (x->heard)\n', ''),
    ('a cancelled run goes on deciding', SETTLE, 'r->admitted && !r->cancelled)',
     'r->admitted)'),
    ('a stranger takes no slot', SLOTS, 'x->strays[x->stray_count++] = a;\n    x->live++;',
     'x->strays[x->stray_count++] = a;'),
    ('a free place in a run is not offered', SLOTS, '    x->live--;\n    offer(x, r);',
     '    x->live--;'),
    ('a loss that was forgotten stays forgotten', ATTEMPTS, '    catch_up(x, a, now, fx);\n',
     '    (void)catch_up;\n'),
    ('a stranger is not stopped', ATTEMPTS,
     '        exec_stray_add(x, a);\n        exec_emit_stop(a, CAUSE_STOPPED, fx);',
     '        exec_stray_add(x, a);'),
    ('the exit code of an earlier try is kept', ATTEMPTS, 'n->has_exit_code = end->how == END_EXIT;',
     'n->has_exit_code |= end->how == END_EXIT;'),
    ('one success makes up for a broken parent', RULES, '        if (task_is_broken(s))\n',
     '        if (task_is_broken(s) && !any_success)\n'),
    ('a task runs though all its parents were skipped', RULES, 'any_skipped && !any_success',
     'any_skipped && any_success && false'),
    ('an allowed failure breaks its children', RULES,
     's == TASK_FAILED && w->tasks[t->up[i]].allow_failure == ALLOW_YES',
     's == TASK_FAILED && w->tasks[t->up[i]].allow_failure == ALLOW_YES && i > 99'),
    ('a timeout that exits with 0 is a success', RULES,
     'end->how == END_EXIT && end->cause == CAUSE_SELF', 'end->how == END_EXIT'),
    ('a failure its author will not forgive is handled', RULES,
     't->allow_failure != ALLOW_UNSAID', 't->allow_failure == ALLOW_YES'),
    ('a rerun counts its attempts from one', RULES, ', .attempts = row->attempts}', '}'),
    ('a rerun forgets what hangs on a failure', RULES, 'done < count; done++', 'done < 1; done++'),
    ('a failed condition is a skip', RULES, '[EXPR_ERROR] = {TASK_FAILED,  REASON_EXPRESSION}',
     '[EXPR_ERROR] = {TASK_SKIPPED, REASON_CONDITION}'),
    ('the high water runs ahead of what was decided', SCHEDULER,
     '    e->high_water = e->due.at;\n', '    e->high_water = e->due.at + (e->every ? 0 : 60000);\n'),
    ('grace is twice as long as it should be', SCHEDULER, 'decide_late(e, now - SCHED_GRACE_MS, fx);',
     'decide_late(e, now - 2 * SCHED_GRACE_MS, fx);'),
    ('every backward step is followed, so slots come twice', SCHEDULER,
     'e->high_water - now > SCHED_BACK_MS', 'e->high_water - now > 0'),
    ('a pause is not heeded', SCHEDULER, 'f->outcome = *e->paused ? SLOT_SKIPPED : late',
     'f->outcome = late'),
    ('a slot is decided before its instant', SCHEDULER, 'while (e->due.at <= now)',
     'while (e->due.at <= now + 1000)'),
    ('an edit begins the unchanged entries anew', SCHEDULER, 'if (is_same(*p, d)) {',
     'if (is_same(*p, d) && !d->entry.at) {'),
    ('a restart begins all entries anew', SCHEDULER, '    if (unseen)\n        d.high_water = now;',
     '    d.high_water = now;'),
    ('the entry that is due stays behind another', SCHEDULER,
     '    sift_down(s, e);\n}\n\nvoid sched_tick', '}\n\nvoid sched_tick'),
    ('silence is taken for death without asking', HEALTH,
     'bool ask = !k->asked || now - k->asked_at >= ANSWER_MS + ASLEEP_MS;', 'bool ask = false;'),
    ('our own sleep is taken for silence', HEALTH,
     '!k->asked || now - k->asked_at >= ANSWER_MS + ASLEEP_MS', '!k->asked'),
    ('silence is counted as standing still', HEALTH,
     'MIN(h->watched[i].progress_at + silence, now)', 'h->watched[i].progress_at'),
    ('progress is not noticed', HEALTH,
     'w->log_len = m->alive.log_len;\n    w->progress_at = now;', 'w->log_len = m->alive.log_len;'),
    ('a keeper that came back is not watched', HEALTH, 'hear_keeper(h, k, now);\n    k->up = true;',
     'hear_keeper(h, k, now);'),
    ('who ended is watched on', HEALTH, '*w = h->watched[--h->count];', ''),
]


def plant(number, source, target):
    name, _, old, new = BUGS[number]
    pattern = r'\s+'.join(re.escape(word) for word in old.split())
    with open(source, encoding='utf-8') as file:
        text, count = re.subn(pattern, lambda _: new.strip(), file.read())
    if count != 1:
        sys.exit(f'bugs.py: "{name}" fits {count} places in {source}')
    with open(target, 'w', encoding='utf-8') as out:
        out.write(text)


def find(sims):
    print(f'1..{len(sims)}')
    for number, sim in enumerate(sims):
        done = subprocess.run([sim, '--count', str(LIVES)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        found = 'ok' if done.returncode != 0 else 'not ok'
        print(f'{found} {number + 1} - planted bugs are found: {BUGS[number][0]}')
        for line in done.stdout.splitlines()[-2:]:
            print('# ' + line.lstrip('# '))


if sys.argv[1] == '--list':
    print('\n'.join(bug[1] for bug in BUGS))
elif sys.argv[1] == '--plant':
    plant(int(sys.argv[2]), sys.argv[3], sys.argv[4])
else:
    find(sys.argv[2:])
