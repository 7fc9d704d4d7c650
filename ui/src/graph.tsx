// SPDX-License-Identifier: MIT
//
// graph.tsx: the graph on a canvas, from coordinates the server worked out.
//
// Only what one can see is drawn, and less of it the further away one is:
// names and times, then shapes, then blocks. A change of state repaints and
// never moves anything. The table beside it is the same for those who cannot
// see a canvas.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Graph } from "./api";
import { duration } from "./format";
import { type Hue, look } from "./state";

export interface NodeLook {
  state: string | null; // null: a definition, no run
  note: string; // under the name: a duration
}

interface View {
  x: number; // graph coordinates at the left top corner
  y: number;
  k: number; // pixels a unit
  s: number; // how much taller than they came the rows are drawn
}

const FULL = 0.4; // above: names
const SHAPES = 0.22; // above: shapes
const MAX_K = 1.6;
const FIT_K = 1.25; // a single task does not fill the pane
const TWO_LINES = 32; // pixels a node needs for its name and a note
const CROWD = 60; // edges beyond which each is drawn fainter

type Palette = Record<Hue | `${Hue}-t` | "bg" | "line" | "text" | "muted" | "accent" | "control" | "ink", string>;
function palette(): Palette {
  const css = getComputedStyle(document.documentElement);
  const out: Record<string, string> = {};
  for (const name of ["bg", "line", "text", "muted", "accent", "control", "ink", "neutral", "blue", "amber", "teal", "red", "neutral-t", "blue-t", "amber-t", "teal-t", "red-t"])
    out[name] = css.getPropertyValue(`--${name}`).trim();
  return out as Palette;
}

