// While Redis is away, the list of people stands still. Every page says so, on every replica, until Redis is back.

import type { Locator } from "@playwright/test";

import type { RoomPage } from "../pages/room.ts";
import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";

test.use({ replicas: 2, front: "nginx" });

/** How long until a page knows that Redis does not answer, or answers again, in milliseconds. */
const TOLD_MS = 15_000;

const note = ({ page }: RoomPage): Locator => page.getByText("This list may be out of date.");

test("pages say that the list of people may be out of date, while Redis hangs and while it is down", async ({ cluster, programOn, personOn, visitorOf }) => {
  const { room } = await (await programOn(0, "Host")).createRoom(freshTitle("Stale"));
  const pages = [await personOn(0, "Ada", room), await personOn(1, "Bob", room)];
  for (const page of pages) {
    await expect(page.count(2).first()).toBeVisible();
    await expect(note(page)).toBeHidden();
  }
  for (const [stop, back] of [
    [() => cluster.redis.pause(), () => cluster.redis.resume()],
    [() => cluster.redis.kill(), () => cluster.redis.up()],
  ] as const) {
    await stop();
    for (const page of pages) await expect(note(page)).toBeVisible({ timeout: TOLD_MS });
    const late = await visitorOf(1);
    await late.goto(`/rooms/${room}`);
    await expect(late.getByText("This list may be out of date."), "a page that is opened meanwhile").toBeVisible();
    await late.close();
    await back();
    for (const page of pages) {
      await expect(note(page)).toBeHidden({ timeout: TOLD_MS });
      await expect(page.count(2).first()).toBeVisible();
    }
  }
});
