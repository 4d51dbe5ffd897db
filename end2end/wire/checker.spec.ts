// The checker that the fault tests rely on finds lost, doubled and swapped messages.

import { FINE, Received, judge, verdict } from "../support/checker.ts";
import type { Receipt } from "../support/protocol.ts";
import { expect, test } from "../support/test.ts";

const SENT = ["a", "b", "c"];
const acknowledged = new Map<string, Receipt>(SENT.map((client_id, n) => [client_id, { client_id, epoch: "e", seq: n + 1 }]));

function received(...events: [string, number][]): Received {
  const one = new Received();
  for (const [client_id, seq] of events) one.events.push({ epoch: "e", seq, client_id });
  return one;
}

test("the checker finds every fault, and none in a good story", async () => {
  const good = received(["a", 1], ["b", 2], ["c", 3]);
  const found = (bad: Received) => verdict([SENT], acknowledged, [good, bad]);
  expect(await found(good)).toEqual(FINE);
  expect((await found(received(["a", 1], ["c", 3]))).lost).toEqual(["b"]);
  expect((await found(received(["a", 1], ["b", 2], ["b", 3], ["c", 4]))).doubled).toEqual(["b"]);
  const swapped = await found(received(["b", 1], ["a", 2], ["c", 3]));
  expect(swapped.out_of_order).toEqual(expect.arrayContaining(["a", "b"]));
  expect(swapped.sentences).toContain("a is at lobby/e/1 and at lobby/e/2");
});

test("without numbers, each receiver's order counts", async () => {
  const said = { name: "Ada", sent: SENT, acknowledged: SENT.map((id): [string, undefined] => [id, undefined]) };
  const found = (...ids: string[]) => judge([said], [SENT, ids].map((shown, n) => ({ name: `${n}`, shown: shown.map((client_id) => ({ client_id })) })));
  expect(await found(...SENT)).toEqual(FINE);
  expect((await found("a", "c")).lost).toEqual(["b"]);
  expect((await found("a", "b", "c", "b")).doubled).toEqual(["b"]);
  expect((await found("b", "a", "c")).out_of_order).toEqual(["b"]);
});

test("an unreadable story fails", async () => {
  const said = { name: "Ada", sent: ["not an id"], acknowledged: [] };
  await expect(judge([said], [])).rejects.toThrow("line 1");
});

test("a receiver notices a hole and drops what it has", () => {
  const event = (seq: number, epoch = "e") => ({ room: "r", epoch, seq, at: 0, by: "p", type: "posted", client_id: `c${seq}`, text: "x" });
  const one = new Received();
  expect([one.take(event(4)), one.take(event(4)), one.take(event(5)), one.take(event(7)), one.take(event(6, "other"))]).toEqual([true, true, true, false, false]);
  expect(one.events.map(({ seq }) => seq)).toEqual([4, 5]);
});
