// SPDX-License-Identifier: MIT
//
// workflows.tsx: find one workflow, see all states at once.
import { useState } from "preact/hooks";
import { get, type Workflow, type WorkflowFull, type Workflows } from "../api";
import { LIST_KEYS, useKeys } from "../keys";
import { about, exact, now, relative, sameClock, when } from "../format";
import { cannot, complain, dialog, Empty, StartDialog, Strip, Switch, Took, Waiting } from "../parts";
import { useResource } from "../resource";
import { enc, query, setQuery } from "../router";
import { runLook, Shape } from "../state";

const CHIPS = [
  { id: "", title: "all" }, { id: "failed", title: "failed" }, { id: "running", title: "running" },
  { id: "paused", title: "paused" }, { id: "broken", title: "not loaded" },
];

export function worst(w: Workflow): string {
  if (w.problems.length) return "broken";
  const last = w.last_runs[0];
  if (last && (last.state === "running" || last.state === "queued")) return last.state;
  if (!w.enabled && w.schedules.length) return "paused";
  return last ? runLook(last) : "never";
}

export function startWorkflow(name: string): void {
  get<WorkflowFull>(`/workflows/${enc(name)}`).then((w) => {
    dialog.value = <StartDialog name={name} params={w.params} />;
  }, complain);
}

const stale = new Set<string>();
let fetching = false;

export function WorkflowsPage() {
  const all = useResource<Workflows>("workflows", {
    load: (s) => get<Workflows>("/workflows", s),
    seq: (d) => d.seq,
    apply: (d, e, again) => {
      const name = e.data.workflow as string | undefined;
      if (e.type === "switch" && name)
        return { ...d, items: d.items.map((w) => (w.name === name ? { ...w, enabled: Boolean(e.data.enabled) } : w)) };
      if (e.type === "workflow") again();
      else if (e.type === "run" && e.data.to && name) refresh(name);
      else if (e.type === "slot" && name) refresh(name);
      return;
    },
  });
  const refresh = (name: string) => {
    stale.add(name);
    if (fetching) return;
    fetching = true;
    setTimeout(async () => {
      const names = [...stale];
      stale.clear();
      if (names.length > 8) void all.load();
      else
        for (const n of names)
          await get<Workflow>(`/workflows/${enc(n)}`).then(
            (w) => all.patch((d) => ({ ...d, items: d.items.map((x) => (x.name === n ? { ...x, ...w } : x)) })),
            () => {},
          );
      fetching = false;
      if (stale.size) refresh(stale.values().next().value!);
    }, 120);
  };
  const [text, setText] = useState(query.value.get("q") ?? "");
  const chip = query.value.get("state") ?? "";
  useKeys("Workflows", [...LIST_KEYS, {
    keys: "s", does: "Start the workflow of this row", run: () => {
      const name = document.activeElement?.closest<HTMLElement>("[data-row]")?.dataset.row;
      if (name) startWorkflow(name);
    },
  }]);
  const d = all.data.value;
  if (!d) return <Waiting of={all} />;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const textual = d.items.filter((w) => words.every((x) => `${w.name} ${w.tags.join(" ")} ${w.owner ?? ""}`.toLowerCase().includes(x)));
  const counts = new Map<string, number>();
  for (const w of d.items) counts.set(worst(w), (counts.get(worst(w)) ?? 0) + 1);
  const known = new Set(d.items.filter((w) => w.problems.length).map((w) => w.path));
  const broken = d.broken.filter((b) => !known.has(b.path) && words.every((x) => b.path.toLowerCase().includes(x)));
  const shown = textual.filter((w) => !chip || worst(w) === chip);
  const number = (id: string) => (id === "" ? d.items.length : id === "broken" ? (counts.get("broken") ?? 0) + broken.length : (counts.get(id) ?? 0));
  return (
    <div class="page">
      <div class="bar">
        <h1>Workflows</h1>
        <input data-filter type="search" placeholder="Filter by name, tag, owner" aria-label="Filter workflows" value={text}
          onInput={(e) => { const v = e.currentTarget.value; setText(v); setQuery({ q: v }); }} />
        <div class="chips" role="group" aria-label="State">
          {CHIPS.filter((c) => c.id === "" || c.id === chip || number(c.id) > 0).map((c) => (
            <button key={c.id} type="button" aria-pressed={chip === c.id} onClick={() => setQuery({ state: c.id })}>
              {c.id && <Shape state={c.id} />}{c.title} <span class="num">{number(c.id)}</span>
            </button>
          ))}
        </div>
      </div>
      <div class="table-wrap">
        <table class="list workflows">
          <thead><tr>
            <th scope="col">Name</th><th scope="col" class="opt">Schedule</th><th scope="col" class="opt2">Last 20 runs</th>
            <th scope="col">Last</th><th scope="col" class="opt right">Usually</th><th scope="col" class="opt">Next</th>
            <th scope="col"><span class="hidden">Actions</span></th>
          </tr></thead>
          <tbody>
            {(chip === "" || chip === "broken") && broken.map((b) => <BrokenRow key={b.path} b={b} />)}
            {shown.map((w) => <Row key={w.name} w={w} onSwitch={(on) => all.patch((x) => ({ ...x, items: x.items.map((y) => (y.name === w.name ? { ...y, enabled: on } : y)) }))} />)}
          </tbody>
        </table>
      </div>
      {shown.length === 0 && broken.length === 0 && (
        <Empty>{d.items.length === 0 ? "No workflow yet. Save a YAML file into the watched directory and it appears here." : "No workflow matches this filter."}{" "}
          {d.items.length > 0 && <button type="button" class="plain link" onClick={() => { setText(""); setQuery({ q: null, state: null }); }}>Show all</button>}
        </Empty>
      )}
    </div>
  );
}

