// Where WebSockets do not work, the page falls back to polling, and everything is live.

import { freshTitle } from "../support/seed.ts";
import { RoomPage, expect, test } from "../support/test.ts";
import { type Way, WebSocketProxy } from "../support/websocket-proxy.ts";

const WAYS: [Way, string][] = [
  ["silent", "never answers the upgrade"],
  ["cut", "cuts the connection after the handshake"],
  ["swallow", "swallows all frames"],
  ["open", "swallows all frames but the first"],
];

for (const [way, how] of WAYS) {
  test(`behind a proxy that ${how}: connected within 15 s, and live`, async ({ server, visitor, program, complaints }) => {
    complaints.allow(/WebSocket connection to .* failed|status of 400|net::ERR_/);
    const proxy = await WebSocketProxy.start(way, server.url);
    try {
      const host = await program("Host");
      const { room } = await host.createRoom(freshTitle());
      const ada = new RoomPage(await visitor({ baseURL: proxy.url }));
      await ada.open(room);
      await ada.signIn("Ada");
      const began = performance.now();
      await expect(ada.page.getByText("Connected", { exact: true })).toBeVisible({ timeout: 15_000 });
      console.log(`${way}: connected after ${Math.round(performance.now() - began)} ms`);
      expect(proxy.upgrades).toBeGreaterThan(0);
      await host.send(room, "to Ada");
      await expect(ada.said("to Ada")).toHaveCount(1);
      await ada.send("from Ada");
      await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["to Ada", "from Ada"]);
      // The library's further attempts must not end the working connection.
      await ada.page.waitForTimeout(8_000);
      for (let n = 1; n <= 5; n += 1) await host.send(room, `later ${n}`);
      await expect.poll(() => ada.lines(/later \d/)).toEqual([1, 2, 3, 4, 5].map((n) => `later ${n}`));
      await expect(ada.page.getByText("Connected", { exact: true })).toBeVisible();
    } finally {
      await proxy.dispose();
    }
  });
}
