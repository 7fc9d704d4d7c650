// SPDX-License-Identifier: MIT
//
// state.tsx: a state is a shape first, a word second, a colour third.
import type { JSX } from "preact";

export type Hue = "neutral" | "blue" | "amber" | "teal" | "red";

interface Look {
  word: string;
  hue: Hue;
  shape: string;
}

export const LOOKS: Record<string, Look> = {
  pending: { word: "pending", hue: "neutral", shape: "dotted" },
  queued: { word: "queued", hue: "neutral", shape: "target" },
  running: { word: "running", hue: "blue", shape: "half" },
  starting: { word: "starting", hue: "blue", shape: "half" },
  retrying: { word: "retrying", hue: "amber", shape: "loop" },
  waiting: { word: "waiting", hue: "amber", shape: "hourglass" },
  success: { word: "succeeded", hue: "teal", shape: "tick" },
  degraded: { word: "succeeded, degraded", hue: "teal", shape: "ticknotch" },
  failed: { word: "failed", hue: "red", shape: "cross" },
  timed_out: { word: "timed out", hue: "red", shape: "cross" },
  stalled: { word: "stalled", hue: "red", shape: "cross" },
  lost: { word: "lost", hue: "red", shape: "cross" },
  spawn_failed: { word: "could not start", hue: "red", shape: "cross" },
  upstream_failed: { word: "blocked", hue: "red", shape: "hollowcross" },
  skipped: { word: "skipped", hue: "neutral", shape: "dash" },
  cancelled: { word: "cancelled", hue: "neutral", shape: "square" },
  killed: { word: "stopped", hue: "neutral", shape: "square" },
  paused: { word: "paused", hue: "neutral", shape: "bars" },
  broken: { word: "not loaded", hue: "amber", shape: "warning" },
  missed: { word: "missed", hue: "amber", shape: "hourglass" },
  fired: { word: "fired", hue: "teal", shape: "tick" },
  never: { word: "never run", hue: "neutral", shape: "dotted" },
};

const UNKNOWN: Look = { word: "unknown", hue: "neutral", shape: "dotted" };

export function look(state: string): Look {
  return LOOKS[state] ?? UNKNOWN;
}

const OCTAGON = "M4.4 1h5.2L13 4.4v5.2L9.6 13H4.4L1 9.6V4.4z";

const SHAPES: Record<string, JSX.Element> = {
  dotted: <circle cx="7" cy="7" r="5.3" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="1.7 2.46" />,
  target: (
    <>
      <circle cx="7" cy="7" r="5.3" fill="none" stroke="currentColor" stroke-width="1.5" />
      <circle cx="7" cy="7" r="2" fill="currentColor" />
    </>
  ),
  half: (
    <g class="turning">
      <circle cx="7" cy="7" r="5.3" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M7 1.7a5.3 5.3 0 0 1 0 10.6z" fill="currentColor" />
    </g>
  ),
  loop: (
    <path
      d="M11.9 5.2A5.2 5.2 0 1 0 12.2 8M12.4 1.9v3.6H8.8"
      fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"
    />
  ),
  hourglass: (
    <path d="M3 1.5h8M3 12.5h8M4 1.5c0 3 3 4 3 5.5s-3 2.5-3 5.500M10 1.500c0 3-3 4-3 5.500s3 2.5 3 5.5" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" />
  ),
  tick: (
    <>
      <circle cx="7" cy="7" r="6" fill="currentColor" />
      <path d="M4 7.2l2.2 2.200L10.2 5" fill="none" class="ink" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" />
    </>
  ),
  ticknotch: (
    <>
      <circle cx="7" cy="7" r="6" fill="currentColor" />
      <path d="M4 7.2l2.2 2.200L10.2 5" fill="none" class="ink" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" />
      <circle cx="11.3" cy="2.7" r="2.7" class="notch" />
    </>
  ),
  cross: (
    <>
      <path d={OCTAGON} fill="currentColor" />
      <path d="M4.8 4.800l4.4 4.400M9.2 4.800L4.8 9.2" class="ink" stroke-width="1.7" stroke-linecap="round" />
    </>
  ),
  hollowcross: (
    <>
      <path d={OCTAGON} fill="none" stroke="currentColor" stroke-width="1.3" />
      <path d="M4.9 4.900l4.2 4.200M9.1 4.900L4.9 9.1" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" />
    </>
  ),
  dash: (
    <>
      <circle cx="7" cy="7" r="5.3" fill="none" stroke="currentColor" stroke-width="1.4" />
      <path d="M4.3 7h5.4" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" />
    </>
  ),
  square: <rect x="2" y="2" width="10" height="10" rx="1.2" fill="currentColor" />,
  bars: <path d="M4.5 2v10M9.5 2v10" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" />,
  warning: (
    <>
      <path d="M7 1.300L13.3 12.500H.7z" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round" />
      <path d="M7 5.300v3.2" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" />
      <circle cx="7" cy="10.4" r=".9" fill="currentColor" />
    </>
  ),
};

/** The shape alone; give a label where no word stands beside it. */
export function Shape({ state, label }: { state: string; label?: string }) {
  const l = look(state);
  const named = label ? { role: "img", "aria-label": label } : { "aria-hidden": true };
  return (
    <svg class={`shape hue-${l.hue}`} width="14" height="14" viewBox="0 0 14 14" {...(named as object)}>
      {label && <title>{label}</title>}
      {SHAPES[l.shape]}
    </svg>
  );
}

export function StateWord({ state, word }: { state: string; word?: string | undefined }) {
  const l = look(state);
  return (
    <span class={`state hue-${l.hue}`}>
      <Shape state={state} />
      <span>{word ?? l.word}</span>
    </span>
  );
}

export function runLook(r: { state: string; degraded?: boolean }): string {
  return r.state === "success" && r.degraded ? "degraded" : r.state;
}

/** The order in which the task list groups, worst news first. */
export const GROUPS: { state: string; title: string }[] = [
  { state: "failed", title: "Failed" },
  { state: "upstream_failed", title: "Blocked" },
  { state: "running", title: "Running" },
  { state: "retrying", title: "Retrying" },
  { state: "waiting", title: "Waiting" },
  { state: "queued", title: "Queued" },
  { state: "pending", title: "Pending" },
  { state: "success", title: "Succeeded" },
  { state: "skipped", title: "Skipped" },
  { state: "cancelled", title: "Cancelled" },
];

export const FINISHED_WELL = new Set(["success", "skipped"]);
export const OVER = new Set(["success", "failed", "skipped", "upstream_failed", "cancelled"]);
