-- SPDX-License-Identifier: MIT
-- 0001: everything a run leaves behind.
--
-- Times are Unix milliseconds, UTC. States are words (model/state.h). A table
-- belongs to one room, named behind it; the build refuses a statement of
-- another room that writes it. The views at the end (v_*) are the interface
-- for scripts: they keep their names and columns when tables change.

CREATE TABLE meta (                 -- daemon
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- definitions

CREATE TABLE workflows (            -- watcher
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    version_id  INTEGER NOT NULL,   -- the version new runs follow
    path        TEXT    NOT NULL,   -- of its file, below the watched directory
    dir         TEXT    NOT NULL,   -- absolute: where its tasks run unless they say otherwise
    state       TEXT    NOT NULL CHECK (state IN ('active', 'gone')),
    description TEXT,
    owner       TEXT,
    tags        TEXT    NOT NULL DEFAULT '[]', -- JSON list
    timezone    TEXT,
    enabled     INTEGER NOT NULL DEFAULT 1,    -- as the file says; the switch wins
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL
) STRICT;

-- A version never changes once written, so a run keeps what it began with. The
-- same text again is the same version.
CREATE TABLE workflow_versions (    -- watcher
    id          INTEGER PRIMARY KEY,
    workflow_id INTEGER NOT NULL REFERENCES workflows (id),
    number      INTEGER NOT NULL,   -- 1, 2, 3 within the workflow
    hash        TEXT    NOT NULL,   -- SHA-256 of the text, hex
    source      TEXT    NOT NULL,   -- the YAML, byte for byte
    path        TEXT    NOT NULL,   -- where it was first seen
    task_count  INTEGER NOT NULL,
    loaded_at   INTEGER NOT NULL,
    UNIQUE (workflow_id, hash),
    UNIQUE (workflow_id, number)
) STRICT;

CREATE TABLE tasks (                -- watcher
    version_id     INTEGER NOT NULL REFERENCES workflow_versions (id),
    task           INTEGER NOT NULL, -- index in the version, from 0
    name           TEXT    NOT NULL,
    description    TEXT,
    kind           TEXT    NOT NULL CHECK (kind IN ('script', 'command')),
    condition      TEXT,
    retries        INTEGER NOT NULL DEFAULT 0,
    retry_delay_ms INTEGER NOT NULL DEFAULT 0,
    timeout_ms     INTEGER NOT NULL DEFAULT 0, -- 0: none
    line           INTEGER NOT NULL,
    PRIMARY KEY (version_id, task)
) STRICT, WITHOUT ROWID;

CREATE TABLE task_dependencies (    -- watcher
    version_id INTEGER NOT NULL,
    task       INTEGER NOT NULL,
    upstream   INTEGER NOT NULL,
    PRIMARY KEY (version_id, task, upstream)
) STRICT, WITHOUT ROWID;

-- The schedule entries of the current versions. `entry` is the entry's own text
-- ("*/5 * * * * Europe/Berlin", "every 90s"), so that moving it within the file
-- does not make it another one.
CREATE TABLE schedules (            -- watcher
    workflow_id INTEGER NOT NULL REFERENCES workflows (id),
    entry       TEXT    NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('cron', 'every')),
    text        TEXT    NOT NULL,   -- the cron expression or the duration as written
    timezone    TEXT,               -- the entry's, else the workflow's; NULL: the server's
    every_ms    INTEGER NOT NULL DEFAULT 0,
    position    INTEGER NOT NULL,   -- in the file, from 0
    PRIMARY KEY (workflow_id, entry)
) STRICT, WITHOUT ROWID;

