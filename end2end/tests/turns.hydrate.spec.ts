// Many people join at once, and the server tells a page to wait for its turn: it waits, keeps what is typed in order,
// and shows no error.

import { freshTitle } from "../support/seed.ts";
import { RoomPage, expect, testWithOwnServer as test } from "../support/test.ts";

/** How many turns are promised first, one per second. */
const BEFORE = 8;
const TURN_MS = 20_000;

test.use({ serverEnv: { HUBBUB_JOINS_PER_SECOND: "1" } });

test("a page told to wait for its turn waits, then sends what was typed", async ({ ownServer, visitor, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = new RoomPage(await visitor());
  await ada.open(room);
  const elsewhere = await Promise.all(Array.from({ length: BEFORE }, () => host.createRoom(freshTitle())));
  await Promise.all(elsewhere.map((other) => host.ask("join", { room: other.room })));
  const deferred = await ownServer.figure("hubbub_joins_deferred_total");
  expect(deferred).toBeGreaterThan(1);
  await ada.signIn("Ada");
  await expect.poll(() => ownServer.figure("hubbub_joins_deferred_total"), { message: "the page is told to wait" }).toBe(deferred + 1);
  await ada.send("mine 1");
  await ada.send("mine 2");
  await expect(ada.said("mine 2"), "shown at once").toHaveCount(1);
  expect(await host.log(room), "and not sent before its turn").toEqual([]);
  await expect(ada.page.getByRole("alert")).toHaveCount(0);
  await expect(ada.people).toContainText("Ada", { timeout: TURN_MS });
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["mine 1", "mine 2"]);
  expect(await ownServer.figure("hubbub_joins_deferred_total"), "it asked once more, at its turn").toBe(deferred + 1);
  await expect(ada.page.getByRole("alert")).toHaveCount(0);
});
