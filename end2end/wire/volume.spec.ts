// The size of commands counts, too: an address may store, and read from logs, only a limited number of bytes.

import { randomUUID } from "node:crypto";

import { ChatClient } from "../support/client.ts";
import { freshTitle } from "../support/seed.ts";
import { Server } from "../support/server.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";

const LARGE = "\u{1f600}".repeat(8_000);

test("a client that reads without end has to wait, and is told how long", async ({ program }) => {
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

test("a client that has read too much is refused before it takes a turn to join", async () => {
  const server = await Server.start({ HUBBUB_JOINS_PER_SECOND: "1" });
  const ada = new ChatClient(server.url);
  try {
    await ada.signIn("Ada");
    const { room } = await ada.createRoom(freshTitle());
    for (let n = 0; n < 8; n += 1) await ada.send(room, LARGE);
    const history = () => ada.ask("history", { room, after: 0 });
    // Commands of a connection are handled in order: one between two refused ones is refused, too.
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

test("a client that stores without end has to wait, and nothing overtakes what was refused", async ({ program }) => {
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
  expect(refused, "refused eventually").toBe(true);
  expect(after, "stored after the first refused one").toBe(0);
  await expect(async () => expect((await send("later")).error).toBeUndefined()).toPass();
});
