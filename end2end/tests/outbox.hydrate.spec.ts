// What a person typed survives whatever happens to the tab, the network or the server, and arrives once and in order.

import type { Page } from "@playwright/test";

import { WHILE_AWAY } from "../support/console.ts";
import { kept } from "../support/kept.ts";
import { freshTitle } from "../support/seed.ts";
import { RoomPage, expect, test, testWithOwnServer } from "../support/test.ts";

const TWENTY = Array.from({ length: 20 }, (_, n) => `typed ${n + 1}`);

/** How many tabs of this browser hold the lock that shows they are open. */
async function livingTabs(page: Page): Promise<number> {
  return page.evaluate(async () => (await navigator.locks.query()).held?.length ?? 0);
}

test("twenty messages typed offline survive a reload and arrive once, in order", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const grace = await person("Grace", room);
  const context = ada.page.context();
  await context.setOffline(true);
  for (const text of TWENTY) await ada.send(text);
  await expect(ada.said("typed 20")).toHaveCount(1);
  await expect.poll(async () => (await kept(ada.page, "outbox")).length).toBe(20);
  await ada.page.reload().catch(() => "the browser has no page to show");
  await context.setOffline(false);
  await ada.open(room);
  await ada.live("Ada");
  await expect.poll(() => grace.lines(/typed \d+/)).toEqual(TWENTY);
  await expect.poll(() => ada.lines(/typed \d+/)).toEqual(TWENTY);
  await expect.poll(() => kept(ada.page, "outbox"), "sent messages are not kept").toEqual([]);
  await expect(ada.page.getByLabel(/^(Sending|Waiting to be sent)$/).filter({ visible: true })).toHaveCount(0);
});

test("the next tab sends what a crashed tab left behind", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const context = ada.page.context();
  await context.setOffline(true);
  for (const text of TWENTY.slice(0, 3)) await ada.send(text);
  await expect.poll(async () => (await kept(ada.page, "outbox")).length).toBe(3);
  const crash = context.newCDPSession(ada.page).then((session) => session.send("Page.crash"));
  await Promise.race([crash.catch(() => undefined), ada.page.waitForEvent("crash")]);
  await ada.page.close();
  await context.setOffline(false);
  const next = new RoomPage(await context.newPage());
  await next.open(room);
  await next.live("Ada");
  await next.send("typed 4");
  const log = await program("Reader");
  await expect
    .poll(async () => (await log.log(room)).map(({ text }) => text))
    .toEqual(["typed 1", "typed 2", "typed 3", "typed 4"]);
});

test("two tabs do not send twice, and one sends what the other left behind", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const context = ada.page.context();
  const second = new RoomPage(await context.newPage());
  await second.open(room);
  await second.live("Ada");
  await context.setOffline(true);
  await ada.send("typed 1");
  await ada.send("typed 2");
  await second.send("typed 3");
  await expect.poll(async () => (await kept(second.page, "outbox")).length).toBe(3);
  const sends: string[] = [];
  second.page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => {
      if (String(payload).includes('"send"')) sends.push(String(payload));
    }),
  );
  await ada.page.close();
  await expect.poll(() => livingTabs(second.page)).toBe(1);
  await context.setOffline(false);
  const log = await program("Reader");
  await expect.poll(async () => (await log.log(room)).map(({ text }) => text)).toEqual(["typed 1", "typed 2", "typed 3"]);
  await expect.poll(() => second.lines(/typed \d+/)).toEqual(["typed 1", "typed 2", "typed 3"]);
  for (const text of ["typed 1", "typed 2", "typed 3"]) {
    expect(sends.filter((frame) => frame.includes(`"${text}"`)), `${text} was sent once`).toHaveLength(1);
  }
});

