// Signing out in one tab, as other tabs see it.

import { WHILE_AWAY } from "../support/console.ts";
import { kept } from "../support/kept.ts";
import { freshTitle, roomWithLines } from "../support/seed.ts";
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
  await expect(ada.people, "the page does not know who is here").toBeHidden();
  await expect(ada.count(1).first()).toBeHidden();
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

test("signing out with deletion deletes the text of all tabs, and nothing is stored again", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const room = await roomWithLines(await program("Host"), 3);
  const ada = await person("Ada", room);
  const context = ada.page.context();
  const older = new RoomPage(await context.newPage());
  await older.page.goto(`/rooms/${room}?before=3`);
  await older.message.fill("a secret on an older page");
  const asleep = new RoomPage(await context.newPage());
  await asleep.page.addInitScript(() => addEventListener("storage", (event) => event.stopImmediatePropagation()));
  await asleep.open(room);
  await asleep.live("Ada");
  await ada.message.fill("a secret draft");
  await expect.poll(async () => (await kept(ada.page, "drafts")).length).toBe(2);
  const live = new RoomPage(await context.newPage());
  await live.open(room);
  await live.live("Ada");
  await live.page.getByRole("link", { name: "All rooms" }).click();
  const tab = new FrontPage(live.page);
  await tab.page.getByRole("button", { name: "Sign out" }).click();
  await tab.page.getByRole("button", { name: "Delete them and sign out" }).click();
  await expect(tab.name).toBeVisible();

  for (const { page, name } of [ada, older]) {
    await expect(page.getByRole("alert").filter({ hasText: "Unsent text was deleted" })).toBeVisible();
    await expect(name).toBeVisible();
  }
  // A tab that has not noticed yet, as one that slept, stores nothing.
  await asleep.message.fill("typed too late");
  await asleep.send("sent too late");
  await expect(asleep.said("sent too late")).toHaveCount(1);
  await asleep.message.pressSequentially("typed too late");
  expect(await kept(asleep.page, "outbox")).toEqual([]);
  expect(await kept(asleep.page, "drafts")).toEqual([]);

  await asleep.page.close();
  await ada.page.close();
  await older.page.close();
  const eve = new RoomPage(tab.page);
  await eve.open(room);
  await eve.signIn("Eve");
  await eve.live("Eve");
  await eve.message.fill("Eve's own");
  await expect.poll(async () => (await kept(eve.page, "drafts")).length, "only Eve's").toBe(1);
  await expect(eve.page.getByText("left unsent text")).toHaveCount(0);
});
