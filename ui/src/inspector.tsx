// SPDX-License-Identifier: MIT
//
// inspector.tsx: everything about the selected task: log, details, attempts, events.
import { useState } from "preact/hooks";
import { type Attempt, get, type Run, type RunEvent, type Task, type TaskChange, type TaskFull } from "./api";
import { bytes, clock, duration, exact } from "./format";
import { LogView, type Stream } from "./log_view";
import { Segmented, Took, When } from "./parts";
import { useResource } from "./resource";
import { enc, hash, query, setQuery } from "./router";
import { look, OVER, Shape, StateWord } from "./state";

type Tab = "log" | "details" | "attempts" | "events";

/** The line or lines that the address points at. */
export function lineInHash(): [number, number] | null {
  const m = /^#L(\d+)(?:-L?(\d+))?$/.exec(hash.value);
  return m ? [Number(m[1]), Number(m[2] ?? m[1])] : null;
}

/** A task with its attempts, asked for again when the stream speaks of it. */
export function useTask(run: number | string, task: number | string, number_: number | null) {
  return useResource<TaskFull>(`task:${run}/${task}`, {
    load: (s) => get<TaskFull>(`/runs/${run}/tasks/${enc(String(task))}`, s),
    apply: (t, e, again) => {
      if (e.type !== "run" || String(e.data.run) !== String(run)) return;
      const mine = number_ ?? t.task;
      if (((e.data.tasks as TaskChange[] | undefined) ?? []).some((c) => c[0] === mine)) again(60);
      return;
    },
  });
}

export function Inspector({ run, task, tasks }: { run: Run; task: Task; tasks: Task[] }) {
  const full = useTask(run.id, task.task, task.task);
  const tab = (query.value.get("tab") as Tab) || "log";
  const f = full.data.value;
  const count = f?.attempts.length ?? task.attempt;
  return (
    <>
      <div class="pane-head">
        <Shape state={task.state} label={look(task.state).word} />
        <h2 class="task-title cut" title={task.name}>{task.name}</h2>
        <Segmented label="About the task" value={tab} onPick={(t) => setQuery({ tab: t === "log" ? null : t })}
          options={[{ id: "log", title: "Log" }, { id: "details", title: "Details" }, { id: "attempts", title: count > 1 ? `Attempts ${count}` : "Attempts" }, { id: "events", title: "Events" }]} />
      </div>
      {tab === "log" && <TaskLog run={run} task={task} full={f} />}
      {tab === "details" && <Details task={task} full={f} tasks={tasks} run={run} />}
      {tab === "attempts" && <Attempts full={f} />}
      {tab === "events" && <Events run={run} task={task} />}
    </>
  );
}

export function TaskLog({ run, task, full, whole }: { run: { id: number }; task: Task; full: TaskFull | undefined; whole?: boolean }) {
  const [times, setTimes] = useState(false);
  const q = query.value;
  const attempts = full?.attempts ?? [];
  const last = attempts[attempts.length - 1];
  const asked = Number(q.get("attempt")) || 0;
  const attempt = attempts.find((a) => a.attempt === asked) ?? last;
  const stream = (q.get("stream") as Stream) || "both";
  const lines = lineInHash();
  const running = attempt ? attempt.state === "running" || attempt.state === "starting" : false;
  const line = lines ? lines[0] : attempt && !running && attempt.state !== "success" && stream === "both" ? attempt.first_error_line : null;
  const keep = new URLSearchParams(q);
  const base = `/r/${run.id}/t/${enc(task.name)}${whole ? "/log" : ""}${keep.toString() ? `?${keep}` : ""}`;
  if (full && attempts.length === 0)
    return <p class="log-empty">{task.wait ?? (task.state === "upstream_failed" ? "It did not run: a task before it failed." : task.state === "skipped" ? "It was skipped: its condition was false." : OVER.has(task.state) ? "It did not run." : "It has not started yet.")}</p>;
  return (
    <>
      <div class="log-bar">
        {attempts.length > 1 && <span class="faint">Attempt</span>}
        {attempts.length > 1 && (
          <Segmented label="Attempt" value={String(attempt?.attempt)} onPick={(a) => setQuery({ attempt: a === String(last?.attempt) ? null : a })}
            options={attempts.map((a) => ({ id: String(a.attempt), title: String(a.attempt), name: `Attempt ${a.attempt}` }))} />
        )}
        <select aria-label="Which output" value={stream} onChange={(e) => setQuery({ stream: e.currentTarget.value === "both" ? null : e.currentTarget.value })}>
          <option value="both">out and err</option><option value="out">out</option><option value="err">err</option>
        </select>
        <button type="button" aria-pressed={times} onClick={() => setTimes(!times)}>{times ? "Hide times" : "Times"}</button>
        <span class="grow" />
        {!whole && <a class="button" href={`/r/${run.id}/t/${enc(task.name)}/log${keep.toString() ? `?${keep}` : ""}`}>Full window</a>}
      </div>
      {attempt && <LogView key={`${attempt.attempt}${stream}${running ? "" : attempt.first_error_line}`} run={run.id} task={task.task} name={task.name} attempt={attempt.attempt} stream={stream} times={times} line={line} lineTo={lines ? lines[1] : null} running={running} href={base} />}
      {attempt && <p class="log-foot verdict"><Shape state={attempt.state} /><span>{verdict(attempt)}</span></p>}
    </>
  );
}

