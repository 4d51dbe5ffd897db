// The reader's own colours and text size, print, and touch screens; with and without scripts.

import { outside, overlap } from "../support/boxes.ts";
import { painted } from "../support/pixel.ts";
import { freshTitle, roomWithLines } from "../support/seed.ts";
import { FrontPage, RoomPage, expect, test } from "../support/test.ts";

const PHONE = { width: 390, height: 844 };

for (const colorScheme of ["light", "dark"] as const) {
  test(`every icon is visible in forced colours, ${colorScheme}`, async ({ visitor, program }) => {
    const room = await roomWithLines(await program("Host"), 3);
    const page = await visitor({ forcedColors: "active", colorScheme });
    const reader = new RoomPage(page);
    await reader.open(room);
    await reader.signIn("Ada");
    const icons = page.locator(".icon").filter({ visible: true });
    expect(await icons.count()).toBeGreaterThanOrEqual(4);
    for (const icon of await icons.all()) {
      expect(await painted(icon), (await icon.getAttribute("class")) ?? "").toBeGreaterThan(0.05);
    }
    expect(await painted(reader.sendButton), "the button's edge and arrow").toBeGreaterThan(0.05);
    await reader.message.focus();
    await expect(page.locator(".composer-box")).not.toHaveCSS("outline-style", "none");
  });
}

test("text at twice the size on a phone leaves the title visible", async ({ visitor, program }) => {
  const title = freshTitle("Reading");
  const room = await roomWithLines(await program("Ada"), 5, title);
  const page = await visitor({ viewport: PHONE });
  const reader = new RoomPage(page);
  await reader.open(room);
  await page.locator("html").evaluate((html) => html.style.setProperty("font-size", "200%"));
  await expect(reader.title).toBeInViewport({ ratio: 1 });
  const boxes = await Promise.all([reader.title, page.locator("summary"), page.getByRole("button", { name: /theme/i }), page.getByRole("link", { name: "All rooms" })].map((one) => one.boundingBox()));
  expect(boxes[0]?.width).toBeGreaterThan(200);
  for (const [n, a] of boxes.entries()) for (const b of boxes.slice(n + 1)) expect(a && b && overlap(a, b), JSON.stringify([a, b])).toBe(false);
  expect(await outside(page)).toEqual([]);
  await new FrontPage(page).open();
  await page.locator("html").evaluate((html) => html.style.setProperty("font-size", "200%"));
  expect(await outside(page), "front page").toEqual([]);
});

test("print has the whole conversation", async ({ page, program }) => {
  const room = await roomWithLines(await program("Ada"), 50);
  const reader = new RoomPage(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await reader.open(room);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const cut = await reader.messages.evaluateAll((messages) => {
    const bottom = document.documentElement.scrollHeight;
    return messages.filter((one) => {
      for (let box = one.parentElement; box; box = box.parentElement) {
        if (box !== document.body && getComputedStyle(box).overflowY !== "visible" && box !== document.documentElement) return true;
      }
      const { top, height } = one.getBoundingClientRect();
      return height === 0 || top + scrollY < 0 || top + scrollY + height > bottom;
    }).length;
  });
  expect(cut, "messages missing in print").toBe(0);
  await expect(page.locator(".composer")).toBeHidden();
  const colour = await page.locator(".text").first().evaluate((one) => getComputedStyle(one).color);
  expect(colour, "dark on white").toBe("rgb(0, 0, 0)");
  const pages = (await page.pdf({ format: "A5" })).toString("latin1").match(/\/Type\s*\/Page\b/g);
  expect(pages?.length).toBeGreaterThan(1);
});

test("fields do not make a phone zoom in", async ({ visitor, program }) => {
  const room = await roomWithLines(await program("Ada"), 1);
  const page = await visitor({ viewport: PHONE, hasTouch: true, isMobile: true });
  const [reader, front] = [new RoomPage(page), new FrontPage(page)];
  const size = async (field: typeof reader.name): Promise<number> => field.evaluate((one) => Number.parseFloat(getComputedStyle(one).fontSize));
  await reader.open(room);
  expect(await size(reader.name)).toBeGreaterThanOrEqual(16);
  await reader.signIn("Ada");
  expect(await size(reader.message)).toBeGreaterThanOrEqual(16);
  await front.open();
  expect(await size(front.roomName)).toBeGreaterThanOrEqual(16);
});

for (const viewport of [PHONE, { width: 1280, height: 800 }, { width: 1367, height: 911 }]) {
  test(`rows and times are aligned to whole pixels at ${viewport.width} px`, async ({ visitor, program }) => {
    const host = await program("Host");
    const room = await roomWithLines(host, 8);
    await (await program("Ada")).send(room, "one\ntwo", "three");
    const page = await visitor({ viewport });
    await new RoomPage(page).open(room);
    const off = await page.locator("[role=log] > *, [role=log] .text, [role=log] .chip").evaluateAll((all) => {
      const whole = (n: number): boolean => Math.abs(n - Math.round(n)) < 0.02;
      return all.flatMap((one) => {
        const { x, y, height } = one.getBoundingClientRect();
        return [x, y, height].every(whole) ? [] : [`${one.className} ${x} ${y} ${height}`];
      });
    });
    expect(off).toEqual([]);
  });
}
