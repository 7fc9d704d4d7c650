// SPDX-License-Identifier: MIT
//
// timeline.tsx: when each task waited, ran, paused between tries.
// A task that was tried more than once is asked for its attempts, one segment each.
import { useMemo } from "preact/hooks";
import { get, type Run, type Task, type TaskFull } from "./api";
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

/** What the task itself remembers: its last attempt. */
function remembered(t: Task): Segment[] {
  const queued = ms(t.queued_at), started = ms(t.started_at), ended = ms(t.finished_at);
  const out: Segment[] = [];
  if (queued !== null && (started !== null || !OVER.has(t.state))) out.push({ kind: "wait", from: queued, to: started, state: "queued", attempt: t.attempt });
  if (started !== null) out.push({ kind: "run", from: started, to: ended, state: t.state, attempt: t.attempt });
  return out;
}

/** A segment per attempt, and the pauses between them. */
function attempted(t: TaskFull): Segment[] {
  const out: Segment[] = [];
  for (const a of t.attempts) {
    const from = ms(a.started_at);
    if (from === null) continue;
    const last = out[out.length - 1];
    if (last?.to) out.push({ kind: "pause", from: last.to, to: from, state: "retrying", attempt: a.attempt });
    out.push({ kind: "run", from, to: ms(a.finished_at), state: a.state, attempt: a.attempt });
  }
  const last = out[out.length - 1];
  if (t.state === "retrying" && last?.to) out.push({ kind: "pause", from: last.to, to: null, state: "retrying", attempt: t.attempt + 1 });
  return out;
}

const TRIED_MAX = 60; // beyond, only the last attempt is drawn

export function Timeline({ run, items, selected, onSelect }: { run: Run; items: Task[]; selected: number | null; onSelect: (t: number) => void }) {
  const tried = items.filter((t) => t.attempt > 1).slice(0, TRIED_MAX);
  const names = tried.map((t) => `${t.task}.${t.attempt}.${t.state}`).join();
  const more = useResource<TaskFull[]>(`attempts:${run.id}:${names}`, {
    load: (s) => Promise.all(tried.map((t) => get<TaskFull>(`/runs/${run.id}/tasks/${t.task}`, s))),
  });
  const life = useMemo(() => new Map((more.data.value ?? []).map((t) => [t.task, attempted(t)])), [more.data.value]);
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
