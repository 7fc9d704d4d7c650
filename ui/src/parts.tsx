// SPDX-License-Identifier: MIT
//
// parts.tsx: the small things every page is made of.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { idempotencyKey, post, Refusal, type Run, type Workflow } from "./api";
import { about, duration, elapsed, exact, ms, now, plural, relative, when } from "./format";
import { link } from "./live";
import { enc, go } from "./router";
import type { Resource } from "./resource";
import { look, runLook } from "./state";

/* --- words about what was just done ------------------------------------- */

interface Toast {
  id: number;
  text: string;
  bad?: boolean;
  undo?: (() => void) | undefined;
}
export const toasts = signal<Toast[]>([]);
let toastId = 0;
const TOAST_MS = 8000;

export function say(text: string, undo?: () => void, bad = false): void {
  const id = ++toastId;
  toasts.value = [...toasts.value.slice(-2), { id, text, undo, bad }];
  setTimeout(() => dismiss(id), TOAST_MS);
}
function dismiss(id: number): void {
  toasts.value = toasts.value.filter((t) => t.id !== id);
}
export function complain(e: unknown): void {
  say(e instanceof Refusal ? e.detail : String(e), undefined, true);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((t) => (
        <div key={t.id} class={t.bad ? "toast bad" : "toast"}>
          <span>{t.text}</span>
          {t.undo && (
            <button type="button" class="plain" onClick={() => { t.undo!(); dismiss(t.id); }}>Undo</button>
          )}
          <button type="button" class="plain icon" aria-label="Dismiss" onClick={() => dismiss(t.id)}>×</button>
        </div>
      ))}
    </div>
  );
}

/* --- boxes that ask ------------------------------------------------------ */

export const dialog = signal<ComponentChildren>(null);
export const closeDialog = () => (dialog.value = null);

