// Keyboard focus: it never falls to the top of the document, and the log is one tab stop.

import type { Page } from "@playwright/test";

import { freshTitle, roomWithLines } from "../support/seed.ts";
import { FrontPage, RoomPage, expect, test } from "../support/test.ts";

async function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName || "");
}

test("after navigation, focus is on the heading or the composer", async ({ person, program }) => {
  const host = await program("Host");
  const [one, other] = [await roomWithLines(host, 1), await roomWithLines(host, 120)];
  const ada = await person("Ada", one);
  await ada.page.getByRole("link", { name: "All rooms" }).press("Enter");
  await expect.poll(() => focused(ada.page)).toBe("H1");
  await ada.page.locator(`a[href="/rooms/${other}"]`).press("Enter");
  await ada.live("Ada");
  await expect(ada.message).toBeFocused();
  await ada.page.goBack();
  await expect.poll(() => focused(ada.page)).toBe("H1");
});

test("after signing in and out, focus is in the page", async ({ page }) => {
  const front = new FrontPage(page);
  await front.open();
  await front.name.fill("Ada");
  await front.name.press("Enter");
  await expect(front.createButton).toBeVisible();
  await expect.poll(() => focused(page)).toBe("H1");
  await page.getByRole("button", { name: "Sign out" }).press("Enter");
  await expect(front.joinButton).toBeVisible();
  await expect.poll(() => focused(page)).toBe("H1");
});

test("the pill moves focus to the composer", async ({ person, program }) => {
  const host = await program("Host");
  const room = await roomWithLines(host, 100);
  const ada = await person("Ada", room);
  await ada.page.getByRole("region", { name: "Message history" }).focus();
  await ada.page.keyboard.press("Home");
  await expect(ada.said("line 100")).not.toBeInViewport();
  await host.send(room, "news");
  await ada.pill.press("Enter");
  await expect(ada.said("news")).toBeInViewport();
  await expect(ada.message).toBeFocused();
});

test("discarding a message moves focus to the composer", async ({ visitor, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = new RoomPage(await visitor());
  await ada.page.routeWebSocket(/socket\.io/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((packet) => {
      const [, id] = /^42\/chat,(\d+)\["send"/.exec(String(packet)) ?? [];
      if (id === undefined) server.send(packet);
      else socket.send(`43/chat,${id}[{"error":{"code":"bad_request","message":"not today"}}]`);
    });
  });
  await ada.open(room);
  await ada.signIn("Ada");
  await ada.live("Ada");
  await ada.send("refused");
  await ada.page.getByRole("button", { name: "Discard" }).press("Enter");
  await expect(ada.said("refused")).toHaveCount(0);
  await expect(ada.message).toBeFocused();
});

test("the log is one stop for Tab, and arrow keys move from message to message", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  await host.send(room, ...Array.from({ length: 30 }, (_, n) => `https://example.org/${n} and https://example.net/${n}`));
  const ada = await person("Ada", room);
  const { page } = ada;
  const history = page.getByRole("region", { name: "Message history" });
  await history.focus();
  await page.keyboard.press("Tab");
  await expect(ada.message, "past all messages").toBeFocused();
  await page.keyboard.press("Shift+Tab");
  await expect(history).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(ada.messages.last()).toBeFocused();
  for (let n = 0; n < 20; n += 1) await page.keyboard.press("ArrowUp");
  await expect(ada.messages.nth(9)).toBeFocused();
  await expect(ada.messages.nth(9)).toBeInViewport();
  await page.keyboard.press("ArrowDown");
  await expect(ada.messages.nth(10)).toBeFocused();
  // The links of the focused message: its own address, and those in its text.
  for (const link of [/^\d\d:\d\d$/, "https://example.org/10", "https://example.net/10"]) {
    await page.keyboard.press("Tab");
    await expect(ada.messages.nth(10).getByRole("link", { name: link })).toBeFocused();
  }
  await page.keyboard.press("Tab");
  await expect(ada.message).toBeFocused();
  await host.send(room, "see https://example.com/new");
  await expect(ada.said("https://example.com/new")).toHaveCount(1);
  await history.focus();
  await page.keyboard.press("Tab");
  await expect(ada.message, "past the new message, too").toBeFocused();
});

test("Esc closes the people sheet of a small screen", async ({ person, program }) => {
  const room = await roomWithLines(await program("Host"), 1);
  const ada = await person("Ada", room, { viewport: { width: 390, height: 844 } });
  const sheet = ada.page.locator("summary");
  await sheet.press("Enter");
  await expect(ada.people).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await expect(ada.people).toBeHidden();
  await expect(sheet).toBeFocused();
});