export function GraphView(p: { graph: Graph; nodeLook: (task: number) => NodeLook; version: unknown; selected: number | null; onSelect: (task: number) => void; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const g = p.graph;
  const at = useRef<View | null>(null);
  const [focusText, setFocusText] = useState("");
  const links = useMemo(() => {
    const up = new Map<number, number[]>();
    const down = new Map<number, number[]>();
    for (const [a, b] of g.edges) {
      (down.get(a) ?? down.set(a, []).get(a)!).push(b);
      (up.get(b) ?? up.set(b, []).get(b)!).push(a);
    }
    const byTask = new Map(g.nodes.map((n) => [n.task, n]));
    const pairs = g.edges.flatMap(([a, b]) => {
      const from = byTask.get(a), to = byTask.get(b);
      return from && to ? [{ from, to }] : [];
    });
    return { up, down, byTask, pairs };
  }, [g]);
  const lit = useMemo(() => {
    const set = new Set<number>();
    if (p.selected === null) return set;
    for (const side of [links.up, links.down]) {
      const todo = [p.selected];
      const done = new Set(todo);
      while (todo.length) {
        for (const next of side.get(todo.pop()!) ?? [])
          if (!done.has(next)) { done.add(next); todo.push(next); }
      }
      for (const x of done) set.add(x);
    }
    // In a crowd where nearly all hang together, lighting them says nothing.
    return g.nodes.length > CROWD && set.size > 0.6 * g.nodes.length ? new Set([p.selected]) : set;
  }, [links, p.selected]);
  const pairs = useMemo(() => {
    const bright = links.pairs.filter((e) => lit.has(e.from.task) && lit.has(e.to.task));
    return { bright, quiet: bright.length ? links.pairs.filter((e) => !lit.has(e.from.task) || !lit.has(e.to.task)) : links.pairs };
  }, [links, lit]);
  const lights = lit.size > 1;

  const fit = () => {
    const el = canvas.current!;
    const w = el.clientWidth, h = el.clientHeight;
    const wide = Math.min(FIT_K, (w - 24) / Math.max(1, g.width));
    const k = Math.min(wide, (h - 24) / Math.max(1, g.height));
    // A tall fan-out would be a thread: show the part around the selected task instead.
    if (k < SHAPES && wide > FULL && at.current === null) {
      const n = (p.selected !== null && links.byTask.get(p.selected)) || g.nodes[0];
      at.current = { k: wide, s: 1, x: -(w / wide - g.width) / 2, y: (n?.y ?? 0) + g.node_height / 2 - h / wide / 2 };
      return;
    }
    // A wide one in a tall pane has room below: taller rows keep the names and times readable.
    const s = Math.max(1, Math.min((h - 24) / (g.height * k), (TWO_LINES + 4) / (g.node_height * k), 2.2));
    at.current = { k: Math.max(k, 0.01), s, x: -(w / k - g.width) / 2, y: -(h / k - g.height * s) * 0.4 };
  };

  const draw = useRef(() => {});
  draw.current = () => {
    const el = canvas.current;
    if (!el || el.clientWidth === 0) return;
    if (!at.current) fit();
    const v = at.current!;
    const dpr = devicePixelRatio || 1;
    const w = el.clientWidth, h = el.clientHeight;
    if (el.width !== Math.round(w * dpr) || el.height !== Math.round(h * dpr)) {
      el.width = Math.round(w * dpr);
      el.height = Math.round(h * dpr);
    }
    const c = el.getContext("2d")!;
    const col = palette();
    c.setTransform(dpr, 0, 0, dpr, 0, 0);
    c.fillStyle = col.bg;
    c.fillRect(0, 0, w, h);
    c.setTransform(dpr * v.k, 0, 0, dpr * v.k, -v.x * v.k * dpr, -v.y * v.k * dpr);
    const left = v.x - 10, top = v.y - 10, right = v.x + w / v.k + 10, bottom = v.y + h / v.k + 10;
    const nw = g.node_width, nh = g.node_height * v.s;

    const edges = (list: typeof links.pairs, bright: boolean) => {
      let drawn = 0;
      c.beginPath();
      for (const { from, to } of list) {
        const x1 = from.x + nw, y1 = from.y * v.s + nh / 2, x2 = to.x, y2 = to.y * v.s + nh / 2;
        if (Math.max(x1, x2) < left || Math.min(x1, x2) > right || Math.max(y1, y2) < top || Math.min(y1, y2) > bottom) continue;
        drawn++;
        c.moveTo(x1, y1);
        if (v.k > SHAPES) {
          const bend = Math.max(12, Math.min(60, (x2 - x1) / 2));
          c.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
        } else c.lineTo(x2, y2);
      }
      if (!drawn) return;
      c.strokeStyle = bright ? col.accent : col.control;
      c.globalAlpha = (bright ? 1 : lights ? 0.35 : 0.6) * Math.max(0.2, Math.min(1, CROWD / drawn));
      c.lineWidth = (bright && drawn <= CROWD ? 1.8 : 1.1) / Math.min(1, Math.max(v.k, 0.3));
      c.stroke();
      c.globalAlpha = 1;
    };
    edges(pairs.quiet, false);
    edges(pairs.bright, true);
    c.textBaseline = "middle";
    for (const n of g.nodes) {
      const y = n.y * v.s;
      if (n.x + nw < left || n.x > right || y + nh < top || y > bottom) continue;
      const nl = p.nodeLook(n.task);
      const l = nl.state ? look(nl.state) : null;
      const hue = l?.hue ?? "neutral";
      const dim = lights && !lit.has(n.task);
      c.globalAlpha = dim ? 0.55 : 1;
      if (v.k <= SHAPES) {
        c.fillStyle = col[hue];
        c.fillRect(n.x, y, nw, nh);
        if (n.task === p.selected) {
          c.strokeStyle = col.accent;
          c.lineWidth = 3 / v.k;
          c.strokeRect(n.x, y, nw, nh);
        }
        continue;
      }
      c.beginPath();
      c.roundRect(n.x, y, nw, nh, 5);
      c.fillStyle = l ? col[`${hue}-t`] : col.bg;
      c.fill();
      c.lineWidth = n.task === p.selected ? 2.5 : 1;
      c.strokeStyle = n.task === p.selected ? col.accent : col[hue];
      c.setLineDash(nl.state === "pending" || nl.state === "queued" ? [4, 3] : []);
      c.stroke();
      c.setLineDash([]);
      const unit = 1 / Math.min(1, v.k); // a pixel, in graph coordinates
      const cy = y + nh / 2;
      const mark = v.k > FULL ? unit : 1.5;
      if (l) drawShape(c, l.shape, n.x + 14 * (v.k > FULL ? unit : 1), cy, mark, col[hue], col.ink);
      if (v.k > FULL) {
        const tx = n.x + (l ? 25 : 10) * unit;
        const room = n.x + nw - tx - 6 * unit;
        const two = nl.note !== "" && nh * v.k >= TWO_LINES;
        c.fillStyle = col.text;
        c.font = `${Math.min((v.k < 1 ? 12 : 13) * unit, nh * 0.55)}px system-ui, "DejaVu Sans", sans-serif`;
        c.fillText(cut(c, n.name, room), tx, two ? cy - 7 * unit : cy);
        if (two) {
          c.fillStyle = l ? col[hue] : col.muted;
          c.font = `${11 * unit}px ui-monospace, "DejaVu Sans Mono", monospace`;
          c.fillText(cut(c, nl.note, room), tx, cy + 9 * unit);
        }
      }
    }
    c.globalAlpha = 1;
  };

  const pending = useRef(0);
  const redraw = () => {
    if (!pending.current)
      pending.current = requestAnimationFrame(() => {
        pending.current = 0;
        draw.current();
      });
  };
  useEffect(redraw, [p.version, p.selected, g]);
  useEffect(() => { at.current = null; redraw(); }, [g]);
  useEffect(() => {
    const el = canvas.current!;
    let was = 0;
    const size = new ResizeObserver(() => {
      if (was && Math.abs(was - el.clientWidth) > 40) at.current = null;
      was = el.clientWidth;
      redraw();
    });
    size.observe(el);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    addEventListener("themechange", redraw);
    dark.addEventListener("change", redraw);
    el.addEventListener("wheel", wheel, { passive: false });
    function wheel(e: WheelEvent) {
      e.preventDefault();
      const box = el.getBoundingClientRect();
      if (e.ctrlKey || !e.shiftKey) zoom(Math.exp(-e.deltaY * (e.ctrlKey ? 0.01 : 0.0015)), e.clientX - box.left, e.clientY - box.top);
      else if (at.current) { at.current.x += e.deltaY / at.current.k; redraw(); }
    }
    return () => {
      size.disconnect();
      removeEventListener("themechange", redraw);
      dark.removeEventListener("change", redraw);
      el.removeEventListener("wheel", wheel);
    };
  }, []);

  const zoom = (factor: number, px?: number, py?: number) => {
    const el = canvas.current!;
    const v = at.current;
    if (!v) return;
    const cx = px ?? el.clientWidth / 2, cy = py ?? el.clientHeight / 2;
    const k = Math.min(MAX_K, Math.max(0.01, v.k * factor));
    at.current = { ...v, k, x: v.x + cx / v.k - cx / k, y: v.y + cy / v.k - cy / k };
    redraw();
  };
  const nodeAt = (px: number, py: number) => {
    const v = at.current;
    if (!v) return undefined;
    const x = v.x + px / v.k, y = v.y + py / v.k;
    return g.nodes.find((n) => x >= n.x && x <= n.x + g.node_width && y >= n.y * v.s && y <= (n.y + g.node_height) * v.s);
  };
  const touches = useRef(new Map<number, { x: number; y: number }>()).current;
  const moved = useRef(0);
  const reveal = (task: number) => {
    const n = links.byTask.get(task);
    const v = at.current;
    const el = canvas.current!;
    if (!n || !v) return;
    const x = (n.x - v.x) * v.k, y = (n.y * v.s - v.y) * v.k;
    if (x < 0 || y < 0 || x + g.node_width * v.k > el.clientWidth || y + g.node_height * v.s * v.k > el.clientHeight) {
      v.x = n.x + g.node_width / 2 - el.clientWidth / 2 / v.k;
      v.y = (n.y + g.node_height / 2) * v.s - el.clientHeight / 2 / v.k;
    }
    redraw();
  };
  useEffect(() => { if (p.selected !== null) reveal(p.selected); }, [p.selected]);
  const walk = (e: KeyboardEvent) => {
    const here = p.selected !== null ? links.byTask.get(p.selected) : undefined;
    let next: number | undefined;
    if (!here) next = g.nodes[0]?.task;
    else if (e.key === "ArrowRight") next = links.down.get(here.task)?.[0];
    else if (e.key === "ArrowLeft") next = links.up.get(here.task)?.[0];
    else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      const dir = e.key === "ArrowDown" ? 1 : -1;
      next = g.nodes.filter((n) => n.layer === here.layer && (n.y - here.y) * dir > 0).sort((a, b) => (a.y - b.y) * dir)[0]?.task;
    }
    if (e.key === "+" || e.key === "=") zoom(1.25);
    else if (e.key === "-") zoom(0.8);
    else if (e.key === "0") { fit(); redraw(); }
    else if (!e.key.startsWith("Arrow")) return;
    e.preventDefault();
    e.stopPropagation();
    if (next !== undefined) {
      p.onSelect(next);
      const n = links.byTask.get(next)!;
      const nl = p.nodeLook(next);
      setFocusText(`${n.name}${nl.state ? `, ${look(nl.state).word}` : ""}${nl.note ? `, ${nl.note}` : ""}, ${links.up.get(next)?.length ?? 0} before it, ${links.down.get(next)?.length ?? 0} after it`);
    }
  };
  return (
    <div class="graph">
      <canvas ref={canvas} tabIndex={0} role="application" aria-label={`${p.label}. Arrow keys walk along it.`}
        onKeyDown={walk}
        onPointerDown={(e) => {
          canvas.current!.setPointerCapture(e.pointerId);
          touches.set(e.pointerId, { x: e.offsetX, y: e.offsetY });
          moved.current = 0;
        }}
        onPointerMove={(e) => {
          const before = touches.get(e.pointerId);
          const v = at.current;
          if (!before || !v) return;
          const others = [...touches.entries()].filter(([id]) => id !== e.pointerId);
          if (others.length) {
            const o = others[0]![1];
            const d0 = Math.hypot(before.x - o.x, before.y - o.y), d1 = Math.hypot(e.offsetX - o.x, e.offsetY - o.y);
            if (d0 > 0) zoom(d1 / d0, (o.x + e.offsetX) / 2, (o.y + e.offsetY) / 2);
          } else {
            v.x -= (e.offsetX - before.x) / v.k;
            v.y -= (e.offsetY - before.y) / v.k;
            redraw();
          }
          moved.current += Math.abs(e.offsetX - before.x) + Math.abs(e.offsetY - before.y);
          touches.set(e.pointerId, { x: e.offsetX, y: e.offsetY });
        }}
        onPointerUp={(e) => {
          touches.delete(e.pointerId);
          if (moved.current < 5) {
            const n = nodeAt(e.offsetX, e.offsetY);
            if (n) p.onSelect(n.task);
          }
        }}
        onPointerCancel={(e) => touches.delete(e.pointerId)} />
      <div class="zoom">
        <button type="button" class="icon" aria-label="Zoom in" onClick={() => zoom(1.3)}>+</button>
        <button type="button" class="icon" aria-label="Zoom out" onClick={() => zoom(0.77)}>−</button>
        <button type="button" onClick={() => { fit(); redraw(); }}>Fit</button>
      </div>
      <span class="hidden" aria-live="polite">{focusText}</span>
    </div>
  );
}

