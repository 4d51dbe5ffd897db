// A message that the form cannot send: the page says what is wrong, and the text is in the box again.

import type { Page } from "@playwright/test";

import { status } from "../support/console.ts";
import { freshTitle } from "../support/seed.ts";
import { expect, FrontPage, RoomPage, test } from "../support/test.ts";

/** The most characters of a message. */
const MOST = 8_000;

test.beforeEach(({ complaints }) => complaints.allow(status(422)));

async function open(page: Page, program: (name: string) => Promise<{ createRoom(title: string): Promise<{ room: string }> }>): Promise<RoomPage> {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const reader = new RoomPage(page);
  await reader.open(room);
  await reader.signIn("Ada");
  return reader;
}

test("too long: the page says by how much, and the text can be shortened and sent", async ({ page, program }) => {
  const ada = await open(page, program);
  const text = `\n& </textarea> first line\n${"x".repeat(MOST)}`;
  await ada.message.fill(text);
  await ada.sendButton.click();
  await expect(page.getByRole("alert")).toHaveText(
    `This message has ${text.length} characters; the limit is ${MOST}. Shorten it or send it in parts.`,
  );
  await expect(ada.message).toHaveValue(text);
  await ada.message.fill(text.slice(0, 100).trim());
  await ada.sendButton.click();
  await expect(ada.messages).toHaveCount(1);
  await expect(ada.message).toHaveValue("");
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("control characters: the page says which and where, and removes them", async ({ page, program }) => {
  const ada = await open(page, program);
  await ada.message.fill("ring the \u0007bell\u001b");
  await ada.sendButton.click();
  await expect(page.getByRole("alert")).toContainText("2 invisible control characters");
  await expect(page.getByRole("alert")).toContainText("U+0007 at character 10");
  await expect(ada.message).toHaveValue("ring the bell");
  await ada.sendButton.click();
  await expect(ada.said("ring the bell")).toHaveCount(1);
});

test("no visible character", async ({ page, program }) => {
  const ada = await open(page, program);
  await ada.message.fill("\u200b");
  await ada.sendButton.click();
  await expect(page.getByRole("alert")).toContainText("at least one visible character");
  await page.goto(page.url());
  await expect(ada.message, "the address leads to the room").toBeVisible();
});

test("the session has ended: the text survives signing in and can then be sent", async ({ page, program }) => {
  const ada = await open(page, program);
  const room = page.url();
  const text = "\nfirst line & <b>\n\u201csecond\u201d";
  await ada.message.fill(text);
  await page.context().clearCookies();
  await ada.sendButton.click();
  await expect(page.getByRole("alert")).toContainText("been signed out");
  await expect(page.getByLabel("Message")).toHaveValue(text);
  // A refused name loses nothing either.
  await page.getByLabel("Your name").fill("\u200b");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toHaveText("A name needs at least one visible character.");
  await expect(page.getByLabel("Your name")).toHaveValue("\u200b");
  await expect(page.getByLabel("Message")).toHaveValue(text);
  await page.getByLabel("Your name").fill("Grace");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("signed in as Grace");
  await expect(page.getByLabel("Message")).toHaveValue(text);
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page).toHaveURL(room);
  await expect(ada.messages).toHaveCount(1);
  await expect(ada.messages.first()).toContainText("Grace");
  await expect(ada.messages.first()).toContainText("first line & <b>");
});

test("another person has signed in meanwhile: nothing is sent in their name unasked, and nothing is lost", async ({ page, program }) => {
  const ada = await open(page, program);
  await ada.message.fill("whose is this?");
  const { origin } = new URL(page.url());
  await page.context().clearCookies();
  // In another tab.
  await page.request.post(`${origin}/session`, { form: { name: "Grace", next: "/" }, headers: { origin } });
  await ada.sendButton.click();
  await expect(page.getByRole("alert")).toContainText("now signed in as Grace");
  await expect(ada.message).toHaveValue("whose is this?");
  await expect(ada.messages).toHaveCount(0);
  await ada.sendButton.click();
  await expect(ada.said("whose is this?")).toHaveCount(1);
});

test("a refused title is in its field again, even after signing in again", async ({ page, program }) => {
  const front = new FrontPage(page);
  await front.open();
  await front.signIn("Ada");
  const long = `Grüße & "${"long ".repeat(20)}"`;
  await front.roomName.fill(long);
  await front.createButton.click();
  await expect(page.getByRole("alert")).toHaveText(`This room name has ${long.length} characters; the limit is 60.`);
  await expect(front.roomName).toHaveValue(long);
  await page.reload();
  await expect(front.roomName, "it is returned only once").toHaveValue("");

  const taken = freshTitle("Taken");
  await (await program("Grace")).createRoom(taken);
  await front.roomName.fill(taken);
  await page.context().clearCookies();
  await front.createButton.click();
  await expect(page.getByRole("alert")).toContainText("been signed out");
  await front.signIn("Ada");
  await expect(front.roomName).toHaveValue(taken);
  await expect(page.getByRole("alert")).toHaveCount(0);
  await front.createButton.click();
  await expect(page.getByRole("alert")).toHaveText("A room with that name already exists. Open it.");
  await expect(front.roomName).toHaveValue(taken);
});
