-- SPDX-License-Identifier: MIT
-- What must be true of every database of ours at rest, whatever happened to the
-- program before. Each statement names a rule ("-- I6 ...") and returns no row.
-- harness.py runs all of them after each scenario.

-- I1 what is over stays over
-- a person may run again what failed: then the run was retried
select c.run_id, c.task, c.from_state, c.to_state from v_task_changes c join workflow_runs r on
    r.id = c.run_id where c.from_state in ('success', 'failed', 'skipped', 'upstream_failed',
    'cancelled') and r.retried = 0;

-- I2 a task moves only along the table of moves
-- what moved further within a turn is one change: so this is the table, closed
select c.run_id, c.task, c.from_state, c.to_state
  from v_task_changes c join workflow_runs r on r.id = c.run_id
 where r.retried = 0
   and (c.to_state = 'pending'
        or c.to_state in ('skipped', 'upstream_failed') and c.from_state <> 'pending');

-- I2 the chain of changes of a task has no gap
select run_id, task, before, from_state from (select run_id, task, from_state, lag(to_state) over
    (partition by run_id, task, item order by seq) as before from v_task_changes) where before is
    not null and before <> from_state;

-- I3 one live attempt of an instance
select run_id, task, item from attempts where state in ('starting', 'running') group by 1, 2, 3
    having count(*) > 1;

-- I3 attempts do not overlap
select a.run_id, a.task, a.attempt from attempts a join attempts b on a.run_id = b.run_id and
    a.task = b.task and a.item = b.item and a.attempt < b.attempt where b.started_at <
    a.finished_at and a.state not in ('spawn_failed', 'lost');

-- I4 attempts are numbered without gap
select run_id, task from attempts group by run_id, task, item having min(attempt) <> 1 or
    max(attempt) <> count(*);

-- I4 no more charged attempts than allowed
select i.run_id, i.task from task_instances i join workflow_runs r on r.id = i.run_id join tasks t
    on t.version_id = r.version_id and t.task = i.task where i.charged > t.retries + 1 and
    r.retried = 0;

-- I5 an end has one kind
select run_id, task from attempts where exit_code is not null and signal is not null;

-- I5 what is over has an end of its kind
select run_id, task, attempt, state from attempts where (state in ('starting', 'running')) <>
    (finished_at is null) or (state = 'success' and (exit_code is null or signal is not null)) or
    (state = 'lost' and (exit_code is not null or signal is not null));

-- I6 a run is over when its tasks are
select r.id from workflow_runs r where (r.state in ('success', 'failed', 'cancelled')) <> (not
    exists (select 1 from task_instances i where i.run_id = r.id and i.state not in ('success',
    'failed', 'skipped', 'upstream_failed', 'cancelled')));

-- I6 the verdict is the one of the tasks
select r.id from workflow_runs r where r.state in ('success', 'failed', 'cancelled') and (r.state
    = 'cancelled') <> exists (select 1 from task_instances i where i.run_id = r.id and i.state =
    'cancelled') or r.state = 'failed' and not exists (select 1 from task_instances i where
    i.run_id = r.id and i.state = 'failed');

-- I6 the counts of a run are those of its tasks
select r.id from workflow_runs r join (select run_id, count(*) as total, sum(state in ('success',
    'failed', 'skipped', 'upstream_failed', 'cancelled')) as done from task_instances group by
    run_id) n on n.run_id = r.id where r.tasks_total <> n.total or r.state in ('success',
    'failed', 'cancelled') and r.tasks_done <> n.done;

-- I7 no task starts before its upstreams end
select a.run_id, a.task from attempts a join workflow_runs r on r.id = a.run_id join
    task_dependencies d on d.version_id = r.version_id and d.task = a.task join task_instances u
    on u.run_id = a.run_id and u.task = d.upstream where u.finished_at is null or a.started_at <
    u.finished_at - 5;

-- I8 what did not run says why
select run_id, task from task_instances where state in ('skipped', 'cancelled') and reason is null;

-- I8 what failed, was lost or is waited for says why
select run_id, task, state from task_instances where (state in ('failed', 'upstream_failed',
    'retrying')) and reason is null or state in ('success', 'pending') and reason is not null;

-- I10 a retry waits its delay
select b.run_id, b.task from attempts a join attempts b on b.run_id = a.run_id and b.task = a.task
    and b.attempt = a.attempt + 1 join workflow_runs r on r.id = a.run_id join tasks t on
    t.version_id = r.version_id and t.task = a.task where a.state in ('failed', 'timed_out') and
    r.retried = 0 and b.started_at < a.finished_at + t.retry_delay_ms * 9 / 10 - 5;

