// Presence: the list, the count, the quiet lines about people who enter and leave, and who is typing.

import { freshTitle } from "../support/seed.ts";
import { RoomPage, expect, test } from "../support/test.ts";

test("people who enter and leave are listed, counted and announced", async ({ person, program, visitor }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  await expect(ada.count(1).first()).toBeVisible();

  const page = await visitor();
  const grace = new RoomPage(page);
  await grace.open(room);
  await grace.signIn("Grace");
  await grace.live("Grace");
  await expect(ada.people).toContainText("Grace");
  await expect(ada.page.getByRole("list", { name: "People" }), "visible on a wide screen").toBeVisible();
  await expect(ada.count(2).first()).toBeVisible();
  await expect(grace.count(2).first()).toBeVisible();
  await expect(ada.page.getByText(/Grace.*joined/).first()).toBeVisible();

  // A person who enters and leaves between two messages gets no line; one who leaves later does.
  await ada.send("and off you go");
  await expect(grace.said("and off you go")).toHaveCount(1);
  await page.close();
  await expect(ada.people).not.toContainText("Grace");
  await expect(ada.count(1).first()).toBeVisible();
  await expect(ada.page.getByText(/Grace.*left/).first()).toBeVisible();
});

test("two tabs of one person count once", async ({ person, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const grace = await person("Grace", room);
  await expect(ada.count(2).first()).toBeVisible();
  const second = new RoomPage(await grace.page.context().newPage());
  await second.open(room);
  await second.live("Grace");
  await expect(second.count(2).first()).toBeVisible();
  await expect(ada.count(2).first()).toBeVisible();
  await expect(ada.people.getByText("Grace")).toHaveCount(1);
  // The first tab closes, and Grace stays because of the second.
  await grace.page.close();
  await ada.send("still with us?");
  await expect(second.said("still with us?")).toHaveCount(1);
  await expect(ada.count(2).first()).toBeVisible();
  await second.page.close();
  await expect(ada.count(1).first()).toBeVisible();
});

test("leaving a room by a link counts at once, and the connection survives", async ({ person, program }) => {
  const host = await program("Host");
  const [one, two] = [await host.createRoom(freshTitle("One")), await host.createRoom(freshTitle("Two"))];
  const ada = await person("Ada", one.room);
  const grace = await person("Grace", one.room);
  await expect(ada.count(2).first()).toBeVisible();
  await grace.page.locator('a[href="/"]').first().click();
  await expect(ada.count(1).first()).toBeVisible();
  await grace.page.getByRole("link", { name: two.title }).first().click();
  await expect(grace.title).toContainText(two.title);
  await grace.live("Grace");
  await host.send(two.room, "hello in two");
  await expect(grace.said("hello in two")).toHaveCount(1);
});

test("typing is shown until it stops", async ({ person, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const grace = await person("Grace", room);
  const typing = ada.page.getByText(/Grace is typing/i);
  await expect(typing).toHaveCount(0);
  await grace.message.pressSequentially("I think");
  await expect(typing.first()).toBeVisible();
  await expect(grace.page.getByText(/Grace is typing/i), "not shown to the person who types").toHaveCount(0);
  await grace.message.press("Enter");
  await expect(typing.filter({ visible: true })).toHaveCount(0);
  await expect(ada.said("I think")).toHaveCount(1);
});

test("typing stops by itself", async ({ person, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const grace = await person("Grace", room);
  const typing = ada.page.getByText(/Grace is typing/i).filter({ visible: true });
  await grace.message.pressSequentially("hm");
  await expect(typing.first()).toBeVisible();
  await expect(typing).toHaveCount(0, { timeout: 15_000 });
});
