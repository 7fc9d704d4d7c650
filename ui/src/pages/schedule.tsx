// SPDX-License-Identifier: MIT
//
// schedule.tsx: what fires next, and what became of the instants that were due.
import { type Fire, get, type Slot } from "../api";
import { LIST_KEYS, useKeys } from "../keys";
import { about, exact, relative, sameClock, when } from "../format";
import { Empty, Segmented, Waiting } from "../parts";
import { useResource } from "../resource";
import { enc, query, setQuery } from "../router";
import { StateWord } from "../state";

export function SchedulePage() {
  const next = useResource<{ items: Fire[] }>("schedule", {
    load: (s) => get("/schedule?n=20", s),
    apply: (_, e, again) => { if (e.type === "slot" || e.type === "switch" || e.type === "workflow") again(100); },
  });
  const outcome = query.value.get("outcome") ?? "";
  const slots = useResource<{ items: Slot[] }>(`slots:${outcome}`, {
    load: (s) => get(`/slots?limit=100${outcome ? `&outcome=${enc(outcome)}` : ""}`, s),
    apply: (_, e, again) => { if (e.type === "slot") again(100); },
  });
  useKeys("Schedule", LIST_KEYS);
  const n = next.data.value;
  const d = slots.data.value;
  if (!n) return <Waiting of={next} />;
  return (
    <div class="page stack">
      <h1>Schedule</h1>
      <section class="band" aria-labelledby="coming">
        <header><h2 id="coming">Coming</h2></header>
        {n.items.length === 0 ? <p class="empty">No schedule is on.</p> : (
          <table class="list">
            <thead><tr><th scope="col">When</th><th scope="col">In</th><th scope="col">Workflow</th><th scope="col" class="opt">Entry</th><th scope="col" class="opt">In its zone</th><th scope="col" class="right opt">Usually</th></tr></thead>
            <tbody>{n.items.map((f) => (
              <tr key={f.at + f.workflow + f.entry} data-row>
                <td class="num" title={exact(f.at)}>{when(f.at)}</td>
                <td class="num faint">{relative(f.at)}</td>
                <th scope="row" class="name"><a href={`/w/${enc(f.workflow)}`}>{f.workflow}</a>{!f.enabled && <span class="tag">paused</span>}</th>
                <td class="opt faint"><code>{f.entry}</code></td>
                <td class="opt faint">{sameClock(f.timezone, Date.parse(f.at)) ? "" : `${f.local.slice(0, 16)} ${f.timezone}`}</td>
                <td class="right opt faint">{f.usual_ms !== null ? about(f.usual_ms) : "–"}</td>
              </tr>
            ))}</tbody>
          </table>
        )}
      </section>
      <section class="band" aria-labelledby="due">
        <header><h2 id="due">Was due</h2>
          <Segmented label="Outcome" value={outcome} onPick={(o) => setQuery({ outcome: o })}
            options={[{ id: "", title: "All" }, { id: "fired", title: "Fired" }, { id: "skipped", title: "Skipped" }, { id: "missed", title: "Missed" }]} />
        </header>
        {!d ? <Waiting of={slots} /> : d.items.length === 0 ? <Empty>Nothing was due{outcome ? " that ended so" : " yet"}.</Empty> : (
          <table class="list">
            <thead><tr><th scope="col">Due at</th><th scope="col">Workflow</th><th scope="col">Outcome</th><th scope="col" class="wide">Why</th><th scope="col" class="right">Run</th></tr></thead>
            <tbody>{d.items.map((s) => (
              <tr key={s.slot_at + s.workflow + s.entry} data-row>
                <td class="num" title={exact(s.slot_at)}>{when(s.slot_at)}</td>
                <th scope="row" class="name"><a href={`/w/${enc(s.workflow)}`}>{s.workflow}</a></th>
                <td><StateWord state={s.outcome} /></td>
                <td class="wide cut faint">{s.reason ?? ""}{s.more ? ` and ${s.more} more before it` : ""}{s.shifted ? " shifted: that time did not exist" : ""}</td>
                <td class="num right">{s.run ? <a href={`/r/${s.run}`}>#{s.run}</a> : "–"}</td>
              </tr>
            ))}</tbody>
          </table>
        )}
      </section>
    </div>
  );
}
