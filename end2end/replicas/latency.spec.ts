// Measures what it costs a message to cross from one replica to another, at 1,000 messages per second. Senders are on
// A, one receiver on A and one on B, in the same run, so that everything else is equal.

import { randomUUID } from "node:crypto";

import type { Events } from "../support/protocol.ts";
import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";
import { SOAK, sized } from "../support/size.ts";
import { until } from "../support/until.ts";

const PER_SECOND = 1_000;
const SECONDS = sized(3, 10);
const WARM_UP = 1_000;

test.use({ replicas: 2, replicaEnv: { HUBBUB_LIMITS: "off" } });

function percentile(sorted: number[], share: number): number {
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

test("the added latency of crossing replicas", SOAK, async ({ programOn }) => {
  const sender = await programOn(0, "Sender", { transports: ["websocket"] });
  const receivers = [await programOn(0, "On A", { transports: ["websocket"] }), await programOn(1, "On B", { transports: ["websocket"] })];
  const { room } = await sender.createRoom(freshTitle("Latency"));
  const sentAt = new Map<string, number>();
  const took: number[][] = [[], []];
  for (const [n, receiver] of receivers.entries()) {
    await receiver.join(room);
    receiver.socket.on("events", ({ events }: Events) => {
      const now = performance.now();
      for (const { client_id } of events) took[n]?.push(now - (sentAt.get(client_id ?? "") ?? Number.NaN));
    });
  }
  const all = WARM_UP + PER_SECOND * SECONDS;
  const began = performance.now();
  // An open loop: messages are sent when due, whether or not earlier ones were answered.
  for (let sent = 0; sent < all; ) {
    const due = Math.min(all, Math.ceil(((performance.now() - began) / 1_000) * PER_SECOND));
    for (; sent < due; sent += 1) {
      const client_id = randomUUID();
      sentAt.set(client_id, performance.now());
      sender.socket.emit("send", { room, messages: [{ client_id, text: `message ${sent}` }] }, () => undefined);
    }
    await new Promise((go) => setTimeout(go, 1));
  }
  await until("everything was received", 30_000, () => took.every((times) => times.length === all));
  const [a = [], b = []] = took.map((times) => times.slice(WARM_UP).sort((x, y) => x - y));
  for (const share of [0.5, 0.99]) {
    const [same, other] = [percentile(a, share), percentile(b, share)];
    console.log(`p${share * 100}: same replica ${same.toFixed(2)} ms, other replica ${other.toFixed(2)} ms, added ${(other - same).toFixed(2)} ms`);
  }
  expect(percentile(b, 0.99), "a plausible figure").toBeLessThan(1_000);
});
