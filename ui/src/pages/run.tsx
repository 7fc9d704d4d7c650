// SPDX-License-Identifier: MIT
//
// run.tsx: what happened, what is happening, what can I do.
//
// Three panes over the same tasks: the list by state, a lens (graph, timeline,
// table), and the inspector of the selected task. The selection lives in the
// address; without one, the page shows the first failure, else what runs longest.
import { useMemo, useState } from "preact/hooks";
import { get, type Graph, type Run, type RunState, type Task, type TaskChange, type TaskState } from "../api";
import { bytes, clock, duration, elapsed, exact, ms, now, plural } from "../format";
import { GraphView } from "../graph";
import { useKeys } from "../keys";
import { cancelRun, cannot, eta, retryRun, Segmented, startWorkflowAgain, Took, Waiting } from "../parts";
import { useResource } from "../resource";
import { enc, go, query, setQuery } from "../router";
import { FINISHED_WELL, GROUPS, look, OVER, runLook, Shape, StateWord } from "../state";
import { Inspector } from "../inspector";
import { Timeline } from "../timeline";
import { Virtual } from "../virtual";

type Lens = "graph" | "timeline" | "table";

const RUN_OVER = new Set(["success", "failed", "cancelled"]);
export const runIsOver = (r: { state: string }) => RUN_OVER.has(r.state);

interface Tasks {
  seq: number;
  items: Task[];
}

/** What a change of state says about a task, before the server is asked for the rest. */
function changed(t: Task, [, , , to, attempt, reason, exit]: TaskChange, at: string): Task {
  const next: Task = { ...t, state: to, attempt: attempt || t.attempt, reason: reason || null };
  if (to === "queued") next.queued_at = at;
  if (to === "running") {
    next.started_at = at;
    next.finished_at = null;
    next.duration_ms = null;
    next.cause = next.error_excerpt = null;
    next.wait = null;
  }
  if (to === "pending") next.started_at = next.finished_at = next.duration_ms = next.cause = null;
  if (OVER.has(to) || to === "retrying") {
    next.exit_code = exit ?? null;
    if (t.started_at && t.state === "running") {
      next.finished_at = at;
      next.duration_ms = Math.max(0, Date.parse(at) - Date.parse(t.started_at));
    }
    next.wait = null;
    if (to === "failed") next.cause = exit !== null && exit !== undefined ? `exit ${exit}` : (reason ?? null);
  }
  return next;
}

