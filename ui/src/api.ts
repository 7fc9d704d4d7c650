// SPDX-License-Identifier: MIT
//
// api.ts: the server's answers, with types, and the two ways to ask.
import { signal } from "@preact/signals";

export type Time = string | null;
export type RunState = "queued" | "running" | "success" | "failed" | "cancelled";
export type TaskState =
  | "pending" | "queued" | "running" | "retrying" | "waiting"
  | "success" | "failed" | "skipped" | "upstream_failed" | "cancelled";

export interface Problem {
  code: string;
  severity: string;
  file: string | null;
  line: number;
  column: number;
  end_column?: number | null;
  message: string;
  label?: string | null;
  under?: string | null;
  help?: string | null;
}
export interface LastRun {
  id: number;
  state: RunState;
  degraded: boolean;
  reason: string | null;
  started_at: Time;
  finished_at: Time;
  duration_ms: number | null;
  cause: string | null;
}
export interface Workflow {
  id: number;
  name: string;
  state: "active" | "gone";
  enabled: boolean;
  switched: { at: Time; actor: string | null; reason: string | null } | null;
  description: string | null;
  owner: string | null;
  tags: string[];
  version: number | null;
  task_count: number;
  path: string;
  schedules: { entry: string; words: string; timezone: string }[];
  next_at: Time;
  usual_ms: number | null;
  problems: Problem[];
  last_runs: LastRun[];
}
export interface TaskDef {
  task: number;
  name: string;
  description: string | null;
  kind: string;
  condition: string | null;
  retries: number;
  retry_delay_ms: number;
  timeout_ms: number | null;
  depends_on: number[];
  usual_ms: number | null;
}
export interface WorkflowFull extends Workflow {
  params: { name: string; default: string | null }[];
  tasks: TaskDef[];
  next: { at: string; entry: string; local: string }[];
  source_hash: string;
  success_rate_30d: number | null;
  run_count: number;
  seq: number;
}
export interface Workflows {
  seq: number;
  items: Workflow[];
  broken: { path: string; state?: string; reason?: string | null; problems: Problem[] }[];
}
export interface Run {
  id: number;
  key: string;
  workflow: string;
  version: number;
  state: RunState;
  reason: string | null;
  degraded: boolean;
  trigger: string;
  actor: string | null;
  params: Record<string, string>;
  entry: string | null;
  slot_at: Time;
  created_at: string;
  started_at: Time;
  finished_at: Time;
  duration_ms: number | null;
  usual_ms: number | null;
  cancel_at: Time;
  cancel_actor: string | null;
  retried: boolean | number | null;
  tasks_total: number;
  tasks_done: number;
  tasks_failed: number;
  tasks_running: number;
  failed_task: { task: number; name: string; attempt: number; first_error_line: number | null } | null;
  cause: string | null;
  wait: string | null;
  seq?: number;
}
export interface Task {
  task: number;
  name: string;
  item: number | null;
  state: TaskState;
  reason: string | null;
  attempt: number;
  exit_code: number | null;
  signal: number | string | null;
  queued_at: Time;
  started_at: Time;
  finished_at: Time;
  duration_ms: number | null;
  wait: string | null;
  cause: string | null;
  error_excerpt: string | null;
  first_error_line: number | null;
  usual_ms: number | null;
  cpu_ms: number | null;
  max_rss_bytes: number | null;
  out_bytes: number | null;
  err_bytes: number | null;
  last_output_at: Time;
  condition: string | null;
  retries: number;
  depends_on: number[];
}
export interface Attempt {
  attempt: number;
  state: string;
  pid: number | null;
  started_at: Time;
  finished_at: Time;
  duration_ms: number | null;
  exit_code: number | null;
  signal: number | string | null;
  needed_kill: boolean;
  message: string | null;
  cause: string | null;
  cpu_ms: number | null;
  user_ms: number | null;
  sys_ms: number | null;
  max_rss_bytes: number | null;
  out_bytes: number | null;
  err_bytes: number | null;
  dropped_bytes: number | null;
  last_output_at: Time;
  error_excerpt: string | null;
  first_error_line: number | null;
}
export interface TaskFull extends Task {
  run: number;
  workflow: string;
  command: string | null;
  shell: string | null;
  workdir: string | null;
  env: { name: string; value: string; origin: string }[];
  attempts: Attempt[];
}
export interface Graph {
  nodes: { task: number; name: string; x: number; y: number; layer: number }[];
  edges: [number, number][];
  width: number;
  height: number;
  node_width: number;
  node_height: number;
}
export interface Grid {
  tasks: string[];
  runs: { id: number; state: RunState; version: number; started_at: Time; duration_ms: number | null }[];
  cells: string;
}
export type Line = [number: number, stream: "o" | "e", at: number | null, text: string];
export interface Lines {
  lines: Line[];
  first: number;
  total_lines: number;
  bytes: number;
  complete: boolean;
  dropped_bytes: number;
}
export interface Need {
  kind: string;
  workflow: string | null;
  run: number | null;
  task: string | null;
  at: Time;
  text: string;
  count_in_row: number;
  first_error_line: number | null;
}
export interface Slots {
  used: number;
  total: number;
  queued: number;
}
export interface Home {
  seq: number;
  needs: Need[];
  running: (Run & { running_tasks: string[]; waiting: string | null })[];
  next: Fire[];
  day: {
    success: number;
    failed: number;
    cancelled: number;
    missed: number;
    hours: { at: string; total: number; failed: number }[];
    busiest: string | number | null;
  };
  slots: Slots;
}
export interface Fire {
  at: string;
  local: string;
  timezone: string;
  workflow: string;
  entry: string;
  usual_ms: number | null;
  enabled: boolean;
}
export interface Slot {
  workflow: string;
  entry: string;
  slot_at: string;
  wall: string | null;
  outcome: string;
  reason: string | null;
  run: number | null;
  shifted: boolean | number | null;
  more: number | null;
  decided_at: Time;
}
export interface System {
  version: string;
  started_at: Time;
  pid: number;
  home: string;
  parts: { name: string; ok: boolean; text: string }[];
  slots: Slots;
  keepers: { name: string; pid: number | null; slots: number; state: string; since: Time }[];
  db_bytes: number;
  wal_bytes: number;
  log_bytes: number | null;
  files: Record<string, number>;
  problems: { path: string; problems: Problem[] }[];
  sqlite_version: string;
  clients: number;
  seq: number;
}
export interface RunEvent {
  seq: number;
  at: string;
  kind: string;
  actor: string | null;
  data: Record<string, unknown> | null;
}
export type TaskChange = [
  task: number, item: number | null, from: TaskState, to: TaskState, attempt: number, reason: string | null, exit: number | null,
];

