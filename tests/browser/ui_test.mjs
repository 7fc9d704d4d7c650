// SPDX-License-Identifier: MIT
//
// ui_test.mjs: the pages in a real browser, on the real binary, with real runs.
//
// One server and one browser serve all tests, in order: the first ones fill
// the history the later ones look at. Any message on the console, any script
// error and any report of the content policy fails the test in which it came.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { join } from "node:path";
import { FILES } from "./fixtures.mjs";
import { axeSource, cannot, Gowtf, openBrowser, SHOTS, until } from "./server.mjs";

const skip = cannot();
const g = new Gowtf();
const complaints = [];
let browser, context, page, payroll, etl, hostile, bigLog;

/** A page whose complaints count. */
function watch(p) {
  p.on("console", (m) => { if (m.type() === "error" || m.type() === "warning") complaints.push(`${p.url()}: ${m.text()} ${m.location().url}`); });
  p.on("pageerror", (e) => complaints.push(`${p.url()}: ${e.message}`));
  return p;
}
async function freshContext(options = {}) {
  const c = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  c.on("page", watch);
  await c.addInitScript(() => {
    addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
  });
  c.setDefaultTimeout(8000);
  const p = await c.newPage();
  await p.goto(await g.login());
  await p.waitForSelector(".live-live");
  return [c, p];
}
const open = async (p, path, ready) => {
  await p.goto(g.url + path);
  await p.waitForSelector(ready);
  await p.waitForSelector(".live-live");
};
const text = (p, selector) => p.locator(selector).first().innerText();
const shot = (p, name) => p.screenshot({ path: join(SHOTS, `${name}.png`) });

before(async () => {
  if (skip) return;
  for (const [name, body] of Object.entries(FILES)) g.write(name, body);
  await g.start();
  await until("the files are read", async () => (await g.api("/workflows")).items.length === Object.keys(FILES).length - 1);
  browser = await openBrowser();
  etl = await g.run("nightly-etl", { day: "2026-11-21", region: "eu" });
  for (let i = 0; i < 2; i++) await g.over(await g.run("payroll", { day: `2026-11-2${i}` }));
  payroll = await g.run("payroll");
  hostile = await g.run("hostile");
  bigLog = await g.run("big-log");
  await Promise.all([etl, payroll, hostile, bigLog].map((id) => g.over(id)));
  [context, page] = await freshContext();
});
after(async () => {
  await browser?.close();
  if (!skip) await g.end();
});
afterEach(() => {
  // A stopped server refuses, and a log that is just being put away asks to come again: the page does.
  const said = complaints.splice(0).filter((c) => !/503.*\/lines\?|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/.test(c));
  assert.deepEqual(said, []);
});
const check = (name, f) => test(name, { skip, timeout: 40_000 }, f);

check("home says what needs one, with the cause, without a click", async () => {
  await open(page, "/", ".home");
  const needs = page.locator(".needs");
  await needs.getByText("payroll").waitFor();
  const said = await needs.innerText();
  assert.match(said, /column 'salary' missing/);
  assert.match(said, /3rd failure in a row/);
  assert.match(said, /invoices\.yaml|fetchh/);
  assert.match(await text(page, ".next"), /nightly-etl|payroll/);
});

check("a click on the failure opens the failing task at its first error line", async () => {
  await page.locator(".need-line", { hasText: "payroll" }).click();
  await page.waitForURL(/\/r\/\d+\/t\/transform/);
  const line = page.locator(".log-line.marked");
  await line.getByText("column 'salary' missing").waitFor();
  assert.equal(await line.getAttribute("data-n"), "201");
  assert.match(await line.getAttribute("class"), /\be\b/, "it is marked as stderr");
  assert.ok(await page.getByRole("button", { name: /^Retry from transform/ }).isVisible());
  const seen = await line.boundingBox();
  assert.ok(seen.y > 0 && seen.y < 860, "the line is in view");
  assert.ok(await page.locator(".log-line.marked span.f1.b").count(), "ERROR is bold and red");
  assert.match(await text(page, ".tasks [aria-selected=true]"), /transform/);
});

