// A form that is refused says why in plain words beside its field, which keeps the text. With and without JavaScript.

import type { Page } from "@playwright/test";

import { status } from "../support/console.ts";
import { freshTitle } from "../support/seed.ts";
import { expect, FrontPage, test, testWithOwnServer } from "../support/test.ts";

const inForm = (page: Page, form: string) => page.locator(`form.${form}`).getByRole("alert");

for (const [name, why] of [
  ["evil\u202egnp.exe", "A name cannot contain control characters; remove U+202E (character 5)."],
  ["a\tb", "A name cannot contain control characters; remove U+0009 (character 2)."],
  ["x".repeat(33), "This name has 33 characters; the limit is 32."],
] as const) {
  test(`a refused name stays in its field, with the reason: ${why}`, async ({ page }) => {
    for (const path of ["/", "/rooms/lobby"]) {
      await page.goto(path);
      const front = new FrontPage(page);
      await front.signIn(name);
      await expect(inForm(page, "sign-in")).toHaveText(why);
      await expect(front.name).toHaveValue(name);
    }
  });
}

test("a refused room name stays in its field, with the reason", async ({ page }) => {
  const front = new FrontPage(page);
  await front.open();
  await front.signIn("Ada");
  await front.createRoom("Tea\ttime");
  await expect(inForm(page, "create-room")).toHaveText("A room name cannot contain control characters; remove U+0009 (character 4).");
  await expect(front.roomName).toHaveValue("Tea\ttime");
  await front.createRoom(freshTitle("Tea time"));
  await expect(page).toHaveURL(/\/rooms\/tea-time-/);
});

testWithOwnServer.describe("with a rate of one", () => {
  testWithOwnServer.use({ serverEnv: { HUBBUB_SIGN_INS_PER_ADDRESS: "1", HUBBUB_NEW_ROOMS_PER_ADDRESS: "1" } });

  testWithOwnServer("a rate says whose it is and how long it lasts, and the text stays in its field", async ({ page, visitor, complaints }) => {
    complaints.allow(status(429));
    const front = new FrontPage(page);
    await front.open();
    await front.signIn("Ada");
    await expect(front.createButton).toBeVisible();

    const late = await visitor();
    for (const path of ["/", "/rooms/lobby"]) {
      await late.goto(path);
      await new FrontPage(late).signIn("Late Larry");
      await expect(inForm(late, "sign-in")).toHaveText(/^Too many people have signed in from your network; try again in \d+ (seconds|minutes)\.$/);
      await expect(new FrontPage(late).name).toHaveValue("Late Larry");
    }

    await front.createRoom("First");
    await expect(page).toHaveURL(/\/rooms\/first/);
    await front.open();
    await front.createRoom("Second room");
    await expect(inForm(page, "create-room")).toHaveText(/^Too many rooms have been created from your network; try again in \d+ (seconds|minutes)\.$/);
    await expect(front.roomName).toHaveValue("Second room");
  });
});
