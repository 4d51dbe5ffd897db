// A long room: older messages load without moving the line being read, and newer ones wait behind a pill.

import { roomWithLines } from "../support/seed.ts";
import { fromEnd, lineTop, scrollTo, watchLine } from "../support/scroll.ts";
import { RoomPage, expect, test } from "../support/test.ts";

/** By how many pixels the line being read may move. */
const STILL = 1;

test("a room opens at its latest message", async ({ person, program }) => {
  const room = await roomWithLines(await program("Host"), 200);
  const ada = await person("Ada", room);
  await expect(ada.said("line 200")).toBeInViewport();
  await expect.poll(() => fromEnd(ada)).toBeLessThanOrEqual(STILL);
});

for (const start of [0, 60]) {
  test(`older messages load without moving the line being read (from ${start} px)`, async ({ person, program }) => {
    const room = await roomWithLines(await program("Host"), 200);
    const ada = await person("Ada", room);
    await expect(ada.said("line 200")).toBeInViewport();
    const before = await ada.messages.count();
    // The line is measured in the same task that scrolls, before anything can load.
    const top = await scrollTo(ada, start, "line 153");
    const tops = await watchLine(ada.page);
    await expect.poll(() => ada.messages.count()).toBeGreaterThan(before);
    await expect(ada.said("line 101")).toHaveCount(1);
    expect(Math.abs((await lineTop(ada.page)) - top), "moved").toBeLessThanOrEqual(STILL);
    const jumps = (await tops()).filter((one) => Math.abs(one - top) > STILL);
    expect(jumps, "no frame shows it elsewhere").toEqual([]);
  });
}

test("a reader who scrolls up before the page is live gets older messages once it is", async ({ person, program }) => {
  const room = await roomWithLines(await program("Host"), 200);
  const ada = await person("Ada", room);
  let release = (): void => undefined;
  const held = new Promise<void>((done) => (release = done));
  await ada.page.route("**/*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  await ada.page.reload();
  await expect(ada.said("line 200")).toBeInViewport();
  await scrollTo(ada, 0, "line 151");
  await expect(ada.said("line 150")).toHaveCount(0);
  release();
  await expect(ada.said("line 101")).toHaveCount(1);
});

test("scrolling up with the wheel reaches the first message", async ({ person, program }) => {
  const room = await roomWithLines(await program("Host"), 200);
  const ada = await person("Ada", room);
  await ada.log.hover();
  await expect(async () => {
    await ada.page.mouse.wheel(0, -4_000);
    await expect(ada.said("line 1")).toBeInViewport({ timeout: 300 });
  }).toPass({ timeout: 30_000 });
  expect(await ada.lines(/line \d+/)).toEqual(Array.from({ length: 200 }, (_, i) => `line ${i + 1}`));
});

test("new messages wait behind a pill while the reader is further up", async ({ person, program }) => {
  const host = await program("Host");
  const room = await roomWithLines(host, 200);
  const ada = await person("Ada", room);
  await expect(ada.said("line 200")).toBeInViewport();
  const top = await scrollTo(ada, -900, "line 180");
  await expect(ada.pill).toHaveCount(0);
  await host.send(room, "late 1");
  await expect(ada.pill).toHaveText(/1 new message\b/);
  await host.send(room, "late 2", "late 3");
  await expect(ada.pill).toHaveText(/3 new messages/);
  expect(Math.abs((await lineTop(ada.page)) - top), "moved").toBeLessThanOrEqual(STILL);
  await ada.pill.click();
  await expect(ada.said("late 3")).toBeInViewport();
  await expect(ada.pill).toHaveCount(0);
  await expect.poll(() => fromEnd(ada)).toBeLessThanOrEqual(STILL);
});

test("content that grows above, as a loading image does, moves nothing", async ({ person, program }) => {
  const room = await roomWithLines(await program("Host"), 200);
  const ada = await person("Ada", room);
  await expect(ada.said("line 200")).toBeInViewport();
  const top = await scrollTo(ada, -900, "line 155");
  await expect(ada.said("line 155")).toBeInViewport();
  const tops = await watchLine(ada.page);
  await ada.said("line 140").evaluate((message) => (message.style.paddingBlockEnd = "333px"));
  await expect.poll(async () => (await tops()).length).toBeGreaterThan(5);
  expect((await tops()).filter((one) => Math.abs(one - top) > STILL), "no frame shows it elsewhere").toEqual([]);
});

test("opening a keyboard keeps the line's distance from the composer", async ({ person, program }) => {
  const room = await roomWithLines(await program("Host"), 200);
  const ada = await person("Ada", room, { viewport: { width: 390, height: 844 } });
  await expect(ada.said("line 200")).toBeInViewport();
  await scrollTo(ada, -900, "line 155");
  await expect(ada.said("line 155")).toBeInViewport();
  const above = async (): Promise<number> => ((await ada.message.boundingBox())?.y ?? Number.NaN) - (await lineTop(ada.page));
  const before = await above();
  await ada.page.setViewportSize({ width: 390, height: 500 });
  await expect.poll(async () => Math.abs((await above()) - before)).toBeLessThanOrEqual(STILL);
  await ada.page.setViewportSize({ width: 390, height: 844 });
  await expect.poll(async () => Math.abs((await above()) - before)).toBeLessThanOrEqual(STILL);
});

test("at the bottom, new messages are followed", async ({ person, program }) => {
  const host = await program("Host");
  const room = await roomWithLines(host, 80);
  const ada = await person("Ada", room);
  await expect(ada.said("line 80")).toBeInViewport();
  for (let i = 1; i <= 5; i += 1) {
    await host.send(room, `fresh ${i}`);
    await expect(ada.said(`fresh ${i}`)).toBeInViewport();
  }
  await expect(ada.pill).toHaveCount(0);
});

test("sending a message scrolls down to it", async ({ person, program }) => {
  const room = await roomWithLines(await program("Host"), 120);
  const ada = await person("Ada", room);
  await expect(ada.said("line 120")).toBeInViewport();
  await scrollTo(ada, -900, "line 100");
  await ada.send("an answer");
  await expect(ada.said("an answer")).toBeInViewport();
});

test("a page of older messages has its own address", async ({ page, program }) => {
  const room = await roomWithLines(await program("Host"), 120);
  const reader = new RoomPage(page);
  await page.goto(`/rooms/${room}?before=71`);
  await expect(reader.said("line 70")).toHaveCount(1);
  await expect(reader.said("line 21")).toHaveCount(1);
});

for (const above of [1, 20, 39]) {
  test(`a reader ${above} px above the bottom follows new messages`, async ({ person, program }) => {
    const host = await program("Host");
    const room = await roomWithLines(host, 60);
    const ada = await person("Ada", room);
    await expect(ada.said("line 60")).toBeInViewport();
    await scrollTo(ada, -above, "line 55");
    await host.send(room, "one\ntwo\nthree\nfour\nfive\nsix");
    await expect(ada.messages.last()).toContainText("six");
    await expect.poll(() => fromEnd(ada)).toBeLessThan(1);
    await expect(ada.page.locator(".pill")).toBeHidden();
  });
}
