-- SPDX-License-Identifier: MIT
-- read.sql: every question the API, the UI and the command line ask.
-- This file only reads. Lists of ids are found by one statement each, along the
-- index that fits; the row of an id is always the same statement.

-- seq() -> (seq int)
SELECT coalesce(max(seq), 0) AS seq FROM events;

-- ---------------------------------------------------------------- workflows

-- workflow_find(name text) -> (id int, version int)
SELECT id, version_id AS version FROM workflows WHERE name = :name;

-- workflow_ids() -> (id int)
SELECT id FROM workflows ORDER BY state, name;

-- workflow(id int) -> (id int, name text, state text, enabled int, switch_at nint, switch_actor text, switch_reason text, description text, owner text, tags text, timezone text, path text, dir text, version_id int, version int, hash text, task_count int, usual_ms nint)
SELECT w.id, w.name, w.state, coalesce(s.enabled, w.enabled) AS enabled, s.at AS switch_at,
       s.actor AS switch_actor, s.reason AS switch_reason, w.description, w.owner, w.tags,
       w.timezone, w.path, w.dir, w.version_id, v.number AS version, v.hash, v.task_count,
       u.p50_ms AS usual_ms
  FROM workflows w
  JOIN workflow_versions v ON v.id = w.version_id
  LEFT JOIN workflow_switches s ON s.workflow_id = w.id
  LEFT JOIN stats u ON u.workflow_id = w.id AND u.task = ''
 WHERE w.id = :id;

-- workflow_schedules(id int) -> (entry text, kind text, text text, timezone text, every_ms int, high_water nint, last_slot nint)
SELECT c.entry, c.kind, c.text, c.timezone, c.every_ms, m.high_water,
       (SELECT max(slot_at) FROM schedule_slots l
         WHERE l.workflow_id = c.workflow_id AND l.entry = c.entry) AS last_slot
  FROM schedules c
  LEFT JOIN schedule_marks m ON m.workflow_id = c.workflow_id AND m.entry = c.entry
 WHERE c.workflow_id = :id
 ORDER BY c.position;

-- workflow_last_runs(id int, most int) -> (id int, version int, state text, degraded int, reason text, created_at int, started_at nint, finished_at nint)
SELECT r.id, v.number AS version, r.state, r.degraded, r.reason, r.created_at, r.started_at,
       r.finished_at
  FROM workflow_runs r
  JOIN workflow_versions v ON v.id = r.version_id
 WHERE r.workflow_id = :id
 ORDER BY r.id DESC
 LIMIT :most;

-- workflow_totals(id int, since int) -> (runs int, ended int, good int)
SELECT (SELECT count(*) FROM workflow_runs WHERE workflow_id = :id) AS runs,
       count(*) AS ended, coalesce(sum(state = 'success'), 0) AS good
  FROM workflow_runs
 WHERE workflow_id = :id AND finished_at >= :since AND state IN ('success', 'failed');

-- version_find(workflow int, number int) -> (id int, task_count int)
SELECT id, task_count FROM workflow_versions WHERE workflow_id = :workflow AND number = :number;

-- version_text(id int) -> (number int, hash text, source text, path text, task_count int)
SELECT number, hash, source, path, task_count FROM workflow_versions WHERE id = :id;

-- versions(workflow int) -> (number int, hash text, loaded_at int, path text, task_count int)
SELECT number, hash, loaded_at, path, task_count
  FROM workflow_versions
 WHERE workflow_id = :workflow
 ORDER BY number DESC;

-- version_tasks(version int) -> (task int, name text, description text, kind text, condition text, retries int, retry_delay_ms int, timeout_ms int, line int)
SELECT task, name, description, kind, condition, retries, retry_delay_ms, timeout_ms, line
  FROM tasks
 WHERE version_id = :version
 ORDER BY task;

-- version_defined(version int) -> (task int, name text, condition text, retries int, timeout_ms int)
SELECT task, name, condition, retries, timeout_ms
  FROM tasks
 WHERE version_id = :version
 ORDER BY task;

-- version_edges(version int) -> (task int, upstream int)
SELECT task, upstream
  FROM task_dependencies
 WHERE version_id = :version
 ORDER BY task, upstream;

-- version_task_find(version int, name text) -> (task int)
SELECT task FROM tasks WHERE version_id = :version AND name = :name;

-- problem_paths() -> (path text, workflow nint, workflow_name text, state text, reason text, at nint, n int)
SELECT f.path, f.workflow_id AS workflow, w.name AS workflow_name, f.state, f.reason,
       (SELECT max(at) FROM definition_errors d WHERE d.path = f.path) AS at,
       (SELECT count(*) FROM definition_errors d WHERE d.path = f.path AND d.severity = 'error') AS n
  FROM definition_files f
  LEFT JOIN workflows w ON w.id = f.workflow_id
 WHERE f.state IN ('invalid', 'conflict')
 ORDER BY f.path;

