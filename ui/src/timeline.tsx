// SPDX-License-Identifier: MIT
//
// timeline.tsx: when each task waited, ran, paused between tries.
// The segments are made from the events of the run: one per attempt.
import { useMemo } from "preact/hooks";
import { get, type Run, type RunEvent, type Task, type TaskChange } from "./api";
import { clock, duration, ms, now } from "./format";
import { useResource } from "./resource";
import { look, OVER, Shape } from "./state";
import { Virtual } from "./virtual";

interface Segment {
  kind: "wait" | "run" | "pause";
  from: number;
  to: number | null; // null: still going
  state: string;
  attempt: number;
}

interface Events {
  items: RunEvent[];
}

/** The life of each task out of the changes of the run. */
function lives(events: RunEvent[]): Map<number, Segment[]> {
  const out = new Map<number, Segment[]>();
  for (const e of events) {
    const tasks = (e.data?.tasks as TaskChange[] | undefined) ?? [];
    const at = Date.parse(e.at);
    for (const [task, , , to, attempt] of tasks) {
      const list = out.get(task) ?? out.set(task, []).get(task)!;
      const open = list[list.length - 1];
      if (open && open.to === null) {
        open.to = at;
        if (open.kind === "run") open.state = to === "retrying" ? "failed" : to;
      }
      if (to === "queued") list.push({ kind: "wait", from: at, to: null, state: to, attempt });
      else if (to === "running") list.push({ kind: "run", from: at, to: null, state: to, attempt });
      else if (to === "retrying") list.push({ kind: "pause", from: at, to: null, state: to, attempt });
    }
  }
  return out;
}

/** Without events: what the task itself remembers, its last attempt. */
function remembered(t: Task): Segment[] {
  const queued = ms(t.queued_at), started = ms(t.started_at), ended = ms(t.finished_at);
  const out: Segment[] = [];
  if (queued !== null && (started !== null || !OVER.has(t.state))) out.push({ kind: "wait", from: queued, to: started, state: "queued", attempt: t.attempt });
  if (started !== null) out.push({ kind: "run", from: started, to: ended, state: t.state, attempt: t.attempt });
  return out;
}

export function Timeline({ run, items, selected, onSelect }: { run: Run; items: Task[]; selected: number | null; onSelect: (t: number) => void }) {
  const events = useResource<Events>(`events:${run.id}`, {
    load: (s) => get<Events>(`/runs/${run.id}/events`, s),
    seq: (d) => d.items[d.items.length - 1]?.seq ?? 0,
    apply: (d, e) => e.type === "run" && e.data.run === run.id
      ? { items: [...d.items, { seq: Number(e.data.seq), at: String(e.data.at), kind: "run", actor: null, data: e.data }] }
      : undefined,
  });
  const life = useMemo(() => lives(events.data.value?.items ?? []), [events.data.value]);
  const rows = useMemo(() => items
    .map((t) => ({ t, segs: life.get(t.task)?.length ? life.get(t.task)! : remembered(t) }))
    .filter((r) => r.segs.length > 0)
    .sort((a, b) => a.segs[0]!.from - b.segs[0]!.from || a.t.task - b.t.task), [items, life]);
  if (rows.length === 0) return <p class="log-empty">No task has been queued yet.{run.wait ? ` ${run.wait}` : ""}</p>;
  const live = rows.some((r) => r.segs.some((s) => s.to === null));
  const start = Math.min(...rows.map((r) => r.segs[0]!.from));
  const end = Math.max(live ? now.value : 0, ...rows.map((r) => r.segs[r.segs.length - 1]!.to ?? 0), start + 50);
  const share = (at: number) => (100 * (at - start)) / (end - start);
  return (
    <Virtual count={rows.length} height={26} label="Timeline" reveal={rows.findIndex((r) => r.t.task === selected)}
      head={<div class="axis" aria-hidden="true">{[0, 0.25, 0.5, 0.75].map((f) => (
        <span key={f} style={{ left: `${100 * f}%` }}>{f === 0 ? clock(start) : `+${duration((end - start) * f)}`}</span>
      ))}</div>}>
      {(i, place) => {
        const { t, segs } = rows[i]!;
        const last = segs[segs.length - 1]!;
        const ran = segs.filter((s) => s.kind === "run").reduce((a, s) => a + ((s.to ?? now.value) - s.from), 0);
        return (
          <div key={t.task} ref={place} class={`timeline-row${t.task === selected ? " selected" : ""}`} onClick={() => onSelect(t.task)}>
            <span class="name"><Shape state={t.state} label={look(t.state).word} /><span class="cut" title={t.name}>{t.name}</span></span>
            <span class="track">
              {segs.map((s) => {
                const to = s.to ?? now.value;
                const words = s.kind === "wait" ? `queued ${duration(to - s.from)}` : s.kind === "pause" ? `next try after ${duration(to - s.from)}` : `attempt ${s.attempt} ran ${duration(to - s.from)}: ${look(s.state).word}`;
                return (
                  <span key={`${s.kind}${s.from}`} title={words} class={`seg ${s.kind === "run" ? `run-${look(s.state).hue}` : s.kind}`}
                    style={{ left: `${share(s.from)}%`, width: `${Math.max(0, share(to) - share(s.from))}%` }}>
                    {s.kind === "run" && (s.attempt > 1 || t.attempt > 1) && <span class="num">{s.attempt}</span>}
                  </span>
                );
              })}
              <span class="took num" style={{ left: `${share(last.to ?? now.value)}%` }}>{ran ? duration(ran) : ""}</span>
            </span>
          </div>
        );
      }}
    </Virtual>
  );
}
