// Unsent text stays with its author, whoever signs in on the same browser, and however the session ends.

import { rm } from "node:fs/promises";

import type { BrowserContext } from "@playwright/test";

import { WHILE_AWAY } from "../support/console.ts";
import { alterFirst, kept } from "../support/kept.ts";
import { freshTitle } from "../support/seed.ts";
import { FrontPage, RoomPage, expect, test, testWithOwnServer } from "../support/test.ts";

/** In another tab of the same browser: signs out, then in under another name. */
async function signInAs(context: BrowserContext, name: string): Promise<FrontPage> {
  const front = new FrontPage(await context.newPage());
  await front.open();
  await front.page.getByRole("button", { name: "Sign out" }).click();
  await front.signIn(name);
  await expect(front.page.getByText(`Signed in as ${name}`)).toBeVisible();
  return front;
}

test("after another person signed in, a returning tab sends nothing in their name", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  const context = ada.page.context();
  await signInAs(context, "Bo");
  await context.setOffline(true);
  await expect(ada.page.getByText(/Reconnecting|Offline|Not connected/)).toBeVisible({ timeout: 30_000 });
  await ada.send("Ada's own words");
  await context.setOffline(false);
  await expect(ada.page.getByRole("alert").filter({ hasText: /signed (in as Bo|out)/ })).toBeVisible({ timeout: 30_000 });
  await ada.send("more of them");
  await expect(ada.said("Ada's own words"), "they stay on screen").toHaveCount(1);
  expect(await host.log(room)).toEqual([]);

  await ada.page.getByRole("button", { name: "Reload" }).click();
  await ada.live("Bo");
  await expect(ada.message).toHaveValue("");
  await expect(ada.messages).toHaveCount(0);
  await ada.page.getByRole("button", { name: "Use as draft" }).click();
  await expect(ada.message).toHaveValue("Ada's own words\n\nmore of them");
  expect(await host.log(room), "never sent automatically").toEqual([]);
  await expect.poll(() => kept(ada.page, "outbox")).toEqual([]);
});

test("text left by an ended session is offered to the next person who signs in", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const host = await program("Host");
  const [{ room }, other] = [await host.createRoom(freshTitle()), await host.createRoom(freshTitle())];
  const ada = await person("Ada", room);
  const context = ada.page.context();
  await context.setOffline(true);
  await ada.send("unsent");
  await ada.message.fill("a draft");
  await expect.poll(async () => (await kept(ada.page, "outbox")).length).toBe(1);
  await expect.poll(async () => (await kept(ada.page, "drafts")).length).toBe(1);
  await context.clearCookies();
  await context.setOffline(false);
  await expect(ada.page.getByRole("alert").filter({ hasText: "unsent text stays on this device" })).toBeVisible({ timeout: 30_000 });
  await ada.page.getByRole("button", { name: "Reload" }).click();
  await ada.signIn("Ada");
  await ada.live("Ada");
  await expect(ada.page.getByText("Ada left unsent text on this device")).toBeVisible();
  await ada.page.getByRole("button", { name: "Use as draft" }).click();
  await expect(ada.message).toHaveValue("unsent\n\na draft");
  await expect(ada.page.getByText("Ada left unsent text on this device")).toHaveCount(0);
  expect(await host.log(room)).toEqual([]);
  await ada.message.press("Enter");
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["unsent\n\na draft"]);

  await ada.open(other.room);
  await ada.live("Ada");
  await expect(ada.page.getByText("left unsent text"), "nothing is offered twice").toHaveCount(0);
});

test("text that another person left can be discarded", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const context = ada.page.context();
  await ada.message.fill("a draft");
  await expect.poll(async () => (await kept(ada.page, "drafts")).length).toBe(1);
  await context.clearCookies();
  await ada.page.reload();
  await ada.signIn("Bo");
  await ada.live("Bo");
  await ada.page.getByText("Ada left unsent text on this device").getByRole("button", { name: "Discard" }).click();
  await expect(ada.page.getByText("left unsent text")).toHaveCount(0);
  await expect.poll(() => kept(ada.page, "drafts")).toEqual([]);
  await expect(ada.message).toHaveValue("");
});

