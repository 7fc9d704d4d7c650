// SPDX-License-Identifier: MIT
//
// log_view.tsx: a log of any size, a window of lines at a time.
//
// The server numbers the lines; the view asks for pages of them and draws only
// those one can see. What must stay true: a line is at (number - 1) * 20 px,
// whatever was loaded and whatever arrives, so nothing that is being read moves.
// A transform is a float, exact up to 2^24 pixels; beyond SCALED lines the scroll
// position is a fraction of the log instead. The height of a wrapped line cannot
// be foretold, so only a short log wraps, and then all of it is drawn.
import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { ansi } from "./ansi";
import { enc } from "./router";
import { get, type Line, type Lines, Refusal } from "./api";
import { bytes, clock, count, zone } from "./format";
import { followLog, listen } from "./live";

export const LINE_H = 20;
const PAGE = 500;
const PAGES_KEPT = 40;
const SCALED = 800_000;
const WRAP_MAX = 1000; // lines of a log that can wrap
const FIND_MAX = PAGE * PAGES_KEPT; // lines of a log that is searched whole
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

  /** Loads every line of a log that is short enough to be kept whole. */
  async loadAll(): Promise<void> {
    for (let n = 1; n <= this.total.peek() && this.total.peek() <= FIND_MAX; n++) {
      if (this.line(n)) continue;
      await this.fetch(`from=${n}&count=${4 * PAGE}`);
      if (this.closed || !this.line(n)) return;
    }
  }

  /** The lines that hold `text`, of those that are loaded. */
  search(text: string): number[] {
    const want = text.toLowerCase();
    const hits: number[] = [];
    for (const page of this.pages.values())
      for (const l of page)
        if (l && plain(l[3]).toLowerCase().includes(want)) hits.push(l[0]);
    return hits.sort((a, b) => a - b);
  }

  loaded(): number {
    let n = 0;
    for (const page of this.pages.values()) for (const l of page) if (l) n++;
    return n;
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

/** The text of a line without what colours it. */
function plain(text: string): string {
  return /[\x1b\r]/.test(text) ? ansi(text).map((x) => x.text).join("") : text;
}

const WRAP_KEY = "gowtf.wrap";
const wrap = signal(wrapFirst());
function wrapFirst(): boolean {
  try {
    const kept = localStorage.getItem(WRAP_KEY);
    if (kept) return kept === "on";
  } catch {
    // nothing is kept here
  }
  return matchMedia("(max-width: 720px)").matches;
}
function toggleWrap(): void {
  wrap.value = !wrap.value;
  try {
    localStorage.setItem(WRAP_KEY, wrap.value ? "on" : "off");
  } catch {
    // kept for this page only
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

interface Find {
  text: string;
  hits: number[];
  at: number; // the hit one looks at; -1: none
}

export function LogView(p: LogProps) {
  const store = useMemo(() => new LogStore(p.run, p.task, p.attempt, p.stream), [p.run, p.task, p.attempt, p.stream]);
  const box = useRef<HTMLDivElement>(null);
  const view = useMemo(() => ({
    top: signal(0), height: signal(400), follow: signal(p.line === null), unseen: signal(0), placed: false,
    find: signal<Find | null>(null), rows: new Map<number, { key: string; line: Line | undefined; row: VNode }>(),
  }), [store]);

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
  const version = store.version.value;
  const wrapped = wrap.value && total <= WRAP_MAX;
  const fullHeight = Math.min(total, SCALED) * LINE_H;
  const height = view.height.value;
  // How many pixels of the log one pixel of the scroll bar stands for.
  const slide = total > SCALED ? (total * LINE_H - height) / Math.max(1, fullHeight - height) : 1;
  const at = view.top.value * slide;
  const first = Math.floor(at / LINE_H) + 1;
  const from = wrapped ? 1 : Math.max(1, first - OVERSCAN);
  const to = wrapped ? total : Math.min(total, first + Math.ceil(height / LINE_H) + OVERSCAN);

  /** Brings a line into view, a third from the top. */
  const show = (n: number) => {
    const el = box.current!;
    const row = wrapped ? el.querySelector<HTMLElement>(`[data-n="${n}"]`) : null;
    el.scrollTop = Math.max(0, (row ? row.offsetTop : (n - 1) * LINE_H) - el.clientHeight / 3) / slide;
    view.top.value = el.scrollTop;
    view.follow.value = false;
  };
  // Place the view when the first lines have come, and keep it at the end while it follows.
  useEffect(() => {
    const el = box.current!;
    if (total === 0) return;
    if (!view.placed) {
      view.placed = true;
      if (p.line !== null) return show(Math.min(p.line, total));
      el.scrollTop = el.scrollHeight;
      view.top.value = el.scrollTop;
    } else if (view.follow.value) {
      el.scrollTop = el.scrollHeight;
      view.top.value = el.scrollTop;
    }
  }, [total, version, wrapped]);
  const seen = useRef(0);
  useEffect(() => {
    if (view.follow.value) seen.current = total;
    else if (seen.current === 0) seen.current = total;
    view.unseen.value = Math.max(0, total - seen.current);
  }, [total, view.follow.value]);
  useEffect(() => store.want(from, to), [from, to, total, store]);
  useEffect(() => {
    if (p.line === null || !view.placed || !total) return;
    const y = (p.line - 1) * LINE_H - view.top.peek() * slide;
    if (wrapped || y < 0 || y > height - LINE_H) show(p.line);
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
  const openFind = () => { view.find.value = view.find.value ?? { text: "", hits: [], at: -1 }; };

  const find = view.find.value;
  const found = useMemo(() => new Set(find?.hits), [find?.hits]);
  const current = find && find.at >= 0 ? find.hits[find.at] : undefined;
  if (view.rows.size > 2 * WRAP_MAX) view.rows.clear();
  const rows = [];
  for (let n = from; n <= to; n++) {
    const y = wrapped ? null : Math.round((n - 1) * LINE_H - at + view.top.value);
    const marked = n === current || (p.line !== null && n >= p.line && n <= (p.lineTo ?? p.line));
    const line = store.line(n);
    // A row that has not changed is the same node, and costs nothing.
    const key = `${y} ${marked} ${found.has(n)} ${p.times} ${p.href}`;
    let known = view.rows.get(n);
    if (known?.key !== key || known.line !== line) {
      known = { key, line, row: <LogLine key={n} n={n} line={line} href={p.href} times={p.times} y={y} marked={marked} found={found.has(n)} /> };
      view.rows.set(n, known);
    }
    rows.push(known.row);
  }
  const info = store.info.value;
  return (
    <div class="log">
      {find && <FindBar find={find} total={total} store={store} onFind={(f) => {
        view.find.value = f;
        if (f && f.at >= 0) show(f.hits[f.at]!);
        if (!f) box.current?.focus();
      }} from={first} />}
      <div class={wrapped ? "log-scroll wrap" : "log-scroll"} ref={box} onScroll={onScroll} tabIndex={0} role="region" aria-label={`Log of ${p.name}, attempt ${p.attempt}`}
        data-total={total} data-follow={view.follow.value} style={{ "--digits": `${Math.max(3, String(total).length)}ch` }}
        onWheel={slide > 2 ? (e) => {
          if (e.deltaMode !== 0 || e.ctrlKey) return;
          e.preventDefault();
          box.current!.scrollTop += e.deltaY / slide;
        } : undefined}
        onKeyDown={(e) => {
          const el = box.current!;
          if (e.key === "/" || (e.key === "f" && (e.ctrlKey || e.metaKey) && !find)) openFind();
          else if (e.ctrlKey || e.metaKey || e.altKey) return;
          else if (e.key === "End" || e.key === "G") toEnd();
          else if (e.key === "Home" || e.key === "g") { view.follow.value = false; el.scrollTop = 0; }
          else if (e.key === "w") toggleWrap();
          else return;
          e.preventDefault();
          e.stopPropagation();
        }}>
        {total > 0 ? <div ref={(el) => { if (el) el.style.height = wrapped ? "" : `${fullHeight}px`; }}>{rows}</div> : (
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
        {p.running ? <span>{view.follow.value ? "following" : "not following: scroll to the end to follow"}</span> : null}
        <span class="grow" />
        {total > 0 && <button type="button" class="plain link" title="/ in the log" onClick={openFind}>Find</button>}
        {total > 0 && <button type="button" class="plain link" aria-pressed={wrapped} disabled={total > WRAP_MAX}
          title={total > WRAP_MAX ? `Only a log of up to ${count(WRAP_MAX)} lines can be wrapped` : "w in the log"} onClick={toggleWrap}>{wrapped ? "Do not wrap" : "Wrap"}</button>}
        <a href={`/api/v1/runs/${p.run}/tasks/${p.task}/attempts/${p.attempt}/log?stream=${p.stream}&download=1`} download={`${p.name}.${p.attempt}.log`}>Download</a>
      </div>
    </div>
  );
}

/** Finds in what is loaded: the whole of a log up to FIND_MAX lines, else the part around. */
function FindBar({ find, total, store, from, onFind }: { find: Find; total: number; store: LogStore; from: number; onFind: (f: Find | null) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const asked = useRef("");
  useEffect(() => input.current!.focus(), []);
  const look = async (text: string) => {
    asked.current = text;
    if (!text) return onFind({ text, hits: [], at: -1 });
    await store.loadAll();
    if (asked.current !== text) return;
    const hits = store.search(text);
    const next = hits.findIndex((n) => n >= from);
    onFind({ text, hits, at: hits.length ? Math.max(0, next) : -1 });
  };
  const step = (by: number) => {
    if (find.hits.length) onFind({ ...find, at: (find.at + by + find.hits.length) % find.hits.length });
  };
  const part = total > FIND_MAX ? ` in the ${count(store.loaded())} lines loaded` : "";
  return (
    <div class="log-find">
      <input ref={input} type="search" aria-label="Find in the log" placeholder="Find" value={find.text} autocomplete="off" spellcheck={false}
        onInput={(e) => void look(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === "Enter") step(e.shiftKey ? -1 : 1);
          else if (e.key === "Escape") onFind(null);
          else return;
          e.preventDefault();
          e.stopPropagation();
        }} />
      <span role="status" class="faint">{!find.text ? "" : find.hits.length ? `${count(find.at + 1)} of ${count(find.hits.length)}${part}` : `nothing found${part}`}</span>
      <span class="grow" />
      <button type="button" class="icon" aria-label="Previous match" disabled={find.hits.length === 0} onClick={() => step(-1)}>↑</button>
      <button type="button" class="icon" aria-label="Next match" disabled={find.hits.length === 0} onClick={() => step(1)}>↓</button>
      <button type="button" class="icon plain" aria-label="Close the search" onClick={() => onFind(null)}>×</button>
    </div>
  );
}

function LogLine({ n, line, href, times, y, marked, found }: { n: number; line: Line | undefined; href: string; times: boolean; y: number | null; marked: boolean; found: boolean }) {
  const place = (el: HTMLElement | null) => {
    if (el) el.style.transform = y === null ? "" : `translateY(${y}px)`;
  };
  return (
    <div ref={place} class={`log-line${line?.[1] === "e" ? " e" : ""}${found ? " found" : ""}${marked ? " marked" : ""}`} data-n={n}>
      <a class="n" href={`${href}#L${n}`} tabIndex={-1}>{n}</a>
      {times && <span class="at" title={zone()}>{line?.[2] ? clock(line[2], true) : "            "}</span>}
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
