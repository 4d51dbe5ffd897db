// Every replica is restarted, one after the other, twice, while people talk: no sender sees a failure, and no listener
// misses anything.

import { FINE, verdict } from "../support/checker.ts";
import { closeAll, crowd, settle } from "../support/load.ts";
import { COOKIE, PROXIES } from "../support/proxy.ts";
import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";
import { until } from "../support/until.ts";

test.use({ replicaEnv: { HUBBUB_LIMITS: "off" } });

for (const proxy of PROXIES) {
  test.describe(`through ${proxy}`, () => {
    test.use({ front: proxy });

    test("a rolling restart under load, twice", async ({ cluster, programOn }) => {
      const host = await programOn(0, "Host");
      const { room } = await host.createRoom(freshTitle("Rolling"));
      host.close();
      // Three listeners and twelve talkers, spread by their cookies, all through the proxy. A third of them polls.
      const cookies = await Promise.all(cluster.replicas.map((_, n) => cluster.proxy.cookie(n)));
      const groups = [];
      for (const [n, cookie] of cookies.entries()) {
        const transports = n === 0 ? ["polling"] : ["websocket"];
        groups.push(await crowd([cluster.url], room, 4, 60, { extraHeaders: { cookie: `${COOKIE}=${cookie}` }, transports }));
      }
      const all = { talkers: groups.flatMap(({ talkers }) => talkers), listeners: groups.flatMap(({ listeners }) => listeners) };
      const acknowledgements = (): number => all.talkers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
      for (const talker of all.talkers) talker.start();
      await until("messages flow", 20_000, () => acknowledgements() > 200);
      for (let round = 1; round <= 2; round += 1) {
        for (const replica of cluster.replicas) {
          const drained = await replica.down();
          await replica.up();
          const before = acknowledgements();
          await until("messages flow", 20_000, () => acknowledgements() > before + 100);
          expect(drained, "a replica drains within 10 s").toBeLessThan(10_000);
        }
      }
      const acknowledged = await settle(all);
      expect(await verdict(all.talkers.map(({ sent }) => sent), acknowledged, all.listeners.map(({ received }) => received))).toEqual(FINE);
      expect(all.talkers.flatMap(({ refused }) => refused), "no sender sees a failure").toEqual([]);
      expect(acknowledged.size).toBe(all.talkers.reduce((sum, { sent }) => sum + sent.length, 0));
      const waits = all.talkers.flatMap(({ waits }) => waits).sort((a, b) => a - b);
      const at = (share: number): number => Math.round(waits[Math.floor(share * (waits.length - 1))] ?? 0);
      console.log(`rolling restarts through ${proxy}: ${acknowledged.size} messages, 0 lost, 0 doubled, 0 swapped, 0 refused; waits p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`);
      closeAll(all);
    });
  });
}
