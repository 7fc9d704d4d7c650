// SPDX-License-Identifier: MIT
//
// log_view.tsx: a log of any size, a window of lines at a time.
//
// The server numbers the lines; the view asks for pages of them and draws only
// those one can see. What must stay true: a line is at (number - 1) * 20 px,
// whatever was loaded and whatever arrives, so nothing that is being read moves.
// Browsers end an element at about 33 million pixels; beyond SCALED lines the
// scroll position is a fraction of the log instead.
import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { ansi } from "./ansi";
import { enc } from "./router";
import { get, type Line, type Lines, Refusal } from "./api";
import { bytes, clock, count } from "./format";
import { followLog, listen } from "./live";

export const LINE_H = 20;
const PAGE = 500;
const PAGES_KEPT = 40;
const SCALED = 1_600_000;
const OVERSCAN = 12;

export type Stream = "both" | "out" | "err";

export class LogStore {
  readonly version = signal(0);
  readonly total = signal(0);
  readonly info = signal<{ bytes: number; complete: boolean; dropped: number } | undefined>(undefined);
  readonly error = signal<string | undefined>(undefined);
  private pages = new Map<number, (Line | undefined)[]>();
  private asked = new Set<number>();
  private off: (() => void)[] = [];
  private again: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(readonly run: number, readonly task: number, readonly attempt: number, readonly stream: Stream) {}

  open(): void {
    this.closed = false;
    this.off.push(listen((e) => {
      if (e.type === "log") this.hear(e.data as unknown as Lines & { run: number; task: number; attempt: number });
      else if (e.type === "resync") this.tail();
      else if (e.type === "run" && e.data.run === this.run && !this.info.peek()?.complete) {
        const tasks = (e.data.tasks as unknown[][] | undefined) ?? [];
        if (tasks.some((t) => t[0] === this.task)) this.tail(80);
      }
    }));
    this.off.push(followLog(this.run, this.task, this.attempt));
  }

  close(): void {
    this.closed = true;
    for (const f of this.off.splice(0)) f();
    clearTimeout(this.again);
  }

  line(n: number): Line | undefined {
    return this.pages.get(Math.floor((n - 1) / PAGE))?.[(n - 1) % PAGE];
  }

  /** Loads what the lines `from` to `to` need. */
  want(from: number, to: number): void {
    const last = Math.floor((Math.min(to, this.total.peek()) - 1) / PAGE);
    for (let p = Math.max(0, Math.floor((from - 1) / PAGE)); p <= last; p++) {
      const end = Math.min((p + 1) * PAGE, this.total.peek());
      const have = this.pages.get(p);
      let missing = !have;
      if (have)
        for (let n = Math.max(from, p * PAGE + 1); n <= Math.min(to, end); n++)
          if (!have[(n - 1) % PAGE]) { missing = true; break; }
      if (missing && !this.asked.has(p)) {
        this.asked.add(p);
        void this.fetch(`from=${p * PAGE + 1}&count=${PAGE}`).finally(() => this.asked.delete(p));
      }
    }
  }

  tail(afterMs = 0): void {
    if (this.again) return;
    this.again = setTimeout(() => {
      this.again = undefined;
      void this.fetch(`tail=${PAGE}`);
    }, afterMs);
  }

  async fetch(q: string): Promise<void> {
    try {
      const r = await get<Lines>(`/runs/${this.run}/tasks/${this.task}/attempts/${this.attempt}/lines?stream=${this.stream}&${q}`);
      if (this.closed) return;
      this.error.value = undefined;
      this.keep(r.lines);
      this.info.value = { bytes: r.bytes, complete: r.complete, dropped: r.dropped_bytes };
      this.total.value = Math.max(this.total.peek(), r.total_lines);
      this.version.value++;
    } catch (e) {
      if (this.closed) return;
      if (e instanceof Refusal && (e.status === 0 || e.status === 503)) setTimeout(() => !this.closed && void this.fetch(q), 500);
      else this.error.value = e instanceof Refusal ? e.detail : String(e);
    }
  }

