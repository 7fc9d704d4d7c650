// SPDX-License-Identifier: MIT
//
// workflow.tsx: how has this one been doing, and what is it?
import { type Graph, get, getText, type Grid, type Problem, type WorkflowFull } from "../api";
import { LIST_KEYS, useKeys } from "../keys";
import { about, duration, exact, plural, relative, when } from "../format";
import { GraphView, noteOf } from "../graph";
import { cannot, Empty, Segmented, Switch, Waiting, When } from "../parts";
import { useResource } from "../resource";
import { enc, query, setQuery } from "../router";
import { look, runLook, Shape } from "../state";
import { RunsTable } from "./runs";
import { startWorkflow, worst } from "./workflows";

type Tab = "history" | "runs" | "graph" | "definition";

const CELLS: Record<string, string> = {
  ".": "pending", q: "queued", r: "running", y: "retrying", w: "waiting", s: "success", S: "degraded",
  f: "failed", k: "skipped", u: "upstream_failed", c: "cancelled",
};

export function WorkflowPage({ name = "" }: { name?: string }) {
  const wf = useResource<WorkflowFull>(`workflow:${name}`, {
    load: (s) => get<WorkflowFull>(`/workflows/${enc(name)}`, s),
    seq: (w) => w.seq,
    apply: (w, e, again) => {
      if (e.data.workflow !== name) return;
      if (e.type === "switch") { again(50); return { ...w, enabled: Boolean(e.data.enabled) }; }
      if (e.type === "workflow" || e.type === "slot" || (e.type === "run" && e.data.to)) again(100);
      return;
    },
  });
  useKeys("Workflow", [...LIST_KEYS, { keys: "s", does: "Start a run", run: () => startWorkflow(name) }]);
  const w = wf.data.value;
  if (!w) return <Waiting of={wf} />;
  const tab = (query.value.get("tab") as Tab) || "history";
  const last = w.last_runs[0];
  return (
    <div class="page">
      <header class="wf-head">
        <div class="wf-title">
          <Shape state={worst(w)} label={look(worst(w)).word} />
          <h1>{w.name}</h1>
          {w.tags.map((t) => <span key={t} class="tag">{t}</span>)}
          <span class="grow" />
          {w.schedules.length > 0 && <span class="faint">{w.enabled ? "Schedule on" : "Paused"}</span>}
          {w.schedules.length > 0 && <Switch w={w} onChange={(on) => wf.patch((x) => ({ ...x, enabled: on }))} />}
          <button type="button" class="primary" disabled={!!cannot() || w.state === "gone"} title={cannot()} onClick={() => startWorkflow(w.name)}>Start</button>
        </div>
        {w.description && <p>{w.description}</p>}
        <p class="facts">
          {w.schedules.map((s) => <span key={s.entry} title={`${s.entry} ${s.timezone}`}>{s.words}, {s.timezone}</span>)}
          {w.schedules.length === 0 && <span>no schedule</span>}
          {w.enabled && w.next.slice(0, 3).map((n) => <span key={n.at} title={exact(n.at)}>next {when(n.at)}, {relative(n.at)}</span>)}
          {!w.enabled && w.switched && <span>paused {relative(w.switched.at)}{w.switched.actor ? ` by ${w.switched.actor}` : ""}{w.switched.reason ? `: ${w.switched.reason}` : ""}</span>}
          {w.usual_ms !== null && <span>usually {about(w.usual_ms)}</span>}
          {w.success_rate_30d !== null && <span>{Math.round(100 * w.success_rate_30d)} % fine in 30 days</span>}
          <span>{plural(w.run_count, "run")}</span>
          {last && <span>last <When t={last.started_at} rel /></span>}
          {w.owner && <span>owner {w.owner}</span>}
          <span>version {w.version}</span>
          <code>{w.path}</code>
        </p>
        {w.problems.length > 0 && tab !== "definition" && (
          <p class="cause wait"><Shape state="broken" /><span>The edited file was not loaded; version {w.version} still runs. <a href={`/w/${enc(w.name)}?tab=definition`}>{w.problems[0]!.message}</a></span></p>
        )}
      </header>
      <div class="tabs">
        <Segmented label="About the workflow" value={tab} onPick={(t) => setQuery({ tab: t === "history" ? null : t, version: null })}
          options={[{ id: "history", title: "History" }, { id: "runs", title: "Runs" }, { id: "graph", title: "Graph" }, { id: "definition", title: "Definition" }]} />
      </div>
      {tab === "history" && <History w={w} />}
      {tab === "runs" && <RunsTable plain filter={new URLSearchParams({ workflow: w.name })} />}
      {tab === "graph" && <DefinitionGraph w={w} />}
      {tab === "definition" && <Definition key={`${w.source_hash}${query.value.get("version")}`} w={w} />}
    </div>
  );
}

