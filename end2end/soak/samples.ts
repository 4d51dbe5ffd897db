// What a server holds, sampled every ten seconds, and whether it stays flat.

import { readFile, readdir } from "node:fs/promises";

import { resident, tcpBuffers } from "../support/memory.ts";
import type { Server } from "../support/server.ts";

const MB = 1_048_576;

export interface Sample {
  /** Seconds since the beginning. */
  at: number;
  /** The process's anonymous memory, its resident and its proportional set size, in MB. */
  anon: number;
  rss: number;
  pss: number;
  files: number;
  threads: number;
  /** Tasks of the runtime, sockets, TCP connections and followed rooms, as the server counts them. */
  tasks: number;
  sockets: number;
  tcp: number;
  rooms: number;
  /** Messages stored so far. */
  stored: number;
  /** TCP buffers of the whole machine, in MB. */
  kernel: number;
}

export async function sample(server: Server, began: number): Promise<Sample> {
  const { pid } = server;
  const figures = await server.figures();
  const smaps = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const round = (bytes: number): number => Math.round((bytes / MB) * 10) / 10;
  return {
    at: Math.round((performance.now() - began) / 1_000),
    anon: round(await resident(pid, "RssAnon")),
    rss: round(await resident(pid)),
    pss: round(Number(/^Pss:\s+(\d+)/m.exec(smaps)?.[1]) * 1_024),
    files: (await readdir(`/proc/${pid}/fd`)).length,
    threads: (await readdir(`/proc/${pid}/task`)).length,
    tasks: figures("hubbub_tasks"),
    sockets: figures("hubbub_sockets"),
    tcp: figures("hubbub_tcp_connections"),
    rooms: figures("hubbub_rooms_followed"),
    stored: figures("hubbub_messages_stored_total"),
    kernel: round(await tcpBuffers()),
  };
}

export function median(values: number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? (sorted[Math.floor(middle)] ?? Number.NaN) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The medians of the second and the last quarter; the first is for warming up. */
export function quarters(samples: Sample[], what: keyof Sample): [number, number] {
  const quarter = Math.floor(samples.length / 4);
  const of = (from: number, to?: number): number => median(samples.slice(from, to).map((one) => one[what]));
  return [of(quarter, 2 * quarter), of(3 * quarter)];
}

/** True if a value grew by at most 5 %, or by at most `noise` if that is more. */
export function flat([earlier, later]: [number, number], noise: number): boolean {
  return later <= earlier + Math.max(earlier * 0.05, noise);
}
