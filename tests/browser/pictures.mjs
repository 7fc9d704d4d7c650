// SPDX-License-Identifier: MIT
//
// pictures.mjs DIR: the pictures of the README, taken of the real thing.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { FILES } from "./fixtures.mjs";
import { Gowtf, openBrowser, until } from "./server.mjs";

const dir = process.argv[2] ?? "docs/pictures";
const g = new Gowtf();
let browser;
try {
  for (const [name, body] of Object.entries(FILES)) if (!/hostile|quick|big-log/.test(name)) g.write(name, body);
  await g.start();
  await until("the files are read", async () => (await g.api("/workflows")).items.length >= 4);
  for (let i = 0; i < 5; i++) await g.over(await g.run("nightly-etl", { day: `2026-11-${17 + i}`, region: "eu" }));
  for (let i = 0; i < 3; i++) await g.over(await g.run("payroll", { day: `2026-11-${19 + i}` }));
  await g.over(await g.run("fan-300"));
  const failed = await g.run("payroll");
  await g.over(failed);
  const running = await g.run("video-encode");
  await g.run("nightly-etl");
  browser = await openBrowser();
  mkdirSync(dir, { recursive: true });
  for (const [name, colorScheme, path, ready] of [
    ["home", "light", "/", ".needs .need-line"],
    ["run-failed", "light", `/r/${failed}`, ".log-line.marked"],
    ["run-live-dark", "dark", `/r/${running}`, '.log-line[data-n="30"]'],
  ]) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 760 }, colorScheme });
    const page = await context.newPage();
    await page.goto(await g.login());
    await page.goto(g.url + path);
    await page.waitForSelector(".live-live");
    await page.locator(ready).first().waitFor();
    await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))));
    await page.screenshot({ path: join(dir, `${name}.png`) });
    await context.close();
  }
} finally {
  await browser?.close();
  await g.end();
}