function History({ w }: { w: WorkflowFull }) {
  const grid = useResource<Grid>(`grid:${w.name}`, {
    load: (s) => get<Grid>(`/workflows/${enc(w.name)}/grid?n=30`, s),
    apply: (_, e, again) => { if (e.type === "run" && e.data.workflow === w.name) again(e.data.to ? 60 : 500); },
  });
  const g = grid.data.value;
  if (!g) return <Waiting of={grid} />;
  if (g.runs.length === 0)
    return <Empty>Never run{w.next[0] && w.enabled ? `; next ${when(w.next[0].at)}, ${relative(w.next[0].at)}` : ""}. Start it with the button above.</Empty>;
  const usual = w.usual_ms || Math.max(1, ...g.runs.map((r) => r.duration_ms ?? 0));
  const rows = g.tasks.slice(0, 300);
  const usualOf = new Map(w.tasks.map((t) => [t.name, t.usual_ms]));
  return (
    <div class="matrix-wrap" tabIndex={0} role="region" aria-label="Tasks by runs">
      <table class="matrix">
        <thead><tr>
          <th scope="col"><span class="hidden">Task</span></th><th scope="col" class="faint">usual</th>
          {g.runs.map((r, i) => (
            <th key={r.id} scope="col" class={i > 0 && g.runs[i - 1]!.version !== r.version ? "new-version" : ""}>
              <a href={`/r/${r.id}`} title={`#${r.id} ${look(runLook(r)).word}, ${exact(r.started_at)}, ${duration(r.duration_ms)}, version ${r.version}`}>
                <svg class={`col-bar hue-${look(r.state).hue}`} viewBox="0 0 12 32" aria-hidden="true">
                  <rect x="1" width="10" rx="1" fill="currentColor" y={32 - barHeight(r.duration_ms, usual)} height={barHeight(r.duration_ms, usual)} />
                </svg>
                <Shape state={r.state} label={look(r.state).word} /><br /><span class="num">#{r.id}</span>
              </a>
            </th>
          ))}
        </tr></thead>
        <tbody>{rows.map((t, y) => (
          <tr key={t}>
            <th scope="row" class="cut" title={t}>{t}</th>
            <td class="num faint">{usualOf.get(t) ? about(usualOf.get(t)!) : ""}</td>
            {g.runs.map((r, x) => {
              const state = CELLS[g.cells[y * g.runs.length + x] ?? " "];
              return (
                <td key={r.id} class={x > 0 && g.runs[x - 1]!.version !== r.version ? "new-version" : ""}>
                  {state ? <a href={`/r/${r.id}/t/${enc(t)}`} tabIndex={-1}><Shape state={state} label={`${t} #${r.id}: ${look(state).word}`} /></a> : null}
                </td>
              );
            })}
          </tr>
        ))}</tbody>
      </table>
      {rows.length < g.tasks.length && <p class="empty">{g.tasks.length - rows.length} more tasks are not shown here; open a run to see them.</p>}
    </div>
  );
}

const barHeight = (n: number | null, usual: number) => Math.min(30, Math.max(2, Math.round((15 * (n ?? 0)) / usual)));

