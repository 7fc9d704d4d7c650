// SPDX-License-Identifier: MIT
//
// live.ts: what the page hears from the server, and how fresh it is.
import { signal } from "@preact/signals";
import { Hub, type FromHub, type Link, type ToHub } from "./hub";
import { trustedScriptUrl } from "./trusted";

declare const STREAM_WORKER: string;

export interface LiveEvent {
  type: string;
  data: Record<string, unknown> & { seq?: number };
}

export const link = signal<{ link: Link; since: number }>({ link: "catching", since: Date.now() });

const listeners = new Set<(e: LiveEvent) => void>();
const logTopics = new Map<string, number>();
const HIDDEN_MS = 60_000; // a hidden tab needs no log lines

let send: (m: ToHub) => void = () => {};

/** Calls `f` for every event until the answer is called. */
export function listen(f: (e: LiveEvent) => void): () => void {
  listeners.add(f);
  return () => listeners.delete(f);
}

/** Asks for the lines of a log as they are written, until the answer is called. */
export function followLog(run: number, task: number, attempt: number): () => void {
  const topic = `log:${run}/${task}/${attempt}`;
  logTopics.set(topic, (logTopics.get(topic) ?? 0) + 1);
  announce();
  return () => {
    const left = (logTopics.get(topic) ?? 1) - 1;
    if (left > 0) logTopics.set(topic, left);
    else logTopics.delete(topic);
    announce();
  };
}

let hidden = false;
let announced = "-";
function announce(): void {
  const topics = hidden ? [] : [...logTopics.keys()];
  if (topics.join() === announced) return;
  announced = topics.join();
  send({ kind: "topics", topics });
}

export function tryAgain(): void {
  send({ kind: "again" });
}

function hear(m: FromHub): void {
  if (m.kind === "link") {
    const before = link.value.link;
    link.value = { link: m.link, since: m.since };
    if (m.link === "signed-out" && before !== "signed-out") for (const f of listeners) f({ type: "signed-out", data: {} });
    return;
  }
  for (const f of listeners) f({ type: m.type, data: m.data as LiveEvent["data"] });
}

export function connect(): void {
  if (typeof SharedWorker === "function") {
    const worker = new SharedWorker(trustedScriptUrl(STREAM_WORKER), { name: "gowtf" });
    worker.port.onmessage = (e: MessageEvent<FromHub>) => hear(e.data);
    send = (m) => worker.port.postMessage(m);
    addEventListener("pagehide", () => send({ kind: "bye" }));
    addEventListener("pageshow", (e) => {
      if (e.persisted) {
        announced = "-";
        announce();
        for (const f of listeners) f({ type: "resync", data: {} });
      }
    });
  } else {
    // No shared worker: only the tab one looks at holds a stream.
    const hub = new Hub(hear);
    const join = () => {
      if (document.hidden) hub.leave(hub);
      else hub.subscribe(hub, [...logTopics.keys()]);
    };
    send = (m) => {
      if (m.kind === "topics") join();
      else if (m.kind === "again" && !document.hidden) hub.again();
    };
    document.addEventListener("visibilitychange", join);
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden)
      timer = setTimeout(() => {
        hidden = true;
        announce();
      }, HIDDEN_MS);
    else {
      hidden = false;
      announce();
    }
  });
  addEventListener("online", tryAgain);
  announce();
}
