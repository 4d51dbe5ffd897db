// A message sent by form before the page was live, and refused: the page in the answer is a room like any other.

import { status } from "../support/console.ts";
import { freshTitle } from "../support/seed.ts";
import { expect, test } from "../support/test.ts";

test("the page that returns a message becomes live", async ({ person, program, complaints }) => {
  complaints.allow(status(422));
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.message.fill(`first line\n${"x".repeat(8_000)}`);
  // What the browser does before scripts run.
  await ada.page.locator("form.composer").evaluate((form) => (form as HTMLFormElement).submit());
  await ada.page.waitForURL(/\/messages$/);
  await ada.live("Ada");
  await expect(ada.page.getByRole("alert").filter({ hasText: "has 8011 characters; the limit is 8000" })).toBeVisible();
  expect((await ada.message.inputValue()).length).toBe(8_011);
  await ada.send("short");
  await expect(ada.said("short")).toHaveCount(1);
  await expect(ada.page.getByText("the limit is")).toBeHidden();
  await host.send(room, "heard");
  await expect(ada.said("heard")).toHaveCount(1);
});
