// Redis fails while people on three replicas talk: nothing acknowledged is lost or doubled, and no listener misses
// anything.

import { FINE, verdict } from "../support/checker.ts";
import type { Cluster } from "../support/cluster.ts";
import { type Crowd, closeAll, crowd, settle } from "../support/load.ts";
import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";
import { until } from "../support/until.ts";

/** 12 people who send every 60 ms: 200 messages per second. */
const PER_REPLICA = 4;
const EVERY_MS = 60;
/** Messages before, between and after the failures. */
const FLOW = 400;

test.use({ replicaEnv: { HUBBUB_LIMITS: "off" } });

async function flows({ talkers }: Crowd, more: number): Promise<void> {
  const count = (): number => talkers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  const before = count();
  await until(`${more} more messages are acknowledged`, 60_000, () => count() >= before + more);
}

async function under(cluster: Cluster, title: string, happens: (crowd: Crowd) => Promise<void>): Promise<void> {
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

async function ready({ replicas }: Cluster): Promise<number> {
  const answers = await Promise.all(replicas.map(({ url }) => fetch(`${url}/readyz`)));
  return answers.filter(({ ok }) => ok).length;
}

function fail(): never {
  throw new Error("no host connected");
}

for (const [title, stop] of [
  ["Redis restarted", (cluster: Cluster) => cluster.redis.down()],
  ["Redis killed", (cluster: Cluster) => cluster.redis.kill()],
] as const) {
  test(`${title} under load, with its append-only file`, async ({ cluster }) => {
    expect(await cluster.redis.ask("CONFIG", "GET", "appendfsync")).toContain("always");
    await under(cluster, title, async ({ talkers }) => {
      for (let round = 1; round <= 2; round += 1) {
        await stop(cluster);
        // The second time it stays away until all replicas have noticed.
        if (round === 2) await until("no replica is ready", 20_000, async () => (await ready(cluster)) === 0);
        const back = await cluster.redis.up();
        await until("messages flow again", 20_000, () => talkers.every(({ lastAt }) => lastAt > back));
        const first = Math.min(...talkers.map(({ lastAt }) => lastAt)) - back;
        console.log(`${title}, round ${round}: all messages flow ${Math.round(performance.now() - back)} ms after Redis answers (first ${Math.round(first)} ms)`);
        expect(performance.now() - back).toBeLessThan(2_000);
      }
    });
  });
}

test("the connections that carry events are cut under load, repeatedly", async ({ cluster }) => {
  await under(cluster, "Connections cut", async (all) => {
    for (let round = 1; round <= 5; round += 1) {
      expect(Number(await cluster.redis.ask("CLIENT", "KILL", "TYPE", "pubsub"))).toBeGreaterThan(0);
      await flows(all, 100);
    }
  });
});

test("Redis is emptied while people talk: a new epoch of the room, and no mixture of both", async ({ cluster, programOn }) => {
  const urls = cluster.replicas.map(({ url }) => url);
  const all = await crowd(urls, "lobby", 1, EVERY_MS);
  for (const talker of all.talkers) talker.start();
  await flows(all, 100);
  await cluster.redis.ask("FLUSHALL");
  await flows(all, 100);
  const acknowledged = await settle(all);
  const epochs = new Set([...acknowledged.values()].map(({ epoch }) => epoch));
  expect(epochs.size, "before and after").toBe(2);
  const reader = await programOn(0, "Reader");
  const log = await reader.log("lobby");
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, n) => n + 1));
  for (const { received, resets } of all.listeners) {
    expect(resets, "each listener loaded the room again once").toBe(1);
    const seen = new Set(received.events.map(({ epoch }) => epoch));
    expect(seen, "one epoch").toEqual(new Set([log[0]?.epoch]));
    expect(received.events.map(({ seq, client_id }) => `${seq} ${client_id}`)).toEqual(
      log.filter(({ seq }) => seq >= (received.events[0]?.seq ?? 0)).map(({ seq, client_id }) => `${seq} ${client_id}`),
    );
  }
  closeAll(all);
});
