// The results of a soak: a dated file with every sample, a short text, and the table in docs/reliability.md.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

import { root } from "../support/server.ts";
import type { Done } from "./churn.ts";
import { type Sample, median, quarters } from "./samples.ts";
import type { Simulated } from "./simulation.ts";

const FOLDER = join(root, "end2end/soak/results");
const PAGE = join(root, "docs/reliability.md");
const [BEGIN, END] = ["<!-- soak: written by `make soak` -->", "<!-- end of soak -->"];
/** A shorter soak is a trial: its samples are in results/trial.json until the next one. */
const KEPT_MINUTES = 20;

export interface Result {
  date: string;
  minutes: number;
  simulated: Simulated;
  sites: { name: string; killed: number; done: Done }[];
  servers: { name: string; before: Sample; after: Sample; samples: Sample[] }[];
}

const ROWS: [what: keyof Sample, name: string][] = [
  ["anon", "own memory, MB"],
  ["rss", "resident memory, MB"],
  ["pss", "proportional memory, MB"],
  ["files", "file descriptors"],
  ["threads", "threads"],
  ["tasks", "tasks"],
  ["sockets", "sockets"],
  ["rooms", "rooms followed"],
];

const number = (value: number): string => value.toLocaleString("en-GB", { maximumFractionDigits: 1 });

/** The result as Markdown. */
export function table(result: Result): string {
  const { date, minutes, simulated, sites, servers } = result;
  const lines = [
    `${minutes} minutes on ${date}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "a processor"}. The figures are medians.`,
    "",
    "| | | before | second quarter | last quarter | change | everybody gone |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
  ];
  for (const { name, before, after, samples } of servers) {
    for (const [row, [what, title]] of ROWS.entries()) {
      const [earlier, later] = quarters(samples, what);
      const change = earlier > 0 ? `${later >= earlier ? "+" : "−"}${number(Math.abs((later / earlier - 1) * 100))} %` : "";
      lines.push(`| ${row === 0 ? `**${name}**` : ""} | ${title} | ${[before[what], earlier, later].map(number).join(" | ")} | ${change} | ${number(after[what])} |`);
    }
  }
  lines.push("");
  for (const { name, killed, done } of sites) {
    lines.push(
      `- ${name}: ${number(done.visits)} visits, ${number(done.cut)} of them cut without closing; ${number(done.messages)} messages, ${number(done.rooms)} rooms created, ` +
        `${number(done.pages)} pages; ${number(done.refused)} commands refused and sent again, ${number(done.failed)} visits that failed. Besides, ${number(killed)} times 10 people ` +
        "whose process was killed, and 10 who stopped reading and were killed.",
    );
  }
  const kernel = servers.flatMap(({ samples }) => samples.map((one) => one.kernel));
  lines.push(
    `- TCP buffers of the whole machine: ${number(median(kernel))} MB, at most ${number(Math.max(...kernel))} MB.`,
    `- Simulation meanwhile: ${number(simulated.seeds)} seeds with ${number(simulated.messages)} messages, ${number(simulated.failed)} failed.`,
  );
  return lines.join("\n");
}

/** Stores the result, if the soak was long enough. */
export function record(result: Result): void {
  const trial = result.minutes < KEPT_MINUTES && process.env["SOAK_RECORD"] !== "1";
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${trial ? "trial" : result.date}.json`), `${JSON.stringify(result)}\n`);
  if (trial) return;
  const text = table(result);
  writeFileSync(join(FOLDER, `${result.date}.md`), `${text}\n`);
  const page = readFileSync(PAGE, "utf8");
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${PAGE} lacks the comments around the table`);
  writeFileSync(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${text}\n\n${page.slice(to)}`);
}
