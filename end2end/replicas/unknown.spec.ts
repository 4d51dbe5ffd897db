// During a rolling upgrade, newer replicas store and publish events that older ones do not know. Older ones skip them,
// on the bus and in the log: later events arrive, and nothing is missing.

import type { Cluster } from "../support/cluster.ts";
import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";

test.use({ replicas: 2, front: "nginx" });

/** Stores and publishes an event of an unknown kind, as a newer replica does. */
async function append(cluster: Cluster, room: string, body: object, published: boolean): Promise<void> {
  const at = Date.now();
  const stored = await cluster.sql(`
    with room as (update rooms set head = head + 1 where slug = '${room}' returning id, epoch, head),
    event as (insert into events select id, head, ${at}, 'newer', null, '${JSON.stringify(body)}' from room)
    select epoch, head from room`);
  const [epoch, seq] = stored.split("|");
  const event = { room, epoch, seq: Number(seq), at, by: "newer", ...body };
  const line = { event, by: { id: "newer", name: "Newer", badge: 3 } };
  if (published) await cluster.redis.ask("SPUBLISH", `hubbub:{${room}}`, `1 events newer\n${JSON.stringify(line)}`);
}

test("events and messages of a kind that a replica does not know are skipped", async ({ cluster, programOn, personOn }) => {
  const ada = await programOn(0, "Ada");
  const bob = await programOn(1, "Bob");
  const { room } = await ada.createRoom(freshTitle("Unknown"));
  const page = await personOn(1, "Cleo", room);
  for (const program of [ada, bob]) await program.join(room);
  await ada.send(room, "before");

  await append(cluster, room, { type: "pinned", of: 1 }, true);
  await append(cluster, room, { type: "styled", text: { bold: ["hi"] }, client_id: [1] }, true);
  for (const message of ["news", "1 news newer\nof tomorrow", "2 events newer\n{}", "1 presence -\nmoved 7 1 newer Newer", "1 typing - loudly newer Newer"]) {
    await cluster.redis.ask("SPUBLISH", `hubbub:{${room}}`, message);
  }
  await ada.send(room, "between");
  // Not published, as if the bus lost it: it is only in the log.
  await append(cluster, room, { type: "pinned", of: 1 }, false);
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
