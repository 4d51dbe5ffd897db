// A replica without members in a room receives nothing about it, by Redis' own figures.

import { randomUUID } from "node:crypto";

import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";

test.use({ replicas: 4 });

/** Connections that subscribe, with their number of channels, by Redis' own count. */
async function subscribers(list: string): Promise<{ channels: number; name: string }[]> {
  return list
    .split("\n")
    .filter((line) => / ssub=/.test(line))
    .map((line) => ({ name: / id=(\d+)|^id=(\d+)/.exec(line)?.slice(1).find(Boolean) ?? "", channels: Number(/ ssub=(\d+)/.exec(line)?.[1]) }));
}

test("a room with members on one of four replicas", async ({ cluster, programOn }) => {
  const member = await programOn(0, "Member");
  const others = [await programOn(1, "One"), await programOn(2, "Two"), await programOn(3, "Three")];
  const { room } = await member.createRoom(freshTitle("Quiet"));
  await member.join(room);
  const channel = `hubbub:{${room}}`;
  expect(await cluster.redis.ask("PUBSUB", "SHARDNUMSUB", channel)).toBe(`${channel}\n1`);
  const listed = await subscribers(await cluster.redis.ask("CLIENT", "LIST"));
  expect(listed.reduce((sum, { channels }) => sum + channels, 0), "each replica hears what concerns all, and one of them this room").toBe(5);

  // How much Redis sends for 1,000 messages of 1,000 characters that are stored through another replica.
  const sentBefore = await cluster.redis.figure("total_net_output_bytes");
  for (let n = 0; n < 100; n += 1) {
    const messages = Array.from({ length: 10 }, () => ({ client_id: randomUUID(), text: "x".repeat(1_000) }));
    await others[0]?.command("send", { room, messages });
  }
  await expect.poll(() => member.received(room).length).toBe(1_000);
  const sent = (await cluster.redis.figure("total_net_output_bytes")) - sentBefore;
  const texts = 1_000 * 1_000;
  console.log(`Redis sent ${sent} bytes for ${texts} bytes of text to 1 of 4 replicas: ${(sent / texts).toFixed(2)} times`);
  // The one replica has to receive each once; twice would mean that another one received it, too.
  expect(sent).toBeGreaterThan(texts);
  expect(sent).toBeLessThan(1.6 * texts);
  for (const other of others) expect(other.received(room)).toEqual([]);

  await others[2]?.join(room);
  expect(await cluster.redis.ask("PUBSUB", "SHARDNUMSUB", channel)).toBe(`${channel}\n2`);
  await member.leave(room);
  await expect.poll(() => cluster.redis.ask("PUBSUB", "SHARDNUMSUB", channel), { timeout: 20_000 }).toBe(`${channel}\n1`);
});