function verdict(a: Attempt): string {
  const parts = [a.cause ?? (a.exit_code !== null ? `exit ${a.exit_code}` : look(a.state).word)];
  if (a.message && a.message !== a.cause) parts.push(a.message);
  if (a.duration_ms !== null) parts.push(duration(a.duration_ms));
  if (a.cpu_ms !== null) parts.push(`${duration(a.cpu_ms)} CPU`);
  if (a.max_rss_bytes) parts.push(`${bytes(a.max_rss_bytes)} peak`);
  return parts.join(" · ");
}

function Details({ task, full, tasks, run }: { task: Task; full: TaskFull | undefined; tasks: Task[]; run: Run }) {
  const name = (i: number) => tasks.find((t) => t.task === i);
  const after = tasks.filter((t) => t.depends_on.includes(task.task));
  const links = (list: (Task | undefined)[]) => list.filter((t): t is Task => !!t).slice(0, 40).map((t) => (
    <a key={t.task} class="tag" href={`/r/${run.id}/t/${enc(t.name)}?tab=details`}><Shape state={t.state} label={look(t.state).word} /> {t.name}</a>
  ));
  return (
    <div class="details" tabIndex={0} role="region" aria-label="Details">
      <dl>
        <dt>State</dt><dd><StateWord state={task.state} />{task.cause ? ` · ${task.cause}` : ""}</dd>
        {task.wait && <><dt>Waits</dt><dd>{task.wait}</dd></>}
        {task.error_excerpt && <><dt>Last error</dt><dd>{task.error_excerpt}</dd></>}
        <dt>Queued</dt><dd>{exact(task.queued_at) || "–"}</dd>
        <dt>Started</dt><dd>{exact(task.started_at) || "–"}</dd>
        <dt>Finished</dt><dd>{exact(task.finished_at) || "–"}</dd>
        <dt>Took</dt><dd><Took from={task.state === "running" ? task.started_at : null} ms={task.duration_ms} />{task.usual_ms ? <span class="faint"> usually {duration(task.usual_ms)}</span> : null}</dd>
        <dt>Resources</dt><dd>{duration(task.cpu_ms)} CPU, {bytes(task.max_rss_bytes)} peak memory, {bytes(task.out_bytes)} out, {bytes(task.err_bytes)} err</dd>
        {task.condition && <><dt>Condition</dt><dd><code>{task.condition}</code></dd></>}
        <dt>After</dt><dd>{task.depends_on.length ? links(task.depends_on.map(name)) : "nothing: it begins with the run"}</dd>
        <dt>Before</dt><dd>{after.length ? links(after) : "nothing hangs on it"}</dd>
        {full?.workdir && <><dt>Directory</dt><dd><code>{full.workdir}</code></dd></>}
        {full?.shell && <><dt>Shell</dt><dd><code>{full.shell}</code></dd></>}
      </dl>
      {full?.command && <><h3>Command</h3><pre tabIndex={0}>{full.command}</pre></>}
      {full && full.env.length > 0 && (
        <>
          <h3>Environment</h3>
          <table class="list"><thead><tr><th scope="col">Name</th><th scope="col">Value</th><th scope="col">From</th></tr></thead>
            <tbody>{full.env.map((v) => <tr key={v.name}><td><code>{v.name}</code></td><td class="cut"><code>{v.value}</code></td><td class="faint">{v.origin}</td></tr>)}</tbody></table>
        </>
      )}
    </div>
  );
}

