// PostgreSQL fails while people on three replicas talk: nothing acknowledged is lost or doubled, no listener misses
// anything, and everything flows again soon after it is back.

import type { Cluster } from "../support/cluster.ts";
import { expect, test } from "../support/replicas.ts";
import { under } from "../support/under.ts";
import { until } from "../support/until.ts";

test.use({ replicaEnv: { HUBBUB_LIMITS: "off" } });

/** How long it may take until everything flows, in milliseconds. */
const FLOWS_MS = 2_000;

async function ready({ replicas }: Cluster): Promise<number> {
  const answers = await Promise.all(replicas.map(({ url }) => fetch(`${url}/readyz`)));
  return answers.filter(({ ok }) => ok).length;
}

for (const [title, stop] of [
  ["PostgreSQL restarted", (cluster: Cluster) => cluster.postgres.down()],
  ["PostgreSQL killed", (cluster: Cluster) => cluster.postgres.kill()],
] as const) {
  test(`${title} under load`, async ({ cluster }) => {
    await under(cluster, title, async ({ talkers }) => {
      for (let round = 1; round <= 2; round += 1) {
        await stop(cluster);
        // The second time it stays away until all replicas have noticed.
        if (round === 2) await until("no replica is ready", 20_000, async () => (await ready(cluster)) === 0);
        const back = await cluster.postgres.up();
        await until("messages flow again", 20_000, () => talkers.every(({ lastAt }) => lastAt > back));
        const first = Math.min(...talkers.map(({ lastAt }) => lastAt)) - back;
        console.log(`${title}, round ${round}: all messages flow ${Math.round(performance.now() - back)} ms after PostgreSQL answers (first ${Math.round(first)} ms)`);
        expect(performance.now() - back).toBeLessThan(FLOWS_MS);
      }
    });
  });
}

test("the replicas' connections are ended under load, repeatedly", async ({ cluster }) => {
  await under(cluster, "Connections ended", async ({ talkers }) => {
    for (let round = 1; round <= 5; round += 1) {
      const ended = await cluster.sql("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
      expect(Number(ended)).toBeGreaterThan(0);
      const since = performance.now();
      await until("messages flow again", 20_000, () => talkers.every(({ lastAt }) => lastAt > since));
    }
  });
});
