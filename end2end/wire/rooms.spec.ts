// More rooms than fit into the list: the lobby and rooms with people stay in it, and it says that it is incomplete.

import { freshTitle } from "../support/seed.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";

/** The most rooms in the list. */
const LISTED = 200;

test("new empty rooms push neither the lobby nor rooms with people off the list", async ({ program, ownServer }) => {
  const ada = await program("Ada");
  await ada.join("lobby");
  const { room } = await ada.createRoom("Night shift");
  await ada.join(room);
  const short = await (await fetch(ownServer.url)).text();
  expect(short).toMatch(/<p hidden[^>]*>(<!>)*2 of 2 rooms/);

  const bob = await program("Bob");
  for (let n = 0; n < LISTED + 5; n += 1) await bob.createRoom(freshTitle(`Room ${n}`));

  const list = await bob.command<{ rooms: { room: string; here: number }[]; total: number }>("list_rooms");
  expect(list.rooms).toHaveLength(LISTED);
  expect(list.total).toBe(LISTED + 7);
  expect(list.rooms[0]).toMatchObject({ room: "lobby", here: 1 });
  expect(list.rooms.at(-1), "the oldest listed room").toMatchObject({ room, here: 1 });

  // The front page for people who are not signed in is rendered once per second.
  await expect(async () => {
    const page = await (await fetch(ownServer.url)).text();
    expect(page).toMatch(/<p class="hint">(<!>)*200 of 207 rooms/);
    expect(page).toContain(`href="/rooms/${room}"`);
  }).toPass();
});
