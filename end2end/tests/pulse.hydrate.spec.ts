// "Connected" is true: a dead connection is noticed after sleep, and a page that the browser froze leaves the room.

import { FaultProxy } from "../support/fault-proxy.ts";
import { freshTitle } from "../support/seed.ts";
import { RoomPage, expect, test } from "../support/test.ts";

test("after sleep the page replaces a dead connection within 10 s", async ({ server, visitor, program, complaints }) => {
  complaints.allow(/WebSocket|ERR_/);
  const proxy = await FaultProxy.start(server.url);
  try {
    const host = await program("Host");
    const { room } = await host.createRoom(freshTitle());
    const page = await visitor({ baseURL: proxy.url });
    // Advancing the clock simulates sleep.
    await page.addInitScript(() => {
      const now = Date.now.bind(Date);
      const sleep = { ms: 0 };
      Object.assign(window, { sleep });
      Date.now = () => now() + sleep.ms;
    });
    const ada = new RoomPage(page);
    await ada.open(room);
    await ada.signIn("Ada");
    await ada.live("Ada");
    await expect(page.getByText("Connected", { exact: true })).toBeVisible();
    // Existing connections go dead; new ones work.
    proxy.rot();
    const connects = page.waitForEvent("websocket", { timeout: 15_000 });
    await page.evaluate(() => {
      // Shorter than the library's own timeout.
      (window as unknown as { sleep: { ms: number } }).sleep.ms = 20_000;
    });
    await connects;
    await host.send(room, "after the sleep");
    await expect(ada.said("after the sleep")).toHaveCount(1);
  } finally {
    await proxy.dispose();
  }
});

test("an answer overdue for 10 s means a dead connection, and the message arrives", async ({ server, visitor, program, complaints }) => {
  complaints.allow(/WebSocket|ERR_/);
  const proxy = await FaultProxy.start(server.url);
  try {
    const host = await program("Host");
    const { room } = await host.createRoom(freshTitle());
    const ada = new RoomPage(await visitor({ baseURL: proxy.url }));
    await ada.open(room);
    await ada.signIn("Ada");
    await ada.live("Ada");
    proxy.rot();
    await ada.send("into the void");
    await expect.poll(async () => (await host.log(room)).map(({ text }) => text), { timeout: 20_000 }).toEqual(["into the void"]);
    await expect(ada.said("into the void")).toHaveCount(1);
  } finally {
    await proxy.dispose();
  }
});

test("a page that the browser freezes leaves the room, and comes back", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  const here = async (): Promise<string[]> => (await host.roster(room)).people.map(({ name }) => name);
  await expect.poll(here).toContain("Ada");
  await ada.page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
  await expect.poll(here, { timeout: 5_000 }).toEqual([]);
  await host.send(room, "meanwhile");
  await ada.page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await expect.poll(here, { timeout: 5_000 }).toContain("Ada");
  await expect(ada.said("meanwhile")).toHaveCount(1);
});
