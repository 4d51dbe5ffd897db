// Nothing is wider than the screen.

import type { Page } from "@playwright/test";

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