-- problems_of(path text) -> (severity text, code text, line int, col int, message text, problem text, at int)
SELECT severity, code, line, col, message, problem, at
  FROM definition_errors
 WHERE path = :path
 ORDER BY n;

-- -------------------------------------------------------------------- slots

-- slots_since(workflow nint, since int, until int, outcome text, most int) -> (workflow text, entry text, slot_at int, wall text, outcome text, reason text, run nint, shifted text, more int, decided_at int)
SELECT w.name AS workflow, s.entry, s.slot_at, s.wall, s.outcome, s.reason, s.run_id AS run,
       s.shifted, s.more, s.decided_at
  FROM schedule_slots s
  JOIN workflows w ON w.id = s.workflow_id
 WHERE s.slot_at >= :since AND s.slot_at < :until
   AND (:workflow IS NULL OR s.workflow_id = :workflow)
   AND (:outcome IS NULL OR s.outcome = :outcome)
 ORDER BY s.slot_at DESC
 LIMIT :most;

-- slots_missed(since int) -> (workflow text, n int, slot_at int, reason text)
SELECT w.name AS workflow, count(*) + sum(s.more) AS n, max(s.slot_at) AS slot_at, s.reason
  FROM schedule_slots s
  JOIN workflows w ON w.id = s.workflow_id
 WHERE s.slot_at >= :since AND s.outcome = 'missed'
 GROUP BY s.workflow_id
 ORDER BY slot_at DESC;

-- --------------------------------------------------------------------- runs

-- runs_any(before int, since int, until int, states text, most int) -> (id int)
SELECT id FROM workflow_runs
 WHERE id < :before AND created_at >= :since AND created_at < :until
   AND (:states IS NULL OR instr(:states, ',' || state || ',') > 0)
 ORDER BY id DESC
 LIMIT :most;

-- runs_of(workflow int, before int, since int, until int, states text, most int) -> (id int)
SELECT id FROM workflow_runs
 WHERE workflow_id = :workflow AND id < :before AND created_at >= :since AND created_at < :until
   AND (:states IS NULL OR instr(:states, ',' || state || ',') > 0)
 ORDER BY id DESC
 LIMIT :most;

-- runs_live(workflow nint, before int, since int, until int, states text, most int) -> (id int)
SELECT id FROM workflow_runs
 WHERE state IN ('queued', 'running') AND instr(:states, ',' || state || ',') > 0
   AND (:workflow IS NULL OR workflow_id = :workflow)
   AND id < :before AND created_at >= :since AND created_at < :until
 ORDER BY id DESC
 LIMIT :most;

-- runs_failed(workflow nint, before int, since int, until int, most int) -> (id int)
SELECT id FROM workflow_runs
 WHERE state = 'failed' AND (:workflow IS NULL OR workflow_id = :workflow)
   AND id < :before AND created_at >= :since AND created_at < :until
 ORDER BY id DESC
 LIMIT :most;

-- run(id int) -> (id int, key text, workflow_id int, workflow text, version_id int, version int, state text, reason text, degraded int, trigger text, actor text, params text, entry text, slot_at nint, created_at int, started_at nint, finished_at nint, cancel_at nint, cancel_actor text, retried int, tasks_total int, tasks_done int, tasks_failed int, tasks_running int, usual_ms nint, failed_task nint, failed_name text, failed_reason text, failed_try nint, failed_exit nint, failed_signal nint, failed_timeout_ms nint, failed_message text, failed_excerpt text, failed_line nint, ahead nint)
SELECT r.id, r.key, r.workflow_id, w.name AS workflow, r.version_id, v.number AS version, r.state,
       r.reason, r.degraded, r.trigger, r.actor, r.params, r.entry, r.slot_at, r.created_at,
       r.started_at, r.finished_at, r.cancel_at, r.cancel_actor, r.retried, r.tasks_total,
       r.tasks_done, r.tasks_failed, r.tasks_running, u.p50_ms AS usual_ms, r.failed_task,
       t.name AS failed_name, i.reason AS failed_reason, i.attempt AS failed_try,
       i.exit_code AS failed_exit, a.signal AS failed_signal, t.timeout_ms AS failed_timeout_ms,
       a.message AS failed_message, a.error_excerpt AS failed_excerpt,
       a.first_error_line AS failed_line,
       CASE WHEN r.state = 'queued' THEN
           (SELECT min(o.id) FROM workflow_runs o
             WHERE o.state IN ('queued', 'running') AND o.workflow_id = r.workflow_id
               AND o.id < r.id) END AS ahead
  FROM workflow_runs r
  JOIN workflows w ON w.id = r.workflow_id
  JOIN workflow_versions v ON v.id = r.version_id
  LEFT JOIN stats u ON u.workflow_id = r.workflow_id AND u.task = ''
  LEFT JOIN tasks t ON t.version_id = r.version_id AND t.task = r.failed_task
  LEFT JOIN task_instances i ON i.run_id = r.id AND i.task = r.failed_task AND i.item = 0
  LEFT JOIN attempts a ON a.run_id = r.id AND a.task = r.failed_task AND a.item = 0
                      AND a.attempt = i.attempt
 WHERE r.id = :id;

