// The list of rooms while it is on screen.

import { freshTitle } from "../support/seed.ts";
import { FrontPage, expect, test } from "../support/test.ts";

test("rooms keep their order while their figures change", async ({ person, program }) => {
  const host = await program("Host");
  const titles = [freshTitle("One"), freshTitle("Two"), freshTitle("Three")];
  const rooms: string[] = [];
  for (const title of titles) {
    const { room } = await host.createRoom(title);
    await host.send(room, "hello");
    rooms.push(room);
  }
  const { page } = await person("Ada", rooms[2] ?? "");
  await page.getByRole("link", { name: "All rooms" }).click();
  const front = new FrontPage(page);
  await expect(front.createButton).toBeVisible();
  const order = (): Promise<(string | null)[]> => page.locator(".room-card").evaluateAll((cards) => cards.map((card) => card.getAttribute("href")));
  const before = await order();
  await host.send(rooms[0] ?? "", "again");
  await host.join(rooms[0] ?? "");
  await expect(front.room(titles[0] ?? "")).toContainText("1 here", { timeout: 30_000 });
  expect((await order()).slice(0, before.length)).toEqual(before);
});
