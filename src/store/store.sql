-- SPDX-License-Identifier: MIT
-- store.sql: what the store itself says: events, and throwing old runs away.
-- inserts: events
-- deletes: workflow_runs task_instances attempts events schedule_slots outputs artifacts

-- event_last() -> (seq int)
SELECT coalesce(max(seq), 0) AS seq FROM events;

-- event_insert(seq int, at int, kind text, workflow nint, run nint, actor text, data text)
INSERT INTO events (seq, at, kind, workflow_id, run_id, actor, data)
VALUES (:seq, :at, :kind, :workflow, :run, :actor, :data);

-- version_source(version int) -> (source text, path text)
SELECT source, path FROM workflow_versions WHERE id = :version;

-- retain_find(keep_runs int, before int, most int) -> (id int, key text)
SELECT r.id, r.key
  FROM workflow_runs r
 WHERE r.state IN ('success', 'failed', 'cancelled')
   AND ((:before > 0 AND r.finished_at < :before)
        OR (:keep_runs > 0
            AND r.id <= (SELECT k.id FROM workflow_runs k
                          WHERE k.workflow_id = r.workflow_id
                          ORDER BY k.id DESC LIMIT 1 OFFSET :keep_runs)))
 ORDER BY r.id
 LIMIT :most;

-- retain_attempts(run int)
DELETE FROM attempts WHERE run_id = :run;

-- retain_instances(run int)
DELETE FROM task_instances WHERE run_id = :run;

-- retain_outputs(run int)
DELETE FROM outputs WHERE run_id = :run;

-- retain_artifacts(run int)
DELETE FROM artifacts WHERE run_id = :run;

-- retain_events(run int)
DELETE FROM events WHERE run_id = :run;

-- retain_slots(run int, slot nint, workflow nint)
DELETE FROM schedule_slots
 WHERE run_id = :run AND slot_at = :slot AND workflow_id = :workflow;

-- retain_slot_of(run int) -> (slot_at nint, workflow_id nint)
SELECT slot_at, workflow_id FROM workflow_runs WHERE id = :run;

-- retain_run(run int)
DELETE FROM workflow_runs WHERE id = :run;

-- segment_first() -> (number int)
SELECT coalesce(min(log_number), 0) AS number FROM attempts WHERE log_kind = 'segment';