export function RunPage({ id = "", task: named = "" }: { id?: string; task?: string }) {
  const run = useResource<Run>(`run:${id}`, {
    load: (s) => get<Run>(`/runs/${enc(id)}`, s),
    seq: (r) => r.seq ?? 0,
    apply: (r, e, again) => {
      if (e.type !== "run" || e.data.run !== r.id) return;
      const d = e.data as unknown as Run & { to: RunState | null; at: string };
      if (d.to || d.tasks_failed !== r.tasks_failed) again(60);
      return {
        ...r, state: d.state, tasks_done: d.tasks_done, tasks_failed: d.tasks_failed, tasks_running: d.tasks_running,
        started_at: d.to === "running" ? (r.started_at ?? d.at) : r.started_at,
      };
    },
  });
  const tasks = useResource<Tasks>(`tasks:${id}`, {
    load: (s) => get<Tasks>(`/runs/${enc(id)}/tasks`, s),
    seq: (t) => t.seq,
    apply: (t, e, again) => {
      if (e.type !== "run" || String(e.data.run) !== String(run.data.peek()?.id ?? id)) return;
      const changes = (e.data.tasks as TaskChange[] | undefined) ?? [];
      const to = e.data.to as RunState | null;
      if (to && RUN_OVER.has(to)) again(150);
      else if (t.items.length < 500 && changes.some((c) => c[3] === "failed" || c[3] === "retrying" || (OVER.has(c[3]) && c[2] !== "running"))) again(400);
      if (changes.length === 0) return;
      const items = t.items.slice();
      for (const c of changes) {
        const i = items[c[0]]?.task === c[0] ? c[0] : items.findIndex((x) => x.task === c[0]);
        if (items[i]) items[i] = changed(items[i]!, c, String(e.data.at));
      }
      return { ...t, items };
    },
  });
  const graph = useResource<Graph>(`graph:${id}`, { load: (s) => get<Graph>(`/runs/${enc(id)}/graph`, s) });

  const q = query.value;
  const lens = (q.get("lens") as Lens) || "graph";
  const [filter, setFilter] = useState("");
  const [hide, setHide] = useState(false);
  const [pane, setPane] = useState<"tasks" | "lens" | "log">(named ? "log" : "tasks");
  const r = run.data.value;
  const items = tasks.data.value?.items;
  const byName = useMemo(() => new Map((items ?? []).map((t) => [t.name, t])), [items]);
  const [entry, setEntry] = useState<number | null>(null);
  // Nobody has picked a task yet: what failed takes the place of what ran.
  const overtaken = entry !== null && !named && r !== undefined && items !== undefined && r.state === "failed" &&
    items.find((t) => t.task === entry)?.state !== "failed" && items.some((t) => t.state === "failed");
  const first = items && (entry === null || overtaken) ? entrySelection(items) : null;
  if (first !== null && first !== entry) queueMicrotask(() => setEntry(first));
  const selected: Task | undefined = named
    ? (byName.get(named) ?? items?.find((t) => String(t.task) === named))
    : items?.find((t) => t.task === (first ?? entry));

  const select = (task: number, replace = true) => {
    const t = items?.find((x) => x.task === task);
    if (!t) return;
    const keep = new URLSearchParams(location.search);
    keep.delete("attempt");
    const text = keep.toString();
    go(`/r/${id}/t/${enc(t.name)}${text ? `?${text}` : ""}`, { replace, keepScroll: true });
  };
  const listed = useMemo(() => grouped(items ?? [], filter, hide), [items, filter, hide]);
  const order = listed.filter((x): x is Task => "task" in x);
  const step = (by: number) => {
    const at = selected ? order.findIndex((t) => t.task === selected.task) : -1;
    const next = order[Math.max(0, Math.min(order.length - 1, at + by))];
    if (next) select(next.task);
  };
  const retry = () => {
    if (!r || !items || !canRetry(r)) return;
    const again = items.filter((t) => t.state === "failed" || (r.state === "cancelled" && t.state === "cancelled")).map((t) => t.name);
    const blocked = items.filter((t) => t.state === "upstream_failed").map((t) => t.name);
    retryRun(r, { again, blocked, kept: items.filter((t) => t.state === "success").length });
  };
  const failures = () => order.filter((t) => t.state === "failed");
  useKeys("Run", [
    { keys: "j", does: "Next task", run: () => step(1) },
    { keys: "k", does: "Previous task", run: () => step(-1) },
    { keys: "n", does: "Next failed task", run: () => { const f = failures(); const at = f.findIndex((t) => t.task === selected?.task); const next = f[(at + 1) % (f.length || 1)]; if (next) select(next.task); } },
    { keys: "Enter", does: "Log in the full window", run: () => selected && go(`/r/${id}/t/${enc(selected.name)}/log`) },
    { keys: "1", does: "Graph", run: () => setQuery({ lens: null }) },
    { keys: "2", does: "Timeline", run: () => setQuery({ lens: "timeline" }) },
    { keys: "3", does: "Table", run: () => setQuery({ lens: "table" }) },
    { keys: "r", does: "Retry what failed", run: retry },
    { keys: "c", does: "Cancel the run", run: () => r && !runIsOver(r) && cancelRun(r) },
    { keys: "l", does: "Show the log", run: () => { setQuery({ tab: null }); document.querySelector<HTMLElement>(".log-scroll")?.focus(); } },
    { keys: "h", does: "Hide what finished well", run: () => setHide(!hide) },
  ]);

  if (!r) return <Waiting of={run} />;
  document.title = `${r.state === "failed" ? "✖ " : r.state === "success" ? "✔ " : ""}${r.workflow} #${r.id} · gowtf`;
  return (
    <div class="run-page">
      <Head r={r} items={items ?? []} onRetry={retry} />
      <div class="phone-tabs">
        <Segmented label="Part" value={pane} onPick={setPane}
          options={[{ id: "tasks", title: "Tasks" }, { id: "lens", title: "Graph" }, { id: "log", title: "Log" }]} />
      </div>
      <div class="panes">
        <section class={`pane tasks${pane === "tasks" ? " on-phone" : ""}`} aria-label="Tasks">
          <div class="pane-head">
            <input data-filter type="search" placeholder="Filter tasks" aria-label="Filter tasks" value={filter} onInput={(e) => setFilter(e.currentTarget.value)} />
            <button type="button" class="icon" aria-pressed={hide} aria-label="Hide what finished well" title="Hide what finished well (h)" onClick={() => setHide(!hide)}>
              <Shape state={hide ? "pending" : "success"} />
            </button>
          </div>
          <TaskList rows={listed} selected={selected?.task ?? null} onSelect={(t) => { select(t); setPane("log"); }} />
        </section>
        <section class={`pane${pane === "lens" ? " on-phone" : ""}`} aria-label="Lens">
          <div class="pane-head">
            <Segmented label="Lens" value={lens} onPick={(l) => setQuery({ lens: l === "graph" ? null : l })}
              options={[{ id: "graph", title: "Graph" }, { id: "timeline", title: "Timeline" }, { id: "table", title: "Table" }]} />
          </div>
          {lens === "graph" && graph.data.value && items && (
            <RunGraph graph={graph.data.value} items={items} selected={selected?.task ?? null} onSelect={select} label={`Graph of ${r.workflow} #${r.id}, ${plural(items.length, "task")}`} />
          )}
          {lens === "timeline" && items && <Timeline run={r} items={items} selected={selected?.task ?? null} onSelect={select} />}
          {lens === "table" && items && <TaskTable items={items} selected={selected?.task ?? null} onSelect={select} />}
        </section>
        <section class={`pane${pane === "log" ? " on-phone" : ""}`} aria-label="Selected task">
          {selected ? <Inspector key={selected.task} run={r} task={selected} tasks={items!} /> : <p class="log-empty">No task is selected.</p>}
        </section>
      </div>
    </div>
  );
}

