// What the front page refuses: a sentence says why, and what was typed stays.

import { freshTitle } from "../support/seed.ts";
import { FrontPage, expect, test } from "../support/test.ts";

test("a name that is too long is refused, and stays", async ({ page }) => {
  const front = new FrontPage(page);
  await front.open();
  const long = "x".repeat(33);
  // The field may also refuse to take more than 32 characters; then there is nothing to send.
  await front.name.fill(long);
  if ((await front.name.inputValue()) !== long) {
    expect(await front.name.inputValue()).toHaveLength(32);
    return;
  }
  await front.joinButton.click();
  await expect(page.getByRole("alert").filter({ hasText: /32/ })).toBeVisible();
  await expect(front.name).toHaveValue(long);
});

test("an existing room's name is refused, and stays", async ({ page, program }) => {
  const title = freshTitle("Taken");
  await (await program("Ada")).createRoom(title);
  const front = new FrontPage(page);
  await front.open();
  await front.signIn("Grace");
  await front.createRoom(title);
  await expect(page.getByRole("alert").filter({ hasText: /already/i })).toBeVisible();
  await expect(front.roomName).toHaveValue(title);
});
