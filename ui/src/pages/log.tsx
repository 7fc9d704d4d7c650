// SPDX-License-Identifier: MIT
//
// log.tsx: one log in the full window.
import { get, type Run } from "../api";
import { TaskLog, useTask } from "../inspector";
import { RunLink, Waiting } from "../parts";
import { useResource } from "../resource";
import { enc } from "../router";
import { StateWord } from "../state";

export function LogPage({ id = "", task = "" }: { id?: string; task?: string }) {
  const full = useTask(id, task, null);
  const run = useResource<Run>(`run:${id}`, { load: (s) => get<Run>(`/runs/${enc(id)}`, s), seq: (r) => r.seq ?? 0 });
  const t = full.data.value;
  if (!t) return <Waiting of={full} />;
  return (
    <div class="full-log">
      <div class="bar">
        <h1>{t.name}</h1>
        <StateWord state={t.state} />
        {t.cause && <span class="faint">{t.cause}</span>}
        <span class="grow" />
        <span>of {run.data.value ? <RunLink run={run.data.value} /> : <a href={`/r/${id}`}>run {id}</a>}</span>
        <a class="button" href={`/r/${id}/t/${enc(t.name)}`}>Back to the run</a>
      </div>
      <TaskLog run={{ id: t.run ?? Number(id) }} task={t} full={t} whole />
    </div>
  );
}