/** First failure; else what runs longest; else the last that did something. */
function entrySelection(items: Task[]): number | null {
  const failed = items.filter((t) => t.state === "failed").sort((a, b) => (a.finished_at ?? "").localeCompare(b.finished_at ?? ""));
  if (failed[0]) return failed[0].task;
  const running = items.filter((t) => t.state === "running").sort((a, b) => (a.started_at ?? "").localeCompare(b.started_at ?? ""));
  if (running[0]) return running[0].task;
  const ended = items.filter((t) => t.finished_at).sort((a, b) => (b.finished_at ?? "").localeCompare(a.finished_at ?? ""));
  return ended[0]?.task ?? items[0]?.task ?? null;
}

const canRetry = (r: Run) => r.state === "failed" || r.state === "cancelled";

function Head({ r, items, onRetry }: { r: Run; items: Task[]; onRetry: () => void }) {
  const over = runIsOver(r);
  const at = ms(r.started_at);
  const params = Object.entries(r.params);
  const slowest = over ? items.reduce<Task | null>((a, t) => ((t.duration_ms ?? 0) > (a?.duration_ms ?? 0) ? t : a), null) : null;
  return (
    <header class="run-head">
      <div class="run-title">
        <h1><a href={`/w/${enc(r.workflow)}`}>{r.workflow}</a> <span class="num">#{r.id}</span></h1>
        <StateWord state={runLook(r)} word={`${look(runLook(r)).word}${over && r.duration_ms !== null ? ` in ${duration(r.duration_ms)}` : at !== null && !over ? ` for ${elapsed(now.value - at)}` : ""}`} />
        {eta(r) && !(over && duration(r.usual_ms) === duration(r.duration_ms)) && <span class="faint">{over ? `usually ${duration(r.usual_ms)}` : eta(r)}</span>}
        <span class="grow" />
        {canRetry(r) && <button type="button" class="primary" disabled={!!cannot()} title={cannot()} onClick={onRetry}>Retry{r.failed_task && r.state === "failed" ? ` from ${short(r.failed_task.name)}` : ""}</button>}
        {!over && <button type="button" disabled={!!cannot() || r.cancel_at !== null} title={cannot()} onClick={() => cancelRun(r)}>{r.cancel_at ? "Cancelling…" : "Cancel"}</button>}
        <button type="button" disabled={!!cannot()} title={cannot()} onClick={() => startWorkflowAgain(r)}>Start again</button>
      </div>
      {r.state === "failed" && r.cause && (
        <p class="cause"><Shape state="failed" /><span>{r.failed_task ? <a href={`/r/${r.id}/t/${enc(r.failed_task.name)}`}>{r.failed_task.name}</a> : null}{r.failed_task && r.cause.startsWith(`${r.failed_task.name}:`) ? r.cause.slice(r.failed_task.name.length) : r.failed_task ? `: ${r.cause}` : r.cause}</span></p>
      )}
      {!over && r.wait && <p class="cause wait"><Shape state="queued" /><span>{r.wait}</span></p>}
      <p class="facts">
        <span>{r.started_at ? <span title={exact(r.started_at)}>{clock(Date.parse(r.started_at))}{r.finished_at ? `–${clock(Date.parse(r.finished_at))}` : ""}</span> : `asked for at ${clock(Date.parse(r.created_at))}`}</span>
        <span>{r.trigger}{r.actor && r.trigger !== "schedule" ? ` by ${r.actor}` : ""}</span>
        <a href={`/w/${enc(r.workflow)}?tab=definition&version=${r.version}`}>version {r.version}</a>
        <span>{r.tasks_done} of {r.tasks_total} tasks done{r.tasks_failed ? `, ${r.tasks_failed} failed` : ""}{r.tasks_running ? `, ${r.tasks_running} running` : ""}</span>
        {slowest && items.length > 1 && slowest.duration_ms ? <span>slowest: {short(slowest.name)} {duration(slowest.duration_ms)}</span> : null}
        {params.map(([k, v]) => <code key={k}>{k}={short(v)}</code>)}
      </p>
    </header>
  );
}

