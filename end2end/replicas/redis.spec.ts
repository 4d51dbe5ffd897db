// Redis fails while people on three replicas talk: nobody waits, nothing is lost or doubled, and everybody has heard
// everything soon after it is back.

import type { Cluster } from "../support/cluster.ts";
import type { Crowd } from "../support/load.ts";
import { expect, test } from "../support/replicas.ts";
import { flows, under } from "../support/under.ts";
import { until } from "../support/until.ts";

test.use({ replicaEnv: { HUBBUB_LIMITS: "off" } });

/** How long people at other replicas may wait after Redis is back, in milliseconds. */
const HEARD_MS = 2_000;

/** Waits until every listener has heard all that is acknowledged by now. */
async function heard({ talkers, listeners }: Crowd): Promise<void> {
  const all = talkers.flatMap(({ acknowledged }) => [...acknowledged.keys()]);
  await until("everybody has heard everything", 20_000, () => listeners.every(({ heardAt }) => all.every((id) => heardAt.has(id))));
}

for (const [title, stop] of [
  ["Redis restarted", (cluster: Cluster) => cluster.redis.down()],
  ["Redis killed", (cluster: Cluster) => cluster.redis.kill()],
] as const) {
  test(`${title} under load`, async ({ cluster }) => {
    await under(cluster, title, async (crowd) => {
      for (let round = 1; round <= 2; round += 1) {
        await stop(cluster);
        const gone = performance.now();
        await flows(crowd, 200);
        await until("everybody is acknowledged without Redis", 20_000, () => crowd.talkers.every(({ lastAt }) => lastAt > gone));
        const back = await cluster.redis.up();
        await heard(crowd);
        const ms = Math.round(performance.now() - back);
        console.log(`${title}, round ${round}: everybody has heard everything ${ms} ms after Redis answers`);
        expect(ms).toBeLessThan(HEARD_MS);
      }
    });
  });
}

test("the connections that carry events are cut under load, repeatedly", async ({ cluster }) => {
  await under(cluster, "Connections cut", async (crowd) => {
    for (let round = 1; round <= 5; round += 1) {
      expect(Number(await cluster.redis.ask("CLIENT", "KILL", "TYPE", "pubsub"))).toBeGreaterThan(0);
      await flows(crowd, 100);
    }
  });
});

test("Redis is emptied while people talk", async ({ cluster }) => {
  await under(cluster, "Redis emptied", async (crowd) => {
    await cluster.redis.ask("FLUSHALL");
    await flows(crowd, 200);
    expect(crowd.listeners.map(({ resets }) => resets), "the room's log goes on").toEqual(crowd.listeners.map(() => 0));
  });
});
