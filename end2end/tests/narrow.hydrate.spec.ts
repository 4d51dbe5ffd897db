// Phones: everything important fits a narrow screen, even with text at twice the size.

import type { Locator } from "@playwright/test";

import { lineBoxes, outside, overflow, overlap } from "../support/boxes.ts";
import { kept } from "../support/kept.ts";
import { freshTitle } from "../support/seed.ts";
import { FrontPage, type RoomPage, expect, test } from "../support/test.ts";

const NAME = "Maximiliane von Hohenstein-Berg";
const phone = (width: number) => ({ viewport: { width, height: 700 }, hasTouch: true, isMobile: true });

async function box(of: Locator) {
  const box = await of.boundingBox();
  if (!box) throw new Error("not on screen");
  return box;
}

/** Words of a text that are broken although they would fit on a line. */
async function brokenWords(of: Locator): Promise<string[]> {
  return of.evaluate((one) => {
    const text = document.createTreeWalker(one, NodeFilter.SHOW_TEXT).nextNode();
    return [...(text?.textContent ?? "").matchAll(/[^\s-]+/g)].flatMap(({ 0: word, index }) => {
      const range = document.createRange();
      range.setStart(text as Text, index);
      range.setEnd(text as Text, index + word.length);
      return range.getClientRects().length > 1 ? [word] : [];
    });
  });
}

async function header(ada: RoomPage): Promise<void> {
  expect(await ada.title.evaluate((title) => title.scrollWidth > title.clientWidth || title.scrollHeight > title.clientHeight + 1), "a cut title").toBe(false);
  const dot = await ada.page.locator(".connection").evaluate((one) => {
    const [box, dot] = [one.getBoundingClientRect(), getComputedStyle(one, "::before")];
    return Math.min(box.width, innerWidth - box.left) - Number.parseFloat(dot.width);
  });
  expect(dot, "the dot is completely visible").toBeGreaterThanOrEqual(0);
  const page = ada.page;
  const controls = [page.getByRole("link", { name: "All rooms" }), page.getByRole("button", { name: /^Theme/ }), page.locator(".people > summary"), ada.title, page.locator(".connection")];
  const boxes = await Promise.all(controls.map(box));
  for (const [n, one] of boxes.entries()) {
    for (const other of boxes.slice(n + 1)) expect(overlap(one, other), JSON.stringify([one, other])).toBe(false);
  }
  expect(await overflow(page)).toBe(0);
}

for (const width of [320, 360, 375, 390]) {
  test(`the header of a room at ${width} px`, async ({ person, program }) => {
    const { room } = await (await program("Host")).createRoom(`Night ${width} up`);
    const ada = await person("Ada", room, phone(width));
    await expect(ada.page.getByRole("status").filter({ hasText: "Connected" })).toBeAttached();
    await header(ada);
  });
}

test("the sentence of an offline page is not cut off", async ({ person, program, complaints }) => {
  complaints.allow(/ERR_INTERNET_DISCONNECTED|WebSocket connection/);
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room, phone(320));
  await ada.page.clock.install();
  await ada.page.context().setOffline(true);
  await ada.page.clock.fastForward(20_000);
  const status = ada.page.getByRole("status").filter({ hasText: "Your messages will be sent when you're back." });
  await expect(status).toBeVisible({ timeout: 40_000 });
  expect(await status.evaluate((one) => one.scrollWidth - one.clientWidth)).toBeLessThanOrEqual(0);
  const said = await box(status);
  expect(Math.min(said.x, 320 - said.x - said.width), "clear of the edges").toBeGreaterThanOrEqual(4);
  expect(await overflow(ada.page)).toBe(0);
});

