// Signing out in one tab, as other tabs see it.

import { freshTitle } from "../support/seed.ts";
import { FrontPage, RoomPage, expect, test } from "../support/test.ts";

test("the other tab leaves the room, says so, and sends nothing more", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const witness = await person("Witness", room);
  const ada = await person("Ada", room);
  await expect(witness.count(2).first()).toBeVisible();
  const tab = new FrontPage(await ada.page.context().newPage());
  await tab.open();
  await tab.page.getByRole("button", { name: "Sign out" }).click();
  await expect(tab.name).toBeVisible();
  await expect(witness.count(1).first()).toBeVisible();
  await ada.message.fill("from nobody");
  await ada.message.press("Enter");
  await expect(ada.page.getByRole("alert").filter({ hasText: /sign/i }).first()).toBeVisible();
  await host.send(room, "to all who are here");
  await expect(witness.said("to all who are here")).toHaveCount(1);
  expect((await host.log(room)).map(({ text }) => text)).toEqual(["to all who are here"]);

  // After signing in again, the room is as before.
  const again = new RoomPage(ada.page);
  await again.open(room);
  await again.signIn("Ada");
  await expect(again.said("to all who are here")).toHaveCount(1);
});
