// Who is here, whichever replica is asked, even after one of them died or was paused.

import type { Cluster } from "../support/cluster.ts";
import { ChatClient } from "../support/client.ts";
import { DemoClient } from "../support/demo.ts";
import { expect, test } from "../support/replicas.ts";
import { until } from "../support/until.ts";

const PER_REPLICA = 20;
/** How long people of a dead replica may still be listed, in milliseconds. */
const GONE_MS = 15_000;

test.use({ replicaEnv: { HUBBUB_LIMITS: "off" }, front: "nginx" });

/** On each replica: people who use Hubbub's protocol, and as many who use the public example's, all in the lobby. */
async function fill(cluster: Cluster, close: (() => void)[]): Promise<ChatClient[]> {
  const clients: ChatClient[] = [];
  for (const [n, { url }] of cluster.replicas.entries()) {
    for (let i = 0; i < PER_REPLICA / 2; i += 1) {
      const client = new ChatClient(url, { transports: ["websocket"], reconnection: false });
      close.push(() => client.close());
      await client.signIn(`App ${n} ${i}`);
      await client.join("lobby");
      clients.push(client);
      const demo = new DemoClient(url, ["websocket"]);
      close.push(() => demo.close());
      await demo.addUser(`Example ${n} ${i}`);
    }
  }
  return clients;
}

/** The counts that each of these replicas reports: in the roster, and in the list of rooms. */
async function counts(clients: ChatClient[]): Promise<number[]> {
  const both = clients.map(async (client) => {
    const rooms = await client.rooms();
    return [(await client.roster("lobby")).here, rooms.find(({ room }) => room === "lobby")?.here ?? -1];
  });
  return (await Promise.all(both)).flat();
}

/** Waits until all of them report this count. */
async function expectCount(here: number, clients: ChatClient[]): Promise<void> {
  await until(`all replicas count ${here}`, GONE_MS, async () => (await counts(clients)).every((count) => count === here));
}

async function numUsers(url: string): Promise<number> {
  const demo = new DemoClient(url, ["websocket"]);
  const count = await demo.addUser("Passer-by");
  demo.close();
  return count;
}

test("60 people on three replicas: one replica is killed, one hangs and continues", async ({ cluster, personOn, close }) => {
  const clients = await fill(cluster, close);
  const everyone = 3 * PER_REPLICA;
  const on = (replica: number): ChatClient => clients[(replica * PER_REPLICA) / 2] as ChatClient;
  await expectCount(everyone, [on(0), on(1), on(2)]);
  const ada = await personOn(0, "Ada", "lobby");
  await expect(ada.count(everyone + 1).first()).toBeVisible();
  expect(await numUsers(cluster.replica(1).url)).toBe(everyone + 2);

  const killed = performance.now();
  await cluster.replica(2).kill();
  const left = everyone - PER_REPLICA + 1;
  await expectCount(left, [on(0), on(1)]);
  console.log(`after kill -9: ${PER_REPLICA} people were gone everywhere after ${Math.round(performance.now() - killed)} ms`);
  await expect(ada.count(left).first(), "the page is told").toBeVisible({ timeout: 2_000 });
  for (const n of [0, 1]) {
    expect(await numUsers(cluster.replica(n).url)).toBe(left + 1);
    await expectCount(left, [on(n)]);
  }

  const paused = performance.now();
  cluster.replica(1).pause();
  await expectCount(left - PER_REPLICA, [on(0)]);
  console.log(`after SIGSTOP: its people were gone after ${Math.round(performance.now() - paused)} ms`);
  await expect(ada.count(left - PER_REPLICA).first()).toBeVisible({ timeout: 2_000 });
  const resumed = performance.now();
  cluster.replica(1).resume();
  await expectCount(left, [on(0), on(1)]);
  console.log(`after SIGCONT: its people were back after ${Math.round(performance.now() - resumed)} ms`);
  await expect(ada.count(left).first()).toBeVisible({ timeout: 2_000 });
});
