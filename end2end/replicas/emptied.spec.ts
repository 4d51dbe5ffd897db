// Redis is emptied while a room is open in a browser: the page shows the room's new epoch, and never a mixture of both.

import { WHILE_AWAY } from "../support/console.ts";
import { expect, test } from "../support/replicas.ts";

test.use({ front: "nginx" });

test("an open page loads the room again", async ({ cluster, programOn, personOn, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const before = await programOn(0, "Before");
  await before.send("lobby", "before 1", "before 2", "before 3");
  const ada = await personOn(1, "Ada", "lobby");
  const lines = (): Promise<string[]> => ada.lines(/(before|after) \d/);
  await expect.poll(lines).toEqual(["before 1", "before 2", "before 3"]);
  await cluster.redis.ask("FLUSHALL");
  // All sessions are gone, too. A person who signs in again on another replica is heard.
  await expect(async () => {
    const after = await programOn(2, "After");
    await after.send("lobby", "after 1");
  }).toPass({ timeout: 20_000 });
  await expect.poll(lines, { timeout: 20_000 }).toEqual(["after 1"]);
  const reader = await programOn(0, "Reader");
  await reader.send("lobby", "after 2");
  await expect.poll(lines).toEqual(["after 1", "after 2"]);
});
