// Navigation does not load another document, so the connection stays.

import type { Page } from "@playwright/test";

import { FrontPage } from "../pages/front.ts";
import { kept } from "../support/kept.ts";
import { freshTitle, roomWithLines } from "../support/seed.ts";
import { RoomPage, expect, test } from "../support/test.ts";

/** Counts documents loaded from now on. */
function documents(page: Page): () => number {
  let loaded = 0;
  page.on("request", (request) => {
    if (request.isNavigationRequest()) loaded += 1;
  });
  return () => loaded;
}

test("from a room to the list, to another room and back", async ({ person, program }) => {
  const host = await program("Host");
  const [one, other] = [await roomWithLines(host, 3), await roomWithLines(host, 0)];
  const ada = await person("Ada", one);
  const [page, front] = [ada.page, new FrontPage(ada.page)];
  const loaded = documents(page);
  const title = await page.title();

  await page.getByRole("link", { name: "All rooms" }).click();
  await expect(page).toHaveURL("/");
  await expect(page).toHaveTitle("Hubbub");
  await expect(front.roomName).toBeVisible();
  await page.locator(`a[href="/rooms/${other}"]`).click();
  await expect(page).toHaveURL(`/rooms/${other}`);
  await ada.live("Ada");
  await ada.send("from the list");
  await expect(ada.said("from the list")).toHaveCount(1);

  await page.goBack();
  await expect(page).toHaveURL("/");
  await page.goBack();
  await expect(page).toHaveURL(`/rooms/${one}`);
  await expect(page).toHaveTitle(title);
  await ada.live("Ada");
  await expect(ada.messages).toHaveCount(3);
  await page.goForward();
  await expect(front.roomName).toBeVisible();
  expect(loaded()).toBe(0);
});

test("an older page and the way back to the newest messages", async ({ page, program }) => {
  const room = await roomWithLines(await program("Host"), 120);
  const reader = new RoomPage(page);
  await reader.open(room);
  const loaded = documents(page);
  const last = reader.messages.last();
  // Not its text: once the page is live, the time in it is in the reader's time zone.
  const newest = (await last.getAttribute("id")) ?? "";
  await reader.older.click();
  await expect(page).toHaveURL(/\?before=\d+$/);
  await expect(last).not.toHaveId(newest);
  await page.getByRole("link", { name: "Newest messages" }).click();
  await expect(page).toHaveURL(`/rooms/${room}`);
  await expect(last).toHaveId(newest);
  expect(loaded()).toBe(0);
});

test("a draft goes along to an older page, comes back, and is sent from there once", async ({ person, program }) => {
  const host = await program("Host");
  const room = await roomWithLines(host, 120);
  const ada = await person("Ada", room);
  const { page } = ada;
  await ada.message.fill("half a thought");
  await page.goto(`/rooms/${room}?before=60`);
  await expect(ada.message).toHaveValue("half a thought");
  await ada.message.press("End");
  await ada.message.pressSequentially(", and");
  await expect.poll(async () => JSON.stringify(await kept(page, "drafts"))).toContain("half a thought, and");
  await page.getByRole("link", { name: "Newest messages" }).click();
  await ada.live("Ada");
  await expect(ada.message).toHaveValue("half a thought, and");

  await page.goto(`/rooms/${room}?before=60`);
  await expect(ada.message).toHaveValue("half a thought, and");
  await ada.message.press("End");
  await ada.message.pressSequentially(" the other half");
  await ada.message.press("Enter");
  await ada.live("Ada");
  await expect(ada.said("half a thought, and the other half")).toHaveCount(1);
  await expect.poll(() => kept(page, "drafts")).toEqual([]);
  await expect(ada.message).toHaveValue("");
});

test("creating a room enters it", async ({ person, program }) => {
  const ada = await person("Ada", await roomWithLines(await program("Host"), 1));
  const loaded = documents(ada.page);
  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await new FrontPage(ada.page).createRoom(`Entered ${Date.now()}`);
  await expect(ada.page).toHaveURL(/\/rooms\/entered-\d+$/);
  await ada.live("Ada");
  expect(loaded()).toBe(0);
});

test("the skip link leads past the header to the content", async ({ page }) => {
  await page.goto("/");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/#main");
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.closest("main") !== null)).toBe(true);
});

test("going back to the list of rooms restores the scroll position", async ({ person, program }) => {
  const host = await program("Host");
  for (let n = 0; n < 40; n += 1) await host.createRoom(freshTitle());
  const ada = await person("Ada", "lobby");
  const page = ada.page;
  await page.getByRole("link", { name: "All rooms" }).click();
  const cards = page.locator(".room-card");
  await expect.poll(() => cards.count()).toBeGreaterThan(40);
  const card = cards.nth(30);
  await card.scrollIntoViewIfNeeded();
  const scrolled = await page.evaluate(() => scrollY);
  expect(scrolled).toBeGreaterThan(500);
  const top = async () => (await card.boundingBox())?.y ?? Number.NaN;
  const left = await top();
  await card.click();
  await ada.live("Ada");
  await page.goBack();
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(scrolled);
  expect(Math.abs((await top()) - left)).toBeLessThan(2);

  // Other navigation begins at the top.
  await card.click();
  await ada.live("Ada");
  await page.getByRole("link", { name: "All rooms" }).click();
  await expect(page.getByText("Signed in as Ada")).toBeVisible();
  expect(await page.evaluate(() => scrollY)).toBe(0);
});
