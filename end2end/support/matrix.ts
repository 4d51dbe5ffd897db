// The fault matrix: the result of each row in end2end/faults/results.json, and its table in docs/reliability.md. A run
// of some rows changes only those. No figure is written by hand.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join, resolve } from "node:path";

import type { Verdict } from "./checker.ts";
import { root } from "./server.ts";
import type { SideName } from "./sides.ts";

export interface Outcome {
  acknowledged: number;
  lost: number;
  doubled: number;
  out_of_order: number;
  /** Only without message numbers. */
  disagreed: number;
  /** Milliseconds, one for each time the fault happened. */
  recovery: number[];
  /** The longest time from the first try to the acknowledgement, in milliseconds. */
  longest_wait?: number;
  /** Another remark for the table. */
  note?: string;
}

/** Nothing was measured, and why. */
export interface NotRun {
  not_run: string;
}

type Found = Outcome | NotRun;

interface Result {
  often: string;
  at: string;
  machine: string;
  /** The load average of the last minute: other programs may have run, too. */
  load: number;
  /** The server: the beginning of its binary's SHA-256. */
  binary: string;
  hubbub: Found;
  socketio: Found;
}

/** The table's rows, in order. */
export const ROWS = [
  "Replica SIGKILL every 10 s",
  "Replica SIGSTOP for 30 s, then on",
  "Rolling restart",
  "PostgreSQL SIGKILL, 5 s away",
  "PostgreSQL SIGKILL, 60 s away",
  "PostgreSQL SIGSTOP for 10 s",
  "PostgreSQL killed for good, its standby promoted",
  "Redis SIGKILL, 5 s away",
  "Redis SIGKILL, 60 s away",
  "Redis SIGSTOP for 10 s",
  "Pub/sub connections cut",
  "Redis emptied",
  "Redis fails over to its replica",
  "Redis Cluster moves the room's slot",
  "Proxy reloaded, all connections dropped",
  "20 % of acknowledgements lost",
  ...["up", "down"].flatMap((way) => [0.1, 1, 5, 20, 60].map((seconds) => cutRow(way as "up" | "down", seconds))),
  "5 % of packets lost, 200 ms",
  "Clocks one hour apart",
  "200 clients SIGSTOP, then on",
  "5,000 clients return at once",
  "Tab reloaded while sending",
  "Offline for 2 minutes, 100 messages typed",
];

export function cutRow(way: "up" | "down", seconds: number): string {
  return `${way === "up" ? "Client → server" : "Server → client"} silent for ${seconds} s`;
}

const file = join(root, "end2end/faults/results.json");
const page = join(root, "docs/reliability.md");
const [BEGIN, END] = ["<!-- faults: written by `make faults` -->", "<!-- /faults -->"];

export function outcome(acknowledged: number, verdict: Verdict, recovery: number[], waits: number[], note?: string): Outcome {
  const { lost, doubled, out_of_order, disagreed } = verdict;
  return {
    acknowledged,
    lost: lost.length,
    doubled: doubled.length,
    out_of_order: out_of_order.length,
    disagreed: disagreed.length,
    recovery: recovery.map(Math.round),
    ...(waits.length > 0 ? { longest_wait: Math.round(waits.reduce((longest, wait) => Math.max(longest, wait), 0)) } : {}),
    ...(note === undefined ? {} : { note }),
  };
}

/** Records a row's result and writes the table again. */
export function record(fault: string, often: string, found: Record<SideName, Found>): void {
  if (!ROWS.includes(fault)) throw new Error(`"${fault}" is not a row of the matrix`);
  const results = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, Result>) : {};
  const binary = createHash("sha256").update(readFileSync(resolve(root, process.env["HUBBUB_BIN"] ?? "target/release/hubbub")));
  results[fault] = {
    often,
    at: new Date().toISOString().slice(0, 16),
    machine: `${cpus().length} × ${cpus()[0]?.model ?? "?"}`,
    load: Math.round(loadavg()[0] ?? 0),
    binary: binary.digest("hex").slice(0, 12),
    ...found,
  };
  const sorted = Object.fromEntries(ROWS.flatMap((row) => (results[row] ? [[row, results[row]]] : [])));
  writeFileSync(file, `${JSON.stringify(sorted, undefined, 2)}\n`);
  const text = readFileSync(page, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${page} lacks the comments around the table`);
  writeFileSync(page, `${text.slice(0, begin + BEGIN.length)}\n\n${table(sorted)}\n\n${text.slice(end)}`);
}

function table(results: Record<string, Result>): string {
  const head = [
    "| fault | how often | chat | acknowledged | lost | doubled | out of order | time to recover | longest wait |",
    "| --- | --- | --- | ---: | ---: | ---: | ---: | --- | ---: |",
  ];
  const rows = ROWS.flatMap((fault) => {
    const result = results[fault];
    if (!result) return [`| ${fault} | | Hubbub | not run: not measured yet | | | | | |`];
    return [`| **${fault}** | ${result.often} | Hubbub ${cells(result.hubbub)}`, `| | | Socket.IO ${cells(result.socketio)}`];
  });
  const days = [...new Set(Object.values(results).map(({ at }) => at.slice(0, 10)))].sort();
  const machines = [...new Set(Object.values(results).map(({ machine }) => machine))];
  const loads = Object.values(results).flatMap(({ load }) => load ?? []);
  const load = `The load average was ${Math.min(...loads)} to ${Math.max(...loads)}.`;
  return [`Measured ${days.join(", ")} on ${machines.join("; ")}. ${load}`, "", ...head, ...rows].join("\n");
}

function cells(found: Found): string {
  if ("not_run" in found) return `| not run: ${found.not_run} | | | | | |`;
  const order = found.disagreed > 0 ? `${found.out_of_order}, and ${found.disagreed} not alike for all` : `${found.out_of_order}`;
  const after = [times(found.recovery), found.note].filter(Boolean).join("; ");
  return `| ${found.acknowledged} | ${found.lost} | ${found.doubled} | ${order} | ${after} | ${found.longest_wait === undefined ? "" : duration(found.longest_wait)} |`;
}

function times(recovery: number[]): string {
  const sorted = [...recovery].sort((a, b) => a - b);
  const at = (n: number): string => duration(sorted[n] ?? 0);
  if (sorted.length === 0) return "";
  return sorted.length === 1 ? at(0) : `median ${at(Math.floor(sorted.length / 2))}, longest ${at(sorted.length - 1)}`;
}

function duration(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