-- run_brief(id int) -> (workflow_id int, workflow text, version_id int, state text, key text, tasks_total int, tasks_done int, tasks_failed int, tasks_running int)
SELECT r.workflow_id, w.name AS workflow, r.version_id, r.state, r.key, r.tasks_total,
       r.tasks_done, r.tasks_failed, r.tasks_running
  FROM workflow_runs r
  JOIN workflows w ON w.id = r.workflow_id
 WHERE r.id = :id;

-- run_running_tasks(run int, most int) -> (name text)
SELECT t.name
  FROM task_instances i
  JOIN workflow_runs r ON r.id = i.run_id
  JOIN tasks t ON t.version_id = r.version_id AND t.task = i.task
 WHERE i.run_id = :run AND i.state = 'running'
 ORDER BY i.task
 LIMIT :most;

-- run_held(run int) -> (queued int, wait_code text, since nint, retrying int, due_at nint)
SELECT coalesce(sum(state = 'queued'), 0) AS queued,
       max(CASE WHEN state = 'queued' THEN wait_code END) AS wait_code,
       min(CASE WHEN state = 'queued' THEN queued_at END) AS since,
       coalesce(sum(state = 'retrying'), 0) AS retrying,
       min(CASE WHEN state = 'retrying' THEN due_at END) AS due_at
  FROM task_instances
 WHERE run_id = :run AND state IN ('queued', 'retrying');

-- run_cells(run int) -> (name text, state text, attempt int)
SELECT t.name, i.state, i.attempt
  FROM task_instances i
  JOIN workflow_runs r ON r.id = i.run_id
  JOIN tasks t ON t.version_id = r.version_id AND t.task = i.task
 WHERE i.run_id = :run AND i.item = 0
 ORDER BY i.task;

-- run_events(run int, after int, most int) -> (seq int, at int, kind text, actor text, data text)
SELECT seq, at, kind, actor, data
  FROM events
 WHERE run_id = :run AND seq > :after
 ORDER BY seq
 LIMIT :most;

-- -------------------------------------------------------------------- tasks

-- usual_of_tasks(workflow int) -> (task text, p50_ms int)
SELECT task, p50_ms FROM stats WHERE workflow_id = :workflow AND task <> '' ORDER BY task;

-- run_instances(run int, low int, high int) -> (task int, item int, state text, reason text, attempt int, exit_code nint, queued_at nint, started_at nint, finished_at nint, due_at nint, wait_code text)
SELECT task, item, state, reason, attempt, exit_code, queued_at, started_at, finished_at, due_at,
       wait_code
  FROM task_instances
 WHERE run_id = :run AND task BETWEEN :low AND :high
 ORDER BY task, item;

-- run_attempts(run int, low int, high int) -> (task int, item int, attempt int, signal nint, message text, user_us int, sys_us int, max_rss_kib int, out_bytes int, err_bytes int, last_output_at nint, error_excerpt text, first_error_line nint)
SELECT task, item, attempt, signal, message, user_us, sys_us, max_rss_kib, out_bytes, err_bytes,
       last_output_at, error_excerpt, first_error_line
  FROM attempts
 WHERE run_id = :run AND task BETWEEN :low AND :high
 ORDER BY task, item, attempt;

-- run_states(run int) -> (task int, item int, state text)
SELECT task, item, state FROM task_instances WHERE run_id = :run ORDER BY task, item;

-- queue() -> (at int)
SELECT i.queued_at AS at
  FROM workflow_runs r
  JOIN task_instances i ON i.run_id = r.id
 WHERE r.state IN ('queued', 'running') AND i.state = 'queued' AND i.queued_at IS NOT NULL
 ORDER BY i.queued_at
 LIMIT 100000;

-- attempts_of(run int, task int, item int) -> (attempt int, state text, pid nint, started_at nint, finished_at nint, exit_code nint, signal nint, needed_kill int, message text, user_us int, sys_us int, max_rss_kib int, out_bytes int, err_bytes int, dropped_bytes int, last_output_at nint, error_excerpt text, first_error_line nint)
SELECT attempt, state, pid, started_at, finished_at, exit_code, signal, needed_kill, message,
       user_us, sys_us, max_rss_kib, out_bytes, err_bytes, dropped_bytes, last_output_at,
       error_excerpt, first_error_line
  FROM attempts
 WHERE run_id = :run AND task = :task AND item = :item
 ORDER BY attempt;