function DefinitionGraph({ w }: { w: WorkflowFull }) {
  const graph = useResource<Graph>(`wgraph:${w.name}:${w.version}`, { load: (s) => get<Graph>(`/workflows/${enc(w.name)}/graph`, s) });
  const selected = query.value.get("task");
  const at = w.tasks.find((t) => t.name === selected);
  const g = graph.data.value;
  if (!g) return <Waiting of={graph} />;
  return (
    <>
      <div class="fixed-graph">
        <GraphView graph={g} version={w} selected={at?.task ?? null} label={`Graph of ${w.name}, ${plural(w.task_count, "task")}`}
          nodeLook={(i) => ({ state: null, note: noteOf(w.tasks[i]?.usual_ms) })}
          onSelect={(i) => setQuery({ task: w.tasks.find((t) => t.task === i)?.name ?? null })} />
      </div>
      {at && (
        <p class="facts"><b>{at.name}</b>{at.description ? <span>{at.description}</span> : null}
          {at.condition && <span>if <code>{at.condition}</code></span>}
          {at.retries > 0 && <span>{plural(at.retries, "retry", "retries")}, {duration(at.retry_delay_ms)} apart</span>}
          {at.timeout_ms !== null && <span>timeout {duration(at.timeout_ms)}</span>}
        </p>
      )}
    </>
  );
}

function Definition({ w }: { w: WorkflowFull }) {
  const version = query.value.get("version");
  const source = useResource<string>(`source:${w.name}:${version ?? w.source_hash}`, {
    load: () => getText(`/workflows/${enc(w.name)}/source${version ? `?version=${enc(version)}` : ""}`),
  });
  const versions = useResource<{ items: { version: number; hash: string; loaded_at: string; task_count: number }[] }>(`versions:${w.name}:${w.version}`, {
    load: (s) => get(`/workflows/${enc(w.name)}/versions`, s),
  });
  const text = source.data.value;
  const list = versions.data.value?.items ?? [];
  return (
    <>
      <Problems problems={w.problems} note={`The file ${w.path} was edited and not loaded. Version ${w.version} still runs.`} />
      <p class="facts">
        <label>Version <select value={version ?? String(w.version)} onChange={(e) => setQuery({ version: e.currentTarget.value === String(w.version) ? null : e.currentTarget.value })}>
          {(list.length ? list : [{ version: w.version ?? 0, loaded_at: "", hash: "", task_count: 0 }]).map((v) => <option key={v.version} value={String(v.version)}>{v.version}{v.version === w.version ? ", in use" : ""}{v.loaded_at ? `, loaded ${when(v.loaded_at)}` : ""}</option>)}
        </select></label>
        <code>{w.path}</code>
      </p>
      {text === undefined ? <Waiting of={source} /> : <Source text={text} />}
    </>
  );
}

export function Problems({ problems, note }: { problems: Problem[]; note?: string }) {
  if (problems.length === 0) return null;
  return (
    <div class="problems">
      {note && <p class="warn">{note}</p>}
      {problems.map((p) => (
        <div key={`${p.file}${p.line}${p.column}${p.code}`} class={`problem ${p.severity}`}>
          <p><b>{p.severity}[{p.code}]</b>: {p.message}</p>
          <p class="where num">{p.file ? `${p.file}:` : ""}{p.line}:{p.column}{p.under ? ` ${p.under}` : ""}</p>
          {p.help && <p>{p.help}</p>}
        </div>
      ))}
    </div>
  );
}

const LINE = /^(\s*(?:- )?)([\w.-]+)(:)(?=\s|$)(.*)$/;

function Source({ text }: { text: string }) {
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    <div class="source" tabIndex={0} role="region" aria-label="Definition">
      {lines.flatMap((l, i) => {
        const m = LINE.exec(l);
        return [
          <span key={`n${i}`} class="n">{i + 1}</span>,
          <span key={`l${i}`} class="l">
            {/^\s*#/.test(l) ? <span class="comment">{l}</span> : m ? <>{m[1]}<span class="key">{m[2]}</span>{m[3]}{m[4]}</> : l || " "}
          </span>,
        ];
      })}
    </div>
  );
}
