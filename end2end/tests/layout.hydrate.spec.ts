// Nothing is wider than the screen.

import type { Page } from "@playwright/test";

import { WHILE_AWAY } from "../support/console.ts";
import { freshTitle } from "../support/seed.ts";
import { FrontPage, expect, test } from "../support/test.ts";

async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

for (const viewport of [
  { width: 320, height: 640 },
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
  { width: 2560, height: 1440 },
]) {
  test(`no sideways scrolling at ${viewport.width} px`, async ({ person, program, visitor }) => {
    const host = await program("A name with thirty-two characters".slice(0, 32));
    const { room } = await host.createRoom(freshTitle("A room with a name that is as long as"));
    await host.send(room, "x".repeat(600), `https://example.org/${"long/".repeat(60)}`, "two\nlines", "W".repeat(30));
    await host.join(room);
    const front = new FrontPage(await visitor({ viewport }));
    await front.open();
    await expect(front.joinButton).toBeVisible();
    expect(await overflow(front.page), "front page").toBe(0);
    const ada = await person("M".repeat(32), room, { viewport });
    await expect(ada.messages).toHaveCount(4);
    expect(await overflow(ada.page), "room").toBe(0);
    const box = await ada.message.boundingBox();
    expect(box && box.x >= 0 && box.x + box.width <= viewport.width && box.y + box.height <= viewport.height).toBe(true);
  });
}

test("the mark of a waiting message is beside its text, and the connection's state is below the title", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const { room } = await (await program("Host")).createRoom("Lobby of another house");
  const ada = await person("Ada", room, { viewport: { width: 390, height: 844 } });
  await ada.page.context().setOffline(true);
  for (const text of ["first", "second", "third"]) await ada.send(text);
  await expect(ada.page.getByLabel("Waiting to be sent").filter({ visible: true })).toHaveCount(3, { timeout: 20_000 });
  const over = await ada.messages.evaluateAll((messages) =>
    messages.filter((message) => {
      const text = document.createRange();
      text.selectNodeContents(message.querySelector(".text") ?? message);
      const [a, b] = [text.getBoundingClientRect(), message.querySelector(".mark")?.getBoundingClientRect()];
      return !b || (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom);
    }).length,
  );
  expect(over, "marks that cover text").toBe(0);
  const status = ada.page.getByRole("status").filter({ hasText: /Reconnecting|Offline/ });
  await expect(status).toBeVisible();
  const [title, wrong] = [await ada.title.boundingBox(), await status.boundingBox()];
  expect(title && wrong && wrong.y >= title.y + title.height, "below").toBe(true);
  const cut = await status.evaluate((said) => said.scrollWidth > said.clientWidth);
  expect(cut, "not cut off").toBe(false);
});

test("an address stays in one piece between words of any direction", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  await host.send(room, "ראו See https://example.org/a-b/c?d=e ואז עוד", "\u202Eback to front https://example.org/live/\u202C and on");
  const ada = await person("Ada", room);
  const links = ada.log.getByRole("link", { name: "https://example.org" });
  await expect(links).toHaveCount(2);
  for (const link of await links.all()) {
    await expect(link).toHaveCSS("direction", "ltr");
    expect(await link.evaluate((link) => link.getClientRects().length), "parts on screen").toBe(1);
  }
});

test("the keyboard reaches and scrolls a list of people that is longer than the screen", async ({ person, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  for (const name of ["Bob", "Cleo", "Dan", "Eve", "Fay", "Gus"]) await (await program(name)).join(room);
  const ada = await person("Ada", room, { viewport: { width: 1280, height: 260 } });
  await expect(ada.people).toContainText("Gus");
  await ada.page.locator("body").press("Tab");
  await expect(async () => {
    await ada.page.keyboard.press("Tab");
    const reached = await ada.page.evaluate(() => document.activeElement?.closest(".people") !== null);
    expect(reached).toBe(true);
  }).toPass();
  await ada.page.keyboard.press("End");
  await expect(ada.people.getByText("Gus")).toBeInViewport();
});
