// SPDX-License-Identifier: MIT
//
// keys.tsx: single keys. A page says what its keys do while it is shown;
// the box behind `?` is made from the same list. Keys rest while one types.
import { useEffect } from "preact/hooks";
import { Dialog, dialog } from "./parts";
import { go } from "./router";

export interface Key {
  keys: string;
  does: string;
  run: () => void;
}

const layers = new Set<{ title: string; keys: Key[] }>();
const everywhere: Key[] = [
  { keys: "g h", does: "Home", run: () => go("/") },
  { keys: "g w", does: "Workflows", run: () => go("/workflows") },
  { keys: "g r", does: "Runs", run: () => go("/runs") },
  { keys: "g s", does: "Schedule", run: () => go("/schedule") },
  { keys: "g y", does: "System", run: () => go("/system") },
  { keys: "/", does: "Go to the filter of this page", run: focusFilter },
  { keys: "?", does: "Show the keys of this page", run: showKeys },
];

function focusFilter(): void {
  const box = document.querySelector<HTMLInputElement>("[data-filter]");
  box?.focus();
  box?.select();
}

function showKeys(): void {
  const parts = [...layers].map((l) => ({ title: l.title, keys: l.keys })).concat({ title: "Everywhere", keys: everywhere });
  dialog.value = (
    <Dialog title="Keys">
      <div class="keys">
        {parts.map((p) => (
          <section key={p.title}>
            <h3>{p.title}</h3>
            <dl>
              {p.keys.map((k) => (
                <div key={k.keys}>
                  <dt>{k.keys.split(" ").map((x) => <kbd key={x}>{x}</kbd>)}</dt>
                  <dd>{k.does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

/** The keys of a page, for as long as it is shown. Always the newest closures run. */
export function useKeys(title: string, keys: Key[]): void {
  useEffect(() => {
    const layer = { title, keys };
    layers.add(layer);
    return () => void layers.delete(layer);
  });
}

let first = "";
let forget: ReturnType<typeof setTimeout> | undefined;

export function startKeys(): void {
  document.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey) return;
    const at = e.target as HTMLElement;
    if (at.matches?.("input,textarea,select,[contenteditable]")) {
      if (e.key === "Escape") at.blur();
      return;
    }
    if (dialog.value) return;
    if ((e.key === "Enter" || e.key === " ") && at.matches?.("a,button,summary,[role=tab]")) return;
    const all = [...layers].reverse().flatMap((l) => l.keys).concat(everywhere);
    const word = first ? `${first} ${e.key}` : e.key;
    const key = all.find((k) => k.keys === word || k.keys.split(" or ").includes(word));
    clearTimeout(forget);
    first = "";
    if (key) {
      e.preventDefault();
      key.run();
    } else if (all.some((k) => k.keys.startsWith(`${e.key} `))) {
      first = e.key;
      forget = setTimeout(() => (first = ""), 1200);
    }
  });
}

/** j and k over the rows of a list: elements that carry data-row, in page order. */
export function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")].filter((r) => r.offsetParent !== null);
  if (rows.length === 0) return;
  const here = document.activeElement?.closest("[data-row]") as HTMLElement | null;
  const at = here ? rows.indexOf(here) : -1;
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))]!;
  const target = next.matches("a,button") ? next : next.querySelector<HTMLElement>("a,button");
  target?.focus();
  next.scrollIntoView({ block: "nearest" });
}

export const LIST_KEYS: Key[] = [
  { keys: "j", does: "Next row", run: () => moveRow(1) },
  { keys: "k", does: "Previous row", run: () => moveRow(-1) },
];
