// What a page shows of edits, deletions, reactions and replies when it is opened.

import { freshTitle, roomWithLines } from "../support/seed.ts";
import { RoomPage, expect, test } from "../support/test.ts";

test("a page shows what became of each message", async ({ page, program }) => {
  const [host, bob] = [await program("Host"), await program("Bob")];
  const room = await roomWithLines(host, 4);
  await host.write("edit", room, { of: 1, text: "line one, corrected" });
  await host.write("delete", room, { of: 2 });
  for (const who of [host, bob]) await who.write("react", room, { to: 3, emoji: "🎉", on: true });
  await bob.write("react", room, { to: 3, emoji: "👍", on: true });
  await bob.reply(room, 1, "better");
  await bob.reply(room, 2, "too late");
  const title = freshTitle("Renamed");
  await host.write("set_title", room, { title });

  const reader = new RoomPage(page);
  await reader.open(room);
  await expect(reader.title).toHaveText(title);
  await expect(page).toHaveTitle(`${title} · Hubbub`);
  const line = (seq: number) => page.locator(`#m${seq}`);
  await expect(line(1).getByText("line one, corrected")).toBeVisible();
  await expect(line(1).getByRole("img", { name: /^Edited at \d\d:\d\d$/ })).toBeVisible();
  await expect(line(2).getByText("Message deleted")).toBeVisible();
  await expect(line(2)).not.toContainText("line 2");
  await expect(line(3).getByRole("img", { name: /person|people/ })).toHaveText(["🎉 2", "👍 1"]);
  await expect(line(4).getByRole("img")).toHaveCount(0);
  const quote = reader.messages.filter({ hasText: "better" }).getByRole("link", { name: "Host: line one, corrected" });
  await expect(quote).toBeVisible();
  await expect(reader.messages.filter({ hasText: "too late" }).getByRole("link", { name: "Message deleted" })).toBeVisible();
  await quote.click();
  await expect(page).toHaveURL(/#m1$/);
  await expect(line(1)).toBeInViewport();
});

test("a quote of a message that is not in the page leads to it", async ({ page, program }) => {
  const host = await program("Host");
  const room = await roomWithLines(host, 300);
  await host.reply(room, 5, "about time");
  const reader = new RoomPage(page);
  await reader.open(room);
  await reader.messages.filter({ hasText: "about time" }).getByRole("link", { name: "An earlier message" }).click();
  await expect(page).toHaveURL(/before=6#m5$/);
  await expect(page.locator("#m5")).toContainText("line 5");
  await expect(page.locator("#m5")).toBeInViewport();
});
