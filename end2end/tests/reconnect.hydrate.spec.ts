// The server stops and returns: nothing is lost, doubled or out of order.

import type { ChatClient } from "../support/client.ts";
import { WHILE_AWAY } from "../support/console.ts";
import { freshTitle } from "../support/seed.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";
import type { RoomPage } from "../support/test.ts";

/** How long a page may take to reconnect, in milliseconds. */
const BACK_MS = 20_000;

async function quietRoom(host: ChatClient): Promise<string> {
  return (await host.createRoom(freshTitle())).room;
}

async function saysExactly(page: RoomPage, lines: string[]): Promise<void> {
  await expect.poll(() => page.lines(/(before|between|mine|after) \d/), { timeout: BACK_MS }).toEqual(lines);
}

test("an open page survives a restart", async ({ ownServer, person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const room = await quietRoom(await program("Host"));
  const ada = await person("Ada", room);
  const grace = await person("Grace", room);
  await ada.send("before 1");
  await expect(grace.said("before 1")).toHaveCount(1);
  await ownServer.restart();
  await expect(ada.count(2).first()).toBeVisible({ timeout: BACK_MS });
  await grace.send("after 1");
  await saysExactly(ada, ["before 1", "after 1"]);
  await saysExactly(grace, ["before 1", "after 1"]);
});

test("messages missed meanwhile appear, and messages typed meanwhile arrive once", async ({ ownServer, person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const room = await quietRoom(await program("Host"));
  const ada = await person("Ada", room);
  await ada.send("before 1");
  await expect(ada.said("before 1")).toHaveCount(1);

  await ownServer.down();
  await ada.page.context().setOffline(true);
  await ada.send("mine 1");
  await ada.send("mine 2");
  await expect(ada.said("mine 2"), "shown at once, even without a server").toHaveCount(1);
  await ownServer.up();
  // The page is still offline, so Bob's messages come before Ada's.
  const bob = await program("Bob");
  await bob.send(room, "between 1", "between 2");
  await bob.send(room, "between 3");
  await ada.page.context().setOffline(false);

  const all = ["before 1", "between 1", "between 2", "between 3", "mine 1", "mine 2"];
  await saysExactly(ada, all);
  // Ada's own messages are on screen before they are stored.
  await expect.poll(async () => (await bob.log(room)).map(({ text }) => text)).toEqual(all);
  await ada.page.reload();
  await ada.live("Ada");
  await saysExactly(ada, all);
});

test("the page says that it is not connected, and stops saying so", async ({ ownServer, person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const room = await quietRoom(await program("Host"));
  const ada = await person("Ada", room);
  const state = ada.page.getByText(/reconnecting|connecting|offline|not connected|connection lost/i).filter({ visible: true });
  await expect(state).toHaveCount(0);
  await ownServer.down();
  await expect(state.first()).toBeVisible({ timeout: BACK_MS });
  await ownServer.up();
  await expect(state).toHaveCount(0, { timeout: BACK_MS });
  await expect(ada.people).toContainText("Ada");
});

test("a killed server loses nothing that was on screen as sent", async ({ ownServer, person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const room = await quietRoom(await program("Host"));
  const ada = await person("Ada", room);
  const grace = await person("Grace", room);
  for (let i = 1; i <= 6; i += 1) await ada.send(`before ${i}`);
  await expect(grace.said("before 6")).toHaveCount(1);
  await ownServer.kill();
  await ada.send("mine 1");
  await ownServer.up();
  const all = [...[1, 2, 3, 4, 5, 6].map((i) => `before ${i}`), "mine 1"];
  await saysExactly(ada, all);
  await saysExactly(grace, all);
});

test("a server that is asked to stop is gone within 10 s, with people connected", async ({ ownServer, person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const room = await quietRoom(await program("Host"));
  await person("Ada", room);
  const ms = await ownServer.down();
  console.log(`stopped after ${Math.round(ms)} ms`);
  expect(ms).toBeLessThan(10_000);
  expect(ownServer.log(), "no task had to be abandoned").not.toContain("did not end in time");
});