export class Refusal extends Error {
  constructor(readonly status: number, readonly detail: string, readonly what: string) {
    super(detail);
  }
}

export const signedOut = signal(false);

const BASE = "/api/v1";

async function answer(what: string, r: Response): Promise<Response> {
  if (r.ok) return r;
  if (r.status === 401) signedOut.value = true;
  let detail = r.statusText || "the server refused";
  try {
    const problem = (await r.json()) as { detail?: string; title?: string };
    detail = problem.detail || problem.title || detail;
  } catch {
    // not a problem document: the status must do
  }
  throw new Refusal(r.status, detail, what);
}

async function ask(what: string, url: string, init: RequestInit): Promise<Response> {
  let r: Response;
  try {
    r = await fetch(BASE + url, init);
  } catch (e) {
    if ((e as Error).name === "AbortError") throw e;
    throw new Refusal(0, "the server does not answer", what);
  }
  return answer(what, r);
}

export async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  return (await ask(url, url, { headers: { Accept: "application/json" }, signal: signal ?? null })).json() as Promise<T>;
}

export async function getText(url: string): Promise<string> {
  return (await ask(url, url, {})).text();
}

export async function post<T>(url: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<T> {
  const r = await ask(url, url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Gowtf": "1", ...headers },
    body: JSON.stringify(body),
  });
  const text = await r.text();
  return (text ? JSON.parse(text) : {}) as T;
}

export function idempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
