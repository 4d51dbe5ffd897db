// The front page, with and without JavaScript.

import { freshTitle } from "../support/seed.ts";
import { FrontPage, expect, test } from "../support/test.ts";

test("lists the rooms, the lobby first", async ({ page, program }) => {
  const author = await program("Ada");
  const title = freshTitle("Listed");
  await author.createRoom(title);
  const front = new FrontPage(page);
  await front.open();
  await expect(front.room(title)).toBeVisible();
  const rooms = page.locator('a[href^="/rooms/"]');
  await expect(rooms.first()).toHaveAttribute("href", "/rooms/lobby");
});

test("the form for a new room comes before the list of rooms", async ({ page }) => {
  const front = new FrontPage(page);
  await front.open();
  await front.signIn("Grace");
  await expect(front.createButton).toBeInViewport();
  const [form, list] = [await front.createButton.boundingBox(), await page.getByRole("list").first().boundingBox()];
  expect(form && list && form.y < list.y).toBe(true);
});

test("a person signs in with a name and stays signed in", async ({ page }) => {
  const front = new FrontPage(page);
  await front.open();
  await front.signIn("Grace Hopper");
  await expect(front.createButton).toBeVisible();
  await expect(page.getByText("Grace Hopper").first()).toBeVisible();
  await page.reload();
  await expect(front.createButton).toBeVisible();
  await expect(front.name).toHaveCount(0);
});

test("a person creates a room and is in it", async ({ page }) => {
  const title = freshTitle("Night shift");
  const front = new FrontPage(page);
  await front.open();
  await front.signIn("Grace");
  await front.createRoom(title);
  await expect(page).toHaveURL(/\/rooms\/night-shift-/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(title);
  await expect(page.getByRole("textbox", { name: "Message" })).toBeVisible();
});

test("a blank name is refused with a sentence", async ({ page }) => {
  const front = new FrontPage(page);
  await front.open();
  await front.signIn("   ");
  await expect(page.getByRole("alert").filter({ hasText: /name/i })).toBeVisible();
  await expect(front.joinButton).toBeVisible();
});

test("the name of an existing room is refused with a sentence and a link to the room", async ({ page, program }) => {
  const title = freshTitle("Taken");
  await (await program("Ada")).createRoom(title);
  const front = new FrontPage(page);
  await front.open();
  await front.signIn("Grace");
  await front.createRoom(title);
  await expect(page.getByRole("alert").filter({ hasText: /already/i })).toBeVisible();
  await expect(front.createButton).toBeVisible();
});
