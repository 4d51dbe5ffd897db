// What processes and the kernel hold, as the kernel counts it (Linux).

import { readFile } from "node:fs/promises";

const PAGE = 4_096;

/** Resident bytes of a process: all, or only what is its own and no file's (`RssAnon`). */
export async function resident(pid: number, what: "VmRSS" | "RssAnon" = "VmRSS"): Promise<number> {
  const kb = new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kb === undefined) throw new Error(`process ${pid} has no memory`);
  return Number(kb) * 1_024;
}

/** Bytes of all TCP buffers of this machine, both directions. */
export async function tcpBuffers(): Promise<number> {
  const pages = /^TCP:.* mem (\d+)/m.exec(await readFile("/proc/net/sockstat", "utf8"))?.[1];
  if (pages === undefined) throw new Error("the kernel does not say what TCP holds");
  return Number(pages) * PAGE;
}
