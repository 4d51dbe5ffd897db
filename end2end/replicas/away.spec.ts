// PostgreSQL is away so long that no replica is ready. The proxies leave people where they are, and what they wrote
// meanwhile arrives when PostgreSQL is back.

import { ChatClient } from "../support/client.ts";
import { WHILE_AWAY } from "../support/console.ts";
import { TRANSPORTS } from "../support/demo.ts";
import { Listener, Talker } from "../support/load.ts";
import { COOKIE, PROXIES } from "../support/proxy.ts";
import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";
import { until } from "../support/until.ts";

/** Longer than a proxy takes to notice that a replica is not ready. */
const NOTICED_MS = 4_000;

test.use({ replicaEnv: { HUBBUB_LIMITS: "off" } });

for (const proxy of PROXIES) {
  test.describe(`through ${proxy}`, () => {
    test.use({ front: proxy });

    test("no one is disconnected, pages say what is wrong, and everything flows again", async ({ cluster, programOn, personOn, close, complaints }) => {
      complaints.allow(WHILE_AWAY);
      const host = await programOn(0, "Host");
      const { room } = await host.createRoom(freshTitle("Away"));
      const talkers: Talker[] = [];
      let interrupted = 0;
      for (const [n, { name, transports }] of TRANSPORTS.entries()) {
        const cookie = `${COOKIE}=${await cluster.proxy.cookie(n)}`;
        const client = new ChatClient(cluster.url, { extraHeaders: { cookie }, ...(transports ? { transports } : {}) });
        close.push(() => client.close());
        await client.signIn(name);
        await client.join(room);
        client.socket.on("disconnect", () => (interrupted += 1));
        talkers.push(new Talker(client, `t${n}`, room, 100));
      }
      const listener = await Listener.start(await programOn(1, "Listener"), room);
      const ada = await personOn(2, "Ada", room);
      for (const talker of talkers) talker.start();
      await until("messages flow", 20_000, () => talkers.every(({ acknowledged }) => acknowledged.size > 5));

      await cluster.postgres.down();
      const away = performance.now();
      await until("no replica is ready, and the proxy knows", 20_000, async () => {
        const answers = await Promise.all(cluster.replicas.map(({ url }) => fetch(`${url}/readyz`)));
        return answers.every(({ ok }) => !ok) && performance.now() - away > NOTICED_MS;
      });
      const page = await fetch(`${cluster.url}/rooms/${room}`);
      expect(await page.text(), "a page of Hubbub's own, not the proxy's error").toContain("Hubbub");
      await ada.send("said while away");
      await expect(ada.said("said while away")).toHaveCount(1);
      expect(interrupted, "no one was disconnected").toBe(0);

      const back = await cluster.postgres.up();
      await until("all messages flow again", 20_000, () => talkers.every(({ lastAt }) => lastAt > back));
      console.log(`${proxy}: all messages flow ${Math.round(performance.now() - back)} ms after PostgreSQL answers, ${interrupted} interrupted`);
      for (const talker of talkers) await talker.stop();
      expect(talkers.flatMap(({ refused }) => refused)).toEqual([]);
      const sent = talkers.reduce((sum, { sent }) => sum + sent.length, 0);
      await until("all messages were heard, Ada's too", 20_000, () => listener.received.events.length === sent + 1);
      expect(interrupted).toBe(0);
    });
  });
}
