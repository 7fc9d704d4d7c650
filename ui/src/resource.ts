// SPDX-License-Identifier: MIT
//
// resource.ts: an answer of the server that stays true by itself.
//
// A resource is loaded once and then patched by what the stream tells. Events
// that arrive while it loads are kept, and those the answer already holds are
// told by their number and dropped. Whoever cannot patch asks for a new answer
// with `again`, which joins many wishes into one request.
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Refusal, signedOut } from "./api";
import { link, listen, type LiveEvent } from "./live";

export interface Plan<T> {
  load: (signal: AbortSignal) => Promise<T>;
  /** What the event makes of the data; nothing when it does not touch it. */
  apply?: (data: T, e: LiveEvent, again: (afterMs?: number) => void) => T | void;
  seq?: (data: T) => number;
}

const AGAIN_MS = 250;
const FRAME_MS = 40;
const READY_MS = 200; // the first question waits this long for the stream
const cache = new Map<string, unknown>();

export const busy = signal(0);

let streamKnown = false;
const waiting: (() => void)[] = [];
link.subscribe((l) => {
  if (l.link === "catching" || streamKnown) return;
  streamKnown = true;
  for (const f of waiting.splice(0)) f();
});
function streamReady(): Promise<void> {
  if (streamKnown) return Promise.resolve();
  return new Promise((done) => {
    waiting.push(done);
    setTimeout(done, READY_MS);
  });
}

export class Resource<T> {
  readonly data: Signal<T | undefined>;
  readonly error: Signal<Refusal | undefined> = signal(undefined);
  private abort: AbortController | undefined;
  private queue: LiveEvent[] = [];
  private loading = false;
  private frame: ReturnType<typeof setTimeout> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastLoad = 0;
  private tries = 0;
  private unlisten: () => void = () => {};
  private offLink: () => void = () => {};
  private closed = false;
  private deaf = false;

  constructor(private key: string, private plan: Plan<T>) {
    this.data = signal(cache.get(key) as T | undefined);
  }

  open(): void {
    this.closed = false;
    this.unlisten = listen((e) => this.hear(e));
    this.offLink = link.subscribe((l) => {
      if (l.link === "live" && (this.deaf || this.error.peek())) {
        this.deaf = false;
        void this.load();
      }
    });
    void streamReady().then(() => {
      this.deaf = link.peek().link !== "live";
      return this.load();
    });
  }

  close(): void {
    this.closed = true;
    this.unlisten();
    this.offLink();
    this.abort?.abort();
    clearTimeout(this.frame);
    clearTimeout(this.timer);
  }

  /** A change made by the page itself, until the server says the same. */
  patch(f: (data: T) => T): void {
    if (this.data.value !== undefined) this.set(f(this.data.value));
  }

  again = (afterMs = AGAIN_MS): void => {
    if (this.timer || this.closed) return;
    const wait = Math.max(afterMs, this.lastLoad + 2 * AGAIN_MS - Date.now(), 0);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.load();
    }, wait);
  };

  private set(data: T): void {
    cache.delete(this.key);
    cache.set(this.key, data);
    if (cache.size > 12) cache.delete(cache.keys().next().value!);
    this.data.value = data;
  }

  async load(): Promise<void> {
    if (this.closed) return;
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    this.loading = true;
    busy.value++;
    try {
      const data = await this.plan.load(abort.signal);
      if (abort.signal.aborted || this.closed) return;
      this.lastLoad = Date.now();
      this.tries = 0;
      this.loading = false;
      this.error.value = undefined;
      const seq = this.plan.seq?.(data) ?? 0;
      this.queue = this.queue.filter((e) => (e.data.seq ?? Infinity) > seq);
      this.set(data);
      this.flush();
    } catch (e) {
      if (abort.signal.aborted || this.closed) return;
      this.loading = false;
      const refusal = e instanceof Refusal ? e : new Refusal(0, String(e), this.key);
      this.error.value = refusal;
      if ((refusal.status === 0 || refusal.status >= 500) && !signedOut.peek())
        this.again(Math.min(10_000, 500 * 2 ** this.tries++));
    } finally {
      busy.value--;
    }
  }

  private hear(e: LiveEvent): void {
    if (e.type === "resync") {
      this.queue = [];
      this.again(50 + Math.random() * 300);
      return;
    }
    if (e.type === "log" || !this.plan.apply) return;
    this.queue.push(e);
    if (!this.loading && !this.frame)
      this.frame = setTimeout(() => {
        this.frame = undefined;
        if (!this.loading) this.flush();
      }, FRAME_MS);
  }

  private flush(): void {
    let data = this.data.peek();
    const events = this.queue;
    this.queue = [];
    if (data === undefined || !this.plan.apply) return;
    const before = data;
    for (const e of events) data = this.plan.apply(data, e, this.again) ?? data;
    if (data !== before) this.set(data);
  }
}

/** The resource named by `key` for as long as the component shows it. */
export function useResource<T>(key: string, plan: Plan<T>): Resource<T> {
  const resource = useMemo(() => new Resource<T>(key, plan), [key]);
  useEffect(() => {
    resource.open();
    return () => resource.close();
  }, [resource]);
  return resource;
}
