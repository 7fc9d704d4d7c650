// SPDX-License-Identifier: MIT
//
// format.ts: times, durations and sizes in the words of the manual.
import { signal } from "@preact/signals";

/** The clock of everything that grows on the page: a second's beat while it is looked at. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);
document.addEventListener("visibilitychange", () => (now.value = Date.now()));

export function ms(t: string | null | undefined): number | null {
  return t ? Date.parse(t) : null;
}

/** <1ms 340ms 1.2s 41s 2m 10s 1h 05m 3d 4h */
export function duration(n: number | null | undefined): string {
  if (n === null || n === undefined || Number.isNaN(n)) return "–";
  const v = Math.max(0, n);
  if (v < 1) return "<1ms";
  if (v < 1000) return `${Math.round(v)}ms`;
  if (v < 9950) return `${(v / 1000).toFixed(1)}s`;
  const s = Math.round(v / 1000);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, "0")}s`;
  const m = Math.floor(s / 60);
  if (m < 1440) return `${Math.floor(m / 60)}h ${String(m % 60).padStart(2, "0")}m`;
  const h = Math.floor(m / 60);
  return `${Math.floor(h / 24)}d ${h % 24}h`;
}

/** The same, for things that grow second by second: no tenths that flicker. */
export function elapsed(n: number): string {
  return n < 1000 ? "<1s" : n < 60_000 ? `${Math.max(0, Math.floor(n / 1000))}s` : duration(n);
}

/** What is usual, in one figure. */
export function about(n: number): string {
  return n < 9950 ? duration(n) : coarse(n);
}

/** One figure: in 3m, in 12s, in 5h, in 3d */
export function coarse(n: number): string {
  const s = Math.max(0, Math.round(n / 1000));
  if (s < 60) return `${s}s`;
  const m = Math.round(s / 60);
  if (m < 60) return `${m}m`;
  const h = Math.round(m / 60);
  return h < 48 ? `${h}h` : `${Math.round(h / 24)}d`;
}

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  if (n < 1024) return `${n} B`;
  let v = n;
  for (const unit of ["KiB", "MiB", "GiB", "TiB"]) {
    v /= 1024;
    if (v < 1024) return `${v < 10 ? v.toFixed(1) : Math.round(v)} ${unit}`;
  }
  return `${Math.round(v)} TiB`;
}

export function count(n: number): string {
  return n < 10_000 ? String(n) : String(n).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

const two = (n: number) => String(n).padStart(2, "0");
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "local";
}

/** Whether a clock in `other` shows the same as this one does at `at`. */
export function sameClock(other: string, at: number): boolean {
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: other, hour: "2-digit", minute: "2-digit", day: "2-digit" }).format(at) ===
      new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", day: "2-digit" }).format(at);
  } catch {
    return false; // a zone this browser does not know
  }
}

/** 03:00 today, Thu 03:00 within six days, 12 Nov 03:00 else. */
export function when(t: string | null | undefined): string {
  const at = ms(t);
  if (at === null) return "–";
  const d = new Date(at);
  const clock = `${two(d.getHours())}:${two(d.getMinutes())}`;
  const today = new Date(now.peek());
  if (d.toDateString() === today.toDateString()) return clock;
  if (Math.abs(at - today.getTime()) < 6 * 86_400_000) return `${DAYS[d.getDay()]} ${clock}`;
  return `${d.getDate()} ${MONTHS[d.getMonth()]} ${clock}`;
}

/** To the second, with the zone: for tooltips. */
export function exact(t: string | null | undefined): string {
  const at = ms(t);
  if (at === null) return "";
  const d = new Date(at);
  return (
    `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ` +
    `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())} ${zone()}`
  );
}

export function clock(at: number, withMs = false): string {
  const d = new Date(at);
  const base = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return withMs ? `${base}.${String(d.getMilliseconds()).padStart(3, "0")}` : base;
}

/** in 3m, 2h ago */
export function relative(t: string | null | undefined, at = now.value): string {
  const then = ms(t);
  if (then === null) return "–";
  const d = then - at;
  if (d >= 0) return d < 1000 ? "now" : `in ${coarse(d)}`;
  return -d < 5000 ? "just now" : `${coarse(-d)} ago`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
