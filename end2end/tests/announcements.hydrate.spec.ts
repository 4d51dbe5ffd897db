// What a screen reader announces of incoming messages: each of them, even two at once or the same words again.

import type { Page } from "@playwright/test";

import { freshTitle, roomWithLines } from "../support/seed.ts";
import { RoomPage, expect, test } from "../support/test.ts";

/** From now on, collects what is added to live regions, which is what a screen reader hears. */
async function listen(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { end2endHeard: heard });
    new MutationObserver((changes) => {
      for (const { target, addedNodes } of changes) {
        const region = (target instanceof Element ? target : target.parentElement)?.closest("[aria-live=polite]");
        for (const node of region ? addedNodes : []) if (node.textContent) heard.push(node.textContent.replace(/[\u2068\u2069]/g, ""));
      }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  });
  return () => page.evaluate(() => (window as unknown as { end2endHeard: string[] }).end2endHeard);
}

test("every message of others is announced once, in order", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  const heard = await listen(ada.page);
  await host.send(room, "first", "second");
  await expect.poll(heard).toEqual(["Host: first", "Host: second"]);
  await host.send(room, "second");
  await expect.poll(heard, "the same words again").toEqual(["Host: first", "Host: second", "Host: second"]);
  await ada.send("my own");
  await expect(ada.said("my own")).toHaveCount(1);
  await host.send(room, ...Array.from({ length: 12 }, (_, n) => `one of many ${n}`));
  await expect.poll(async () => (await heard()).at(-1)).toBe("12 new messages");
  expect((await heard()).filter((text) => text.includes("my own"))).toEqual([]);
  await expect(ada.page.locator("[aria-live=polite] > *"), "old announcements are removed").not.toHaveCount(0);
});

test("a deleted message does not stay in an announcement", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  await host.send(room, "said by mistake");
  await expect(ada.page.locator("[aria-live=polite] > *")).toContainText(["said by mistake"]);
  await host.write("delete", room, { of: 1 });
  await expect(ada.page.getByText("said by mistake")).toHaveCount(0);
});

test("history is not announced", async ({ person, program }) => {
  const host = await program("Host");
  const room = await roomWithLines(host, 120);
  const ada = await person("Ada", room);
  const heard = await listen(ada.page);
  await ada.page.getByRole("region", { name: "Message history" }).focus();
  await ada.page.keyboard.press("Home");
  await expect(ada.said("line 30")).toHaveCount(1);
  await host.send(room, "now");
  await expect.poll(heard).toEqual(["Host: now"]);
});

test("a name's text direction does not affect its quiet line", async ({ person, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const sara = await program("שרה");
  await sara.join(room);
  const line = ada.page.locator(".quiet").filter({ hasText: "joined" });
  await expect(line).toHaveText("שרה joined");
  const name = await line.locator(".name").boundingBox();
  const joined = await line.evaluate((one) => {
    const words = [...one.childNodes].find((node) => node.textContent?.includes("joined"));
    const range = document.createRange();
    range.selectNodeContents(words ?? one);
    return range.getBoundingClientRect().x;
  });
  expect(name?.x, "the name comes before the verb").toBeLessThan(joined);
  await sara.typing(room, true);
  await expect(ada.page.locator(".typing .name")).toHaveText("שרה");
  const reader = new RoomPage(ada.page);
  await expect(reader.people).toContainText("שרה");
});
