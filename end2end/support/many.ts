// Many people in their own process, so that they can be paused together and do not load this process.

import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

import type { Showed } from "./checker.ts";
import { COOKIE } from "./proxy.ts";
import { root } from "./server.ts";
import type { SideName } from "./sides.ts";
import type { People, Site } from "./site.ts";
import { until } from "./until.ts";

interface Status {
  joined: number;
  shown: number;
  /** How often each code was answered. */
  refusals: Record<string, number>;
  /** Codes of refusals without a retry time. */
  refused: string[];
}

type Log = { people: number; shown: [epoch: string, seq: number, id: string][] };

/** nginx allows a thousand connections per address, so these people have twenty addresses. */
const ADDRESSES = Array.from({ length: 20 }, (_, n) => `127.0.0.${n + 2}`);
/** After this many silent milliseconds nothing more is expected. */
const SILENCE_MS = 2_000;

export class Many {
  status: Status = { joined: 0, shown: 0, refusals: {}, refused: [] };
  #logs: Log[] | undefined;
  #heard = 0;

  private constructor(
    private readonly kind: SideName,
    readonly count: number,
    private readonly child: ChildProcess,
  ) {
    child.on("message", (message: { status?: Status; logs?: Log[]; heard?: number }) => {
      if (message.status) this.status = message.status;
      if (message.heard !== undefined) this.#heard = message.heard;
      if (message.logs) this.#logs = message.logs;
    });
  }

  /** Connects them through the proxy, spread over the replicas, and joins the room if there is one. */
  static async start(kind: SideName, site: Site, room: string | undefined, count: number, first = 0): Promise<Many> {
    const cookies = await Promise.all(site.replicas.map(async (_, n) => `${COOKIE}=${await site.proxy.cookie(n)}`));
    const told = { url: site.proxy.url, kind, room, count, cookies, addresses: ADDRESSES, first };
    const many = new Many(kind, count, fork(join(root, "end2end/support/many.mjs"), [JSON.stringify(told)]));
    return many;
  }

  /** Waits until all of them are connected. */
  async joined(ms: number): Promise<void> {
    await until(`${this.count} people are there`, ms, () => {
      if (this.child.exitCode !== null) throw new Error("the process with many people has ended");
      return this.status.joined === this.count;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(this.status)}`);
    });
  }

  pause(): void {
    this.child.kill("SIGSTOP");
  }

  resume(): void {
    this.child.kill("SIGCONT");
  }

  /** Waits until all of them have shown a message sent after `since`. Returns the milliseconds since then. */
  async recovered(people: People, since: number): Promise<number> {
    this.#heard = 0;
    await until(`${this.count} people hear new messages`, 60_000, () => {
      const fresh = people.voices.flatMap(({ sent, sentAt }) => sent.slice(-10).filter((id) => (sentAt.get(id) ?? 0) > since));
      if (fresh.length > 0) this.child.send(fresh);
      return this.#heard === this.count;
    });
    return performance.now() - since;
  }

  /** What they showed, once no more arrives. People who showed the same are one receiver. */
  async shown(): Promise<Showed[]> {
    let [count, since] = [-1, 0];
    await until("no more arrives", 60_000, () => {
      if (count !== this.status.shown) [count, since] = [this.status.shown, performance.now()];
      return performance.now() - since > SILENCE_MS;
    });
    this.child.send("logs");
    const logs = await until("the process reports what was shown", 60_000, () => this.#logs);
    return logs.map(({ people, shown }, n) => ({
      name: `${people} of ${this.count}, ${n}`,
      shown: shown.map(([epoch, seq, client_id]) => (this.kind === "hubbub" ? { epoch, seq, client_id } : { client_id })),
    }));
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((exit) => this.child.once("exit", exit));
    this.resume();
    this.child.send("close");
    await gone;
  }
}
