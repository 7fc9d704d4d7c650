// SPDX-License-Identifier: MIT
//
// virtual.tsx: a long list of rows of one height, of which only the visible are drawn.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

const OVERSCAN = 8;

export function Virtual(p: {
  count: number;
  height: number;
  label: string;
  reveal: number; // a row to bring into view when it changes; -1: none
  role?: "listbox" | "region";
  head?: ComponentChildren;
  children: (i: number, place: (el: HTMLElement | null) => void) => JSX.Element;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [seen, setSeen] = useState(600);
  useEffect(() => {
    const el = box.current!;
    const size = new ResizeObserver(() => setSeen(el.clientHeight));
    size.observe(el);
    return () => size.disconnect();
  }, []);
  useEffect(() => {
    const el = box.current!;
    const y = p.reveal * p.height;
    if (p.reveal < 0) return;
    if (y < el.scrollTop) el.scrollTop = Math.max(0, y - p.height);
    else if (y + p.height > el.scrollTop + el.clientHeight) el.scrollTop = y + p.height - el.clientHeight + p.height;
  }, [p.reveal]);
  const from = Math.max(0, Math.floor(top / p.height) - OVERSCAN);
  const to = Math.min(p.count, Math.ceil((top + seen) / p.height) + OVERSCAN);
  const rows = [];
  for (let i = from; i < to; i++)
    rows.push(p.children(i, (el) => { if (el) el.style.transform = `translateY(${i * p.height}px)`; }));
  return (
    <div class="scroll" ref={box} tabIndex={0} role={p.role ?? ("region" as const)} aria-label={p.label} onScroll={() => setTop(box.current!.scrollTop)}>
      {p.head}
      <div role="presentation" ref={(el) => { if (el) el.style.height = `${p.count * p.height}px`; }}>{rows}</div>
    </div>
  );
}
