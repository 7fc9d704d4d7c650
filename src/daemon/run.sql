-- run.sql: what a run in the foreground asks of the store. It only reads.

-- workflow_active() -> (id int)
SELECT id FROM workflows WHERE state = 'active' ORDER BY changed_at DESC, id DESC LIMIT 1;

-- run_state(run int) -> (state text)
SELECT state FROM workflow_runs WHERE id = :run;
