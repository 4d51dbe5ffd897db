// Offline, a click loses nothing: the page stays, and navigation continues when the network is back.

import { WHILE_AWAY } from "../support/console.ts";
import { roomWithLines } from "../support/seed.ts";
import { FrontPage, expect, test, testWithOwnServer } from "../support/test.ts";

const CANNOT = "Can't reach the server";

test("offline, a link keeps the page, says so, and continues when the network is back", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const room = await roomWithLines(await program("Host"), 3);
  const ada = await person("Ada", room);
  const page = ada.page;
  await page.context().setOffline(true);
  await page.getByRole("link", { name: "All rooms" }).click();
  await expect(page.getByText(CANNOT)).toBeVisible();
  await expect(page.getByText("Connected", { exact: true })).toBeHidden();
  await expect(ada.messages, "the room is still there").toHaveCount(3);
  await ada.message.fill("and can be written in");
  await page.context().setOffline(false);
  await expect(page.getByText("Signed in as Ada")).toBeVisible({ timeout: 15_000 });
  await expect(page).toHaveURL("/");
  await expect(page.getByText(CANNOT)).toHaveCount(0);
  await page.goBack();
  await expect(ada.message).toHaveValue("and can be written in");
});

test("going back to the page on screen removes the notice", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const room = await roomWithLines(await program("Host"), 3);
  const ada = await person("Ada", room);
  await ada.page.context().setOffline(true);
  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await expect(ada.page.getByText(CANNOT)).toBeVisible();
  await ada.page.goBack();
  await expect(ada.page.getByText(CANNOT)).toBeHidden();
  await expect(ada.messages).toHaveCount(3);
});

test("offline, forms say so instead of leaving the page", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const ada = await person("Ada", await roomWithLines(await program("Host"), 1));
  const [page, front] = [ada.page, new FrontPage(ada.page)];
  await page.getByRole("link", { name: "All rooms" }).click();
  await expect(front.roomName).toBeVisible();
  await page.context().setOffline(true);
  await front.createRoom("Typed offline");
  await expect(page.getByRole("alert").filter({ hasText: "You're offline" })).toBeVisible();
  await expect(front.roomName).toHaveValue("Typed offline");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "You're offline" })).toHaveCount(2);
  await expect(page.getByText("Signed in as Ada")).toBeVisible();
  await page.context().setOffline(false);
  await expect(page.getByRole("alert"), "back online, the sentences are out of date").toHaveCount(0);
  await expect(front.roomName).toHaveValue("Typed offline");
});

test("offline, signing in says so until the network is back", async ({ visitor }) => {
  const page = await visitor();
  const front = new FrontPage(page);
  // Until the page is live, the server refuses a blank name.
  await expect(async () => {
    await front.open();
    await front.signIn("\u200b");
    await expect(page.getByRole("alert")).toBeVisible({ timeout: 2_000 });
    expect(page.url()).not.toContain("problem");
  }).toPass();
  await page.context().setOffline(true);
  await front.signIn("Ada");
  await expect(page.getByRole("alert")).toContainText("You're offline");
  await page.context().setOffline(false);
  await expect(page.getByRole("alert")).toHaveCount(0);
  await expect(front.name).toHaveValue("Ada");
});

testWithOwnServer("while the server is away, a link keeps the page and continues when the server is back", async ({ ownServer, person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const room = await roomWithLines(await program("Host"), 3);
  const ada = await person("Ada", room);
  await ownServer.down();
  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await expect(ada.page.getByText(CANNOT)).toBeVisible();
  await expect(ada.messages).toHaveCount(3);
  await ownServer.up();
  await expect(ada.page.getByText("Signed in as Ada")).toBeVisible({ timeout: 15_000 });
});
