// Something happens while people on all replicas talk.

import { expect } from "@playwright/test";

import { FINE, verdict } from "./checker.ts";
import type { Cluster } from "./cluster.ts";
import { type Crowd, closeAll, crowd, settle } from "./load.ts";
import { freshTitle } from "./seed.ts";
import { until } from "./until.ts";

/** 12 people who send every 60 ms: 200 messages per second. */
const PER_REPLICA = 4;
const EVERY_MS = 60;
/** Messages before and after what happens. */
const FLOW = 400;

/** Waits until this many more messages are acknowledged. */
export async function flows({ talkers }: Crowd, more: number): Promise<void> {
  const count = (): number => talkers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  const before = count();
  await until(`${more} more messages are acknowledged`, 60_000, () => count() >= before + more);
}

/** Lets something happen while people on all replicas talk in a new room. Nothing acknowledged may be lost, doubled or
 * out of order, and no sender may see a failure. */
export async function under(cluster: Cluster, title: string, happens: (crowd: Crowd) => Promise<void>): Promise<void> {
  const urls = cluster.replicas.map(({ url }) => url);
  const host = await crowd(urls.slice(0, 1), "lobby", 1, EVERY_MS);
  const { room } = await (host.talkers[0]?.client ?? fail()).createRoom(freshTitle(title));
  closeAll(host);
  const all = await crowd(urls, room, PER_REPLICA, EVERY_MS);
  for (const talker of all.talkers) talker.start();
  await flows(all, FLOW);
  await happens(all);
  await flows(all, FLOW);
  const acknowledged = await settle(all);
  expect(await verdict(all.talkers.map(({ sent }) => sent), acknowledged, all.listeners.map(({ received }) => received))).toEqual(FINE);
  expect(all.talkers.flatMap(({ refused }) => refused), "no sender sees a failure").toEqual([]);
  const longest = Math.max(...all.talkers.flatMap(({ waits }) => waits));
  console.log(`${title}: ${acknowledged.size} messages acknowledged, 0 lost, 0 doubled, 0 swapped; longest wait ${Math.round(longest)} ms`);
  closeAll(all);
}

function fail(): never {
  throw new Error("no host connected");
}
