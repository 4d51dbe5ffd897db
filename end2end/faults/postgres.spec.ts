// PostgreSQL dies, stops, and is replaced by its standby.

import { seconds, storesRow } from "../support/faults.ts";
import { stores, withStandby } from "../support/stores.ts";

const NO_DATABASE = "it stores nothing, so it has no database";

for (const [away, times] of [[5, 3], [60, 1]] as const) {
  const often = times === 1 ? "once" : `${times} times`;
  storesRow({ fault: `PostgreSQL SIGKILL, ${away} s away`, often, withoutPeer: NO_DATABASE }, stores, async ({ stores: { postgres }, people, recovered }) => {
    for (let kill = 1; kill <= times; kill += 1) {
      await postgres.kill();
      await seconds(away);
      await recovered(await postgres.up());
      await people.flow();
    }
  });
}

storesRow({ fault: "PostgreSQL SIGSTOP for 10 s", often: "twice", withoutPeer: NO_DATABASE }, stores, async ({ stores: { postgres }, people, recovered }) => {
  for (let stop = 1; stop <= 2; stop += 1) {
    postgres.pause();
    await seconds(10);
    const on = performance.now();
    postgres.resume();
    await recovered(on);
    await people.flow();
  }
});

storesRow(
  { fault: "PostgreSQL killed for good, its standby promoted", often: "once, after 2 s", withoutPeer: NO_DATABASE },
  withStandby,
  async ({ stores: { postgres, standby }, recovered }) => {
    await postgres.kill();
    await seconds(2);
    await recovered(await standby.promote());
  },
);