CREATE TABLE definition_files (     -- watcher
    path        TEXT PRIMARY KEY,   -- below the watched directory
    dev         INTEGER NOT NULL,
    ino         INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    mtime_ns    INTEGER NOT NULL,
    ctime_ns    INTEGER NOT NULL,
    hash        TEXT,
    workflow_id INTEGER,            -- whose definition it is, if any version of it was good
    state       TEXT NOT NULL CHECK (state IN ('active', 'invalid', 'conflict', 'ignored')),
    reason      TEXT,               -- for 'conflict' and 'ignored'
    seen_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE definition_errors (    -- watcher
    path     TEXT    NOT NULL,
    n        INTEGER NOT NULL,
    severity TEXT    NOT NULL CHECK (severity IN ('error', 'warning')),
    code     TEXT    NOT NULL,
    line     INTEGER NOT NULL,
    col      INTEGER NOT NULL,
    message  TEXT    NOT NULL,
    problem  TEXT    NOT NULL,      -- the whole of it as JSON, as the CLI and editor show it
    at       INTEGER NOT NULL,
    PRIMARY KEY (path, n)
) STRICT, WITHOUT ROWID;

-- ----------------------------------------------------------------------- time

-- The stored switch: pausing and resuming outlives edits and restarts.
CREATE TABLE workflow_switches (    -- scheduler
    workflow_id INTEGER PRIMARY KEY REFERENCES workflows (id),
    enabled     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    actor       TEXT,
    reason      TEXT
) STRICT;

-- Up to where an entry has been decided, where no slot says so: when it was
-- first seen, and after corrections of the clock.
CREATE TABLE schedule_marks (       -- scheduler
    workflow_id INTEGER NOT NULL,
    entry       TEXT    NOT NULL,
    high_water  INTEGER NOT NULL,
    PRIMARY KEY (workflow_id, entry)
) STRICT, WITHOUT ROWID;

-- Every instant that was due, and what became of it.
CREATE TABLE schedule_slots (       -- scheduler
    workflow_id INTEGER NOT NULL,
    entry       TEXT    NOT NULL,
    slot_at     INTEGER NOT NULL,
    outcome     TEXT    NOT NULL CHECK (outcome IN ('fired', 'skipped', 'missed')),
    reason      TEXT,               -- never NULL unless fired
    run_id      INTEGER,
    wall        TEXT,               -- the local time it stands for
    shifted     TEXT CHECK (shifted IN ('gap')),
    more        INTEGER NOT NULL DEFAULT 0, -- further instants this row stands for
    decided_at  INTEGER NOT NULL,
    PRIMARY KEY (workflow_id, entry, slot_at),
    CHECK ((outcome = 'fired') = (run_id IS NOT NULL)),
    CHECK (outcome = 'fired' OR reason IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX schedule_slots_by_time ON schedule_slots (slot_at);

-- ----------------------------------------------------------------------- runs

CREATE TABLE workflow_runs (        -- scheduler inserts, executor updates
    id            INTEGER PRIMARY KEY,
    key           TEXT    NOT NULL UNIQUE, -- ULID: names attempts and logs, never used twice
    workflow_id   INTEGER NOT NULL REFERENCES workflows (id),
    version_id    INTEGER NOT NULL REFERENCES workflow_versions (id),
    state         TEXT    NOT NULL
        CHECK (state IN ('queued', 'running', 'success', 'failed', 'cancelled')),
    reason        TEXT,
    degraded      INTEGER NOT NULL DEFAULT 0, -- a success with a handled failure
    trigger       TEXT    NOT NULL CHECK (trigger IN ('schedule', 'manual', 'api')),
    actor         TEXT,
    params        TEXT    NOT NULL DEFAULT '{}', -- JSON object of texts
    entry         TEXT,               -- the schedule entry that fired
    slot_at       INTEGER,            -- the instant it stands for
    idem_key      TEXT,
    idem_hash     TEXT,               -- of the request, to tell a repeat from a mistake
    created_at    INTEGER NOT NULL,
    started_at    INTEGER,
    finished_at   INTEGER,
    cancel_at     INTEGER,            -- somebody asked for its end
    cancel_actor  TEXT,
    retried       INTEGER NOT NULL DEFAULT 0, -- how often a person ran failed tasks again
    tasks_total   INTEGER NOT NULL,
    tasks_done    INTEGER NOT NULL DEFAULT 0, -- over, in whatever state
    tasks_failed  INTEGER NOT NULL DEFAULT 0,
    tasks_running INTEGER NOT NULL DEFAULT 0,
    failed_task   INTEGER             -- index of the first task that failed
) STRICT;

CREATE INDEX workflow_runs_of ON workflow_runs (workflow_id, id);
CREATE INDEX workflow_runs_live ON workflow_runs (workflow_id, id)
    WHERE state IN ('queued', 'running');
CREATE INDEX workflow_runs_failed ON workflow_runs (id) WHERE state = 'failed';
CREATE UNIQUE INDEX workflow_runs_idem ON workflow_runs (workflow_id, idem_key)
    WHERE idem_key IS NOT NULL;

CREATE TABLE task_instances (       -- scheduler inserts, executor updates
    run_id      INTEGER NOT NULL,
    task        INTEGER NOT NULL,   -- index in the run's version
    item        INTEGER NOT NULL DEFAULT 0,
    state       TEXT    NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'queued', 'running', 'retrying', 'waiting', 'success',
                         'failed', 'skipped', 'upstream_failed', 'cancelled')),
    reason      TEXT,
    attempt     INTEGER NOT NULL DEFAULT 0, -- the last one handed out; 0: none yet
    charged     INTEGER NOT NULL DEFAULT 0, -- attempts that count against `retries`
    due_at      INTEGER,            -- retrying: not before
    exit_code   INTEGER,
    queued_at   INTEGER,
    started_at  INTEGER,
    finished_at INTEGER,
    wait_code   TEXT,               -- why it does not run: slots, max_parallel, retry
    wait_since  INTEGER,
    PRIMARY KEY (run_id, task, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (             -- worker
    run_id           INTEGER NOT NULL,
    task             INTEGER NOT NULL,
    item             INTEGER NOT NULL DEFAULT 0,
    attempt          INTEGER NOT NULL, -- from 1
    state            TEXT    NOT NULL
        CHECK (state IN ('starting', 'running', 'success', 'failed', 'timed_out', 'stalled',
                         'killed', 'spawn_failed', 'lost')),
    keeper           TEXT,
    pid              INTEGER,
    started_at       INTEGER,
    finished_at      INTEGER,
    exit_code        INTEGER,       -- one of these two, never both
    signal           INTEGER,
    needed_kill      INTEGER NOT NULL DEFAULT 0, -- it ignored the polite signal
    message          TEXT,          -- what to say about its end, in words
    user_us          INTEGER NOT NULL DEFAULT 0,
    sys_us           INTEGER NOT NULL DEFAULT 0,
    max_rss_kib      INTEGER NOT NULL DEFAULT 0,
    read_blocks      INTEGER NOT NULL DEFAULT 0,
    write_blocks     INTEGER NOT NULL DEFAULT 0,
    log_kind         TEXT CHECK (log_kind IN ('none', 'slot', 'segment', 'files')),
    log_number       INTEGER,       -- of the slot or the segment
    log_offset       INTEGER,       -- in the segment
    out_bytes        INTEGER NOT NULL DEFAULT 0,
    err_bytes        INTEGER NOT NULL DEFAULT 0,
    marks_bytes      INTEGER NOT NULL DEFAULT 0, -- of the growth index
    dropped_bytes    INTEGER NOT NULL DEFAULT 0, -- beyond the size limit
    last_output_at   INTEGER,
    error_excerpt    TEXT,          -- the line that most likely says what went wrong
    first_error_line INTEGER,       -- its number in the log, from 1
    PRIMARY KEY (run_id, task, item, attempt)
) STRICT, WITHOUT ROWID;

-- What changed, in order. One row a run a turn: `data` packs all changes of its
-- tasks. Written in the transaction of the change; feeds SSE and the history.
--   kind 'run'       {"from","to","reason","tasks":[[task,item,"from","to",attempt,"reason"|null,exit|null],..]}
--                    ("from" and "to" of the run are null when only tasks changed)
--   kind 'workflow'  {"what":"added|changed|gone|invalid|valid|conflict","path","version"}
--   kind 'switch'    {"enabled":bool,"reason"}
--   kind 'slot'      {"entry","slot_at","outcome","reason","run"}
--   kind 'keeper'    {"what":"up|down|replaced"}
--   kind 'daemon'    {"what":"started|stopping","version"}
--   kind 'clock'     {"what":"corrected","from","to"}
CREATE TABLE events (               -- any room
    seq         INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    workflow_id INTEGER,
    run_id      INTEGER,
    actor       TEXT,
    data        TEXT    NOT NULL
) STRICT;

CREATE INDEX events_of_run ON events (run_id, seq) WHERE run_id IS NOT NULL;

-- How long things usually take. task '' is the whole run.
CREATE TABLE stats (                -- executor
    workflow_id INTEGER NOT NULL,
    task        TEXT    NOT NULL,
    n           INTEGER NOT NULL,
    p50_ms      INTEGER NOT NULL,
    p95_ms      INTEGER NOT NULL,
    PRIMARY KEY (workflow_id, task)
) STRICT, WITHOUT ROWID;

-- ------------------------------------------------------------------ the engine

CREATE TABLE keepers (              -- worker
    name      TEXT PRIMARY KEY,
    boot_id   TEXT,
    pid       INTEGER,
    slots     INTEGER NOT NULL DEFAULT 0,
    state     TEXT NOT NULL CHECK (state IN ('up', 'down')),
    acked_seq INTEGER NOT NULL DEFAULT 0, -- the journal up to here is in this database
    since     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pools (                -- daemon
    name  TEXT PRIMARY KEY,
    slots INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outputs (              -- worker
    run_id  INTEGER NOT NULL,
    task    INTEGER NOT NULL,
    item    INTEGER NOT NULL DEFAULT 0,
    name    TEXT    NOT NULL,
    value   TEXT    NOT NULL,       -- JSON
    PRIMARY KEY (run_id, task, item, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (            -- worker
    run_id  INTEGER NOT NULL,
    task    INTEGER NOT NULL,
    item    INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL,
    path    TEXT    NOT NULL,
    bytes   INTEGER NOT NULL,
    PRIMARY KEY (run_id, task, item, attempt, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (               -- daemon
    name         TEXT PRIMARY KEY,
    hash         TEXT NOT NULL UNIQUE, -- SHA-256 of the token, hex
    role         TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'author', 'admin')),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE users (                -- daemon
    name       TEXT PRIMARY KEY,
    password   TEXT NOT NULL,       -- argon2id
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'author', 'admin')),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (                -- any room
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    actor  TEXT,
    action TEXT NOT NULL,
    target TEXT,
    detail TEXT
) STRICT;

-- ----------------------------------------------------------------- for scripts

CREATE VIEW v_workflows AS
SELECT w.id, w.name, w.state, w.path, v.number AS version, w.description, w.owner, w.tags,
       coalesce(s.enabled, w.enabled) AS enabled, v.task_count
  FROM workflows w
  JOIN workflow_versions v ON v.id = w.version_id
  LEFT JOIN workflow_switches s ON s.workflow_id = w.id;

CREATE VIEW v_runs AS
SELECT r.id, w.name AS workflow, r.state, r.reason, r.degraded, r.trigger, r.actor, r.params,
       v.number AS version, r.slot_at, r.created_at, r.started_at, r.finished_at,
       r.finished_at - r.started_at AS duration_ms, r.tasks_total, r.tasks_done, r.tasks_failed
  FROM workflow_runs r
  JOIN workflows w ON w.id = r.workflow_id
  JOIN workflow_versions v ON v.id = r.version_id;

CREATE VIEW v_tasks AS
SELECT i.run_id, w.name AS workflow, t.name AS task, i.item, i.state, i.reason, i.attempt,
       i.exit_code, i.queued_at, i.started_at, i.finished_at,
       i.finished_at - i.started_at AS duration_ms, i.wait_code, i.wait_since
  FROM task_instances i
  JOIN workflow_runs r ON r.id = i.run_id
  JOIN workflows w ON w.id = r.workflow_id
  JOIN tasks t ON t.version_id = r.version_id AND t.task = i.task;

CREATE VIEW v_attempts AS
SELECT a.run_id, w.name AS workflow, t.name AS task, a.item, a.attempt, a.state, a.pid,
       a.started_at, a.finished_at, a.finished_at - a.started_at AS duration_ms, a.exit_code,
       a.signal, a.needed_kill, a.message, a.user_us + a.sys_us AS cpu_us, a.max_rss_kib, a.out_bytes,
       a.err_bytes, a.error_excerpt
  FROM attempts a
  JOIN workflow_runs r ON r.id = a.run_id
  JOIN workflows w ON w.id = r.workflow_id
  JOIN tasks t ON t.version_id = r.version_id AND t.task = a.task;

CREATE VIEW v_slots AS
SELECT w.name AS workflow, s.entry, s.slot_at, s.outcome, s.reason, s.run_id, s.wall, s.shifted,
       s.more, s.decided_at
  FROM schedule_slots s
  JOIN workflows w ON w.id = s.workflow_id;

CREATE VIEW v_events AS
SELECT e.seq, e.at, e.kind, w.name AS workflow, e.run_id, e.actor, e.data
  FROM events e
  LEFT JOIN workflows w ON w.id = e.workflow_id;

-- One row for each change of a task instance.
CREATE VIEW v_task_changes AS
SELECT e.seq, e.at, e.run_id, json_extract(c.value, '$[0]') AS task,
       json_extract(c.value, '$[1]') AS item, json_extract(c.value, '$[2]') AS from_state,
       json_extract(c.value, '$[3]') AS to_state, json_extract(c.value, '$[4]') AS attempt,
       json_extract(c.value, '$[5]') AS reason, json_extract(c.value, '$[6]') AS exit_code
  FROM events e, json_each(e.data, '$.tasks') c
 WHERE e.kind = 'run';