const short = (s: string) => (s.length > 40 ? `${s.slice(0, 39)}…` : s);

type ListRow = Task | { title: string; state: string; count: number };

function grouped(items: Task[], filter: string, hide: boolean): ListRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const by = new Map<string, Task[]>();
  for (const t of items) {
    if (words.length && !words.every((w) => t.name.toLowerCase().includes(w))) continue;
    if (hide && FINISHED_WELL.has(t.state)) continue;
    (by.get(t.state) ?? by.set(t.state, []).get(t.state)!).push(t);
  }
  const out: ListRow[] = [];
  for (const g of GROUPS) {
    const list = by.get(g.state);
    if (list) out.push({ title: g.title, state: g.state, count: list.length }, ...list);
  }
  return out;
}

function TaskList({ rows, selected, onSelect }: { rows: ListRow[]; selected: number | null; onSelect: (t: number) => void }) {
  const at = rows.findIndex((r) => "task" in r && r.task === selected);
  return (
    <Virtual count={rows.length} height={28} label="Tasks by state" reveal={at} role="listbox">
      {(i, place) => {
        const r = rows[i]!;
        if (!("task" in r)) return <div key={`g${r.state}`} ref={place} class="group" role="presentation"><span>{r.title}</span><span>{r.count}</span></div>;
        return (
          <div key={r.task} ref={place} class="row" role="option" aria-selected={r.task === selected} id={`task-${r.task}`} onClick={() => onSelect(r.task)}>
            <Shape state={r.state} label={look(r.state).word} />
            <span class="grow cut" title={r.name}>{r.name}</span>
            {r.attempt > 1 && <span class="faint num">×{r.attempt}</span>}
            <span class="num faint">{OVER.has(r.state) ? (r.duration_ms !== null ? duration(r.duration_ms) : "") : r.state === "running" ? <Took from={r.started_at} ms={null} /> : ""}</span>
          </div>
        );
      }}
    </Virtual>
  );
}

