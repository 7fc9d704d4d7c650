-- SPDX-License-Identifier: MIT
-- run.sql: what a run in the foreground asks of the store. It only reads.

-- run_state(run int) -> (state text)
SELECT state FROM workflow_runs WHERE id = :run;
