// Redis is emptied while a room is open in a browser: everything stays, and who is here comes back by itself.

import { WHILE_AWAY } from "../support/console.ts";
import { expect, test } from "../support/replicas.ts";

/** Presence is renewed in this time. */
const RENEWED_MS = 15_000;

test.use({ front: "nginx" });

test("an open page keeps its messages, and its people stay signed in", async ({ cluster, programOn, personOn, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const before = await programOn(0, "Before");
  await before.join("lobby");
  await before.send("lobby", "before 1", "before 2", "before 3");
  const ada = await personOn(1, "Ada", "lobby");
  const lines = (): Promise<string[]> => ada.lines(/(before|after) \d/);
  const said = ["before 1", "before 2", "before 3"];
  await expect.poll(lines).toEqual(said);
  await expect(ada.count(2).first()).toBeVisible();

  await cluster.redis.ask("FLUSHALL");
  await before.send("lobby", "after 1");
  await ada.send("after 2");
  await expect.poll(lines).toEqual([...said, "after 1", "after 2"]);
  const reader = await programOn(2, "Reader");
  expect((await reader.log("lobby")).map(({ text }) => text)).toEqual([...said, "after 1", "after 2"]);
  await expect.poll(async () => (await reader.roster("lobby")).here, { timeout: RENEWED_MS }).toBe(2);
  await expect(ada.count(2).first()).toBeVisible({ timeout: RENEWED_MS });
  expect(before.told.filter(({ event }) => event === "reset" || event === "signed_out")).toEqual([]);
});