export function Dialog({ title, children }: { title: string; children: ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const el = box.current!;
    const from = document.activeElement;
    el.showModal();
    return () => {
      if (el.open) el.close();
      if (from instanceof HTMLElement && from.isConnected) from.focus();
    };
  }, []);
  return (
    <dialog ref={box} class="dialog" aria-labelledby="dialog-title" onClose={closeDialog}
      onClick={(e) => e.target === box.current && closeDialog()}>
      <div class="dialog-body">
        <h2 id="dialog-title">{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** A box that says what will happen, and one button that makes it happen. */
export function Confirm(p: { title: string; act: string; danger?: boolean; children: ComponentChildren; run: () => Promise<unknown> }) {
  const pending = useRef(signal(false)).current;
  return (
    <Dialog title={p.title}>
      <form onSubmit={(e) => {
        e.preventDefault();
        if (pending.value) return;
        pending.value = true;
        p.run().then(closeDialog, (err) => { complain(err); closeDialog(); });
      }}>
        {p.children}
        <div class="buttons">
          <button type="button" onClick={closeDialog}>Keep as it is</button>
          <button type="submit" class={p.danger ? "danger" : "primary"} disabled={pending.value} autofocus>
            {p.act}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/* --- small pieces -------------------------------------------------------- */

export function RunLink({ run }: { run: { id: number; workflow: string } }) {
  return (
    <a class="run-name" href={`/r/${run.id}`}>
      {run.workflow} <span class="num">#{run.id}</span>
    </a>
  );
}

export function When({ t, rel }: { t: string | null | undefined; rel?: boolean }) {
  if (!t) return <span class="faint">–</span>;
  return <time dateTime={t} title={exact(t)}>{rel ? relative(t) : when(t)}</time>;
}

/** How long it took, or has taken: then it grows. */
export function Took({ from, ms: took }: { from: string | null; ms: number | null }) {
  if (took !== null && took !== undefined) return <span>{duration(took)}</span>;
  const at = ms(from);
  return at === null ? <span class="faint">–</span> : <span>{elapsed(now.value - at)}</span>;
}

export function Progress({ run }: { run: Pick<Run, "tasks_total" | "tasks_done" | "tasks_failed" | "tasks_running"> }) {
  const total = run.tasks_total || 1;
  const parts: [string, number][] = [
    ["teal", Math.max(0, run.tasks_done - run.tasks_failed)], ["red", run.tasks_failed], ["blue", run.tasks_running],
  ];
  let x = 0;
  return (
    <svg class="progress" width="100" height="8" viewBox="0 0 100 8" preserveAspectRatio="none" role="img"
      aria-label={`${run.tasks_done} of ${run.tasks_total} tasks done`}>
      <rect class="track" width="100" height="8" rx="2" />
      {parts.map(([hue, n]) => {
        const w = (100 * n) / total;
        const bar = <rect key={hue} class={`bar-${hue}`} x={x} width={w} height="8" />;
        x += w;
        return bar;
      })}
    </svg>
  );
}

const SLOT_W = 8;
const STRIP_H = 20;

/** The last runs, oldest left: height is time taken against the usual, shape is the result. */
export function Strip({ w }: { w: Workflow }) {
  const runs = [...w.last_runs].reverse();
  const usual = w.usual_ms || Math.max(1, ...runs.map((r) => r.duration_ms ?? 0));
  const bad = runs.filter((r) => r.state === "failed").length;
  if (runs.length === 0) return <span class="faint">never run</span>;
  const left = (20 - runs.length) * SLOT_W;
  const label = `last ${plural(runs.length, "run")}: ${bad} failed`;
  return (
    <svg class="strip" width={20 * SLOT_W} height={STRIP_H} role="img" aria-label={label}
      onClick={(e) => {
        const at = Math.floor((e.offsetX - left) / SLOT_W);
        const run = runs[at];
        if (run) go(`/r/${run.id}`);
      }}>
      {runs.map((r, i) => {
        const h = Math.round(Math.min(16, Math.max(3, 8 * ((r.duration_ms ?? usual) / usual))));
        const x = left + i * SLOT_W;
        const text = `#${r.id} ${look(runLook(r)).word} ${when(r.started_at)}${r.duration_ms !== null ? `, ${duration(r.duration_ms)}` : ""}${r.cause ? `\n${r.cause}` : ""}`;
        return (
          <g key={r.id} class={`hue-${look(r.state).hue}`}>
            <title>{text}</title>
            <rect x={x} y="0" width={SLOT_W} height={STRIP_H} fill="transparent" />
            <StripMark state={r.state} x={x} h={h} />
          </g>
        );
      })}
    </svg>
  );
}

function StripMark({ state, x, h }: { state: string; x: number; h: number }) {
  const y = STRIP_H - 1 - h;
  if (state === "failed") {
    const top = STRIP_H - 1 - Math.min(h, 10);
    return (
      <>
        <rect x={x + 1} y={top} width="6" height={Math.min(h, 10)} fill="currentColor" />
        <path d={`M${x + 1.5} ${top - 7}l5 5m0-5l-5 5`} stroke="currentColor" stroke-width="1.6" />
      </>
    );
  }
  if (state === "cancelled") return <rect x={x + 1} y={STRIP_H - 7} width="6" height="6" fill="currentColor" />;
  if (state === "success") return <rect x={x + 1} y={y} width="6" height={h} rx="1" fill="currentColor" />;
  return <rect x={x + 1.5} y={y} width="5" height={h - 0.5} fill="none" stroke="currentColor" stroke-dasharray="2 1.5" />;
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** What stands in place of data: nothing while it loads, the reason when it cannot. */
export function Waiting({ of }: { of: Pick<Resource<unknown>, "error" | "load"> }) {
  const e = of.error.value;
  if (!e) return <div class="loading" aria-busy="true" />;
  return (
    <div class="problem-box" role="alert">
      <h2>{e.status === 404 ? "There is no such thing here" : "This could not be loaded"}</h2>
      <p>{e.detail}{e.status ? ` (status ${e.status})` : ""}</p>
      <button type="button" onClick={() => void of.load()}>Try again</button>
    </div>
  );
}

/** Why nothing can be done just now; undefined when it can. */
export function cannot(): string | undefined {
  return link.value.link === "offline" ? "The server cannot be reached just now" : undefined;
}

/* --- things one does from several pages ----------------------------------- */

export async function setEnabled(name: string, on: boolean, quiet = false): Promise<void> {
  try {
    await post(`/workflows/${enc(name)}/${on ? "enable" : "disable"}`, {});
    if (!quiet) say(on ? `${name}: its schedule is on` : `${name}: paused, its schedule does not fire`, () => void setEnabled(name, !on, true));
  } catch (e) {
    complain(e);
    throw e;
  }
}

export function StartDialog({ name, params }: { name: string; params: { name: string; default: string | null }[] }) {
  const key = useRef(idempotencyKey()).current;
  const state = useRef(signal<{ pending: boolean; error: string | null }>({ pending: false, error: null })).current;
  const submit = (e: Event) => {
    e.preventDefault();
    if (state.value.pending) return;
    const form = new FormData(e.target as HTMLFormElement);
    const values: Record<string, string> = {};
    for (const p of params) values[p.name] = String(form.get(p.name) ?? "");
    state.value = { pending: true, error: null };
    post<{ id: number }>(`/workflows/${enc(name)}/runs`, { params: values }, { "Idempotency-Key": key }).then(
      (r) => { closeDialog(); go(`/r/${r.id}`); },
      (err) => { state.value = { pending: false, error: err instanceof Refusal ? err.detail : String(err) }; },
    );
  };
  return (
    <Dialog title={`Start ${name}`}>
      <form onSubmit={submit}>
        {params.length === 0 && <p>It takes no parameters. A new run of its current version begins at once.</p>}
        {params.map((p, i) => (
          <label key={p.name} class="field">
            <span>{p.name}</span>
            <input name={p.name} defaultValue={p.default ?? ""} autocomplete="off" spellcheck={false} autofocus={i === 0}
              required={p.default === null} />
          </label>
        ))}
        {state.value.error && <p class="form-error" role="alert">{state.value.error}</p>}
        <div class="buttons">
          <button type="button" onClick={closeDialog}>Cancel</button>
          <button type="submit" class="primary" disabled={state.value.pending} autofocus={params.length === 0}>Start</button>
        </div>
      </form>
    </Dialog>
  );
}

export function Switch({ w, onChange }: { w: Pick<Workflow, "name" | "enabled" | "switched">; onChange?: (on: boolean) => void }) {
  const why = w.switched && !w.enabled
    ? `paused ${relative(w.switched.at, Date.now())}${w.switched.actor ? ` by ${w.switched.actor}` : ""}${w.switched.reason ? `: ${w.switched.reason}` : ""}`
    : w.enabled ? "its schedule is on" : "paused";
  return (
    <button type="button" role="switch" class="switch" aria-checked={w.enabled} aria-label={`Schedule of ${w.name}`}
      title={cannot() ?? why} disabled={!!cannot()}
      onClick={() => {
        const on = !w.enabled;
        onChange?.(on);
        setEnabled(w.name, on).catch(() => onChange?.(!on));
      }}>
      <span class="knob" />
    </button>
  );
}

export function cancelRun(run: Run): void {
  const live = run.tasks_running;
  const rest = Math.max(0, run.tasks_total - run.tasks_done - live);
  dialog.value = (
    <Confirm title={`Cancel ${run.workflow} #${run.id}?`} act="Cancel the run" danger
      run={() => post(`/runs/${run.id}/cancel`)}>
      <ul class="facts-list">
        <li>{live ? `${plural(live, "running task")} will be asked to stop, and killed when the grace time is over.` : "Nothing is running now."}</li>
        <li>{rest ? `${plural(rest, "task")} will not start.` : "No task is left to start."}</li>
        <li>What has finished stays as it is. It can be retried later.</li>
      </ul>
    </Confirm>
  );
}

const NAMES_MAX = 12;
function Names({ of }: { of: string[] }) {
  return <p class="names">{of.slice(0, NAMES_MAX).map((n) => <code key={n}>{n}</code>)}{of.length > NAMES_MAX && <span> and {of.length - NAMES_MAX} more</span>}</p>;
}

export function retryRun(run: Run, names?: { again: string[]; blocked: string[]; kept: number }): void {
  dialog.value = (
    <Confirm title={`Retry ${run.workflow} #${run.id}?`} act="Retry" run={() => post(`/runs/${run.id}/retry`)}>
      {names ? (
        <>
          <p>{plural(names.again.length, "task")} will run again:</p>
          <Names of={names.again} />
          {names.blocked.length > 0 && <>
            <p>When {names.again.length === 1 ? "it succeeds" : "they succeed"}, so can what was blocked:</p>
            <Names of={names.blocked} />
          </>}
        </>
      ) : (
        <p>The failed tasks run again, and whatever hangs on them.</p>
      )}
      <ul class="facts-list">
        <li>{names ? `${plural(names.kept, "task")} that succeeded will not run again.` : "What succeeded is kept and does not run again."}</li>
        <li>The run keeps the definition it ran with: version {run.version}.</li>
        <li>Earlier attempts keep their times and logs.</li>
      </ul>
    </Confirm>
  );
}

export function eta(run: { usual_ms: number | null; started_at: string | null }): string {
  if (run.usual_ms === null) return "";
  const at = ms(run.started_at);
  const ran = at === null ? 0 : now.value - at;
  return ran > 1000 && ran > 1.5 * run.usual_ms && run.usual_ms > 0 ? `${(ran / run.usual_ms).toFixed(1)}x usual` : `usually ${about(run.usual_ms)}`;
}


export function Segmented<T extends string>(p: { label: string; options: { id: T; title: string; name?: string }[]; value: T; onPick: (id: T) => void }) {
  return (
    <div class="segmented" role="tablist" aria-label={p.label}>
      {p.options.map((o) => (
        <button key={o.id} type="button" role="tab" aria-label={o.name} aria-selected={o.id === p.value} tabIndex={o.id === p.value ? 0 : -1}
          onClick={() => p.onPick(o.id)}
          onKeyDown={(e) => {
            const step = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
            if (!step) return;
            e.preventDefault();
            const at = p.options.findIndex((x) => x.id === p.value);
            const next = p.options[(at + step + p.options.length) % p.options.length]!;
            p.onPick(next.id);
            (e.currentTarget.parentElement!.children[p.options.indexOf(next)] as HTMLElement).focus();
          }}>
          {o.title}
        </button>
      ))}
    </div>
  );
}

/** A new run with the parameters of an old one. */
export function startWorkflowAgain(r: Run): void {
  dialog.value = <StartDialog name={r.workflow} params={Object.entries(r.params).map(([name, v]) => ({ name, default: v }))} />;
}
