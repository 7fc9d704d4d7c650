// SPDX-License-Identifier: MIT
//
// router.ts: the address is the state of the page.
import { batch, signal } from "@preact/signals";

export const path = signal(location.pathname);
export const query = signal(new URLSearchParams(location.search));
export const hash = signal(location.hash);

function read(): void {
  batch(() => {
    path.value = location.pathname;
    query.value = new URLSearchParams(location.search);
    hash.value = location.hash;
  });
}

export function go(to: string, how: { replace?: boolean; keepScroll?: boolean } = {}): void {
  const before = location.pathname;
  if (how.replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  read();
  if (!how.keepScroll && location.pathname !== before) scrollTo(0, 0);
}

/** Changes some of the query; null takes a key away. */
export function setQuery(change: Record<string, string | null>, replace = true): void {
  const q = new URLSearchParams(location.search);
  for (const [k, v] of Object.entries(change)) {
    if (v === null || v === "") q.delete(k);
    else q.set(k, v);
  }
  const text = q.toString();
  go(location.pathname + (text ? `?${text}` : "") + location.hash, { replace, keepScroll: true });
}

export function start(): void {
  addEventListener("popstate", read);
  addEventListener("hashchange", read);
  document.addEventListener("click", (e) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const a = (e.target as Element | null)?.closest?.("a[href]");
    if (!(a instanceof HTMLAnchorElement) || a.target || a.hasAttribute("download")) return;
    const to = a.getAttribute("href")!;
    if (!to.startsWith("/") || to.startsWith("/api/") || to.startsWith("/login")) return;
    e.preventDefault();
    go(to);
  });
}

export const enc = encodeURIComponent;
