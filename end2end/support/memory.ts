// Memory of processes and of the kernel, as the kernel counts it (Linux).

import { readFile } from "node:fs/promises";

const PAGE = 4_096;

/** Resident bytes of a process: all of them, or only anonymous memory (`RssAnon`). */
export async function resident(pid: number, what: "VmRSS" | "RssAnon" = "VmRSS"): Promise<number> {
  const kb = new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kb === undefined) throw new Error(`process ${pid} has no memory`);
  return Number(kb) * 1_024;
}

/** Bytes in all TCP buffers of this machine, in both directions. */
export async function tcpBuffers(): Promise<number> {
  const pages = /^TCP:.* mem (\d+)/m.exec(await readFile("/proc/net/sockstat", "utf8"))?.[1];
  if (pages === undefined) throw new Error("the kernel does not report TCP memory");
  return Number(pages) * PAGE;
}
