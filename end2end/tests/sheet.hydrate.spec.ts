// On a phone the list of people is a sheet.

import { roomWithLines } from "../support/seed.ts";
import { expect, test } from "../support/test.ts";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

test("the sheet of people closes when something else is touched", async ({ person, program }) => {
  const ada = await person("Ada", await roomWithLines(await program("Host"), 3), PHONE);
  const summary = ada.page.getByText("1 here");
  await summary.tap();
  await expect(ada.people).toBeVisible();
  await ada.people.tap();
  await expect(ada.people, "a touch of the sheet itself").toBeVisible();
  await ada.message.tap();
  await expect(ada.people).toBeHidden();
  await expect(ada.message).toBeFocused();
  await summary.tap();
  await expect(ada.people).toBeVisible();
  await ada.page.mouse.click(60, 400);
  await expect(ada.people).toBeHidden();
});

test("on a wide screen the list of people stays", async ({ person, program }) => {
  const ada = await person("Ada", await roomWithLines(await program("Host"), 3));
  await expect(ada.people).toBeVisible();
  await ada.message.click();
  await expect(ada.people).toBeVisible();
  await expect(ada.page.getByText("1 here")).toBeVisible();
  const summary = ada.page.locator("summary");
  await summary.evaluate((summary) => (summary as HTMLElement).focus());
  await expect(summary, "it does nothing, so it is no tab stop").not.toBeFocused();
  await expect(ada.page.getByRole("complementary")).toMatchAriaSnapshot(`
    - complementary:
      - group "Who is here":
        - list "People"
  `);
});

test("the title, focused after joining by touch, has no focus ring", async ({ person, program }) => {
  const ada = await person("Ada", await roomWithLines(await program("Host"), 3), PHONE);
  await expect(ada.title).toBeFocused();
  expect(await ada.title.evaluate((title) => getComputedStyle(title).outlineStyle)).toBe("none");
});
