// SPDX-License-Identifier: MIT
//
// main.tsx: the frame around every page, and which page an address means.
import { signal } from "@preact/signals";
import { type ComponentType, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { signedOut } from "./api";
import { clock } from "./format";
import { startKeys } from "./keys";
import { connect, link } from "./live";
import { dialog, Toasts } from "./parts";
import { HomePage } from "./pages/home";
import { SignIn } from "./pages/sign_in";
import { WorkflowsPage } from "./pages/workflows";
import { RunsPage } from "./pages/runs";
import { busy } from "./resource";
import { path, start } from "./router";

type Page = ComponentType<Record<string, string>>;

/** A page that comes over the wire when it is first asked for. */
function lazy(load: () => Promise<unknown>, name: string): Page {
  let page: Page | undefined;
  return function Lazy(props: Record<string, string>) {
    const [, again] = useState(0);
    useEffect(() => {
      if (!page)
        load().then(
          (m) => { page = (m as Record<string, Page>)[name]!; again(1); },
          () => location.reload(), // a newer server: its page names other files
        );
    }, []);
    const P = page;
    return P ? <P {...props} /> : <div class="loading" aria-busy="true" />;
  };
}

const ROUTES: [RegExp, string, Page, string[]][] = [
  [/^\/$/, "Home", HomePage as Page, []],
  [/^\/workflows$/, "Workflows", WorkflowsPage as Page, []],
  [/^\/w\/([^/]+)$/, "Workflow", lazy(() => import("./pages/workflow"), "WorkflowPage"), ["name"]],
  [/^\/runs$/, "Runs", RunsPage as Page, []],
  [/^\/r\/([^/]+)\/t\/([^/]+)\/log$/, "Log", lazy(() => import("./pages/log"), "LogPage"), ["id", "task"]],
  [/^\/r\/([^/]+)(?:\/t\/([^/]+))?$/, "Run", lazy(() => import("./pages/run"), "RunPage"), ["id", "task"]],
  [/^\/schedule$/, "Schedule", lazy(() => import("./pages/schedule"), "SchedulePage"), []],
  [/^\/system$/, "System", lazy(() => import("./pages/system"), "SystemPage"), []],
];

const NAV = [
  { to: "/", title: "Home", starts: /^\/$/ },
  { to: "/workflows", title: "Workflows", starts: /^\/w/ },
  { to: "/runs", title: "Runs", starts: /^\/r/ },
  { to: "/schedule", title: "Schedule", starts: /^\/schedule/ },
  { to: "/system", title: "System", starts: /^\/system/ },
];

const theme = signal(document.documentElement.dataset.theme ?? "");
function toggleTheme(): void {
  const dark = theme.value ? theme.value === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  theme.value = document.documentElement.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("gowtf.theme", theme.value);
  } catch {
    // kept for this page only
  }
  dispatchEvent(new Event("themechange"));
}

const WORDS = { live: "live", catching: "catching up", offline: "offline", "signed-out": "signed out" };

function Live() {
  const l = link.value;
  const word = l.link === "offline" ? `offline since ${clock(l.since)}` : WORDS[l.link];
  return (
    <span class={`live live-${l.link}`} role="status" title={`The page is ${word}`}>
      <span class="dot" aria-hidden="true" />
      {word}
    </span>
  );
}

function Nav({ where }: { where: string }) {
  return (
    <nav aria-label={where}>
      {NAV.map((n) => (
        <a key={n.to} href={n.to} aria-current={n.starts.test(path.value) ? "page" : undefined}>{n.title}</a>
      ))}
    </nav>
  );
}

function Busy() {
  const [shown, show] = useState(false);
  const n = busy.value > 0;
  useEffect(() => {
    if (!n) return show(false);
    const t = setTimeout(() => show(true), 150);
    return () => clearTimeout(t);
  }, [n]);
  return shown ? <div class="busy" /> : null;
}

function App() {
  const found = ROUTES.find(([pattern]) => pattern.test(path.value));
  const parts = found ? found[0].exec(path.value)! : [];
  const props = Object.fromEntries((found?.[3] ?? []).map((key, i) => [key, parts[i + 1] ? safe(parts[i + 1]!) : ""]));
  const Found = found?.[2];
  useEffect(() => {
    document.title = found ? `${props.name || (props.id ? `Run ${props.id}` : found[1])} · gowtf` : "gowtf";
  }, [path.value]);
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the page</a>
      <header class="top">
        <a class="brand" href="/" aria-label="gowtf, home">gowtf</a>
        {!signedOut.value && <Nav where="Main" />}
        <span class="grow" />
        <button type="button" class="plain icon" aria-label="Light or dark" title="Light or dark" onClick={toggleTheme}>
          <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
            <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.5" />
            <path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z" fill="currentColor" />
          </svg>
        </button>
        <Live />
      </header>
      <Busy />
      <main id="main" tabIndex={-1}>
        {signedOut.value ? <SignIn /> : Found ? <Found key={found![1] + (props.name ?? props.id ?? "")} {...props} /> : <Nowhere />}
      </main>
      {!signedOut.value && <div class="bottom"><Nav where="Main, below" /></div>}
      <Toasts />
      {dialog.value}
    </>
  );
}

function safe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function Nowhere() {
  return (
    <div class="problem-box">
      <h1>No such page</h1>
      <p>The address <code>{path.value}</code> means nothing here. <a href="/">Go home</a>.</p>
    </div>
  );
}

start();
startKeys();
connect();
render(<App />, document.getElementById("app")!);