  private hear(e: Lines & { run: number; task: number; attempt: number }): void {
    if (e.run !== this.run || e.task !== this.task || e.attempt !== this.attempt) return;
    if (this.stream !== "both") return this.tail(100);
    this.keep(e.lines);
    this.total.value = Math.max(this.total.peek(), e.total_lines);
    const old = this.info.peek();
    this.info.value = { bytes: old?.bytes ?? 0, dropped: old?.dropped ?? 0, complete: e.complete };
    this.version.value++;
    if (e.complete) this.tail(50);
  }

  private keep(lines: Line[]): void {
    for (const l of lines) {
      const p = Math.floor((l[0] - 1) / PAGE);
      let page = this.pages.get(p);
      if (!page) {
        page = [];
        this.pages.set(p, page);
        if (this.pages.size > PAGES_KEPT) this.pages.delete(this.pages.keys().next().value!);
      }
      page[(l[0] - 1) % PAGE] = l;
    }
  }
}

export interface LogProps {
  run: number;
  task: number;
  name: string;
  attempt: number;
  stream: Stream;
  times: boolean;
  line: number | null; // the line to begin at and to mark; null: the end
  lineTo?: number | null;
  running: boolean;
  href: string; // what line links stand on
}

export function LogView(p: LogProps) {
  const store = useMemo(() => new LogStore(p.run, p.task, p.attempt, p.stream), [p.run, p.task, p.attempt, p.stream]);
  const box = useRef<HTMLDivElement>(null);
  const view = useMemo(() => ({ top: signal(0), height: signal(400), follow: signal(p.line === null), unseen: signal(0), placed: false }), [store]);

  useEffect(() => {
    store.open();
    const first = p.line !== null ? `from=${Math.max(1, p.line - 200)}&count=${PAGE}` : `tail=${PAGE}`;
    void store.fetch(first);
    const el = box.current!;
    const size = new ResizeObserver(() => (view.height.value = el.clientHeight));
    size.observe(el);
    return () => { size.disconnect(); store.close(); };
  }, [store]);

  const total = store.total.value;
  const scaled = total > SCALED;
  const fullHeight = Math.min(total, SCALED) * LINE_H;
  const version = store.version.value;
  const perView = Math.ceil(view.height.value / LINE_H);
  const range = Math.max(1, fullHeight - view.height.value);
  const first = scaled
    ? Math.max(1, Math.round((view.top.value / range) * (total - perView)) + 1)
    : Math.floor(view.top.value / LINE_H) + 1;
  const from = Math.max(1, first - OVERSCAN);
  const to = Math.min(total, first + perView + OVERSCAN);

  // Place the view when the first lines have come, and keep it at the end while it follows.
  useEffect(() => {
    const el = box.current!;
    if (total === 0) return;
    if (!view.placed) {
      view.placed = true;
      if (p.line !== null) {
        const line = Math.min(p.line, total);
        el.scrollTop = scaled ? (line / total) * range : Math.max(0, (line - 1) * LINE_H - el.clientHeight / 3);
      } else el.scrollTop = el.scrollHeight;
      view.top.value = el.scrollTop;
    } else if (view.follow.value) {
      el.scrollTop = el.scrollHeight;
      view.top.value = el.scrollTop;
    }
  }, [total, version]);
  const seen = useRef(0);
  useEffect(() => {
    if (view.follow.value) seen.current = total;
    else if (seen.current === 0) seen.current = total;
    view.unseen.value = Math.max(0, total - seen.current);
  }, [total, view.follow.value]);
  useEffect(() => store.want(from, to), [from, to, total, store]);
  useEffect(() => {
    if (p.line !== null && view.placed && total && !scaled) {
      const el = box.current!;
      const y = (p.line - 1) * LINE_H;
      if (y < el.scrollTop || y > el.scrollTop + el.clientHeight - LINE_H) el.scrollTop = Math.max(0, y - el.clientHeight / 3);
    }
  }, [p.line]);

  const toEnd = () => {
    view.follow.value = true;
    const el = box.current!;
    el.scrollTop = el.scrollHeight;
  };
  const onScroll = () => {
    const el = box.current!;
    const up = el.scrollTop < view.top.peek() - 2;
    view.top.value = el.scrollTop;
    const atEnd = el.scrollTop + el.clientHeight >= el.scrollHeight - LINE_H;
    if (up && !atEnd) view.follow.value = false;
    else if (atEnd && view.placed) view.follow.value = true;
  };

  const rows = [];
  for (let n = from; n <= to; n++) rows.push(<LogLine key={n} n={n} line={store.line(n)} p={p} y={scaled ? view.top.value + (n - first) * LINE_H : (n - 1) * LINE_H} />);
  const info = store.info.value;
  return (
    <div class="log">
      <div class="log-scroll" ref={box} onScroll={onScroll} tabIndex={0} role="region" aria-label={`Log of ${p.name}, attempt ${p.attempt}`}
        data-total={total} data-follow={view.follow.value}
        onKeyDown={(e) => {
          const el = box.current!;
          if (e.key === "End" || e.key === "G") toEnd();
          else if (e.key === "Home" || e.key === "g") { view.follow.value = false; el.scrollTop = 0; }
          else return;
          e.preventDefault();
          e.stopPropagation();
        }}>
        {total > 0 ? <div ref={(el) => { if (el) el.style.height = `${fullHeight}px`; }}>{rows}</div> : (
          <p class="log-empty">
            {store.error.value ? `The log cannot be read: ${store.error.value}` : !info ? "" : info.complete || !p.running ? "Finished without output." : "No output yet."}
          </p>
        )}
      </div>
      {!view.follow.value && view.unseen.value > 0 && (
        <button type="button" class="new-lines" onClick={toEnd}>▼ {count(view.unseen.value)} new {view.unseen.value === 1 ? "line" : "lines"}</button>
      )}
      <div class="log-foot">
        <span>{count(total)} {total === 1 ? "line" : "lines"}{info ? `, ${bytes(info.bytes)}` : ""}</span>
        {info && info.dropped > 0 && <span class="warn">{bytes(info.dropped)} in the middle were dropped (log_max)</span>}
        <span class="grow" />
        {p.running ? <span>{view.follow.value ? "following" : "not following: scroll to the end to follow"}</span> : null}
        <a href={`/api/v1/runs/${p.run}/tasks/${p.task}/attempts/${p.attempt}/log?stream=${p.stream}&download=1`} download={`${p.name}.${p.attempt}.log`}>Download</a>
      </div>
    </div>
  );
}

function LogLine({ n, line, p, y }: { n: number; line: Line | undefined; p: LogProps; y: number }) {
  const marked = p.line !== null && n >= p.line && n <= (p.lineTo ?? p.line);
  const place = (el: HTMLElement | null) => {
    if (el) el.style.transform = `translateY(${y}px)`;
  };
  return (
    <div ref={place} class={`log-line${line?.[1] === "e" ? " e" : ""}${marked ? " marked" : ""}`} data-n={n}>
      <a class="n" href={`${p.href}#L${n}`} tabIndex={-1}>{n}</a>
      {p.times && <span class="at">{line?.[2] ? clock(line[2], true) : "            "}</span>}
      <span class="text">
        {line?.[1] === "e" && <span class="hidden">stderr: </span>}
        {line ? ansi(line[3]).map((x, i) => (x.classes || x.fg || x.bg ? <span key={i} class={x.classes} style={{ color: x.fg ?? "", backgroundColor: x.bg ?? "" }}>{x.text}</span> : x.text)) : ""}
      </span>
    </div>
  );
}

export function logHref(run: number, task: string, full = false): string {
  return `/r/${run}/t/${enc(task)}${full ? "/log" : ""}`;
}
