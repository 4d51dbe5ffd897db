// Redis dies, stops, disconnects, loses everything, and is replaced. Nobody waits for it, except people at other replicas.

import { expect } from "@playwright/test";

import { type FaultContext, faultRow, seconds, storesRow } from "../support/faults.ts";
import { withCluster, withReplica } from "../support/stores.ts";

/** How long people at other replicas may wait after Redis is back, in milliseconds. */
const HEARD_MS = 2_000;
/** How long it may take to people at the same replica while Redis is away. */
const NEARBY_MS = 500;
const QUIET_SECONDS = 10;

/** Waits until everything flows, and until everybody has heard what was said while Redis was away. */
async function back({ side, people, recovered }: FaultContext, since: number): Promise<void> {
  const caughtUp = side === "hubbub" ? people.caughtUp(since) : undefined;
  await recovered(since);
  if (caughtUp) expect(await caughtUp, "people at other replicas have heard everything").toBeLessThan(HEARD_MS);
}

faultRow({ fault: "Redis SIGKILL, 5 s away", often: "3 times" }, async (stage) => {
  for (let kill = 1; kill <= 3; kill += 1) {
    await stage.site.redis.kill();
    await seconds(5);
    await back(stage, await stage.site.redis.up());
    await stage.people.flow();
  }
});

faultRow({ fault: "Redis SIGKILL, 60 s away", often: "once" }, async (stage) => {
  const { side, site, people, note } = stage;
  const counts = (): number[] => people.voices.map(({ waits }) => waits.length);
  const began = counts();
  await seconds(QUIET_SECONDS);
  const quiet = people.p99(began);
  await site.redis.kill();
  const [killed, before] = [performance.now(), counts()];
  await seconds(60);
  const [away, over] = [people.p99(before), performance.now()];
  await back(stage, await site.redis.up());
  note(`p99 of sends ${ms(quiet)} before, ${ms(away)} meanwhile`);
  if (side !== "hubbub") return;
  const nearby = people.nearby(killed, over);
  note(`heard at the same replica within ${ms(nearby)}`);
  expect(away, "sends do not wait").toBeLessThan(2 * quiet);
  expect(nearby, "people at the same replica hear at once").toBeLessThan(NEARBY_MS);
});

faultRow({ fault: "Redis SIGSTOP for 10 s", often: "twice" }, async (stage) => {
  for (let stop = 1; stop <= 2; stop += 1) {
    stage.site.redis.pause();
    await seconds(10);
    const on = performance.now();
    stage.site.redis.resume();
    await back(stage, on);
    await stage.people.flow();
  }
});

const CUTS = 8;

faultRow({ fault: "Pub/sub connections cut", often: `${CUTS} times` }, async ({ site, people, recovered }) => {
  for (let cut = 1; cut <= CUTS; cut += 1) {
    // At a random time between two messages.
    await seconds(Math.random() * 0.1);
    const began = performance.now();
    expect(Number(await site.redis.ask("CLIENT", "KILL", "TYPE", "pubsub"))).toBeGreaterThan(0);
    await recovered(began);
    await people.flow();
  }
});

faultRow({ fault: "Redis emptied", often: "twice" }, async (stage) => {
  for (let time = 1; time <= 2; time += 1) {
    const began = performance.now();
    await stage.site.redis.ask("FLUSHALL");
    await back(stage, began);
    await stage.people.flow();
  }
});

storesRow(
  {
    fault: "Redis fails over to its replica",
    often: "twice: the primary demoted with its connections open, then killed",
    withoutPeer: "its example does not follow an address",
  },
  withReplica,
  async (stage) => {
    const { redis, replica, address } = stage.stores;
    const began = performance.now();
    await replica.ask("REPLICAOF", "NO", "ONE");
    await redis.ask("REPLICAOF", "127.0.0.1", `${replica.port}`);
    address.point(replica.url);
    await back(stage, began);
    await stage.people.flow();

    await replica.kill();
    await seconds(2);
    await redis.ask("REPLICAOF", "NO", "ONE");
    address.point(redis.url);
    await back(stage, performance.now());
  },
);

const MOVES = 6;

storesRow(
  { fault: "Redis Cluster moves the room's slot", often: `${MOVES} times`, withoutPeer: "its example has one Redis" },
  withCluster,
  async (stage) => {
    for (let move = 1; move <= MOVES; move += 1) {
      const began = performance.now();
      await stage.stores.cluster.move(`hubbub:{${stage.people.room}}`);
      await back(stage, began);
      await stage.people.flow();
    }
  },
);

function ms(milliseconds: number): string {
  return `${Math.round(milliseconds)} ms`;
}
