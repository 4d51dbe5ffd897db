// What Hubbub's page costs a browser: `node bench/browser/main.mjs`, optionally with the names of measures. Starts a
// server for each measure and writes bench/results/browser.json.
//
//   HUBBUB_BIN        the server, by default target/release/hubbub
//   HUBBUB_SITE_DIR   the built site, by default target/site
//   HUBBUB_CHROMIUM   the browser, by default /usr/bin/chromium
//   HUBBUB_SECONDS    how long a flood lasts, by default 60

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";

import { version } from "./chromium.mjs";
import { flood } from "./flood.mjs";
import { hour } from "./hour.mjs";
import { lighthouse } from "./lighthouse.mjs";
import { live } from "./live.mjs";
import { startServer } from "./server.mjs";

/** In the order in which they run, the quiet ones first. Each returns rows {measure, value, unit, pass?, detail?}. */
const MEASURES = { lighthouse, live, flood, hour };
const RESULTS = new URL("../results/browser.json", import.meta.url);

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in MEASURES));
if (unknown.length > 0) {
  console.error(`no measure is called ${unknown.join(", ")}; choose from ${Object.keys(MEASURES).join(", ")}`);
  process.exit(2);
}

// Results of measures that do not run now stay in the file.
const results = JSON.parse(await readFile(RESULTS, "utf8").catch(() => "{}"));
results.browser = await version();
results.measures ??= {};
let failed = false;
for (const name of names.length > 0 ? names : Object.keys(MEASURES)) {
  const loadBefore = loadavg()[0];
  const server = await startServer();
  try {
    const rows = await MEASURES[name](server);
    results.measures[name] = { at: new Date().toISOString(), load_before: loadBefore, load_after: loadavg()[0], rows };
    print(name, results.measures[name]);
    failed ||= rows.some(({ pass }) => pass === false);
  } finally {
    await server.stop();
  }
}
await mkdir(new URL(".", RESULTS), { recursive: true });
await writeFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
process.exit(failed ? 1 : 0);

function print(name, { rows, load_before, load_after }) {
  console.log(`\n${name} (load of the machine ${load_before.toFixed(1)} before, ${load_after.toFixed(1)} after)`);
  for (const { measure, value, unit, limit, pass, detail } of rows) {
    const verdict = pass === undefined ? "" : pass ? "  pass" : "  FAIL";
    const figure = `${Number(value.toFixed(3))} ${unit}`.trim();
    console.log(`  ${measure.padEnd(58)} ${figure.padStart(12)}  ${(limit ?? "").padEnd(9)}${verdict}${detail ? `  ${detail}` : ""}`);
  }
}