check("the run lists its tasks by state, and each attempt has its own log", async () => {
  await open(page, `/r/${payroll}`, ".tasks .row");
  assert.match((await text(page, ".tasks .scroll")).toLowerCase(), /failed\s*1\s*transform[\s\S]*blocked\s*2[\s\S]*succeeded[\s\S]*skipped/);
  await page.getByRole("tab", { name: "Attempt 1" }).click();
  await page.waitForURL(/attempt=1/);
  await page.locator(".log-line.marked").waitFor();
  await page.keyboard.press("2");
  await page.locator(".timeline-row .seg.pause").first().waitFor();
  assert.equal(await page.locator(".timeline-row", { hasText: "transform" }).locator(".seg.run-red").count(), 3, "three attempts, three bars");
  await page.keyboard.press("3");
  await page.locator("table th", { hasText: "transform" }).waitFor();
  await page.keyboard.press("1");
  await page.locator("canvas").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Retry what failed").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

check("a run started with parameters appears by itself in another tab", async () => {
  const other = await context.newPage();
  await open(other, "/runs", ".runs tbody tr");
  await open(page, "/workflows", ".workflows tbody tr");
  await page.bringToFront();
  const loaded = await other.evaluate(() => performance.timeOrigin);
  await page.getByRole("button", { name: "Start nightly-etl" }).click();
  const box = page.getByRole("dialog");
  await box.getByLabel("day").fill("2026-12-24");
  await box.getByRole("button", { name: "Start" }).click();
  await page.waitForURL(/\/r\/\d+/);
  const id = Number(/\/r\/(\d+)/.exec(page.url())[1]);
  await other.locator("tr", { hasText: `#${id}` }).waitFor();
  await page.locator(".run-title .state", { hasText: "succeeded" }).waitFor();
  await other.locator("tr", { hasText: `#${id}` }).getByText("succeeded").waitFor();
  assert.match(await other.locator("tr", { hasText: `#${id}` }).innerText(), /day=2026-12-24/);
  assert.equal(await other.evaluate(() => performance.timeOrigin), loaded, "without a reload");
  assert.equal((await g.api(`/runs/${id}`)).params.day, "2026-12-24");
  await other.close();
});

check("a log is followed while it grows, holds still while it is read, and the run is cancelled", async () => {
  const id = await g.run("video-encode");
  await open(page, `/r/${id}/t/encode`, ".log-scroll");
  const total = () => page.locator(".log-scroll").getAttribute("data-total").then(Number);
  await until("lines come", async () => (await total()) > 20);
  const asked = [];
  page.on("request", (r) => asked.push(r.url()));
  const before = await total();
  await until("more lines come", async () => (await total()) > before + 10);
  assert.equal(asked.filter((u) => u.includes("/lines")).length, 0, "they are pushed, not asked for");
  await until("enough to scroll", async () => (await total()) > 60);
  await page.locator(".log-scroll").hover();
  await page.mouse.wheel(0, -400);
  await page.locator(".new-lines").waitFor();
  const first = () => page.evaluate(() => {
    const top = document.querySelector(".log-scroll").getBoundingClientRect().top;
    return [...document.querySelectorAll(".log-line")].map((l) => [l.getBoundingClientRect().top - top, l.dataset.n]).filter(([y]) => y >= 0).sort((a, b) => a[0] - b[0])[0].join();
  });
  const still = await first();
  const now = await total();
  await until("ten more", async () => (await total()) > now + 10);
  assert.equal(await first(), still, "what is read does not move");
  await page.locator(".new-lines").click();
  await until("it follows again", async () => (await page.locator(".log-scroll").getAttribute("data-follow")) === "true");
  const numbers = await page.evaluate(() => [...document.querySelectorAll(".log-line")].map((l) => [Number(l.dataset.n), l.querySelector(".text").textContent]));
  for (const [n, words] of numbers.filter(([, w]) => w)) assert.match(words, new RegExp(`frame ${n}\\b`), "no line is missing or doubled");
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("dialog").getByText("1 running task will be asked to stop").waitFor();
  await page.getByRole("button", { name: "Cancel the run" }).click();
  await page.locator(".run-title .state", { hasText: "cancelled" }).waitFor();
});

check("a run that fails while one looks at it turns to what failed", async () => {
  const id = await g.run("payroll");
  await open(page, `/r/${id}`, ".tasks .row");
  await page.locator(".tasks [aria-selected=true]", { hasText: "transform" }).waitFor();
  await page.locator('.log-line.marked[data-n="201"]').waitFor();
  await page.getByRole("button", { name: "Retry from transform" }).waitFor();
});

check("a retry says what it will run, and adds an attempt", async () => {
  await open(page, `/r/${payroll}`, ".tasks .row");
  await page.getByRole("button", { name: /^Retry from/ }).click();
  const box = page.getByRole("dialog");
  assert.match(await box.innerText(), /1 task will run again[\s\S]*transform[\s\S]*succeeded will not run again[\s\S]*version 1/);
  await box.getByRole("button", { name: "Retry" }).click();
  await until("there is a fourth attempt", async () => (await g.api(`/runs/${payroll}/tasks/transform`)).attempts.length > 3);
  await g.over(payroll);
  await page.getByRole("tab", { name: "Attempt 4" }).waitFor();
  await page.locator(".run-title .state", { hasText: "failed" }).waitFor();
});

check("a schedule is paused with one click, undone with one, and a second tab sees both", async () => {
  const other = await context.newPage();
  await open(other, "/w/nightly-etl", ".wf-title");
  await open(page, "/workflows", ".workflows tbody tr");
  await page.bringToFront();
  const sw = page.getByRole("switch", { name: "Schedule of nightly-etl" });
  await sw.click();
  await other.getByText("Paused", { exact: true }).waitFor();
  assert.equal((await g.api("/workflows/nightly-etl")).enabled, false);
  await page.getByRole("button", { name: "Undo" }).click();
  await other.getByText("Schedule on").waitFor();
  await until("the switch is on again", async () => (await sw.getAttribute("aria-checked")) === "true");
  await other.close();
});

check("three hundred tasks change under the reader without moving what is read", async () => {
  const id = await g.run("fan-300");
  await open(page, `/r/${id}`, ".tasks .row");
  await page.getByLabel("Filter tasks").fill("shard-0");
  await page.locator(".run-title .state", { hasText: "succeeded" }).waitFor();
  assert.equal(await page.getByLabel("Filter tasks").inputValue(), "shard-0");
  assert.ok(await page.evaluate(() => document.activeElement?.matches("[data-filter]")), "the focus stays");
  await page.locator(".tasks .scroll").evaluate((e) => (e.scrollTop = 0));
  await page.locator(".tasks .group", { hasText: "Succeeded" }).getByText("99").waitFor();
  assert.ok((await page.locator(".tasks .row").count()) < 80, "only what is seen is drawn");
  await page.getByLabel("Filter tasks").fill("");
  await shot(page, "fan-300");
});

check("a long log opens at its end, shows exact numbers, and stays small", async () => {
  await open(page, `/r/${bigLog}/t/count/log`, ".log-line");
  await page.getByText("line number 60000", { exact: true }).waitFor();
  assert.equal(await page.locator('.log-line[data-n="60000"] .n').innerText(), "60000");
  await page.locator(".log-scroll").focus();
  await page.keyboard.press("Home");
  await page.getByText("line number 1", { exact: true }).waitFor();
  await page.evaluate(() => (document.querySelector(".log-scroll").scrollTop = 30_000 * 20));
  await page.locator('.log-line[data-n="30005"]').getByText("line number 30005").waitFor();
  assert.ok((await page.locator(".log-line").count()) < 120);
  await page.goto(`${g.url}/r/${bigLog}/t/count/log#L12345`);
  await page.reload();
  await page.locator('.log-line.marked[data-n="12345"]').getByText("line number 12345").waitFor();
});

check("a log is searched, with a count, and a long line wraps", async () => {
  await open(page, `/r/${payroll}/t/transform`, ".log-line");
  await page.locator(".log-foot").getByRole("button", { name: "Find" }).click();
  const box = page.getByLabel("Find in the log");
  await box.fill("LINE 19");
  const said = page.locator(".log-find [role=status]");
  await said.getByText("of 11").waitFor();
  await box.fill("row 42");
  await said.getByText("1 of 1").waitFor();
  await page.locator('.log-line.marked.found[data-n="201"]').waitFor();
  await box.fill("no such words");
  await said.getByText("nothing found").waitFor();
  await box.press("Escape");
  await box.waitFor({ state: "detached" });
  await open(page, `/r/${hostile}/t/speak/log`, ".log-line");
  const overhang = () => page.locator(".log-scroll").evaluate((e) => e.scrollWidth - e.clientWidth);
  await until("the long line is there", async () => (await overhang()) > 1000);
  await page.getByRole("button", { name: "Wrap", exact: true }).click();
  await until("nothing hangs over", async () => (await overhang()) === 0);
  await page.getByRole("button", { name: "Do not wrap" }).click();
  await until("it hangs over again", async () => (await overhang()) > 1000);
});

check("hostile names and output are text, whatever they say", async () => {
  await open(page, `/r/${hostile}/t/speak`, ".log-line");
  await page.evaluate(() => (document.querySelector(".log-scroll").scrollTop = 0));
  await page.getByText("<script>window.hacked = 1</script>").waitFor();
  await page.getByText("progress 100%").waitFor();
  assert.equal(await page.getByText("orange", { exact: true }).evaluate((e) => getComputedStyle(e).color), "rgb(255, 135, 0)");
  assert.equal(await page.locator(".log-line a[href^='javascript']").count(), 0);
  await open(page, "/w/hostile", ".wf-title");
  await page.getByText("<img src=x onerror=alert(1)>").waitFor();
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator("main img, main script").count(), 0);
});

check("eight tabs are live over one stream", async () => {
  const [own, first] = await freshContext();
  const before = (await g.api("/system")).clients;
  const tabs = [first];
  while (tabs.length < 8) tabs.push(await own.newPage());
  await Promise.all(tabs.map((t) => open(t, "/runs", ".runs tbody tr")));
  const id = await g.run("quick");
  await Promise.all(tabs.map((t) => t.locator("tr", { hasText: `quick #${id}` }).getByText("succeeded").waitFor()));
  assert.ok((await g.api("/system")).clients <= before, "the other seven cost nothing");
  await first.close();
  const next = await g.run("quick");
  await Promise.all(tabs.slice(1).map((t) => t.locator("tr", { hasText: `quick #${next}` }).getByText("succeeded").waitFor()));
  await own.close();
});

check("without shared workers a tab listens while it is looked at, and catches up when it is again", async () => {
  const c = await browser.newContext();
  await c.addInitScript(() => {
    delete globalThis.SharedWorker;
    let hidden = false;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    globalThis.hide = (yes) => { hidden = yes; document.dispatchEvent(new Event("visibilitychange")); };
  });
  const p = watch(await c.newPage());
  await p.goto(await g.login());
  await open(p, "/runs", ".runs tbody tr");
  const row = (id) => p.locator("tr", { hasText: `quick #${id}` }).getByText("succeeded");
  await row(await g.run("quick")).waitFor();
  const streams = async () => (await g.api("/system")).clients;
  const before = await streams();
  await p.evaluate(() => globalThis.hide(true));
  const id = await g.run("quick");
  await g.over(id);
  await until("the hidden tab is found to have hung up", async () => (await streams()) < before);
  assert.equal(await row(id).count(), 0);
  await p.evaluate(() => globalThis.hide(false));
  await row(id).waitFor();
  await c.close();
});

check("a restart of the server is noticed, said, and recovered from without a reload", async () => {
  await open(page, "/runs", ".runs tbody tr");
  const loaded = await page.evaluate(() => performance.timeOrigin);
  await g.stop();
  await page.locator(".live-offline", { hasText: "offline since" }).waitFor();
  await g.start();
  await page.locator(".live-live").waitFor({ timeout: 5000 });
  const id = await g.run("quick");
  await page.locator("tr", { hasText: `quick #${id}` }).getByText("succeeded").waitFor();
  assert.equal(await page.evaluate(() => performance.timeOrigin), loaded);
});

check("a browser without a session is told how to sign in, and the token lets it in", async () => {
  const c = await browser.newContext();
  const p = await c.newPage();
  await p.goto(g.url);
  await p.getByRole("heading", { name: "Sign in" }).waitFor();
  await p.getByText("gowtf ui").waitFor();
  await p.locator("input[name=token]").fill("wrong");
  await p.getByRole("button", { name: "Sign in" }).click();
  await p.getByText("This is not the token").waitFor();
  await p.locator("input[name=token]").fill(g.token);
  await p.getByRole("button", { name: "Sign in" }).click();
  await p.waitForSelector(".home");
  await c.close();
});

check("the first view is small, and nothing is asked of another host", async () => {
  const [c, p] = await freshContext();
  const client = await c.newCDPSession(p);
  await client.send("Network.enable");
  await client.send("Network.setCacheDisabled", { cacheDisabled: true });
  const sizes = new Map();
  const urls = new Map();
  client.on("Network.responseReceived", (e) => urls.set(e.requestId, e.response.url));
  client.on("Network.loadingFinished", (e) => sizes.set(urls.get(e.requestId), e.encodedDataLength));
  await open(p, "/", ".home");
  const sum = (end) => [...sizes].filter(([u]) => u?.endsWith(end)).reduce((a, [, n]) => a + n, 0);
  assert.ok(sum(".js") > 5000 && sum(".js") < 45 * 1024, `${sum(".js")} bytes of script`);
  assert.ok(sum(".css") < 12 * 1024, `${sum(".css")} bytes of style`);
  for (const path of [`/r/${payroll}`, "/workflows", "/w/payroll", "/schedule", "/system"]) await open(p, path, "main h1");
  assert.ok([...urls.values()].every((u) => u.startsWith(g.url) || u.startsWith("data:")), "only our own host");
  await c.close();
});

const PAGES = () => [
  ["home", "/", ".home"],
  ["workflows", "/workflows", ".workflows tbody tr"],
  ["workflow", "/w/payroll", ".matrix tbody tr"],
  ["workflow-runs", "/w/payroll?tab=runs", ".runs tbody tr"],
  ["workflow-graph", "/w/nightly-etl?tab=graph", "canvas"],
  ["workflow-definition", "/w/payroll?tab=definition", ".source"],
  ["runs", "/runs", ".runs tbody tr"],
  ["run-failed", `/r/${payroll}`, ".tasks .row"],
  ["run-timeline", `/r/${payroll}?lens=timeline`, ".tasks .row"],
  ["run-table", `/r/${payroll}?lens=table&tab=details`, ".tasks .row"],
  ["run-good", `/r/${etl}?tab=attempts`, ".tasks .row"],
  ["log", `/r/${hostile}/t/speak/log`, ".log-line"],
  ["schedule", "/schedule", "h1"],
  ["system", "/system", ".parts"],
];
const LOOKS = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
];

