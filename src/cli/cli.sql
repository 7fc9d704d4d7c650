-- SPDX-License-Identifier: MIT
-- cli.sql: which workflow, run, task or attempt somebody means.
-- This file only reads.

-- find_workflow(name text) -> (id int)
SELECT id FROM workflows WHERE name = :name;

-- find_names() -> (name text)
SELECT name FROM workflows ORDER BY name;

-- find_run(id int) -> (workflow int)
SELECT workflow_id AS workflow FROM workflow_runs WHERE id = :id;

-- find_key(low text, high text) -> (id int)
SELECT id FROM workflow_runs WHERE key >= :low AND key < :high ORDER BY key LIMIT 2;

-- find_last(workflow nint, state text) -> (id int)
SELECT coalesce(max(id), 0) AS id
  FROM workflow_runs
 WHERE (:workflow IS NULL OR workflow_id = :workflow) AND (:state IS NULL OR state = :state);

-- run_facts(run int) -> (key text, state text, workflow text, version int)
SELECT r.key, r.state, w.name AS workflow, r.version_id AS version
  FROM workflow_runs r JOIN workflows w ON w.id = r.workflow_id
 WHERE r.id = :run;

-- run_outputs(run int) -> (task int, item int, name text, attempt int, state text, tries int)
SELECT i.task, i.item, t.name, i.attempt, i.state,
       (SELECT count(*) FROM attempts a
         WHERE a.run_id = i.run_id AND a.task = i.task AND a.item = i.item) AS tries
  FROM task_instances i
  JOIN workflow_runs r ON r.id = i.run_id
  JOIN tasks t ON t.version_id = r.version_id AND t.task = i.task
 WHERE i.run_id = :run
 ORDER BY coalesce(i.started_at, 1 << 60), i.task, i.item;

-- output_place(run int, task int, item int, attempt int) -> (key text, state text, log_kind text, log_number nint, log_offset nint, out_bytes int, err_bytes int, marks_bytes int, dropped_bytes int, keeper text)
SELECT r.key, a.state, a.log_kind, a.log_number, a.log_offset, a.out_bytes, a.err_bytes,
       a.marks_bytes, a.dropped_bytes, a.keeper
  FROM attempts a
  JOIN workflow_runs r ON r.id = a.run_id
 WHERE a.run_id = :run AND a.task = :task AND a.item = :item AND a.attempt = :attempt;

-- changes_after(run int, after int) -> (seq int, at int, data text)
SELECT seq, at, data FROM events WHERE run_id = :run AND kind = 'run' AND seq > :after ORDER BY seq;

-- task_brief(run int, task int, item int) -> (name text, state text, reason text, attempt int, retries int, exit_code nint, started_at nint, finished_at nint, signal nint, timeout_ms int, message text, began nint, ended nint)
SELECT t.name, i.state, i.reason, i.attempt, t.retries, i.exit_code, i.started_at, i.finished_at,
       a.signal, t.timeout_ms, a.message, a.started_at AS began, a.finished_at AS ended
  FROM workflow_runs r
  JOIN task_instances i ON i.run_id = r.id AND i.task = :task AND i.item = :item
  JOIN tasks t ON t.version_id = r.version_id AND t.task = i.task
  LEFT JOIN attempts a ON a.run_id = r.id AND a.task = i.task AND a.item = i.item
                      AND a.attempt = i.attempt
 WHERE r.id = :run;

-- live_tasks(run int, most int) -> (task int, name text, state text, attempt int, began nint, due_at nint, usual_ms nint)
SELECT i.task, t.name, i.state, i.attempt, a.started_at AS began, i.due_at, u.p50_ms AS usual_ms
  FROM workflow_runs r
  JOIN task_instances i ON i.run_id = r.id
  JOIN tasks t ON t.version_id = r.version_id AND t.task = i.task
  LEFT JOIN stats u ON u.workflow_id = r.workflow_id AND u.task = t.name
  LEFT JOIN attempts a ON a.run_id = r.id AND a.task = i.task AND a.item = i.item
                      AND a.attempt = i.attempt
 WHERE r.id = :run AND i.state IN ('running', 'retrying')
 ORDER BY i.task
 LIMIT :most;

-- state_counts(run int) -> (state text, n int)
SELECT state, count(*) AS n FROM task_instances WHERE run_id = :run GROUP BY state;

-- failed_tasks(run int, most int) -> (task int, item int, name text, attempt int)
SELECT i.task, i.item, t.name, i.attempt
  FROM workflow_runs r
  JOIN task_instances i ON i.run_id = r.id AND i.state = 'failed' AND i.attempt > 0
  JOIN tasks t ON t.version_id = r.version_id AND t.task = i.task
 WHERE r.id = :run
 ORDER BY i.finished_at
 LIMIT :most;

-- run_head(run int) -> (workflow text, state text, reason text, degraded int, version int, params text, tasks_total int, tasks_done int, tasks_failed int, tasks_running int, created_at int, started_at nint, finished_at nint, usual_ms nint)
SELECT w.name AS workflow, r.state, r.reason, r.degraded, v.number AS version, r.params,
       r.tasks_total, r.tasks_done, r.tasks_failed, r.tasks_running, r.created_at, r.started_at,
       r.finished_at, u.p50_ms AS usual_ms
  FROM workflow_runs r
  JOIN workflows w ON w.id = r.workflow_id
  JOIN workflow_versions v ON v.id = r.version_id
  LEFT JOIN stats u ON u.workflow_id = r.workflow_id AND u.task = ''
 WHERE r.id = :run;
