-- SPDX-License-Identifier: MIT
-- executor.sql: every word the executor says to the store: what became of runs
-- and of their tasks.
-- updates: workflow_runs task_instances stats
-- inserts: stats

-- runs_active() -> (id int, workflow_id int, version_id int, state text, cancelled int, fresh int, started_at int, failed_task nint)
SELECT id, workflow_id, version_id, state, cancel_at IS NOT NULL AS cancelled,
       state = 'queued' AND retried = 0 AS fresh, started_at, failed_task
  FROM workflow_runs INDEXED BY workflow_runs_live
 WHERE state IN ('queued', 'running')
 ORDER BY id;

-- run_facts(run int) -> (workflow_id int, version_id int, over int)
SELECT workflow_id, version_id, state NOT IN ('queued', 'running') AS over
  FROM workflow_runs
 WHERE id = :run;

-- tasks_of_run(run int) -> (task int, state text, reason text, attempt int, charged int, due_at int, exit_code nint, queued_at int, started_at int, waits int)
SELECT task, state, reason, attempt, charged, due_at, exit_code, queued_at, started_at,
       wait_code IS NOT NULL AS waits
  FROM task_instances
 WHERE run_id = :run AND item = 0
 ORDER BY task;

-- Attempts that lived unwanted are known only here.
-- attempts_of_run(run int) -> (task int, attempt int)
SELECT task, max(attempt) AS attempt
  FROM attempts
 WHERE run_id = :run AND item = 0
 GROUP BY task;

-- task_put(run int, task int, state text, reason text, attempt int, charged int, due_at nint, exit_code nint, queued_at nint, started_at nint, finished_at nint, wait_code text, wait_since nint)
UPDATE task_instances
   SET state = :state, reason = :reason, attempt = :attempt, charged = :charged,
       due_at = :due_at, exit_code = :exit_code, queued_at = coalesce(:queued_at, queued_at),
       started_at = coalesce(:started_at, started_at), finished_at = :finished_at,
       wait_code = :wait_code, wait_since = :wait_since
 WHERE run_id = :run AND task = :task AND item = 0;

-- task_clear(run int, task int, attempt int)
UPDATE task_instances
   SET state = 'pending', reason = NULL, attempt = :attempt, charged = 0, due_at = NULL,
       exit_code = NULL, queued_at = NULL, started_at = NULL, finished_at = NULL,
       wait_code = NULL, wait_since = NULL
 WHERE run_id = :run AND task = :task AND item = 0;

-- run_put(run int, state text, degraded int, started_at nint, finished_at nint, done int, failed int, running int, failed_task nint)
UPDATE workflow_runs
   SET state = :state, degraded = :degraded, started_at = coalesce(started_at, :started_at),
       finished_at = :finished_at, tasks_done = :done, tasks_failed = :failed,
       tasks_running = :running, failed_task = :failed_task
 WHERE id = :run;

-- A run whose state stays: the indexes on it are left alone.
-- run_count(run int, done int, failed int, running int, failed_task nint)
UPDATE workflow_runs
   SET tasks_done = :done, tasks_failed = :failed, tasks_running = :running,
       failed_task = :failed_task
 WHERE id = :run;

-- run_cancel(run int, at int, actor text)
UPDATE workflow_runs
   SET cancel_at = :at, cancel_actor = :actor
 WHERE id = :run AND cancel_at IS NULL;

-- run_clear(run int, done int)
UPDATE workflow_runs
   SET state = 'queued', reason = NULL, degraded = 0, started_at = NULL, finished_at = NULL,
       cancel_at = NULL, cancel_actor = NULL, retried = retried + 1, tasks_done = :done,
       tasks_failed = 0, tasks_running = 0, failed_task = NULL
 WHERE id = :run;

-- How long it usually takes: the first time is the best guess; each further one
-- moves the guess towards it by a step that shrinks to a tenth.
-- stats_add(workflow int, task text, ms int)
INSERT INTO stats (workflow_id, task, n, p50_ms, p95_ms)
VALUES (:workflow, :task, 1, :ms, :ms)
ON CONFLICT (workflow_id, task) DO UPDATE
   SET n = n + 1,
       p50_ms = p50_ms + max(-(p50_ms / min(n + 1, 10) + 1),
                             min(:ms - p50_ms, p50_ms / min(n + 1, 10) + 1)),
       p95_ms = CASE WHEN :ms > p95_ms THEN min(:ms, p95_ms + p95_ms / 5 + 1)
                     ELSE p95_ms - min(p95_ms - :ms, p95_ms / 95) END;
