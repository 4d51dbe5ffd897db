// A Redis cluster of three primaries, whose slots can move while it is used.

import { freePort } from "./port.ts";
import { Redis } from "./redis.ts";
import { until } from "./until.ts";

const SLOTS = 16_384;
const NODES = 3;
const TOGETHER_MS = 20_000;

export class RedisCluster {
  private constructor(readonly nodes: Redis[]) {}

  static async start(): Promise<RedisCluster> {
    const nodes: Redis[] = [];
    const buses: number[] = [];
    for (let n = 0; n < NODES; n += 1) {
      const bus = await freePort();
      buses.push(bus);
      nodes.push(await Redis.start("--cluster-enabled", "yes", "--cluster-port", `${bus}`));
    }
    const [first, ...others] = nodes as [Redis, ...Redis[]];
    for (const [n, node] of nodes.entries()) {
      const [from, end] = [n, n + 1].map((k) => Math.floor((k * SLOTS) / NODES)) as [number, number];
      await node.ask("CLUSTER", "ADDSLOTSRANGE", `${from}`, `${end - 1}`);
      await node.ask("CLUSTER", "SET-CONFIG-EPOCH", `${n + 1}`);
    }
    for (const [n, node] of others.entries()) await first.ask("CLUSTER", "MEET", "127.0.0.1", `${node.port}`, `${buses[n + 1]}`);
    await until("the cluster comes together", TOGETHER_MS, async () => {
      const infos = await Promise.all(nodes.map((node) => node.ask("CLUSTER", "INFO")));
      return infos.every((info) => info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${NODES}`));
    });
    return new RedisCluster(nodes);
  }

  get url(): string {
    return `redis-cluster://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  }

  /** Moves the slot of a key to the next node, with everything in it, as a cluster that is resharded does. */
  async move(key: string): Promise<void> {
    const slot = await this.#first.ask("CLUSTER", "KEYSLOT", key);
    const ids = await Promise.all(this.nodes.map((node) => node.ask("CLUSTER", "MYID")));
    const owners = await Promise.all(this.nodes.map((node) => this.#owns(node, Number(slot))));
    const from = owners.indexOf(true);
    const to = (from + 1) % this.nodes.length;
    const [source, target] = [this.nodes[from], this.nodes[to]];
    if (!source || !target) throw new Error(`no node has slot ${slot}`);
    await target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", `${ids[from]}`);
    await source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", `${ids[to]}`);
    for (;;) {
      const keys = (await source.ask("CLUSTER", "GETKEYSINSLOT", slot, "100")).split("\n").filter(Boolean);
      if (keys.length === 0) break;
      await source.ask("MIGRATE", "127.0.0.1", `${target.port}`, "", "0", "5000", "KEYS", ...keys);
    }
    // The target first: otherwise nobody has the slot for a moment.
    for (const node of [target, source, ...this.nodes]) await node.ask("CLUSTER", "SETSLOT", slot, "NODE", `${ids[to]}`);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.dispose()));
  }

  get #first(): Redis {
    const [first] = this.nodes;
    if (!first) throw new Error("the cluster has no nodes");
    return first;
  }

  /** Whether this node says that the slot is its own. */
  async #owns(node: Redis, slot: number): Promise<boolean> {
    const own = (await node.ask("CLUSTER", "NODES")).split("\n").find((line) => line.includes("myself"));
    const ranges = own?.split(" ").slice(8).filter((word) => !word.startsWith("[")) ?? [];
    return ranges.some((range) => {
      const [from, to = from] = range.split("-").map(Number);
      return from !== undefined && to !== undefined && from <= slot && slot <= to;
    });
  }
}
