-- SPDX-License-Identifier: MIT
-- scheduler.sql: every word the scheduler says to the store.
-- inserts: schedule_slots schedule_marks workflow_switches workflow_runs task_instances
-- updates: schedule_slots schedule_marks workflow_switches

-- workflow_facts(id int) -> (version_id int, active int, enabled int, task_count int)
SELECT w.version_id, w.state = 'active' AS active, coalesce(s.enabled, w.enabled) AS enabled,
       v.task_count
  FROM workflows w
  JOIN workflow_versions v ON v.id = w.version_id
  LEFT JOIN workflow_switches s ON s.workflow_id = w.id
 WHERE w.id = :id;

-- workflow_name(id int) -> (name text)
SELECT name FROM workflows WHERE id = :id;

-- entries_all(until int) -> (workflow_id int, entry text, text text, timezone text, every_ms int, enabled int, mark nint, newest nint)
SELECT e.workflow_id, e.entry, e.text, e.timezone, e.every_ms,
       coalesce(s.enabled, w.enabled) AS enabled, m.high_water AS mark,
       (SELECT max(t.slot_at) FROM schedule_slots t
         WHERE t.workflow_id = e.workflow_id AND t.entry = e.entry
           AND t.slot_at <= :until) AS newest
  FROM schedules e
  JOIN workflows w ON w.id = e.workflow_id
  LEFT JOIN workflow_switches s ON s.workflow_id = e.workflow_id
  LEFT JOIN schedule_marks m ON m.workflow_id = e.workflow_id AND m.entry = e.entry
 WHERE w.state = 'active'
 ORDER BY e.workflow_id, e.position;

-- entries_of(workflow int) -> (entry text, text text, timezone text, every_ms int)
SELECT entry, text, timezone, every_ms
  FROM schedules
 WHERE workflow_id = :workflow
 ORDER BY position;

-- live_count(workflow int, most int) -> (n int)
SELECT count(*) AS n
  FROM (SELECT 1 FROM workflow_runs INDEXED BY workflow_runs_live
         WHERE workflow_id = :workflow AND state IN ('queued', 'running')
         LIMIT :most);

-- slot_find(workflow int, entry text, at int) -> (fired int, decided_at int)
SELECT outcome = 'fired' AS fired, decided_at
  FROM schedule_slots
 WHERE workflow_id = :workflow AND entry = :entry AND slot_at = :at;

-- A slot is decided once. Only one that a wrong clock gave up, in what is now
-- the future, is decided anew.
-- slot_put(workflow int, entry text, at int, outcome text, reason text, run nint, wall text, shifted text, more int, now int)
INSERT INTO schedule_slots (workflow_id, entry, slot_at, outcome, reason, run_id, wall, shifted,
                            more, decided_at)
VALUES (:workflow, :entry, :at, :outcome, :reason, :run, :wall, :shifted, :more, :now)
ON CONFLICT (workflow_id, entry, slot_at) DO UPDATE
   SET outcome = excluded.outcome, reason = excluded.reason, run_id = excluded.run_id,
       more = excluded.more, decided_at = excluded.decided_at
 WHERE schedule_slots.outcome <> 'fired'
   AND schedule_slots.decided_at > excluded.decided_at;

-- mark_put(workflow int, entry text, high_water int)
INSERT INTO schedule_marks (workflow_id, entry, high_water)
VALUES (:workflow, :entry, :high_water)
ON CONFLICT (workflow_id, entry) DO UPDATE SET high_water = excluded.high_water;

-- switch_put(workflow int, enabled int, at int, actor text, reason text)
INSERT INTO workflow_switches (workflow_id, enabled, at, actor, reason)
VALUES (:workflow, :enabled, :at, :actor, :reason)
ON CONFLICT (workflow_id) DO UPDATE
   SET enabled = excluded.enabled, at = excluded.at, actor = excluded.actor,
       reason = excluded.reason;

-- run_last() -> (id int)
SELECT coalesce(max(id), 0) AS id FROM workflow_runs;

-- run_by_key(workflow int, key text) -> (id int, hash text)
SELECT id, idem_hash AS hash
  FROM workflow_runs
 WHERE workflow_id = :workflow AND idem_key = :key;

-- run_insert(id int, key text, workflow int, version int, trigger text, actor text, params text, entry text, slot nint, idem_key text, idem_hash text, at int, tasks int)
INSERT INTO workflow_runs (id, key, workflow_id, version_id, state, trigger, actor, params, entry,
                           slot_at, idem_key, idem_hash, created_at, tasks_total)
VALUES (:id, :key, :workflow, :version, 'queued', :trigger, :actor, :params, :entry, :slot,
        :idem_key, :idem_hash, :at, :tasks);

-- instances_insert(run int, version int)
INSERT INTO task_instances (run_id, task)
SELECT :run, task FROM tasks WHERE version_id = :version ORDER BY task;
