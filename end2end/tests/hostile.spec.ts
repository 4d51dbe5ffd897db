// Hostile text on pages from the server is shown as written, with and without JavaScript.

import { HOSTILE, HOSTILE_MESSAGES, SHOWN_MESSAGES, expectUnhurt } from "../support/hostile.ts";
import { expect, test, RoomPage } from "../support/test.ts";

let rooms = 0;

/** A title that no other room has; the address is made from its letters. */
const titled = (text: string): string => `${[...text].slice(0, 52).join("")} ${process.pid.toString(36)}${(rooms += 1)}`;

for (const text of HOSTILE) {
  test(`a room is called ${text}`, async ({ page, program }) => {
    const author = await program([...text].slice(0, 32).join("").trim());
    const title = titled(text);
    const { room } = await author.createRoom(title);
    await author.join(room);
    await author.send(room, text);
    const visitor = new RoomPage(page);
    await visitor.open(room);
    await expect(page).toHaveTitle(`${title} · Hubbub`);
    await expect(visitor.title).toHaveText(title);
    await expect(visitor.messages.locator(".text")).toHaveText([text]);
    await expect(visitor.messages.locator(".author")).toHaveText([[...text].slice(0, 32).join("").trim()]);
    await expectUnhurt(page);
    await page.goto("/");
    await expect(page.locator(`a[href="/rooms/${room}"]`)).toContainText(title);
    expect(await page.evaluate(() => "hurt" in window || document.querySelectorAll("meta[http-equiv]").length)).toBe(0);
  });
}

test("messages of every kind stay text", async ({ page, program }) => {
  const author = await program("Ada");
  const { room } = await author.createRoom(titled("Corpus"));
  for (const text of HOSTILE_MESSAGES) await author.send(room, text);
  const visitor = new RoomPage(page);
  await visitor.open(room);
  await expect(visitor.messages).toHaveCount(HOSTILE_MESSAGES.length);
  const shown = await visitor.messages.locator(".text").evaluateAll((texts) => texts.map((text) => text.textContent));
  expect(shown).toEqual(SHOWN_MESSAGES);
  await expectUnhurt(page);
});

test("an address may contain anything", async ({ page }) => {
  for (const text of HOSTILE) {
    const value = encodeURIComponent(text);
    for (const query of [`problem=${value}`, `problem=room_exists&room=${value}`, `before=${value}`, `x=${value}`]) {
      await page.goto(`/?${query}`);
      expect(await page.evaluate(() => "hurt" in window || document.querySelectorAll("meta[http-equiv], b, img").length)).toBe(0);
    }
  }
});