for (const width of [320, 390]) {
  test(`text at twice the size, ${width} px`, async ({ person, program, complaints }) => {
    complaints.allow(/ERR_INTERNET_DISCONNECTED|WebSocket connection/);
    const host = await program(NAME);
    const { room } = await host.createRoom(`Large ${width}`);
    await host.send(room, "hello");
    const ada = await person("Grace", room, phone(width));
    await ada.page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
    await header(ada);
    await ada.page.context().setOffline(true);
    await ada.send("unsent");
    const waiting = ada.messages.filter({ hasText: "unsent" });
    const mark = waiting.getByLabel("Waiting to be sent");
    await expect(mark).toBeVisible();
    for (const author of await ada.messages.locator(".author").all()) expect(await brokenWords(author)).toEqual([]);
    expect(await lineBoxes(waiting.locator(".author"))).toHaveLength(1);
    expect(overlap(await box(mark), await box(waiting.locator(".permalink"))), "the mark covers the time").toBe(false);
    await ada.page.locator(".people > summary").tap();
    expect(await brokenWords(ada.people.locator(".person-name").first())).toEqual([]);
    expect(await overflow(ada.page)).toBe(0);
  });

  test(`notices around the composer and on the front page at ${width} px`, async ({ person, program }) => {
    const { room } = await (await program("Host")).createRoom(freshTitle());
    const ada = await person(NAME, room, phone(width));
    const page = ada.page;
    await ada.message.fill("x".repeat(8_100));
    const count = page.getByText("8100 / 8000");
    const [text, send, counted] = [await box(ada.message), await box(ada.sendButton), await box(count)];
    expect(counted.y, "the count has its own line").toBeGreaterThanOrEqual(text.y + text.height - 1);
    expect(send.x - text.x - text.width, "and takes nothing from the text").toBeLessThan(16);
    await ada.message.fill("a draft");
    await expect.poll(async () => (await kept(page, "drafts")).length).toBe(1);
    await page.getByRole("link", { name: "All rooms" }).click();
    expect(await brokenWords(page.locator(".session-name"))).toEqual([]);
    await page.getByRole("button", { name: "Sign out" }).click();
    const [card, goodbye] = [await box(page.locator(".session")), await box(page.getByRole("button", { name: "Delete them and sign out" }))];
    expect(goodbye.x + goodbye.width).toBeLessThan(card.x + card.width);

    await page.context().clearCookies();
    await page.reload();
    await new FrontPage(page).signIn("Eve");
    await page.locator("a[href='/rooms/lobby']").click();
    const notice = await box(page.getByText("left unsent text"));
    expect(Math.min(notice.x, width - notice.x - notice.width), "a notice is clear of the edges").toBeGreaterThanOrEqual(8);
  });
}

for (const [width, size] of [
  [320, "100%"],
  [390, "130%"],
  [390, "200%"],
] as const) {
  test(`the fields of the front page at ${width} px with text at ${size}`, async ({ visitor, program }) => {
    await (await program("Host")).createRoom(freshTitle("Conversation"));
    const page = await visitor(phone(width));
    const front = new FrontPage(page);
    const check = async (field: Locator, button: Locator): Promise<void> => {
      await page.evaluate((size) => (document.documentElement.style.fontSize = size), size);
      await field.fill("Berlin offic");
      expect(await field.evaluate((one) => one.scrollWidth - one.clientWidth), "twelve characters are visible").toBeLessThanOrEqual(0);
      const [text, sends] = [await box(field), await box(button)];
      expect(overlap(text, sends)).toBe(false);
      expect(await outside(page)).toEqual([]);
      expect(await overflow(page)).toBe(0);
    };
    await front.open();
    await check(front.name, front.joinButton);
    await front.signIn("Ada");
    await expect(front.roomName).toBeVisible();
    await check(front.roomName, front.createButton);
    const [text, create] = [await box(front.roomName), await box(front.createButton)];
    expect(create.y, "the button is below the field").toBeGreaterThanOrEqual(text.y + text.height);
    const card = front.room("Conversation").first();
    const title = card.locator(".room-card-title");
    expect(await brokenWords(title)).toEqual([]);
    const [above, below] = [await box(title), await box(card.locator(".count"))];
    expect(below.y, "the count is below the title").toBeGreaterThanOrEqual(above.y + above.height);
  });
}
