// Accessibility: audits with axe, and a whole visit with the keyboard alone.

import { AxeBuilder } from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";

import { freshTitle, roomWithLines } from "../support/seed.ts";
import { FrontPage, RoomPage, expect, test } from "../support/test.ts";

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 800 };

async function audit(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`);
  expect(found, what).toEqual([]);
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const viewport of [DESKTOP, PHONE]) {
    test(`axe finds nothing: ${colorScheme}, ${viewport.width} px`, async ({ visitor, program }) => {
      const host = await program("Host");
      const room = await roomWithLines(host, 12, freshTitle("Audited"));
      await host.join(room);
      await host.write("edit", room, { of: 9, text: "line nine" });
      await host.write("delete", room, { of: 10 });
      await host.write("react", room, { to: 11, emoji: "👍", on: true });
      await host.reply(room, 9, "an answer");
      const page = await visitor({ colorScheme, viewport, reducedMotion: "reduce" });
      const front = new FrontPage(page);
      await front.open();
      await expect(front.joinButton).toBeVisible();
      await audit(page, "front page, signed out");
      const reader = new RoomPage(page);
      await reader.open(room);
      await audit(page, "room, signed out");
      await reader.signIn("Ada Lovelace");
      await reader.live("Ada Lovelace");
      await reader.message.fill("A line of my own");
      await reader.message.press("Enter");
      await expect(reader.said("A line of my own")).toHaveCount(1);
      await host.typing(room, true);
      await audit(page, "room, signed in");
      await front.open();
      await expect(front.createButton).toBeVisible();
      await audit(page, "front page, signed in");
    });
  }
}

async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await expect(wanted).toBeVisible();
  for (let presses = 0; presses < 60; presses += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error("60 presses of Tab do not reach it");
}

test("signing in and sending need no pointer, and focus is visible", async ({ page }) => {
  const front = new FrontPage(page);
  await front.open();
  await tabTo(page, front.name);
  await page.keyboard.type("Ada");
  await page.keyboard.press("Enter");
  await expect(front.createButton).toBeVisible();
  const lobby = page.locator('a[href="/rooms/lobby"]').first();
  await tabTo(page, lobby);
  const outline = await lobby.evaluate((link) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(link);
    return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
  });
  expect(outline, "focus is visible").toBe(true);
  await page.keyboard.press("Enter");
  const room = new RoomPage(page);
  await room.live("Ada");
  await tabTo(page, room.message);
  const text = freshTitle("typed without a mouse");
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await expect(room.said(text)).toHaveCount(1);
});

test("the log is announced politely, and its history is not", async ({ page, program }) => {
  const room = await roomWithLines(await program("Host"), 5);
  const reader = new RoomPage(page);
  await reader.open(room);
  await expect(reader.log).toHaveCount(1);
  expect(await reader.log.getAttribute("aria-live")).not.toBe("assertive");
});
