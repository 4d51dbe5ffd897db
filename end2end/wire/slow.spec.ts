// People who stop reading (a suspended laptop) are let go of within the ping window, cost little until then, hurt
// nobody in the room, and have everything when they come back. The same with the default window: measurements/slow.ts.

import { sentence, stopReading } from "../support/slow.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";

const WINDOW_S = 8;

test.use({ serverEnv: { HUBBUB_LIMITS: "off", HUBBUB_PING_INTERVAL: "5", HUBBUB_PING_TIMEOUT: "3" } });

test("200 clients that stop reading are out in time, cost at most 128 MB, and miss nothing", async ({ ownServer }) => {
  test.setTimeout(180_000);
  const slow = await stopReading(ownServer, WINDOW_S * 1_000);
  console.log(sentence(slow));
  expect(slow.out.sockets).toBeLessThanOrEqual(WINDOW_S + 2);
  expect(slow.grown.both).toBeLessThanOrEqual(128);
  expect(slow.longestAck).toBeLessThan(1_000);
  expect(slow.missed).toBeGreaterThan(1_000);
  expect(slow.wrong).toBe(0);
});
