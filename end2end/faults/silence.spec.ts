// One direction of some connections falls silent without being closed, for a tenth of a second to a minute. All these
// rows run at the same time. Each has its own people in its own room, and one person there has a healthy connection.

import { test } from "@playwright/test";

import { type Direction, FaultProxy } from "../support/fault-proxy.ts";
import { type Played, judged, report, seconds, told } from "../support/faults.ts";
import { cutRow } from "../support/matrix.ts";
import { type Side, hubbub, socketio } from "../support/sides.ts";
import type { Site } from "../support/site.ts";

interface Cut {
  way: Direction;
  lasts: number;
  times: number;
}

const CUTS: Cut[] = (["up", "down"] as const).flatMap((way) =>
  ([[0.1, 10], [1, 8], [5, 4], [20, 2], [60, 1]] as const).map(([lasts, times]) => ({ way, lasts, times })),
);
const OTHERS = { webSocketOnly: true, replicas: 1, voicesPerReplica: 1, everyMs: 250 };

async function silence(side: Side, site: Site, { way, lasts, times }: Cut, n: number): Promise<Played> {
  const proxy = await FaultProxy.start(site.proxy.url);
  const free = await side.people(site, { ...OTHERS, first: n + 1 });
  const people = (await side.people(site, { ...OTHERS, first: n, url: proxy.url, room: free.room })).and(free);
  try {
    return await judged(people, async ({ recovered }) => {
      for (let time = 1; time <= times; time += 1) {
        // At a random time between two messages; a short silence would otherwise always fall between them.
        await seconds((Math.random() * OTHERS.everyMs) / 1_000);
        proxy.cut(way);
        await seconds(lasts);
        const over = performance.now();
        proxy.heal(way);
        await recovered(over);
        await people.flow(10);
      }
    });
  } finally {
    people.close();
    await proxy.dispose();
  }
}

async function all(side: Side): Promise<PromiseSettledResult<Played>[]> {
  const site = await side.site();
  const played = CUTS.map((cut, n) => silence(side, site, cut, n).catch((error: unknown) => Promise.reject(told(side, site, error))));
  const results = await Promise.allSettled(played);
  await site.dispose();
  return results;
}

test("Client → server and server → client silent for 0.1 s to 60 s", async () => {
  const [ours, theirs] = await Promise.all([all(hubbub), all(socketio)]);
  const wrong: unknown[] = [];
  for (const [n, cut] of CUTS.entries()) {
    const [result, other] = [ours[n], theirs[n]];
    if (!result || !other) throw new Error("a row without a result");
    const row = { fault: cutRow(cut.way, cut.lasts), often: cut.times === 1 ? "once" : `${cut.times} times` };
    // Records each row even if an earlier one failed.
    try {
      report(row, result, other);
    } catch (error) {
      wrong.push(error);
    }
  }
  if (wrong.length > 0) throw wrong[0];
});
