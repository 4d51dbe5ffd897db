// Redis dies, stops, disconnects and loses everything.

import { expect } from "@playwright/test";

import { faultRow, seconds } from "../support/faults.ts";

for (const [away, times] of [[5, 3], [60, 1]] as const) {
  faultRow({ fault: `Redis SIGKILL, ${away} s away`, often: times === 1 ? "once" : `${times} times` }, async ({ site, people, recovered }) => {
    for (let kill = 1; kill <= times; kill += 1) {
      await site.redis.kill();
      await seconds(away);
      await recovered(await site.redis.up());
      await people.flow();
    }
  });
}

faultRow({ fault: "Redis SIGSTOP for 10 s", often: "twice" }, async ({ site, people, recovered }) => {
  for (let stop = 1; stop <= 2; stop += 1) {
    site.redis.pause();
    await seconds(10);
    const on = performance.now();
    site.redis.resume();
    await recovered(on);
    await people.flow();
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

const NOTHING_THERE = "it stores nothing that could be emptied";

// In the lobby, because other rooms are gone afterwards.
faultRow({ fault: "Redis emptied", often: "twice", withoutPeer: NOTHING_THERE, people: { room: "lobby" } }, async ({ site, people, recovered }) => {
  for (let time = 1; time <= 2; time += 1) {
    const began = performance.now();
    await site.redis.ask("FLUSHALL");
    await recovered(began);
    await people.flow();
  }
});
