// The namespace `/chat`: every command, over every transport, with the official client.

import { randomUUID } from "node:crypto";

import { TRANSPORTS } from "../support/demo.ts";
import type { HistoryAnswer, MessagePage, Receipt, RoomEvent } from "../support/protocol.ts";
import { freshTitle, roomWithLines } from "../support/seed.ts";
import { expect, test } from "../support/test.ts";

for (const { name, transports } of TRANSPORTS) {
  test(`every command over ${name}`, async ({ program }) => {
    const options = transports ? { transports } : {};
    const ada = await program(undefined, options);
    const welcome = await ada.hears<{ protocol: number; you: unknown }>("welcome");
    expect(welcome).toMatchObject({ protocol: 2 });
    expect(ada.told[0]?.event, "the first event of a connection").toBe("welcome");

    const you = await ada.signIn("  Ada  ");
    expect(you.name).toBe("Ada");
    const grace = await program("Grace", options);

    const title = freshTitle("Wire");
    const created = await ada.createRoom(title);
    expect(created).toMatchObject({ title, here: 0 });
    const { room } = created;

    const joined = await ada.join(room);
    expect(joined).toMatchObject({ room, title, page: { messages: [], more: false, head: 0 }, events: [], more: false, head: { seq: 0 }, roster: { here: 1, people: [you] } });
    const second = await grace.join(room, joined.head);
    expect(second).toMatchObject({ events: [], roster: { here: 2 } });
    expect(second.page).toBeUndefined();
    expect(await ada.hears("presence", (update: { room: string; entered: { name: string }[] }) => update.entered.some((one) => one.name === "Grace"))).toMatchObject({ room, here: 2, left: [] });
    expect((await ada.roster(room)).people.map((one) => one.name)).toEqual(["Ada", "Grace"]);
    expect((await ada.rooms()).find((one) => one.room === room)).toMatchObject({ title, here: 2 });

    await grace.typing(room, true);
    expect(await ada.hears("typing")).toMatchObject({ room, person: { name: "Grace" }, typing: true });
    await grace.typing(room, false);
    await ada.hears("typing", (update: { typing: boolean }) => !update.typing);

    const receipts = await grace.send(room, "one", "two\nlines", "three");
    expect(receipts.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(new Set(receipts.map(({ epoch }) => epoch))).toEqual(new Set([joined.head.epoch]));
    for (const client of [ada, grace]) await expect.poll(() => client.received(room).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(ada.received(room)[1]).toMatchObject({ room, epoch: joined.head.epoch, seq: 2, type: "posted", text: "two\nlines", by: grace.you?.id, client_id: receipts[1]?.client_id });
    expect(Math.abs((ada.received(room)[0]?.at ?? 0) - Date.now())).toBeLessThan(60_000);

    await ada.leave(room);
    expect(await grace.hears("presence", (update: { left: { name: string }[] }) => update.left.length > 0)).toMatchObject({ here: 1, left: [you] });
    await grace.send(room, "four");
    await expect.poll(() => grace.received(room)).toHaveLength(4);
    expect(ada.received(room), "a client that left hears nothing").toHaveLength(3);
    const back = await ada.join(room, { epoch: joined.head.epoch, seq: 3 });
    expect(back.page).toBeUndefined();
    expect(back.people).toEqual([grace.you]);
    expect(back.events.map(({ seq }) => seq)).toEqual([4]);
  });
}

test("history goes back and forward by stretches", async ({ program }) => {
  const ada = await program("Ada");
  const room = await roomWithLines(ada, 620);
  const seqs = (stretch: HistoryAnswer): number[] => stretch.events.map(({ seq }) => seq);
  const messages = (page: MessagePage): number[] => page.messages.map(({ seq }) => seq);
  const latest = await ada.command<MessagePage>("history", { room });
  expect([messages(latest)[0], messages(latest).at(-1), latest.more]).toEqual([571, 620, true]);
  expect(latest).toMatchObject({ covers: { first: 571, last: 620 }, head: 620, people: [ada.you] });
  const older = await ada.command<MessagePage>("history", { room, before: 571 });
  expect([messages(older)[0], messages(older).at(-1), older.more]).toEqual([521, 570, true]);
  expect(older).toMatchObject({ covers: { first: 521, last: 570 }, head: 620 });
  const first = await ada.command<MessagePage>("history", { room, before: 4 });
  expect([messages(first), first.more]).toEqual([[1, 2, 3], false]);
  const forward = await ada.command<HistoryAnswer>("history", { room, after: 0 });
  expect([seqs(forward)[0], seqs(forward).at(-1), forward.more]).toEqual([1, 500, true]);
  const rest = await ada.command<HistoryAnswer>("history", { room, after: 500 });
  expect([seqs(rest)[0], seqs(rest).at(-1), rest.more]).toEqual([501, 620, false]);
  const nothing = await ada.command<HistoryAnswer>("history", { room, after: 620 });
  expect([nothing.events, nothing.more]).toEqual([[], false]);
});

test("a client that missed too much, or knows another epoch, is told to load the room again", async ({ program }) => {
  const ada = await program("Ada");
  const room = await roomWithLines(ada, 620);
  const { covers } = await ada.command<MessagePage>("history", { room });
  const { epoch } = covers;
  for (const from of [{ epoch, seq: 1 }, { epoch: "another", seq: 600 }, { epoch, seq: 9_999 }]) {
    const joined = await ada.join(room, from);
    expect(joined.page?.messages.map(({ seq }) => seq), JSON.stringify(from)).toEqual(Array.from({ length: 50 }, (_, i) => 571 + i));
    expect([joined.page?.more, joined.events, joined.more]).toEqual([true, [], false]);
  }
  const joined = await ada.join(room, { epoch, seq: 615 });
  expect(joined).toMatchObject({ head: { epoch, seq: 620 } });
  expect(joined.page).toBeUndefined();
  expect(joined.events.map(({ seq }) => seq)).toEqual([616, 617, 618, 619, 620]);
});

test("the same client_id means the same message", async ({ program }) => {
  const ada = await program("Ada");
  const { room } = await ada.createRoom(freshTitle());
  const [a, b] = [randomUUID(), randomUUID()];
  const send = (...messages: { client_id: string; text: string }[]): Promise<{ receipts: Receipt[] }> => ada.command("send", { room, messages });
  const first = await send({ client_id: a, text: "once" });
  expect(await send({ client_id: a, text: "once" })).toEqual(first);
  const again = await send({ client_id: a, text: "said differently" }, { client_id: b, text: "new" }, { client_id: b, text: "new" });
  expect(again.receipts.map(({ seq }) => seq)).toEqual([1, 2, 2]);
  expect((await ada.log(room)).map(({ text }) => text)).toEqual(["once", "new"]);
  // The same client_id from another person is another message.
  const grace = await program("Grace");
  expect((await grace.command<{ receipts: Receipt[] }>("send", { room, messages: [{ client_id: a, text: "mine" }] })).receipts[0]?.seq).toBe(3);
  // The same person on another connection is the same person.
  const { token } = ada;
  const later = await program(undefined, { auth: { protocol: 2, token } });
  expect(await later.hears("welcome")).toMatchObject({ you: { name: "Ada" } });
  expect(await later.command("send", { room, messages: [{ client_id: a, text: "once" }] })).toEqual(first);
});

test("1,000 messages sent without waiting are stored in the order sent", async ({ program }) => {
  const ada = await program("Ada");
  const { room } = await ada.createRoom(freshTitle("Thousand"));
  const texts = Array.from({ length: 1_000 }, (_, i) => `message ${i + 1}`);
  const started = performance.now();
  const receipts = await Promise.all(texts.map((text) => ada.send(room, text)));
  console.log(`1,000 messages acknowledged after ${Math.round(performance.now() - started)} ms`);
  expect(receipts.flat().map(({ seq }) => seq)).toEqual(texts.map((_, i) => i + 1));
  expect((await ada.log(room)).map(({ text }) => text)).toEqual(texts);
});

test("every member gets every event once and in order, while several write", async ({ program }) => {
  const writers = await Promise.all([1, 2, 3, 4].map((i) => program(`Writer ${i}`)));
  const [first] = writers;
  if (!first) throw new Error("no writer");
  const { room } = await first.createRoom(freshTitle("Busy"));
  await Promise.all(writers.map((writer) => writer.join(room)));
  await Promise.all(writers.flatMap((writer) => Array.from({ length: 50 }, (_, i) => writer.send(room, `line ${i}`))));
  const expected = Array.from({ length: 200 }, (_, i) => i + 1);
  for (const writer of writers) await expect.poll(() => writer.received(room).map(({ seq }: RoomEvent) => seq)).toEqual(expected);
  const packs = writers.map((writer) => writer.told.filter(({ event }) => event === "events").length);
  console.log(`200 events arrived in ${packs.join(", ")} packs`);
});
