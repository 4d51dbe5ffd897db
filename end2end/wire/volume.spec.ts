// What is in a command counts as well: an address may have only so many bytes stored, and read only so many of the logs.

import { randomUUID } from "node:crypto";

import { ChatClient } from "../support/client.ts";
import { freshTitle } from "../support/seed.ts";
import { Server } from "../support/server.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";

const LARGE = "\u{1f600}".repeat(8_000);

test("who reads without end waits, and is told for how long", async ({ program }) => {
  const ada = await program("Ada");
  const { room } = await ada.createRoom(freshTitle());
  for (let n = 0; n < 8; n += 1) await ada.send(room, LARGE);
  let refused;
  for (let n = 0; n < 400 && !refused; n += 1) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => ada.ask("history", { room, after: 0 })));
    refused = answers.find(({ error }) => error)?.error;
  }
  expect(refused?.code).toBe("rate_limited");
  expect(refused?.retry_after_ms).toBeGreaterThan(0);
  await expect(async () => expect((await ada.ask("history", { room, after: 0 })).error).toBeUndefined()).toPass();
});

test("who has read too much is refused before they take a turn to join", async () => {
  const server = await Server.start({ HUBBUB_JOINS_PER_SECOND: "1" });
  const ada = new ChatClient(server.url);
  try {
    await ada.signIn("Ada");
    const { room } = await ada.createRoom(freshTitle());
    for (let n = 0; n < 8; n += 1) await ada.send(room, LARGE);
    const history = () => ada.ask("history", { room, after: 0 });
    // A connection's commands are worked off in their order: between two that are refused so is the third.
    const between: (string | undefined)[] = [];
    for (let n = 0; n < 400 && between.length < 4; n += 1) {
      const before = Array.from({ length: 20 }, history);
      const join = ada.ask("join", { room });
      const answers = await Promise.all([...before, history()]);
      const refused = answers.slice(-2).every(({ error }) => error?.code === "rate_limited");
      const { error } = await join;
      if (refused) between.push(error?.code);
    }
    expect(between).toEqual(Array(4).fill("rate_limited"));
  } finally {
    ada.close();
    await server.dispose();
  }
});

test("who stores without end waits, and nothing overtakes what was refused", async ({ program }) => {
  const ada = await program("Ada");
  const { room } = await ada.createRoom(freshTitle());
  const send = (text: string) => ada.ask("send", { room, messages: [{ client_id: randomUUID(), text }] });
  let [refused, after] = [false, 0];
  for (let n = 0; n < 100 && !refused; n += 1) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(LARGE)));
    const first = answers.findIndex(({ error }) => error?.code === "rate_limited");
    refused = first >= 0;
    if (refused) after = answers.slice(first).filter(({ ok }) => ok).length;
  }
  expect(refused, "refused at some time").toBe(true);
  expect(after, "stored after the first that was refused").toBe(0);
  await expect(async () => expect((await send("later")).error).toBeUndefined()).toPass();
});
