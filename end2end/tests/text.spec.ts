// The page holds whatever people type, with and without scripts.

import { lineBoxes, outside, overflow, overlap } from "../support/boxes.ts";
import { freshTitle, roomWithLines } from "../support/seed.ts";
import { FrontPage, RoomPage, expect, test } from "../support/test.ts";

const LINK = `https://example.org/${"a".repeat(77)}`;

for (const viewport of [
  { width: 320, height: 640 },
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
]) {
  test(`long words stay on the screen at ${viewport.width} px`, async ({ visitor, program }) => {
    const host = await program("M".repeat(32));
    const { room } = await host.createRoom(`${"W".repeat(45)} ${freshTitle("").trim()}`.slice(0, 60));
    await host.send(room, LINK, "x".repeat(8_000));
    await host.join(room);
    const page = await visitor({ viewport });
    const [reader, front] = [new RoomPage(page), new FrontPage(page)];
    await reader.open(room);
    expect(await outside(page), "room, signed out").toEqual([]);
    await reader.signIn("N".repeat(32));
    for (const text of ["", LINK, "y".repeat(8_000)]) {
      await reader.message.fill(text);
      expect(await outside(page), `room, ${text.length} characters in the composer`).toEqual([]);
      await expect(reader.sendButton).toBeInViewport({ ratio: 1 });
    }
    const people = page.locator("summary");
    if (viewport.width < 960) await people.click();
    await expect(reader.people).toBeVisible();
    expect(await outside(page), "the list of people").toEqual([]);
    await front.open();
    await expect(front.createButton).toBeVisible();
    expect(await outside(page), "front page").toEqual([]);
    await front.createRoom("Z".repeat(61));
    await expect(page.getByRole("alert").filter({ visible: true })).toBeVisible();
    expect(await overflow(page), "a refused title").toBe(0);
    expect(await outside(page), "a refused title").toEqual([]);
  });
}

test("the composer of an empty room with a long title is one line high", async ({ visitor, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle("The quick brown fox jumps over the lazy").slice(0, 60));
  const reader = new RoomPage(await visitor({ viewport: { width: 390, height: 844 } }));
  await reader.open(room);
  await reader.signIn("Ada");
  const box = await reader.message.boundingBox();
  expect(box?.height).toBeLessThan(50);
});

test("the time of a grouped message is beside its text", async ({ page, program }) => {
  const room = await roomWithLines(await program("Ada"), 3);
  const reader = new RoomPage(page);
  await reader.open(room);
  const message = reader.said("line 2");
  await message.getByText("line 2").hover();
  const time = message.getByRole("time");
  await expect(message.getByRole("link")).toHaveCSS("opacity", "1");
  const [clock] = await lineBoxes(time);
  const [line] = await lineBoxes(message.locator(".text"));
  if (!clock || !line) throw new Error("both are shown");
  expect(overlap(clock, line)).toBe(false);
  expect(clock.x + clock.width).toBeLessThanOrEqual(line.x);
  expect(Math.abs(clock.y + clock.height / 2 - line.y - line.height / 2), "vertically centred on its line").toBeLessThan(4);
});

test("right-to-left text", async ({ page, program }) => {
  const sara = await program("שרה");
  const title = `חדר ${freshTitle("")}`;
  const { room } = await sara.createRoom(title);
  await sara.send(room, "שלום!", "second line\nשורה שלישית");
  const reader = new RoomPage(page);
  await reader.open(room);
  const [first, second] = [reader.messages.nth(0).locator(".text"), reader.messages.nth(1).locator(".text")];
  const end = async (text: typeof first): Promise<number> => text.evaluate((one) => one.getBoundingClientRect().right);
  const [hebrew] = await lineBoxes(first);
  expect((hebrew?.x ?? 0) + (hebrew?.width ?? 0)).toBeCloseTo(await end(first), 0);
  const lines = await lineBoxes(second);
  expect(lines.at(0)?.x, "a line of another script begins on its own side").toBeCloseTo((await second.boundingBox())?.x ?? 0, 0);
  expect((lines.at(-1)?.x ?? 0) + (lines.at(-1)?.width ?? 0)).toBeCloseTo(await end(second), 0);
  for (const text of [reader.title, reader.messages.first().locator(".author")]) await expect(text).toHaveCSS("direction", "rtl");
  await expect(reader.name).toHaveCSS("direction", "ltr");
  await reader.name.fill("דוד");
  await expect(reader.name).toHaveCSS("direction", "rtl");
  await reader.signIn("דוד");
  await reader.message.fill("ערב טוב");
  await expect(reader.message).toHaveCSS("direction", "rtl");
  await page.goto("/");
  await expect(page.getByText(title)).toHaveCSS("direction", "rtl");
});

test("a chip shows one whole character, and combining marks stay within their message", async ({ page, program }) => {
  const stack = "\u0351\u036b\u0343";
  const names = ["👩‍👩‍👧 family", "e\u0301va", "🇩🇪 team", "निशा", "👍🏽 yes", `z${stack}`, "日本", "ada"];
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  for (const name of names) await (await program(name)).send(room, `a${stack.repeat(200)}`);
  const reader = new RoomPage(page);
  await reader.open(room);
  await expect(reader.messages).toHaveCount(names.length);
  const whole = names.map((name) => [...new Intl.Segmenter().segment(name)][0]?.segment.toUpperCase());
  await expect(reader.messages.locator(".chip")).toHaveText(whole.map((one) => one ?? ""));
  for (const text of [reader.messages.locator(".text").first(), reader.messages.locator(".chip").first(), reader.messages.locator(".author").first()]) {
    await expect(text).toHaveCSS("overflow-y", "clip");
  }
});

test("messages have names, and so have groups", async ({ page, program }) => {
  const room = await roomWithLines(await program("Ada Lovelace"), 2);
  const reader = new RoomPage(page);
  await reader.open(room);
  for (const message of await reader.messages.all()) await expect(message).toHaveAccessibleName(/^Ada Lovelace, \d\d:\d\d$/);
  const unnamed = await page.getByRole("group").evaluateAll((groups) => groups.filter((one) => !one.getAttribute("aria-label")).length);
  expect(unnamed).toBe(0);
});
