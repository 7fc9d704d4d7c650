// SPDX-License-Identifier: MIT
//
// server.mjs: a real gowtf on a home and a port of its own, and a browser to look at it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(import.meta.url), "../../..");
const modules = createRequire(join(root, "ui/package.json"));
export const axeSource = () => readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");

const GOWTF = process.env.GOWTF ?? join(root, "build/gowtf");
export const SHOTS = process.env.SCREENSHOTS ?? join(root, "build/screenshots");

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** Why there can be no browser test here; undefined when there can. */
export function cannot() {
  if (!existsSync(CHROMIUM)) return `there is no ${CHROMIUM}: apt-get install chromium`;
  return undefined;
}

export async function openBrowser() {
  const { chromium } = modules("playwright-core");
  mkdirSync(SHOTS, { recursive: true });
  return chromium.launch({ executablePath: CHROMIUM, args: ARGS });
}

async function freePort() {
  const s = createServer().listen(0, "127.0.0.1");
  await once(s, "listening");
  const { port } = s.address();
  s.close();
  await once(s, "close");
  return port;
}

/** Asks until `f` answers something true, and answers that. */
export async function until(what, f, ms = 10_000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      const v = await f();
      if (v) return v;
    } catch (e) {
      last = e;
    }
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}${last ? ` (${last.message})` : ""}`);
    await new Promise((r) => setTimeout(r, 40));
  }
}

export class Gowtf {
  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), "gowtf-browser-"));
    this.home = join(this.dir, "home");
    this.workflows = join(this.dir, "workflows");
    mkdirSync(this.workflows);
    this.said = "";
  }
  write(name, text) {
    writeFileSync(join(this.workflows, name), text);
  }
  async start() {
    this.port ??= await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    this.child = spawn(GOWTF, ["serve", "-C", this.home, "--workflows", this.workflows, "--listen", `127.0.0.1:${this.port}`, "--slots", "8"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    this.child.stdout.on("data", (d) => (out += d));
    this.child.stderr.on("data", (d) => (this.said += d));
    this.child.on("exit", (code) => (this.ended = code));
    this.ended = undefined;
    await until("the server answers", async () => {
      if (this.ended !== undefined) throw new Error(`it ended with ${this.ended}: ${this.said}`);
      return (await fetch(`${this.url}/readyz`)).ok;
    });
    this.token = readFileSync(join(this.home, "token"), "utf8").trim();
  }
  async api(path, body) {
    const r = await fetch(`${this.url}/api/v1${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { Authorization: `Bearer ${this.token}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await r.text();
    if (!r.ok) throw new Error(`${path}: ${r.status} ${text}`);
    return text ? JSON.parse(text) : {};
  }
  async login() {
    return this.url + (await this.api("/login-codes", {})).path;
  }
  async run(workflow, params = {}) {
    return (await this.api(`/workflows/${workflow}/runs`, { params })).id;
  }
  async over(id, ms = 20_000) {
    return until(`run ${id} is over`, async () => {
      const r = await this.api(`/runs/${id}`);
      return ["success", "failed", "cancelled"].includes(r.state) && r;
    }, ms);
  }
  async stop() {
    if (!this.child || this.ended !== undefined) return;
    this.child.kill("SIGTERM");
    if (this.ended === undefined) await once(this.child, "exit");
  }
  /** Ends everything, the keeper too. */
  async end() {
    let keepers = [];
    try {
      for (const r of (await this.api("/runs?state=queued,running")).items) await this.api(`/runs/${r.id}/cancel`, {});
      await until("nothing runs", async () => (await this.api("/system")).slots.used === 0, 5000).catch(() => {});
      keepers = (await this.api("/system")).keepers.map((k) => k.pid).filter(Boolean);
    } catch {
      // it is gone already
    }
    await this.stop();
    for (const pid of keepers) {
      try {
        process.kill(pid, "SIGTERM");
      } catch {
        // so is the keeper
      }
    }
    await until("the keepers are gone", () => keepers.every((pid) => !existsSync(`/proc/${pid}`)), 3000).catch(() => {
      for (const pid of keepers) try { process.kill(pid, "SIGKILL"); } catch { /* gone */ }
    });
    rmSync(this.dir, { recursive: true, force: true });
  }
}
