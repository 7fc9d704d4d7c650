-- SPDX-License-Identifier: MIT
-- watcher.sql: every word the watcher says to the store: what the files define.
-- writes: workflows workflow_versions tasks task_dependencies schedules definition_files definition_errors

-- files_known() -> (path text, dev int, ino int, size int, mtime_ns int, ctime_ns int, hash text, state text, reason text, name text, owner int, dir text)
SELECT f.path, f.dev, f.ino, f.size, f.mtime_ns, f.ctime_ns, f.hash, f.state, f.reason, w.name,
       coalesce(w.state = 'active' AND w.path = f.path
                AND (f.state <> 'active' OR v.hash = f.hash), 0) AS owner,
       w.dir
  FROM definition_files f
  LEFT JOIN workflows w ON w.id = f.workflow_id
  LEFT JOIN workflow_versions v ON v.id = w.version_id;

-- workflows_active() -> (name text)
SELECT name FROM workflows WHERE state = 'active';

-- workflow_by_name(name text) -> (id int, version_id int, active int)
SELECT id, version_id, state = 'active' AS active FROM workflows WHERE name = :name;

-- workflow_add(name text, path text, dir text, enabled int, at int)
INSERT INTO workflows (name, version_id, path, dir, state, enabled, created_at, changed_at)
VALUES (:name, 0, :path, :dir, 'active', :enabled, :at, :at);

-- workflow_set(id int, version int, path text, dir text, description text, owner text, tags text, timezone text, enabled int, at int)
UPDATE workflows
   SET version_id = :version, path = :path, dir = :dir, state = 'active',
       description = :description, owner = :owner, tags = :tags, timezone = :timezone,
       enabled = :enabled, changed_at = :at
 WHERE id = :id;

-- workflow_gone(id int, at int)
UPDATE workflows SET state = 'gone', changed_at = :at WHERE id = :id;

-- version_find(workflow int, hash text) -> (id int)
SELECT id FROM workflow_versions WHERE workflow_id = :workflow AND hash = :hash;

-- version_add(workflow int, hash text, source text, path text, tasks int, at int)
INSERT INTO workflow_versions (workflow_id, number, hash, source, path, task_count, loaded_at)
VALUES (:workflow,
        (SELECT coalesce(max(number), 0) + 1 FROM workflow_versions WHERE workflow_id = :workflow),
        :hash, :source, :path, :tasks, :at);

-- task_add(version int, task int, name text, description text, kind text, condition text, retries int, retry_delay int, timeout int, line int)
INSERT INTO tasks (version_id, task, name, description, kind, condition, retries, retry_delay_ms,
                   timeout_ms, line)
VALUES (:version, :task, :name, :description, :kind, :condition, :retries, :retry_delay, :timeout,
        :line);

-- dependency_add(version int, task int, upstream int)
INSERT INTO task_dependencies (version_id, task, upstream) VALUES (:version, :task, :upstream);

-- schedules_clear(workflow int)
DELETE FROM schedules WHERE workflow_id = :workflow;

-- schedule_add(workflow int, entry text, kind text, text text, timezone text, every int, position int)
INSERT OR IGNORE INTO schedules (workflow_id, entry, kind, text, timezone, every_ms, position)
VALUES (:workflow, :entry, :kind, :text, :timezone, :every, :position);

-- file_put(path text, dev int, ino int, size int, mtime int, ctime int, hash text, workflow text, state text, reason text, at int)
INSERT INTO definition_files (path, dev, ino, size, mtime_ns, ctime_ns, hash, workflow_id, state,
                              reason, seen_at)
VALUES (:path, :dev, :ino, :size, :mtime, :ctime, :hash,
        (SELECT id FROM workflows WHERE name = :workflow), :state, :reason, :at)
ON CONFLICT (path) DO UPDATE
   SET dev = excluded.dev, ino = excluded.ino, size = excluded.size,
       mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, hash = excluded.hash,
       workflow_id = excluded.workflow_id, state = excluded.state, reason = excluded.reason,
       seen_at = excluded.seen_at;

-- file_drop(path text)
DELETE FROM definition_files WHERE path = :path;

-- errors_clear(path text)
DELETE FROM definition_errors WHERE path = :path;

-- error_add(path text, n int, severity text, code text, line int, col int, message text, problem text, at int)
INSERT INTO definition_errors (path, n, severity, code, line, col, message, problem, at)
VALUES (:path, :n, :severity, :code, :line, :col, :message, :problem, :at);
