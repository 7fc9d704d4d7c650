// SPDX-License-Identifier: MIT
//
// system.tsx: is the engine well?
import { get, type System } from "../api";
import { bytes, relative } from "../format";
import { Waiting } from "../parts";
import { useResource } from "../resource";
import { Shape } from "../state";
import { hash } from "../router";
import { useEffect } from "preact/hooks";
import { Problems } from "./workflow";

export function SystemPage() {
  const sys = useResource<System>("system", {
    load: (s) => get<System>("/system", s),
    seq: (d) => d.seq,
    apply: (_, e, again) => again(e.type === "run" ? 1000 : 200),
  });
  const d = sys.data.value;
  useEffect(() => {
    if (d && hash.value) document.getElementById(hash.value.slice(1))?.scrollIntoView();
  }, [!!d]);
  if (!d) return <Waiting of={sys} />;
  const facts: [string, string][] = [
    ["Version", d.version], ["Up", relative(d.started_at).replace(" ago", "")], ["Process", String(d.pid)],
    ["Slots in use", `${d.slots.used} of ${d.slots.total}`], ["Tasks queued", String(d.slots.queued)],
    ["Database", bytes(d.db_bytes)], ["Write-ahead log", bytes(d.wal_bytes)], ...(d.log_bytes === null ? [] : [["Logs", bytes(d.log_bytes)] as [string, string]]),
    ["Browsers connected", String(d.clients)], ["SQLite", d.sqlite_version], ["Data directory", d.home],
    ...Object.entries(d.files).map(([k, v]): [string, string] => [`Files ${k}`, String(v)]),
  ];
  return (
    <div class="page stack">
      <h1>System</h1>
      <section class="band" aria-labelledby="parts">
        <header><h2 id="parts">Parts</h2></header>
        <ul class="parts">{d.parts.map((p) => <li key={p.name}><Shape state={p.ok ? "success" : "failed"} label={p.ok ? "well" : "not well"} /><b>{p.name}</b><span>{p.text}</span></li>)}</ul>
      </section>
      <section class="band" aria-labelledby="facts">
        <header><h2 id="facts">Figures</h2></header>
        <dl class="stats">{facts.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>
      </section>
      <section class="band" aria-labelledby="keepers">
        <header><h2 id="keepers">Keepers</h2></header>
        {d.keepers.length === 0 ? <p class="empty">No keeper is connected.</p> : (
          <table class="list"><thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Process</th><th scope="col">Slots</th><th scope="col">Since</th></tr></thead>
            <tbody>{d.keepers.map((k) => <tr key={k.name}><th scope="row" class="name">{k.name}</th><td>{k.state}</td><td class="num">{k.pid ?? "–"}</td><td class="num">{k.slots}</td><td>{relative(k.since)}</td></tr>)}</tbody></table>
        )}
      </section>
      {d.problems.length > 0 && <section class="stack" aria-labelledby="problems"><h2 id="problems">Files with problems</h2><Problems problems={d.problems.flatMap((f) => f.problems.map((p) => ({ ...p, file: p.file ?? f.path })))} /></section>}
    </div>
  );
}
