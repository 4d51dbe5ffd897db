// Replicas die, stand still and are restarted.

import { faultRow, seconds } from "../support/faults.ts";

const KILLS = 4;

faultRow({ fault: "Replica SIGKILL every 10 s", often: `${KILLS} times, another one each time` }, async ({ site, recovered }) => {
  for (let kill = 0; kill < KILLS; kill += 1) {
    const replica = site.replicas[kill % site.replicas.length];
    const next = seconds(10);
    const killed = performance.now();
    await replica?.kill();
    // As systemd does (`RestartSec=1`).
    const back = seconds(1).then(() => replica?.up());
    await recovered(killed);
    await Promise.all([back, next]);
  }
});

faultRow({ fault: "Replica SIGSTOP for 30 s, then on", often: "once" }, async ({ site, people, recovered }) => {
  site.replicas[1]?.pause();
  await seconds(30);
  await people.flow();
  const on = performance.now();
  site.replicas[1]?.resume();
  await recovered(on);
});

faultRow({ fault: "Rolling restart", often: "every replica, twice" }, async ({ site, people, recovered }) => {
  for (let round = 1; round <= 2; round += 1) {
    for (const replica of site.replicas) {
      const began = performance.now();
      await replica.down();
      await replica.up();
      await recovered(began);
      await people.flow();
    }
  }
});

