// `make hostile`: runs each attack on its own server, and measures honest clients, memory and the log. `node main.mjs
// [WORD]` runs only the rows whose name contains the word. Exits with code 1 if a row fails.

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { attacks } from "./attacks.mjs";
import { fuzzers } from "./fuzz.mjs";
import { Honest, percentile } from "./honest.mjs";
import { probes } from "./probes.mjs";
import { Server, commit, cores, prepareRooms } from "./server.mjs";
import { sleep } from "./wire.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const word = process.argv[2] ?? "";
/** How many seconds to measure before an attack, and during it. */
const QUIET = 2;
const ATTACK = Number(process.env.HOSTILE_SECONDS ?? 7);
const BARS = { factor: 2, slack: 10, memory: 150 * 1_024 * 1_024, join: 2_000, page: 2_000 };
const HONEST = "127.0.0.2";

const ms = (value) => (Number.isNaN(value) ? "—" : value < 10 ? value.toFixed(1) : value.toFixed(0));
const mb = (bytes) => (bytes / 1_024 / 1_024).toFixed(0);

/** Starts the attackers, on other cores than the server and at a lower priority than honest clients. */
function assault(row, target, seconds, said) {
  const addresses = attacks[row].addresses ?? 1;
  return Array.from({ length: addresses }, (_, n) => {
    const argv = ["-n", "10", "taskset", "-c", cores.others, process.execPath, join(here, "worker.mjs")];
    const child = spawn("nice", [...argv, row, target.host, String(target.port), `127.0.0.${3 + n}`, String(seconds)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: child.stdout }).on("line", (line) => said(JSON.parse(line)));
    return new Promise((done) => child.on("exit", done));
  });
}

async function play(row, data) {
  const { descriptors } = attacks[row];
  const server = await Server.start({ from: data, ...(descriptors === undefined ? {} : { descriptors }) });
  try {
    const honest = await Honest.start(server.target, HONEST);
    await sleep(500);
    honest.take();
    await sleep(QUIET * 1_000);
    const quiet = honest.take();
    const rest = server.memory();
    let peak = rest;
    const sampling = setInterval(() => (peak = Math.max(peak, server.memory())), 50);
    const said = new Map();
    const note = ({ kind, after }) => said.set(kind, Math.min(after, said.get(kind) ?? after));
    await Promise.all(assault(row, server.target, ATTACK, note));
    const during = honest.take();
    await honest.stop();
    clearInterval(sampling);
    const panics = await server.panics();
    const alive = server.child.exitCode === null;
    return judge(row, { quiet, during, rest, peak, panics, said, alive });
  } finally {
    await server.stop({ hard: true });
  }
}

function judge(row, { quiet, during, rest, peak, panics, said, alive }) {
  const before = percentile(quiet.acks, 0.99);
  const p99 = percentile(during.acks, 0.99);
  // Without any answer, the wait was the whole attack.
  const longest = (times) => (times.length === 0 ? ATTACK * 1_000 : Math.max(...times));
  const join = longest(during.joins);
  const page = longest(during.pages);
  const faults = [];
  if (!(p99 <= BARS.factor * before + BARS.slack)) faults.push("p99");
  if (peak - rest > BARS.memory) faults.push("memory");
  if (join > BARS.join) faults.push("newcomers");
  if (page > BARS.page) faults.push("page");
  if (panics > 0) faults.push("panics");
  if (!alive) faults.push("the server is gone");
  const measures = [...said].sort((a, b) => a[1] - b[1]).map(([kind, after]) => `${kind} ${(after / 1_000).toFixed(1)} s`);
  return {
    name: row,
    passed: faults.length === 0,
    cells: [
      attacks[row].what,
      ms(before),
      ms(p99),
      ms(join),
      ms(page),
      mb(rest),
      `+${mb(Math.max(0, peak - rest))}`,
      measures.join(", ") || "not at all",
      String(panics),
      faults.length === 0 ? "yes" : `**no**: ${faults.join(", ")}`,
    ],
  };
}

const HEADS = {
  attacks: ["input", "p99 before, ms", "p99 during, ms", "newcomer, ms", "page, ms", "rest, MB", "peak, MB", "offender", "panics", "passed"],
  probes: ["input", "answer", "passed"],
  fuzzers: ["input", "result", "passed"],
};

function table(heads, rows) {
  const lines = [heads, heads.map(() => "---"), ...rows.map((row) => row.cells)];
  return lines.map((cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`).join("\n");
}

const began = Date.now();
const results = { attacks: [], probes: [], fuzzers: [] };
const chosen = (all) => Object.keys(all).filter((name) => name.includes(word));
const say = (text) => process.stdout.write(`${text}\n`);
const done = (part, row) => {
  results[part].push(row);
  say(`${row.passed ? "pass" : "FAIL"}  ${row.name}: ${row.cells.slice(1).join(" | ")}`);
};

const rooms = chosen(attacks).length > 0 ? await prepareRooms() : undefined;
try {
  for (const row of chosen(attacks)) {
    const failed = (error) => ({ name: row, passed: false, cells: [attacks[row].what, ...Array(8).fill("—"), `**no**: ${error.message}`] });
    done("attacks", await play(row, rooms.data).catch(failed));
  }
} finally {
  rooms?.remove();
}
for (const name of chosen(probes)) {
  const server = await Server.start();
  const { ok, says } = await probes[name].run(server).catch((error) => ({ ok: false, says: error.message }));
  await server.stop();
  done("probes", { name, passed: ok, cells: [probes[name].what, says, ok ? "yes" : "**no**"] });
}
for (const name of chosen(fuzzers)) {
  const server = await Server.start({ env: { HUBBUB_LIMITS: "off" } });
  const { ok, says } = await fuzzers[name].run(server).catch((error) => ({ ok: false, says: error.message }));
  await server.stop();
  done("fuzzers", { name, passed: ok, cells: [fuzzers[name].what, says, ok ? "yes" : "**no**"] });
}

const model = /^model name\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown processor";
const failures = Object.values(results).flat().filter((row) => !row.passed).length;
const text = [
  "# What hostile clients do to the server",
  "",
  `Written by \`make hostile\`. ${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${model}, Hubbub ${commit()}, ` +
    `${((Date.now() - began) / 60_000).toFixed(1)} minutes. ${failures === 0 ? "All rows pass." : `${failures} rows fail.`}`,
  "",
  `Each attack has a fresh server with default limits on one core, and lasts ${ATTACK} s, from addresses of its own. ` +
    "p99: an honest client's time from `send` to acknowledgement, at most twice the value before plus 10 ms. Newcomer " +
    "and page: the longest wait of another person to join the lobby and to see its page, at most 2 s. Peak: at most 150 " +
    "MB above the process at rest. Offender: when the attacker was first cut, refused or slowed.",
  "",
  table(HEADS.attacks, results.attacks),
  "",
  "## One request",
  "",
  table(HEADS.probes, results.probes),
  "",
  "## Fuzzers",
  "",
  table(HEADS.fuzzers, results.fuzzers),
  "",
].join("\n");
if (word === "") writeFileSync(join(here, "results.md"), text);
say(`\n${text}`);
process.exit(failures === 0 ? 0 : 1);