const cuts = new Map<string, string>();
function cut(c: CanvasRenderingContext2D, text: string, room: number): string {
  const key = `${c.font}|${Math.round(room)}|${text}`;
  const known = cuts.get(key);
  if (known !== undefined) return known;
  let out = text;
  if (c.measureText(text).width > room) {
    let lo = 0, hi = text.length;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (c.measureText(`${text.slice(0, mid)}…`).width <= room) lo = mid;
      else hi = mid - 1;
    }
    out = `${text.slice(0, lo)}…`;
  }
  if (cuts.size > 20_000) cuts.clear();
  cuts.set(key, out);
  return out;
}

/** The shapes of state.tsx, with a pen. */
function drawShape(c: CanvasRenderingContext2D, shape: string, x: number, y: number, k: number, colour: string, ink: string): void {
  const R = 5.3 * k;
  c.save();
  c.translate(x, y);
  c.strokeStyle = c.fillStyle = colour;
  c.lineWidth = 1.5 * k;
  c.lineCap = "round";
  c.lineJoin = "round";
  const line = (...pts: number[]) => {
    c.moveTo(pts[0]! * k, pts[1]! * k);
    for (let i = 2; i < pts.length; i += 2) c.lineTo(pts[i]! * k, pts[i + 1]! * k);
  };
  const octagon = () => {
    c.beginPath();
    line(-2.6, -6, 2.6, -6, 6, -2.6, 6, 2.6, 2.6, 6, -2.6, 6, -6, 2.6, -6, -2.6);
    c.closePath();
  };
  const circle = (r: number) => { c.beginPath(); c.arc(0, 0, r, 0, 7); };
  if (shape === "dotted") { c.setLineDash([1.7 * k, 2.4 * k]); c.lineCap = "butt"; circle(R); c.stroke(); }
  else if (shape === "target") { circle(R); c.stroke(); circle(2 * k); c.fill(); }
  else if (shape === "half") { circle(R); c.stroke(); c.beginPath(); c.arc(0, 0, R, -Math.PI / 2, Math.PI / 2); c.fill(); }
  else if (shape === "loop") { c.beginPath(); c.arc(0, 0, R, 0.3, 5.6); c.stroke(); c.beginPath(); line(5.4, -5.2, 5, -1.6, 1.6, -2); c.stroke(); }
  else if (shape === "hourglass") { c.beginPath(); line(-4, -5.5, 4, -5.5, -4, 5.5, 4, 5.5, -4, -5.5); c.stroke(); }
  else if (shape === "tick" || shape === "ticknotch") {
    circle(6 * k); c.fill(); c.strokeStyle = ink; c.lineWidth = 1.7 * k; c.beginPath(); line(-3, 0.2, -0.8, 2.4, 3.2, -2); c.stroke();
  } else if (shape === "cross") { octagon(); c.fill(); c.strokeStyle = ink; c.lineWidth = 1.7 * k; c.beginPath(); line(-2.2, -2.2, 2.2, 2.2); line(2.2, -2.2, -2.2, 2.2); c.stroke(); }
  else if (shape === "hollowcross") { octagon(); c.stroke(); c.beginPath(); line(-2.1, -2.1, 2.1, 2.1); line(2.1, -2.1, -2.1, 2.1); c.stroke(); }
  else if (shape === "dash") { circle(R); c.stroke(); c.beginPath(); line(-2.7, 0, 2.7, 0); c.stroke(); }
  else if (shape === "square") c.fillRect(-5 * k, -5 * k, 10 * k, 10 * k);
  c.restore();
}

export function noteOf(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? "" : duration(ms);
}
