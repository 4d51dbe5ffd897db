// People who stop reading (a suspended laptop) are disconnected within the ping window, cost little until then, hurt no
// one else in the room, and have everything when they return. This test counts the TCP buffers of the whole machine, so
// it is in this project, where tests run one at a time. measurements/slow.ts uses the default window.

import { SOAK, sized } from "../support/size.ts";
import { STOPPED, sentence, stopReading } from "../support/slow.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";

/** Seconds between pings, and for the answer. Together they are shorter than the 15 s that a full connection has, so
 * the missed ping ends it. */
const WINDOWS: [number, number][] = sized([[5, 3]], [
  [5, 3],
  [2, 1],
]);

for (const [interval, timeout] of WINDOWS) {
  const window = interval + timeout;
  test.describe(`with a ping window of ${window} s`, () => {
    test.use({ serverEnv: { HUBBUB_LIMITS: "off", HUBBUB_PING_INTERVAL: `${interval}`, HUBBUB_PING_TIMEOUT: `${timeout}` } });

    test(`${STOPPED} clients that stop reading are disconnected in time, cost at most 128 MB, and miss nothing`, SOAK, async ({ ownServer }) => {
      test.setTimeout(180_000);
      const slow = await stopReading(ownServer, window * 1_000);
      console.log(sentence(slow));
      expect(slow.out.sockets).toBeLessThanOrEqual(window + 2);
      expect(slow.out.tcp).toBeLessThanOrEqual(window + 2);
      expect(slow.grown.both).toBeLessThanOrEqual(128);
      expect(slow.longestAck).toBeLessThan(1_000);
      expect(slow.missed).toBeGreaterThan(500);
      expect(slow.wrong).toBe(0);
    });
  });
}