-- attempt_log(run int, task int, item int, attempt int) -> (key text, state text, log_kind text, log_number nint, log_offset nint, out_bytes int, err_bytes int, marks_bytes int, dropped_bytes int)
SELECT r.key, a.state, a.log_kind, a.log_number, a.log_offset, a.out_bytes, a.err_bytes,
       a.marks_bytes, a.dropped_bytes
  FROM attempts a
  JOIN workflow_runs r ON r.id = a.run_id
 WHERE a.run_id = :run AND a.task = :task AND a.item = :item AND a.attempt = :attempt;

-- ---------------------------------------------------------------- the whole

-- home_failures(since int) -> (workflow int, run int, in_row int)
SELECT r.workflow_id AS workflow, max(r.id) AS run,
       (SELECT count(*) FROM workflow_runs f
         WHERE f.state = 'failed' AND f.workflow_id = r.workflow_id
           AND f.id > coalesce((SELECT max(g.id) FROM workflow_runs g
                                 WHERE g.workflow_id = r.workflow_id
                                   AND g.state = 'success'), 0)) AS in_row
  FROM workflow_runs r
  JOIN workflows w ON w.id = r.workflow_id AND w.state = 'active'
 WHERE r.state = 'failed' AND r.finished_at >= :since
   AND NOT EXISTS (SELECT 1 FROM workflow_runs g
                    WHERE g.workflow_id = r.workflow_id AND g.id > r.id AND g.state = 'success')
 GROUP BY r.workflow_id
 ORDER BY run DESC;

-- home_hours(since int) -> (hour int, state text, n int)
SELECT (created_at - :since) / 3600000 AS hour, state, count(*) AS n
  FROM workflow_runs
 WHERE id > coalesce((SELECT max(id) FROM workflow_runs WHERE created_at < :since), 0)
   AND created_at >= :since
 GROUP BY 1, 2
 ORDER BY 1;

-- home_missed(since int) -> (n int)
SELECT coalesce(sum(1 + more), 0) AS n
  FROM schedule_slots
 WHERE slot_at >= :since AND outcome = 'missed';

-- slots_use() -> (used int, queued int)
SELECT coalesce((SELECT sum(tasks_running) FROM workflow_runs
                  WHERE state IN ('queued', 'running')), 0) AS used,
       (SELECT count(*) FROM workflow_runs r JOIN task_instances i ON i.run_id = r.id
         WHERE r.state IN ('queued', 'running') AND i.state = 'queued') AS queued;

-- pool_slots(name text) -> (slots int)
SELECT slots FROM pools WHERE name = :name;

-- keepers() -> (name text, pid nint, slots int, state text, since int)
SELECT name, pid, slots, state, since FROM keepers ORDER BY name;

-- file_counts() -> (state text, n int)
SELECT state, count(*) AS n FROM definition_files GROUP BY state ORDER BY state;

-- counts() -> (workflows int, entries int, live_runs int, queued_runs int)
SELECT (SELECT count(*) FROM workflows WHERE state = 'active') AS workflows,
       (SELECT count(*) FROM schedules) AS entries,
       (SELECT count(*) FROM workflow_runs WHERE state = 'running') AS live_runs,
       (SELECT count(*) FROM workflow_runs WHERE state = 'queued') AS queued_runs;

-- active_schedules() -> (workflow int, name text, enabled int, usual_ms nint)
SELECT w.id AS workflow, w.name, coalesce(s.enabled, w.enabled) AS enabled, u.p50_ms AS usual_ms
  FROM workflows w
  LEFT JOIN workflow_switches s ON s.workflow_id = w.id
  LEFT JOIN stats u ON u.workflow_id = w.id AND u.task = ''
 WHERE w.state = 'active' AND EXISTS (SELECT 1 FROM schedules c WHERE c.workflow_id = w.id)
 ORDER BY w.name;

-- ------------------------------------------------------------------- stream

-- events_after(after int, most int) -> (seq int, at int, kind text, workflow text, run nint, actor text, data text, state text, tasks_total nint, tasks_done nint, tasks_failed nint, tasks_running nint)
SELECT e.seq, e.at, e.kind, w.name AS workflow, e.run_id AS run, e.actor, e.data, r.state,
       r.tasks_total, r.tasks_done, r.tasks_failed, r.tasks_running
  FROM events e
  LEFT JOIN workflows w ON w.id = e.workflow_id
  LEFT JOIN workflow_runs r ON r.id = e.run_id
 WHERE e.seq > :after
 ORDER BY e.seq
 LIMIT :most;

-- events_span() -> (first int, last int)
SELECT coalesce((SELECT min(seq) FROM events), 0) AS first,
       coalesce((SELECT max(seq) FROM events), 0) AS last;