// The dark pages are the light ones in other colours.
const RULES = { all: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }, dark: { type: "rule", values: ["color-contrast"] } };

for (const [look, options] of LOOKS)
  check(`every page in ${look}: a picture, no rule of accessibility broken, nothing hangs over`, async () => {
    const [c, p] = await freshContext(options);
    const axe = axeSource();
    const id = await g.run("video-encode");
    const broken = [];
    for (const [name, path, ready] of PAGES()) {
      await p.goto(g.url + path);
      await p.waitForSelector(ready, { state: "attached" });
      await p.waitForSelector(".live-live");
      await until("nothing loads", async () => (await p.locator("[aria-busy=true]").count()) === 0);
      await p.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))));
      await shot(p, `${look}-${name}`);
      await p.evaluate(axe);
      const found = await p.evaluate((rules) => globalThis.axe.run({ exclude: [[".log-line .text"]] }, { // the colours of the output are those of who wrote it
         runOnly: rules, resultTypes: ["violations"] }), RULES[look] ?? RULES.all);
      for (const v of found.violations)
        broken.push(`${look} ${name}: ${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.any[0]?.message ?? ""}`).join(" | ")}`);
      const over = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) broken.push(`${look} ${name}: ${over} px too wide`);
    }
    await g.api(`/runs/${id}/cancel`, {});
    await c.close();
    assert.deepEqual(broken, []);
  });
