// SPDX-License-Identifier: MIT
//
// runs.tsx: every run, newest first, filtered, page by page.
import { useState } from "preact/hooks";
import { get, type Run, type RunState } from "../api";
import { LIST_KEYS, useKeys } from "../keys";
import { complain, Empty, RunLink, Took, Waiting, When } from "../parts";
import { type Resource, useResource } from "../resource";
import { query, setQuery } from "../router";
import { runLook, Shape, StateWord } from "../state";

interface Page {
  seq: number;
  items: Run[];
  next_before: number | null;
}
const STATES: RunState[] = ["queued", "running", "success", "failed", "cancelled"];

/** The runs that `filter` lets through, kept true. */
export function useRuns(filter: URLSearchParams): Resource<Page> {
  const text = filter.toString();
  const wantWorkflow = filter.get("workflow");
  const wantState = filter.get("state")?.split(",") ?? [];
  return useResource<Page>(`runs?${text}`, {
    load: (s) => get<Page>(`/runs?${text}${text ? "&" : ""}limit=50`, s),
    seq: (p) => p.seq,
    apply: (p, e, again) => {
      if (e.type !== "run") return;
      const d = e.data as unknown as Run & { run: number; to: RunState | null };
      if (wantWorkflow && d.workflow !== wantWorkflow) return;
      const known = p.items.some((r) => r.id === d.run);
      if (d.to && (!known || d.to === "failed" || wantState.length)) again(100);
      if (!known) return;
      const at = (e.data.at as string | undefined) ?? null;
      return {
        ...p,
        items: p.items.map((r) => r.id !== d.run ? r : {
          ...r, state: d.state, tasks_done: d.tasks_done, tasks_failed: d.tasks_failed, tasks_running: d.tasks_running,
          started_at: d.to === "running" ? (r.started_at ?? at) : r.started_at,
          finished_at: d.to && STATES.indexOf(d.to) > 1 ? at : r.finished_at,
          duration_ms: d.to && STATES.indexOf(d.to) > 1 && at && r.started_at ? Date.parse(at) - Date.parse(r.started_at) : r.duration_ms,
        }),
      };
    },
  });
}

export function RunsPage() {
  const q = query.value;
  const filter = new URLSearchParams();
  for (const key of ["workflow", "state", "since", "until"]) if (q.get(key)) filter.set(key, q.get(key)!);
  useKeys("Runs", LIST_KEYS);
  const states = new Set(filter.get("state")?.split(",") ?? []);
  const toggle = (s: string) => {
    const next = new Set(states);
    if (!next.delete(s)) next.add(s);
    setQuery({ state: [...next].join(",") || null });
  };
  return (
    <div class="page">
      <div class="bar">
        <h1>Runs</h1>
        <form class="inline" onSubmit={(e) => { e.preventDefault(); setQuery({ workflow: String(new FormData(e.currentTarget).get("workflow") ?? "").trim() }); }}>
          <input data-filter type="search" name="workflow" placeholder="Workflow" aria-label="Only this workflow" key={filter.get("workflow")} defaultValue={filter.get("workflow") ?? ""}
            onChange={(e) => setQuery({ workflow: e.currentTarget.value.trim() })} />
        </form>
        <div class="chips" role="group" aria-label="State">
          {STATES.map((s) => (
            <button key={s} type="button" aria-pressed={states.has(s)} onClick={() => toggle(s)}><Shape state={s} />{s === "success" ? "succeeded" : s}</button>
          ))}
        </div>
        {(filter.get("since") || filter.get("until")) && (
          <button type="button" onClick={() => setQuery({ since: null, until: null })}>
            <When t={filter.get("since")} /> to {filter.get("until") ? <When t={filter.get("until")} /> : "now"} <span aria-hidden="true">×</span><span class="hidden">: any time</span>
          </button>
        )}
      </div>
      <RunsTable key={filter.toString()} filter={filter} />
    </div>
  );
}

export function RunsTable({ filter, plain }: { filter: URLSearchParams; plain?: boolean }) {
  const runs = useRuns(filter);
  const [older, setOlder] = useState<Run[]>([]);
  const [cursor, setCursor] = useState<number | null | undefined>(undefined);
  const d = runs.data.value;
  if (!d) return <Waiting of={runs} />;
  const seen = new Set(d.items.map((r) => r.id));
  const items = [...d.items, ...older.filter((r) => !seen.has(r.id))];
  const next = cursor === undefined ? d.next_before : cursor;
  const more = () => {
    const q = new URLSearchParams(filter);
    q.set("before", String(next));
    q.set("limit", "50");
    get<Page>(`/runs?${q}`).then((p) => { setOlder([...older, ...p.items]); setCursor(p.next_before); }, complain);
  };
  if (items.length === 0)
    return <Empty>No run matches. {filter.toString() && !plain && <a href="/runs">Show all runs</a>}</Empty>;
  return (
    <>
      <div class="table-wrap">
        <table class="list runs">
          <thead><tr>
            <th scope="col">Run</th><th scope="col">State</th><th scope="col">Started</th><th scope="col" class="right">Took</th>
            <th scope="col" class="opt">Trigger</th><th scope="col" class="opt2">Parameters</th><th scope="col" class="opt wide">Cause</th>
          </tr></thead>
          <tbody>{items.map((r) => <Row key={r.id} r={r} />)}</tbody>
        </table>
      </div>
      {next !== null && next !== undefined && <p class="more"><button type="button" onClick={more}>Older runs</button></p>}
    </>
  );
}

function Row({ r }: { r: Run }) {
  const params = Object.entries(r.params);
  return (
    <tr data-row>
      <th scope="row" class="name"><RunLink run={r} /></th>
      <td><StateWord state={runLook(r)} />{r.retried ? <span class="tag">retried</span> : null}</td>
      <td class="num"><When t={r.started_at ?? r.created_at} /></td>
      <td class="num right"><Took from={r.started_at} ms={r.duration_ms} /></td>
      <td class="opt faint cut">{r.trigger}{r.actor && r.trigger !== "schedule" ? ` by ${r.actor}` : ""}</td>
      <td class="opt2 faint cut" title={params.map(([k, v]) => `${k}=${v}`).join("\n")}>{params.slice(0, 3).map(([k, v]) => `${k}=${v}`).join(" ")}</td>
      <td class="opt wide cut">{r.cause ?? r.wait ?? ""}</td>
    </tr>
  );
}
