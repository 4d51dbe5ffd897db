// What the front page refuses: a sentence says why, and what was typed stays.

import { freshTitle } from "../support/seed.ts";
import { FrontPage, expect, test } from "../support/test.ts";

test("a name that is too long is refused, and stays", async ({ page }) => {
  const front = new FrontPage(page);
  await front.open();
  const long = "x".repeat(33);
  // The server refuses the form until the page is live; then the page does.
  await expect(async () => {
    await front.name.fill(long);
    await front.joinButton.click();
    await expect(page.getByRole("alert").filter({ hasText: /32/ })).toBeVisible({ timeout: 1_000 });
    await expect(front.name).toHaveValue(long, { timeout: 1_000 });
  }).toPass();
  expect(new URL(page.url()).pathname).toBe("/");
});

test("an existing room's name is refused, and stays", async ({ page, program }) => {
  const title = freshTitle("Taken");
  const { room } = await (await program("Ada")).createRoom(title);
  const front = new FrontPage(page);
  await front.open();
  // Listens before the connection can receive anything.
  const welcome = new Promise<void>((welcomed) => {
    page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => {
        if (payload.toString().includes("welcome")) welcomed();
      });
    });
  });
  await front.signIn("Grace");
  await welcome;
  await front.createRoom(title);
  await expect(page.getByRole("alert").filter({ hasText: /already/i })).toBeVisible();
  await expect(front.roomName).toHaveValue(title);
  await page.getByRole("link", { name: "Open it" }).click();
  await expect(page).toHaveURL(new RegExp(`/rooms/${room}$`));
});