test("another open tab sends what a tab could not send", async ({ person, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  const context = ada.page.context();
  const stuck = new RoomPage(await context.newPage());
  let armed = false;
  await stuck.page.routeWebSocket(/socket\.io/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      if (!armed || !String(message).includes('"send"')) server.send(message);
    });
  });
  await stuck.open(room);
  await stuck.live("Ada");
  armed = true;
  await stuck.send("typed 1");
  await stuck.send("typed 2");
  await expect.poll(async () => (await kept(ada.page, "outbox")).length).toBe(2);
  // The other tab looks, and finds that these messages are not its own.
  await ada.page.reload();
  await ada.live("Ada");
  await ada.send("typed 3");
  const log = await program("Reader");
  await expect.poll(async () => (await log.log(room)).map(({ text }) => text)).toEqual(["typed 3"]);
  await stuck.page.close();
  await expect.poll(async () => (await log.log(room)).map(({ text }) => text)).toEqual(["typed 3", "typed 1", "typed 2"]);
  await expect.poll(() => ada.lines(/typed \d+/)).toEqual(["typed 3", "typed 1", "typed 2"]);
  await expect.poll(() => kept(ada.page, "outbox")).toEqual([]);
});

test("messages waiting in a room that is not on screen are sent automatically", async ({ person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  const context = ada.page.context();
  await context.setOffline(true);
  await ada.send("typed 1");
  await ada.send("typed 2");
  await expect.poll(async () => (await kept(ada.page, "outbox")).length).toBe(2);
  await ada.page.reload().catch(() => "the browser has no page to show");
  await context.setOffline(false);
  await ada.page.goto("/");
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["typed 1", "typed 2"]);
  await expect.poll(() => kept(ada.page, "outbox")).toEqual([]);
});

testWithOwnServer("a message is stored once by a server killed between storing and acknowledging", async ({ ownServer, visitor, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const page = await visitor();
  let armed = false;
  let killed: Promise<unknown> | undefined;
  await page.routeWebSocket(/socket\.io/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      // The acknowledgement or the event itself: both say that it is stored.
      if (armed && /^4[23]\/chat/.test(String(message))) {
        killed ??= ownServer.kill();
        return;
      }
      socket.send(message);
    });
  });
  const ada = new RoomPage(page);
  await ada.open(room);
  await ada.signIn("Ada");
  await ada.live("Ada");
  armed = true;
  await ada.send("typed 1");
  await expect.poll(() => killed !== undefined).toBe(true);
  await killed;
  await expect(page.getByLabel(/^(Sending|Waiting to be sent)$/).filter({ visible: true }), "the page does not know").toHaveCount(1);
  armed = false;
  await ownServer.up();
  await expect(page.getByLabel(/^(Sending|Waiting to be sent)$/).filter({ visible: true })).toHaveCount(0, { timeout: 20_000 });
  const log = await (await program("Reader")).log(room);
  expect(log.map(({ text }) => text)).toEqual(["typed 1"]);
  expect(await ada.lines(/typed \d+/)).toEqual(["typed 1"]);
});

test("a draft survives a reload with its cursor, and the list of rooms shows it", async ({ person, program }) => {
  const { room } = await (await program("Host")).createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.message.pressSequentially("half a thought");
  for (let i = 0; i < 7; i += 1) await ada.message.press("ArrowLeft");
  await ada.message.pressSequentially("!");
  await expect.poll(async () => JSON.stringify(await kept(ada.page, "drafts"))).toContain("half a !thought");
  await ada.page.reload();
  await expect(ada.message).toHaveValue("half a !thought");
  const selection = await ada.message.evaluate((box: HTMLTextAreaElement) => [box.selectionStart, box.selectionEnd]);
  expect(selection).toEqual([8, 8]);
  await ada.live("Ada");
  await ada.page.getByRole("link", { name: "All rooms" }).click();
  const card = ada.page.locator(`a[href="/rooms/${room}"]`);
  await expect(card.getByText("Draft", { exact: true })).toBeVisible();
  await card.click();
  await expect(ada.message).toHaveValue("half a !thought");
  await ada.message.press("Enter");
  await expect(ada.said("half a !thought")).toHaveCount(1);
  await expect.poll(() => kept(ada.page, "drafts")).toEqual([]);
  await ada.page.reload();
  await ada.live("Ada");
  await expect(ada.message).toHaveValue("");
});