/** The schedules in words; the zone where its clock is not this one. */
function scheduleWords(w: Workflow): string {
  return w.schedules.map((s) => /\d\d:\d\d/.test(s.words) && !sameClock(s.timezone, now.peek()) ? `${s.words}, ${city(s.timezone)}` : s.words).join("; ");
}
const city = (zone: string) => zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ");

function Row({ w, onSwitch }: { w: Workflow; onSwitch: (on: boolean) => void }) {
  const last = w.last_runs[0];
  const state = worst(w);
  return (
    <tr data-row={w.name}>
      <th scope="row" class="name">
        <Shape state={state} label={state === "broken" ? "edited file not loaded" : state} />
        <a href={`/w/${enc(w.name)}`}>{w.name}</a>
        {w.tags.slice(0, 3).map((t) => <span key={t} class="tag">{t}</span>)}
        {w.problems.length > 0 && <a class="warn" href={`/w/${enc(w.name)}?tab=definition`}>edited file not loaded, version {w.version} still runs</a>}
        {w.state === "gone" && <span class="faint">file removed</span>}
      </th>
      <td class="opt cut faint" title={w.schedules.map((s) => `${s.words} (${s.entry}, ${s.timezone})`).join("\n")}>{scheduleWords(w)}</td>
      <td class="opt2"><Strip w={w} /></td>
      <td class="last">{last ? <a href={`/r/${last.id}`} title={exact(last.started_at)}><span class="num">{relative(last.started_at)}</span> <span class="faint num"><Took from={last.started_at} ms={last.duration_ms} /></span></a> : <span class="faint">–</span>}</td>
      <td class="opt num right faint">{w.usual_ms !== null ? about(w.usual_ms) : "–"}</td>
      <td class="opt num faint" title={exact(w.next_at)}>{!w.enabled && w.schedules.length ? "paused" : w.next_at ? when(w.next_at) : "–"}</td>
      <td class="acts">
        <button type="button" class="icon" aria-label={`Start ${w.name}`} title={cannot() ?? `Start ${w.name}`} disabled={!!cannot() || w.state === "gone"} onClick={() => startWorkflow(w.name)}>
          <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true"><path d="M2.5 1.2l8 4.8-8 4.8z" fill="currentColor" /></svg>
        </button>
        {w.schedules.length > 0 ? <Switch w={w} onChange={onSwitch} /> : <span class="switch-gap" />}
      </td>
    </tr>
  );
}

function BrokenRow({ b }: { b: Workflows["broken"][number] }) {
  const p = b.problems[0];
  return (
    <tr data-row>
      <th scope="row" class="name"><Shape state="broken" label="not loaded" /><a href="/system#problems">{b.path}{p ? `:${p.line}` : ""}</a></th>
      <td colSpan={6} class="warn cut">{p ? `${p.message}${p.help ? `, ${p.help}` : ""}${b.problems.length > 1 ? ` and ${b.problems.length - 1} more` : ""}` : (b.reason ?? "not loaded")}</td>
    </tr>
  );
}
