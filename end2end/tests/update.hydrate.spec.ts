// A page that is open while the server is updated: what was typed survives.

import { WHILE_AWAY } from "../support/console.ts";
import { kept } from "../support/kept.ts";
import { freshTitle } from "../support/seed.ts";
import { RoomPage, expect, test, testWithOwnServer } from "../support/test.ts";

testWithOwnServer("a page of another version asks to be reloaded, and loses nothing", async ({ ownServer, visitor, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const page = await visitor();
  let old = false;
  await page.routeWebSocket(/socket\.io/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => server.send(old ? String(message).replace(/"protocol":\d+/, '"protocol":1') : message));
  });
  const ada = new RoomPage(page);
  await ada.open(room);
  await ada.signIn("Ada");
  await ada.live("Ada");
  await ownServer.down();
  await ada.send("typed 1");
  await ada.send("typed 2");
  await ada.message.fill("half a thought");
  await expect.poll(async () => (await kept(page, "outbox")).length).toBe(2);
  await expect.poll(async () => JSON.stringify(await kept(page, "drafts"))).toContain("half a thought");
  old = true;
  await ownServer.up();
  await expect(page.getByText("Hubbub was updated.")).toBeVisible({ timeout: 20_000 });
  await expect(ada.message).toHaveValue("half a thought");
  expect(await host.log(room)).toEqual([]);
  old = false;
  await page.getByRole("button", { name: "Reload" }).click();
  await ada.live("Ada");
  await expect(ada.message).toHaveValue("half a thought");
  await expect.poll(() => ada.lines(/typed \d/)).toEqual(["typed 1", "typed 2"]);
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["typed 1", "typed 2"]);
});

test("what a page of protocol 1 stored is sent, and its draft comes back", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  const { page } = ada;
  const { id } = (await host.join(room)).roster.people.find(({ name }) => name === "Ada") ?? { id: "" };
  // A page of the same site that stores nothing.
  await page.goto("/robots.txt");
  await page.evaluate(
    async ({ id, room }) => {
      const common = { name: "Ada", room, tab: "before" };
      const message = (order: number, client_id: string, text: string, more = {}) => {
        const key = `${id}/${room}/${String(order).padStart(16, "0")}/${client_id}`;
        return ["outbox", { key, ...common, order: String(order), client_id, text, ...more }] as const;
      };
      const draft = { key: `${id}/${room}/before`, ...common, at: "1790000000000", start: "4", end: "4", text: "half a thought" };
      const values = [
        message(1_790_000_000_001, "first", "typed 1"),
        message(1_790_000_000_002, "second", "typed 2\n\"quoted\" \\ 🦉"),
        message(1_790_000_000_003, "third", "refused", { failed: "Too long.", hopeless: "" }),
        ["drafts", draft] as const,
      ];
      sessionStorage.setItem("hubbub-tab", "before");
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open("hubbub", 1);
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(new Error("no database"));
      });
      const change = database.transaction(["outbox", "drafts"], "readwrite");
      for (const [shelf, value] of values) change.objectStore(shelf).put(value, value.key);
      await new Promise((done) => change.addEventListener("complete", done));
      database.close();
    },
    { id, room },
  );
  await ada.open(room);
  await ada.live("Ada");
  await expect(ada.message).toHaveValue("half a thought");
  const sent = ["typed 1", 'typed 2\n"quoted" \\ 🦉'];
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(sent);
  expect((await host.log(room)).map(({ client_id }) => client_id)).toEqual(["first", "second"]);
  await expect(page.getByRole("alert").filter({ hasText: "Not sent. Too long." })).toBeVisible();
  await expect(ada.said("refused")).toHaveCount(1);
  await expect.poll(async () => (await kept(page, "outbox")).length, "only the refused message stays").toBe(1);
  await page.reload();
  await ada.live("Ada");
  await expect(ada.message).toHaveValue("half a thought");
  expect((await host.log(room)).length).toBe(2);
});