test("signing out asks about unsent text and leaves none behind", async ({ person, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const page = ada.page;
  await ada.message.fill("a secret draft");
  await expect.poll(async () => (await kept(page, "drafts")).length).toBe(1);
  await page.getByRole("link", { name: "All rooms" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "unsent messages" })).toBeVisible();
  await expect(page.getByText("Signed in as Ada")).toBeVisible();
  await page.getByRole("button", { name: "Delete them and sign out" }).click();
  await expect(new FrontPage(page).name).toBeVisible();
  expect(await kept(page, "drafts")).toEqual([]);
  expect(await kept(page, "outbox")).toEqual([]);
});

test("a draft belongs to its tab until it is sent there", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.message.fill("a long text, typed in the first tab");
  await expect.poll(async () => (await kept(ada.page, "drafts")).length).toBe(1);
  const second = new RoomPage(await ada.page.context().newPage());
  await second.open(room);
  await second.live("Ada");
  await expect(second.message, "it belongs to the first tab").toHaveValue("");
  await second.send("hi");
  await expect(ada.said("hi")).toHaveCount(1);
  await ada.page.reload();
  await ada.live("Ada");
  await expect(ada.message).toHaveValue("a long text, typed in the first tab");

  // A closed tab leaves its draft to another one.
  await ada.page.close();
  await expect(async () => {
    await second.page.reload();
    await second.live("Ada");
    await expect(second.message).toHaveValue("a long text, typed in the first tab", { timeout: 1000 });
  }, "the browser may notice a moment later that the tab is gone").toPass();
});

test("a draft whose page is still closing appears once it has closed", async ({ person, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.message.fill("typed just before the reload");
  await expect.poll(async () => (await kept(ada.page, "drafts")).length).toBe(1);
  // A duplicated tab simulates the reloaded one: both know the name of the previous tab, which is still open.
  const opened = ada.page.waitForEvent("popup");
  await ada.page.evaluate(() => void window.open(location.href));
  const copy = new RoomPage(await opened);
  await copy.live("Ada");
  await expect(copy.message, "it belongs to the first tab").toHaveValue("");
  await ada.page.close();
  await expect(copy.message).toHaveValue("typed just before the reload");
  await expect.poll(async () => (await kept(copy.page, "drafts")).length, "it is this tab's now").toBe(1);
});

for (const [how, break_] of [
  ["a browser that forbids storage", () => Object.defineProperty(window, "indexedDB", { get: () => undefined })],
  [
    "a disk that is full",
    () => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
    },
  ],
  [
    "a database that does not open",
    () => {
      IDBFactory.prototype.open = () => new EventTarget() as IDBOpenDBRequest;
    },
  ],
] as const) {
  test(`${how}: the page says that it cannot save unsent text, and keeps working`, async ({ visitor, program }) => {
    const host = await program("Host");
    const { room } = await host.createRoom(freshTitle());
    const page = await visitor();
    await page.addInitScript(break_);
    const ada = new RoomPage(page);
    await ada.open(room);
    await ada.signIn("Ada");
    await ada.live("Ada");
    await ada.message.pressSequentially("half a thought");
    await expect(page.getByRole("alert").filter({ hasText: "can't save unsent messages" })).toBeVisible();
    const asked = page.waitForEvent("dialog");
    const closing = page.close({ runBeforeUnload: true });
    const dialog = await asked;
    expect(dialog.type()).toBe("beforeunload");
    await dialog.dismiss();
    await closing;
    await ada.message.press("Enter");
    await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["half a thought"]);
  });
}