-- I10 nothing starts after its run is over
select a.run_id, a.task, a.attempt from attempts a join workflow_runs r on r.id = a.run_id where
    r.state in ('success', 'failed', 'cancelled') and a.started_at > r.finished_at + 5;

-- I11 no task outlives its timeout
-- with the longest grace and a machine that is busy
select a.run_id, a.task, a.attempt from attempts a join workflow_runs r on r.id = a.run_id join
    tasks t on t.version_id = r.version_id and t.task = a.task where t.timeout_ms > 0 and
    a.finished_at - a.started_at > t.timeout_ms + 60000;

-- I12 a slot belongs to a run of its workflow, entry and instant
select s.workflow_id, s.entry, s.slot_at from schedule_slots s left join workflow_runs r on r.id =
    s.run_id where s.run_id is not null and (r.id is null or r.workflow_id <> s.workflow_id or
    r.entry <> s.entry or r.slot_at <> s.slot_at);

-- I13 slots are fired or say why
select * from schedule_slots where (outcome = 'fired') <> (run_id is not null) or (outcome <>
    'fired' and reason is null);

-- I13 one run a slot
select run_id from schedule_slots where run_id is not null group by 1 having count(*) > 1;

-- I13 a scheduled run has its slot
select r.id from workflow_runs r left join schedule_slots s on s.run_id = r.id where r.trigger =
    'schedule' and s.run_id is null;

-- I14 no slot is decided before its time
select * from schedule_slots where decided_at < slot_at;

-- I15 a slot that fired was not late beyond the grace
select * from schedule_slots where outcome = 'fired' and decided_at - slot_at > 300000;

-- I16 the high water has no slot behind it that is undecided
-- a mark in the future was left by a clock that was wrong
select * from schedule_marks where high_water > (select max(at) from events) + 3 * 3600 * 1000;

-- I17 a run has all its tasks
select r.id from workflow_runs r join workflow_versions v on v.id = r.version_id where
    v.task_count <> (select count(*) from task_instances i where i.run_id = r.id and i.item = 0);

-- I18 one run a key
select workflow_id, idem_key from workflow_runs where idem_key is not null group by 1, 2 having
    count(*) > 1;

-- I21 an attempt has a task that was handed out so often
select a.run_id, a.task, a.attempt from attempts a left join task_instances i on i.run_id =
    a.run_id and i.task = a.task and i.item = a.item where i.run_id is null;

-- I24 what is over has a log or says that there is none
select run_id, task, attempt from attempts where state not in ('starting', 'running') and log_kind
    is null;

-- I30 the changes folded give the rows
select i.run_id, i.task, i.state, f.to_state from task_instances i join (select run_id, task,
    item, to_state, row_number() over (partition by run_id, task, item order by seq desc) as n
    from v_task_changes) f on f.run_id = i.run_id and f.task = i.task and f.item = i.item and f.n
    = 1 where i.state <> f.to_state;

-- I30 the events of a run folded give its state
select r.id, r.state, f.state from workflow_runs r join (select run_id, json_extract(data, '$.to')
    as state, row_number() over (partition by run_id order by seq desc) as n from events where
    kind = 'run' and json_extract(data, '$.to') is not null) f on f.run_id = r.id and f.n = 1
    where f.state <> r.state;

-- I32 a run follows a version of its workflow
select r.id from workflow_runs r left join workflow_versions v on v.id = r.version_id and
    v.workflow_id = r.workflow_id where v.id is null;

-- I32 tasks of a run are those of its version
select i.run_id, i.task from task_instances i join workflow_runs r on r.id = i.run_id left join
    tasks t on t.version_id = r.version_id and t.task = i.task where t.task is null;

-- I33 a workflow that is active has a file
select w.name from workflows w where w.state = 'active' and not exists (select 1 from
    definition_files f where f.workflow_id = w.id);

-- L1 nobody who could run was forgotten for more than a second
with before (ms) as (select cast((julianday('now') - 2440587.5) * 86400000 as integer) - 1000)
select i.run_id, i.task from task_instances i join workflow_runs r on r.id = i.run_id, before where
    i.state = 'pending' and r.state = 'running' and r.started_at < before.ms and not exists (select 1
    from task_dependencies d join task_instances u on u.run_id = i.run_id and u.task = d.upstream
    where d.version_id = r.version_id and d.task = i.task and (u.finished_at > before.ms or u.state
    not in ('success', 'failed', 'skipped', 'upstream_failed', 'cancelled')));
