// A message that the form cannot send: the page says what is wrong with it, and the words are in the box again.

import type { Page } from "@playwright/test";

import { status } from "../support/console.ts";
import { freshTitle } from "../support/seed.ts";
import { expect, RoomPage, test } from "../support/test.ts";

/** Characters of a message, at most. */
const MOST = 8_000;

test.skip(({ javaScriptEnabled }) => javaScriptEnabled !== false, "scripts refuse it before it leaves");

test.beforeEach(({ complaints }) => complaints.allow(status(422)));

async function open(page: Page, program: (name: string) => Promise<{ createRoom(title: string): Promise<{ room: string }> }>): Promise<RoomPage> {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const reader = new RoomPage(page);
  await reader.open(room);
  await reader.signIn("Ada");
  return reader;
}

test("too long: by how much, and it can be shortened and sent", async ({ page, program }) => {
  const ada = await open(page, program);
  const text = `\n& </textarea> first line\n${"x".repeat(MOST)}`;
  await ada.message.fill(text);
  await ada.sendButton.click();
  await expect(page.getByRole("alert")).toHaveText(
    `A message has at most ${MOST} characters here; this one has ${text.length}. Shorten it, or send it in parts.`,
  );
  await expect(ada.message).toHaveValue(text);
  await ada.message.fill(text.slice(0, 100).trim());
  await ada.sendButton.click();
  await expect(ada.messages).toHaveCount(1);
  await expect(ada.message).toHaveValue("");
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("control characters: which and where, and they are gone", async ({ page, program }) => {
  const ada = await open(page, program);
  await ada.message.fill("ring the \u0007bell\u001b");
  await ada.sendButton.click();
  await expect(page.getByRole("alert")).toContainText("2 control characters");
  await expect(page.getByRole("alert")).toContainText("U+0007 at character 10");
  await expect(ada.message).toHaveValue("ring the bell");
  await ada.sendButton.click();
  await expect(ada.said("ring the bell")).toHaveCount(1);
});

test("nothing to see", async ({ page, program }) => {
  const ada = await open(page, program);
  await ada.message.fill("\u200b");
  await ada.sendButton.click();
  await expect(page.getByRole("alert")).toContainText("at least one visible character");
  await page.goto(page.url());
  await expect(ada.message, "the address leads to the room").toBeVisible();
});