test("while unsent text is saved, closing a page asks nothing", async ({ person, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.message.pressSequentially("half a thought");
  await expect.poll(async () => (await kept(ada.page, "drafts")).length).toBe(1);
  let asked = false;
  ada.page.on("dialog", (dialog) => {
    asked = true;
    void dialog.accept();
  });
  await ada.page.close({ runBeforeUnload: true });
  await expect.poll(() => ada.page.isClosed()).toBe(true);
  expect(asked).toBe(false);
});

test("a database removed while the page is open is created again", async ({ person, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.message.fill("before");
  await expect.poll(async () => (await kept(ada.page, "drafts")).length).toBe(1);
  await ada.page.evaluate(
    () =>
      new Promise<void>((done, failed) => {
        const removing = indexedDB.deleteDatabase("hubbub");
        removing.onsuccess = () => done();
        removing.onerror = removing.onblocked = () => failed(new Error("not removed"));
      }),
  );
  await ada.message.pressSequentially(" and after");
  await expect.poll(async () => JSON.stringify(await kept(ada.page, "drafts").catch(() => []))).toContain("before and after");
  await expect(ada.page.getByRole("alert").filter({ visible: true })).toHaveCount(0);
});

testWithOwnServer("a failed sign-out keeps unsent text", async ({ ownServer, person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const page = ada.page;
  await ada.message.fill("a secret draft");
  await expect.poll(async () => (await kept(page, "drafts")).length).toBe(1);
  await page.getByRole("link", { name: "All rooms" }).click();
  const cancel = page.getByRole("button", { name: "Cancel" });
  await expect(cancel).toBeHidden();
  await page.getByRole("button", { name: "Sign out" }).click();
  await cancel.click();
  await expect(cancel).toBeHidden();
  // Enter, pressed twice, is not an answer to a question that nobody can have read.
  await page.getByRole("button", { name: "Sign out" }).press("Enter");
  await expect(cancel).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(cancel).toBeHidden();
  expect(await kept(page, "drafts")).toHaveLength(1);
  await page.getByRole("button", { name: "Sign out" }).click();
  await ownServer.down();
  const goodbye = page.getByRole("button", { name: "Delete them and sign out" });
  await goodbye.click();
  await expect(page.getByRole("alert").filter({ hasText: "nothing was deleted" })).toBeVisible();
  expect(await kept(page, "drafts")).toHaveLength(1);

  await ownServer.up();
  await goodbye.click();
  await expect(new FrontPage(page).name).toBeVisible();
  expect(await kept(page, "drafts")).toEqual([]);
});

testWithOwnServer("text of a room that is gone is offered in the room on screen", async ({ ownServer, person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const context = ada.page.context();
  await ownServer.down();
  await ada.send("unsent");
  await ada.message.fill("a draft");
  await expect.poll(async () => (await kept(ada.page, "outbox")).length).toBe(1);
  await expect.poll(async () => (await kept(ada.page, "drafts")).length).toBe(1);
  await ada.page.close();
  await rm(ownServer.dataDir, { recursive: true });
  await ownServer.up();

  const again = new RoomPage(await context.newPage());
  await again.open("lobby");
  await again.signIn("Ada");
  await again.live("Ada");
  await again.message.fill("here");
  await again.page.getByRole("button", { name: "Use as draft" }).click();
  await expect(again.message).toHaveValue("here\n\nunsent\n\na draft");
  await expect(again.page.getByText("left unsent text")).toHaveCount(0);
  await expect.poll(() => kept(again.page, "outbox")).toEqual([]);
  await again.page.reload();
  await again.live("Ada");
  await expect(again.message).toHaveValue("here\n\nunsent\n\na draft");
});

test("in a room that is not on screen, a message that is refused for good does not hold up those behind it", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const host = await program("Host");
  const [{ room }, other] = [await host.createRoom(freshTitle()), await host.createRoom(freshTitle())];
  const ada = await person("Ada", room);
  const context = ada.page.context();
  await context.setOffline(true);
  await ada.send("a reply to nothing");
  await ada.send("behind");
  await expect.poll(async () => (await kept(ada.page, "outbox")).length).toBe(2);
  await alterFirst(ada.page, "outbox", { reply_to: "999" });
  await ada.page.close();
  await context.setOffline(false);

  const again = new RoomPage(await context.newPage());
  await again.open(other.room);
  await again.live("Ada");
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["behind"]);
  await again.open(room);
  await again.live("Ada");
  await expect(again.said("a reply to nothing"), "it waits for its author").toHaveCount(1);
});
