// SPDX-License-Identifier: MIT
//
// pictures.mjs DIR: the pictures of the README, taken of the real thing.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { FILES } from "./fixtures.mjs";
import { Gowtf, openBrowser, until } from "./server.mjs";

const SCENE = {
  "invoices.yaml": FILES["invoices.yaml"],
  "payroll.yaml": `
name: payroll
description: Pays everybody, once a month.
tags: [finance]
schedule: "0 3 * * 1-5"
timezone: Europe/Berlin
params:
  day: "2026-11-22"
tasks:
  - name: extract
    script: sleep 0.6; echo "1182 rows"
  - name: archive
    depends_on: [extract]
    script: sleep 0.1; echo "stored"
  - name: transform
    depends_on: [extract]
    retries: 2
    retry_delay: 500ms
    script: |
      echo "reading payroll-$GOWTF_PARAM_DAY.csv"
      for i in $(seq 1 41); do echo "row $i: checked, $((2100 + i * 37 % 900)).00 EUR"; sleep 0.005; done
      printf 'Traceback (most recent call last):\\n  File "transform.py", line 88, in main\\n    pay(row)\\n  File "transform.py", line 61, in pay\\n    total += float(row["salary"])\\n' >&2
      printf '\\033[1;31mKeyError\\033[0m: column salary missing in row 42\\n' >&2
      exit 3
  - name: publish
    depends_on: [transform, archive]
    script: echo published
  - name: send-slips
    depends_on: [publish]
    script: echo sent
  - name: call-bank
    depends_on: [publish]
    script: echo called
  - name: page
    depends_on: [extract]
    condition: extract.failed
    script: echo "extract failed"
  - name: cleanup
    depends_on: [transform]
    condition: always
    script: sleep 0.05; echo cleaned
`,
  "backup-db.yaml": `
name: backup-db
schedule: "10 2 * * *"
timezone: Europe/Berlin
tasks:
  - name: dump
    script: echo "dumping 14 tables"
  - name: upload
    depends_on: [dump]
    timeout: 1s
    script: echo "connecting to the store"; sleep 20
`,
  "nightly-etl.yaml": `
name: nightly-etl
description: Copies the orders of the day into the warehouse.
tags: [etl, finance]
schedule: "15 2 * * *"
timezone: Europe/Berlin
params:
  day: "2026-11-22"
  slow: "0"
tasks:
  - name: orders
    script: echo "1203 orders of $GOWTF_PARAM_DAY"; sleep 0.3
  - name: users
    script: echo "418 users"; sleep 0.5
  - name: validate
    depends_on: [orders, users]
    script: sleep 0.2; echo "all rows are fine"
  - &load
    name: load-eu
    depends_on: [validate]
    script: |
      i=0
      while [ $i -lt $((60 + GOWTF_PARAM_SLOW * 4000)) ]; do
        i=$((i + 1)); printf 'batch %d: \\033[32m500 rows\\033[0m into %s.orders, %d ms\\n' $i "\${GOWTF_TASK#load-}" $((12 + i * 7 % 31))
        [ $GOWTF_PARAM_SLOW = 0 ] || sleep 0.06
      done
  - {<<: *load, name: load-us}
  - {<<: *load, name: load-asia}
  - name: stats
    depends_on: [validate]
    script: sleep 0.4; echo "mean 41.20 EUR"
  - name: report
    depends_on: [load-eu, load-us, load-asia, stats]
    script: echo "report written"
`,
  "video-encode.yaml": FILES["video-encode.yaml"],
  "healthcheck.yaml": `
name: healthcheck
schedule: "*/5 * * * *"
tasks:
  - name: ask
    script: sleep 0.05; echo "200 OK"
`,
  "certificates.yaml": `
name: certificates
schedule: "0 7 * * *"
timezone: Europe/Berlin
tasks:
  - name: look
    script: sleep 0.1; echo "61 days left"
`,
};

const dir = process.argv[2] ?? "docs/pictures";
const g = new Gowtf();
let browser;
try {
  for (const [name, body] of Object.entries(SCENE)) g.write(name, body);
  await g.start();
  await until("the files are read", async () => (await g.api("/workflows")).items.length === Object.keys(SCENE).length - 1);
  const past = [];
  for (let i = 0; i < 6; i++)
    for (const name of ["healthcheck", "certificates", "nightly-etl"]) past.push(await g.run(name));
  for (let i = 0; i < 3; i++) past.push(await g.run("payroll", { day: `2026-11-${19 + i}` }));
  past.push(await g.run("backup-db"));
  for (const id of past) await g.over(id, 60_000);
  const failed = await g.run("payroll");
  await g.over(failed);
  await g.run("video-encode");
  const running = await g.run("nightly-etl", { day: "2026-11-22", slow: "1" });
  await until("it loads", async () => (await g.api(`/runs/${running}`)).tasks_done >= 4);
  browser = await openBrowser();
  mkdirSync(dir, { recursive: true });
  for (const [name, colorScheme, path, ready] of [
    ["run-failed", "light", `/r/${failed}`, ".log-line.marked"],
    ["run-live-dark", "dark", `/r/${running}/t/load-eu`, '.log-line[data-n="60"]'],
    ["home", "light", "/", ".needs .need-line"],
  ]) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 640 }, colorScheme });
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
