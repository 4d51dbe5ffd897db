// During a rolling upgrade, newer replicas store and publish events that older ones do not know. Older ones skip them,
// on the bus and in the log: later events arrive, and nothing is missing.

import type { Redis } from "../support/redis.ts";
import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";

test.use({ replicas: 2, front: "nginx" });

/** Stores and publishes an event of an unknown kind, as the appending script does. */
async function append(redis: Redis, room: string, body: object, published: boolean): Promise<void> {
  const [key, channel] = [`hubbub:{${room}}:room`, `hubbub:{${room}}`];
  const epoch = await redis.ask("HGET", key, "epoch");
  const seq = await redis.ask("HINCRBY", key, "head", "1");
  const [at, author, text] = [`${Date.now()}`, JSON.stringify({ id: "newer", name: "Newer", badge: 3 }), JSON.stringify(body)];
  await redis.ask("XADD", `hubbub:{${room}}:log`, `${seq}-0`, "at", at, "author", author, "body", text);
  if (published) await redis.ask("SPUBLISH", channel, `events ${epoch} ${at}\n${author}\n${seq} ${text}`);
}

test("events and messages of a kind that a replica does not know are skipped", async ({ cluster, programOn, personOn }) => {
  const ada = await programOn(0, "Ada");
  const bob = await programOn(1, "Bob");
  const { room } = await ada.createRoom(freshTitle("Unknown"));
  const page = await personOn(1, "Cleo", room);
  for (const program of [ada, bob]) await program.join(room);
  await ada.send(room, "before");

  await append(cluster.redis, room, { type: "reacted", to: 1, emoji: "👍" }, true);
  await append(cluster.redis, room, { type: "styled", text: { bold: ["hi"] }, client_id: [1] }, true);
  for (const message of ["news", "news of tomorrow\nand more", "presence\nmoved 7 1 newer Newer", "typing loudly newer Newer"]) {
    await cluster.redis.ask("SPUBLISH", `hubbub:{${room}}`, message);
  }
  await ada.send(room, "between");
  // Not published, as if the bus lost it: it is only in the log.
  await append(cluster.redis, room, { type: "pinned", of: 1 }, false);
  await bob.send(room, "after");

  const types = ["posted", "unknown", "unknown", "posted", "unknown", "posted"];
  for (const program of [ada, bob]) {
    await expect.poll(() => program.received(room).map(({ seq }) => seq), { timeout: 20_000 }).toEqual([1, 2, 3, 4, 5, 6]);
    expect(program.received(room).map(({ type }) => type)).toEqual(types);
    expect(program.told.filter(({ event }) => event === "reset")).toEqual([]);
    expect((await program.log(room)).map(({ type }) => type)).toEqual(types);
  }
  await expect.poll(() => page.lines(/before|between|after/)).toEqual(["before", "between", "after"]);
  await expect(page.messages).toHaveCount(3);
});
