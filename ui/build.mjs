// SPDX-License-Identifier: MIT
//
// build.mjs ASSETS.C DEPFILE: bundle the interface and write it as a C table.
//
// Every file gets a name with the hash of its contents, except the page itself,
// which names them. The same sources give the same bytes: gzip carries no time
// and the order of the table is that of the names.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const [out = "assets.c", depfile] = process.argv.slice(2).map((p) => resolve(p));

const TYPES = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".svg": "image/svg+xml",
};

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  outdir: "assets",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  target: ["es2021"],
  legalComments: "none",
  logLevel: "warning",
};
const jsx = { jsx: "automatic", jsxImportSource: "preact" };

const inputs = new Set();
const files = [];
const take = (result) => {
  for (const path of Object.keys(result.metafile.inputs)) inputs.add(join(here, path));
  for (const file of result.outputFiles)
    files.push({ path: `/assets/${basename(file.path)}`, body: file.contents, immutable: true });
  return Object.fromEntries(
    Object.entries(result.metafile.outputs)
      .filter(([, o]) => o.entryPoint)
      .map(([path, o]) => [o.entryPoint, `/assets/${basename(path)}`]),
  );
};

const small = take(
  await build({
    ...common,
    format: "iife",
    entryPoints: ["src/stream_worker.ts", "src/theme_first.ts", "src/style.css"],
  }),
);
const app = take(
  await build({
    ...common,
    ...jsx,
    format: "esm",
    splitting: true,
    entryPoints: ["src/main.tsx"],
    define: { STREAM_WORKER: JSON.stringify(small["src/stream_worker.ts"]) },
  }),
);

const icon = join(here, "static/icon.svg");
const iconBody = readFileSync(icon);
const iconName = `/assets/icon-${createHash("sha256").update(iconBody).digest("hex").slice(0, 8)}.svg`;
files.push({ path: iconName, body: iconBody, immutable: true });
const page = join(here, "static/index.html");
const html = readFileSync(page, "utf8")
  .replace("{{theme}}", small["src/theme_first.ts"])
  .replace("{{style}}", small["src/style.css"])
  .replace("{{main}}", app["src/main.tsx"])
  .replace("{{icon}}", iconName);
files.push({ path: "/index.html", body: Buffer.from(html), immutable: false });
inputs.add(icon).add(page).add(join(here, "build.mjs"));

files.sort((a, b) => (a.path < b.path ? -1 : 1));
const tables = [];
const rows = [];
for (const [i, file] of files.entries()) {
  const gz = gzipSync(file.body, { level: 9 });
  gz[9] = 255; // the operating system: unknown, wherever it was built
  const etag = createHash("sha256").update(file.body).digest("hex").slice(0, 16);
  const type = TYPES[file.path.slice(file.path.lastIndexOf("."))];
  const bytes = [];
  for (let at = 0; at < gz.length; at += 24) bytes.push("    " + gz.subarray(at, at + 24).join(",") + ",");
  tables.push(`static const unsigned char body_${i}[] = {\n${bytes.join("\n")}\n};`);
  rows.push(
    `    {${JSON.stringify(file.path)}, ${JSON.stringify(type)}, ${JSON.stringify(`"${etag}"`)}, ` +
      `body_${i}, sizeof body_${i}, ${file.immutable}},`,
  );
}
writeFileSync(
  out,
  `/* SPDX-License-Identifier: MIT\n *\n * Made by ui/build.mjs. */\n#include "server/assets.h"\n\n` +
    `${tables.join("\n")}\n\nconst struct asset server_assets[] = {\n${rows.join("\n")}\n};\n` +
    `const size_t server_asset_count = sizeof server_assets / sizeof server_assets[0];\n`,
);
if (depfile)
  writeFileSync(
    depfile,
    `${relative(process.cwd(), out)}: ${[...inputs].sort().map((p) => p.replaceAll(" ", "\\ ")).join(" \\\n  ")}\n`,
  );
