-- SPDX-License-Identifier: MIT
-- worker.sql: every word the worker pool says to the store: facts about
-- attempts and keepers, never what they mean for a task.
-- inserts: attempts keepers
-- updates: attempts keepers

-- run_facts(run int) -> (key text, workflow_id int, version_id int, workflow text, dir text, params text, slot_at int, created_at int)
SELECT r.key, r.workflow_id, r.version_id, w.name AS workflow, w.dir, r.params, r.slot_at,
       r.created_at
  FROM workflow_runs r
  JOIN workflows w ON w.id = r.workflow_id
 WHERE r.id = :run;

-- run_by_key(key text) -> (id int)
SELECT id FROM workflow_runs WHERE key = :key;

-- attempts_running() -> (run_id int, task int, item int, attempt int)
SELECT i.run_id, i.task, i.item, i.attempt
  FROM workflow_runs r
  JOIN task_instances i ON i.run_id = r.id
 WHERE r.state IN ('queued', 'running') AND i.state = 'running';

-- attempt_put(run int, task int, item int, attempt int, state text, keeper text, pid nint, started nint, finished nint, exit_code nint, signal nint, needed_kill int, message text, user_us int, sys_us int, max_rss_kib int, read_blocks int, write_blocks int, log_kind text, log_number nint, log_offset nint, out_bytes int, err_bytes int, marks_bytes int, dropped_bytes int, excerpt text, error_line nint)
INSERT INTO attempts (run_id, task, item, attempt, state, keeper, pid, started_at, finished_at,
                      exit_code, signal, needed_kill, message, user_us, sys_us, max_rss_kib,
                      read_blocks, write_blocks, log_kind, log_number, log_offset, out_bytes,
                      err_bytes, marks_bytes, dropped_bytes, error_excerpt, first_error_line)
VALUES (:run, :task, :item, :attempt, :state, :keeper, :pid, :started, :finished, :exit_code,
        :signal, :needed_kill, :message, :user_us, :sys_us, :max_rss_kib, :read_blocks,
        :write_blocks, :log_kind, :log_number, :log_offset, :out_bytes, :err_bytes, :marks_bytes,
        :dropped_bytes, :excerpt, :error_line)
ON CONFLICT (run_id, task, item, attempt) DO UPDATE
   SET state = excluded.state, pid = coalesce(excluded.pid, pid),
       started_at = coalesce(started_at, excluded.started_at), finished_at = excluded.finished_at,
       exit_code = excluded.exit_code, signal = excluded.signal,
       needed_kill = excluded.needed_kill, message = excluded.message, user_us = excluded.user_us,
       sys_us = excluded.sys_us, max_rss_kib = excluded.max_rss_kib,
       read_blocks = excluded.read_blocks, write_blocks = excluded.write_blocks,
       log_kind = excluded.log_kind, log_number = excluded.log_number,
       log_offset = excluded.log_offset, out_bytes = excluded.out_bytes,
       err_bytes = excluded.err_bytes, marks_bytes = excluded.marks_bytes,
       dropped_bytes = excluded.dropped_bytes,
       error_excerpt = excluded.error_excerpt, first_error_line = excluded.first_error_line
 WHERE attempts.state IN ('starting', 'running');

-- keeper_acked(name text) -> (acked_seq int)
SELECT acked_seq FROM keepers WHERE name = :name;

-- keeper_put(name text, boot_id text, pid nint, slots int, state text, acked_seq int, since int)
INSERT INTO keepers (name, boot_id, pid, slots, state, acked_seq, since)
VALUES (:name, :boot_id, :pid, :slots, :state, :acked_seq, :since)
ON CONFLICT (name) DO UPDATE
   SET boot_id = excluded.boot_id, pid = excluded.pid, slots = excluded.slots,
       state = excluded.state, acked_seq = excluded.acked_seq, since = excluded.since;

-- keeper_ack(name text, acked_seq int)
UPDATE keepers SET acked_seq = :acked_seq WHERE name = :name;

-- attempt_sign(run int, task int, item int, attempt int, cpu_us int, max_rss_kib int, last_output int)
UPDATE attempts
   SET user_us = :cpu_us, max_rss_kib = max(max_rss_kib, :max_rss_kib),
       last_output_at = :last_output
 WHERE run_id = :run AND task = :task AND item = :item AND attempt = :attempt
   AND state = 'running';
