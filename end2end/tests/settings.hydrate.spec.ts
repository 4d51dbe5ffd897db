// The server's settings reach the page: it refuses what the server would not accept, and sends everything else.

import { WHILE_AWAY } from "../support/console.ts";
import { freshTitle } from "../support/seed.ts";
import { expect, testWithOwnServer } from "../support/test.ts";

const test = testWithOwnServer;

test.describe("with frames of 1,024 bytes", () => {
  test.use({ serverEnv: { HUBBUB_FRAME_BYTES: "1024" } });

  test("what was typed offline is sent in batches that fit", async ({ person, program, complaints }) => {
    complaints.allow(WHILE_AWAY);
    const host = await program("Host");
    const { room } = await host.createRoom(freshTitle());
    const ada = await person("Ada", room);
    const texts = Array.from({ length: 20 }, (_, n) => `typed ${n + 1} ${"x".repeat(100)}`);
    await ada.page.context().setOffline(true);
    for (const text of texts) await ada.send(text);
    await ada.page.context().setOffline(false);
    await expect.poll(async () => (await host.log(room)).map(({ text }) => text), { timeout: 30_000 }).toEqual(texts);
    await expect(ada.page.getByText("Not sent")).toHaveCount(0);
  });

  test("a message larger than a frame is refused in the box", async ({ person, program }) => {
    const host = await program("Host");
    const { room } = await host.createRoom(freshTitle());
    const ada = await person("Ada", room);
    const long = "ä".repeat(600);
    await ada.send(long);
    await expect(ada.page.getByRole("alert").filter({ hasText: /has 600 characters; the limit is \d+/ })).toBeVisible();
    await expect(ada.message).toHaveValue(long);
    expect(await host.log(room)).toEqual([]);
  });
});

test.describe("with messages of 100 characters", () => {
  test.use({ serverEnv: { HUBBUB_MESSAGE_CHARS: "100" } });

  test("a longer one is refused in the box, with the count", async ({ person, program }) => {
    const host = await program("Host");
    const { room } = await host.createRoom(freshTitle());
    const ada = await person("Ada", room);
    const long = "x".repeat(101);
    await ada.send(long);
    await expect(ada.page.getByRole("alert").filter({ hasText: "has 101 characters; the limit is 100" })).toBeVisible();
    await expect(ada.page.getByText("101 / 100")).toBeVisible();
    await expect(ada.message).toHaveValue(long);
    await ada.message.fill(long.slice(1));
    await ada.message.press("Enter");
    await expect.poll(async () => (await host.log(room)).map(({ text }) => text?.length)).toEqual([100]);
  });
});

test("a message that can never be sent can be edited or discarded, and the others are sent", async ({ ownServer, person, program, complaints }) => {
  complaints.allow(WHILE_AWAY);
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  const page = ada.page;
  await page.context().setOffline(true);
  await ada.send("short 1");
  await ada.send("x".repeat(200));
  await ada.send("y".repeat(200));
  await ada.send("short 2");
  await ownServer.down();
  // The page does not know: the waiting messages were written under other settings.
  await ownServer.up({ HUBBUB_MESSAGE_CHARS: "100" });
  await page.context().setOffline(false);
  await expect(page.getByText("Not sent")).toHaveCount(2, { timeout: 30_000 });
  const log = await program("Reader");
  await expect.poll(async () => (await log.log(room)).map(({ text }) => text)).toEqual(["short 1", "short 2"]);
  await expect(page.getByRole("button", { name: "Try again" })).toHaveCount(0);
  await ada.message.fill("meanwhile");
  await page.getByRole("button", { name: "Edit" }).first().click();
  await expect(ada.message).toHaveValue(`meanwhile\n\n${"x".repeat(200)}`);
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(page.getByText("Not sent")).toHaveCount(0);
});
