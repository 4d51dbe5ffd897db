// The checker that the fault tests rely on sees a lost, a doubled and a swapped message.

import { FINE, Received, verdict } from "../support/checker.ts";
import type { Receipt } from "../support/protocol.ts";
import { expect, test } from "../support/test.ts";

const SENT = ["a", "b", "c"];
const acknowledged = new Map<string, Receipt>(SENT.map((client_id, n) => [client_id, { client_id, epoch: "e", seq: n + 1 }]));

function received(...events: [string, number][]): Received {
  const one = new Received();
  for (const [client_id, seq] of events) one.events.push({ epoch: "e", seq, client_id });
  return one;
}

test("the checker sees what is wrong, and nothing where all is well", () => {
  const good = received(["a", 1], ["b", 2], ["c", 3]);
  const found = (bad: Received) => verdict([SENT], acknowledged, [good, bad]);
  expect(found(good)).toEqual(FINE);
  expect(found(received(["a", 1], ["c", 3])).lost).toEqual(["b"]);
  expect(found(received(["a", 1], ["b", 2], ["b", 3], ["c", 4])).doubled).toEqual(["b"]);
  expect(found(received(["b", 1], ["a", 2], ["c", 3])).swapped.sort()).toEqual(["a", "b"]);
});

test("a receiver notices a hole and drops what it has", () => {
  const event = (seq: number, epoch = "e") => ({ room: "r", epoch, seq, at: 0, author: { id: "p", name: "P" }, type: "posted", client_id: `c${seq}`, text: "x" });
  const one = new Received();
  expect([one.take(event(4)), one.take(event(4)), one.take(event(5)), one.take(event(7)), one.take(event(6, "other"))]).toEqual([true, true, true, false, false]);
  expect(one.events.map(({ seq }) => seq)).toEqual([4, 5]);
});
