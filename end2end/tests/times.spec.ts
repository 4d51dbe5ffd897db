// Time zones.

import { freshTitle, roomWithLines } from "../support/seed.ts";
import { RoomPage, expect, test } from "../support/test.ts";

test("without scripts a page says that its times are in UTC", async ({ page, program, javaScriptEnabled }) => {
  const room = await roomWithLines(await program("Ada"), 1, freshTitle());
  const visitor = new RoomPage(page);
  await visitor.open(room);
  const time = visitor.messages.first().locator("time");
  await expect(time).toHaveAttribute("title", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  // Playwright sees no text in a `noscript` element.
  const note = page.locator("noscript.hint");
  expect(await note.evaluate((element) => element.textContent)).toBe("Times are in UTC.");
  if (javaScriptEnabled) return expect(note).toBeHidden();
  await expect(note).toBeVisible();
  const inset = (element: Element): number => element.getBoundingClientRect().left + parseFloat(getComputedStyle(element).paddingLeft);
  expect(await note.evaluate(inset), "in line with the messages").toBe(await visitor.messages.first().evaluate(inset));
});