function Attempts({ full }: { full: TaskFull | undefined }) {
  if (!full) return <div class="loading" aria-busy="true" />;
  if (full.attempts.length === 0) return <p class="log-empty">It was never started.</p>;
  return (
    <div class="grid-scroll" tabIndex={0} role="region" aria-label="Attempts">
      <table class="list">
        <thead><tr><th scope="col">#</th><th scope="col">State</th><th scope="col">Started</th><th scope="col" class="right">Took</th><th scope="col" class="right">CPU</th><th scope="col" class="right">Memory</th><th scope="col">How it ended</th></tr></thead>
        <tbody>{full.attempts.map((a) => (
          <tr key={a.attempt}>
            <td><a href={`?attempt=${a.attempt}`} onClick={(e) => { e.preventDefault(); setQuery({ attempt: String(a.attempt), tab: null }); }}>{a.attempt}</a></td>
            <td><StateWord state={a.state} /></td>
            <td class="num"><When t={a.started_at} /></td>
            <td class="num right"><Took from={a.started_at} ms={a.duration_ms} /></td>
            <td class="num right">{duration(a.cpu_ms)}</td>
            <td class="num right">{bytes(a.max_rss_bytes)}</td>
            <td class="cut" title={a.error_excerpt ?? ""}>{a.cause ?? ""}{a.needed_kill ? ", needed SIGKILL" : ""}{a.error_excerpt ? ` · ${a.error_excerpt}` : ""}</td>
          </tr>
        ))}</tbody>
      </table>
    </div>
  );
}

function Events({ run, task }: { run: Run; task: Task }) {
  const events = useResource<{ items: RunEvent[] }>(`events:${run.id}`, {
    load: (s) => get<{ items: RunEvent[] }>(`/runs/${run.id}/events`, s),
    seq: (d) => d.items[d.items.length - 1]?.seq ?? 0,
    apply: (d, e) => e.type === "run" && e.data.run === run.id
      ? { items: [...d.items, { seq: Number(e.data.seq), at: String(e.data.at), kind: "run", actor: null, data: e.data }] } : undefined,
  });
  const rows = (events.data.value?.items ?? []).flatMap((e) => {
    const mine = ((e.data?.tasks as TaskChange[] | undefined) ?? []).filter((c) => c[0] === task.task);
    return mine.map((c) => ({ seq: e.seq, at: e.at, actor: e.actor, c }));
  });
  if (rows.length === 0) return <p class="log-empty">Nothing has happened to it yet.</p>;
  return (
    <div class="grid-scroll" tabIndex={0} role="region" aria-label="Events">
      <table class="list">
        <thead><tr><th scope="col">When</th><th scope="col">From</th><th scope="col">To</th><th scope="col">Why</th><th scope="col" class="right">Event</th></tr></thead>
        <tbody>{rows.map((r) => (
          <tr key={`${r.seq}${r.c[3]}`}>
            <td class="num" title={exact(r.at)}>{clock(Date.parse(r.at), true)}</td>
            <td class="faint">{look(r.c[2]).word}</td>
            <td><StateWord state={r.c[3]} /></td>
            <td>{[r.c[5], r.c[6] !== null && r.c[6] !== undefined ? `exit ${r.c[6]}` : "", r.c[4] > 1 ? `attempt ${r.c[4]}` : "", r.actor].filter(Boolean).join(", ")}</td>
            <td class="num right faint">{r.seq}</td>
          </tr>
        ))}</tbody>
      </table>
    </div>
  );
}