function RunGraph({ graph, items, selected, onSelect, label }: { graph: Graph; items: Task[]; selected: number | null; onSelect: (t: number) => void; label: string }) {
  const by = useMemo(() => new Map(items.map((t) => [t.task, t])), [items]);
  const nodeLook = (task: number) => {
    const t = by.get(task);
    if (!t) return { state: null, note: "" };
    return { state: t.state as TaskState, note: t.state === "running" || t.duration_ms === null ? look(t.state).word : duration(t.duration_ms) };
  };
  return <GraphView graph={graph} nodeLook={nodeLook} version={items} selected={selected} onSelect={onSelect} label={label} />;
}

type Column = { id: string; title: string; value: (t: Task) => number | string; show: (t: Task) => string };
const COLUMNS: Column[] = [
  { id: "name", title: "Task", value: (t) => t.name, show: (t) => t.name },
  { id: "state", title: "State", value: (t) => GROUPS.findIndex((g) => g.state === t.state), show: (t) => look(t.state).word },
  { id: "wait", title: "Wait", value: (t) => waited(t), show: (t) => (waited(t) >= 0 ? duration(waited(t)) : "–") },
  { id: "run", title: "Run", value: (t) => -(t.duration_ms ?? -1), show: (t) => duration(t.duration_ms) },
  { id: "tries", title: "Tries", value: (t) => -t.attempt, show: (t) => String(t.attempt || "–") },
  { id: "exit", title: "Exit", value: (t) => -(t.exit_code ?? -1), show: (t) => (t.exit_code === null ? (t.signal ? `sig ${t.signal}` : "–") : String(t.exit_code)) },
  { id: "cpu", title: "CPU", value: (t) => -(t.cpu_ms ?? -1), show: (t) => (t.attempt ? duration(t.cpu_ms) : "–") },
  { id: "mem", title: "Memory", value: (t) => -(t.max_rss_bytes ?? -1), show: (t) => (t.attempt ? bytes(t.max_rss_bytes) : "–") },
  { id: "out", title: "Output", value: (t) => -((t.out_bytes ?? 0) + (t.err_bytes ?? 0)), show: (t) => (t.attempt ? bytes((t.out_bytes ?? 0) + (t.err_bytes ?? 0)) : "–") },
];
const waited = (t: Task) => (t.queued_at && t.started_at ? Math.max(0, Date.parse(t.started_at) - Date.parse(t.queued_at)) : -1);
const ROWS_MAX = 400;

function TaskTable({ items, selected, onSelect }: { items: Task[]; selected: number | null; onSelect: (t: number) => void }) {
  const [sort, setSort] = useState("state");
  const [all, setAll] = useState(false);
  const col = COLUMNS.find((c) => c.id === sort)!;
  const rows = [...items].sort((a, b) => {
    const x = col.value(a), y = col.value(b);
    return x < y ? -1 : x > y ? 1 : a.task - b.task;
  });
  const shown = all ? rows : rows.slice(0, ROWS_MAX);
  return (
    <div class="grid-scroll" tabIndex={0} role="region" aria-label="Task table">
      <table class="list">
        <thead><tr>{COLUMNS.map((c) => (
          <th key={c.id} scope="col" class={c.id === "name" || c.id === "state" ? "" : "right"} aria-sort={c.id === sort ? "ascending" : "none"}>
            <button type="button" class="sort" aria-pressed={c.id === sort} onClick={() => setSort(c.id)}>{c.title}</button>
          </th>
        ))}</tr></thead>
        <tbody>{shown.map((t) => (
          <tr key={t.task} class={`clickable${t.task === selected ? " selected" : ""}`} onClick={() => onSelect(t.task)}>
            {COLUMNS.map((c) => c.id === "name"
              ? <th key={c.id} scope="row" class="name cut"><button type="button" class="plain link" onClick={() => onSelect(t.task)}>{t.name}</button></th>
              : c.id === "state" ? <td key={c.id}><StateWord state={t.state} /></td>
              : <td key={c.id} class="num right">{c.show(t)}</td>)}
          </tr>
        ))}</tbody>
      </table>
      {shown.length < rows.length && <p class="more"><button type="button" onClick={() => setAll(true)}>Show all {rows.length}</button></p>}
    </div>
  );
}
