// A replica is paused while far more is sent elsewhere than anyone catches up with. It then tells its people to load
// the room again instead of sending everything at once, and they end up with every message.

import { randomUUID } from "node:crypto";
import type { Socket } from "socket.io-client";

import type { ChatClient } from "../support/client.ts";
import { DemoClient, TRANSPORTS } from "../support/demo.ts";
import { Listener } from "../support/load.ts";
import type { Receipt } from "../support/protocol.ts";
import { expect, test } from "../support/replicas.ts";
import { counted } from "../support/size.ts";
import { until } from "../support/until.ts";

const ROOM = "lobby";
/** Messages of 8,000 bytes: far more than the 32 MB that Redis keeps for a subscriber that does not read, plus what the
 * kernel's buffers hold. */
const MESSAGES = 10_500;
const TEXT = "x".repeat(8_000);
/** As many as fit into one command. */
const BATCH = 7;
const SENDERS = 6;
/** The largest allowed frame, in bytes. */
const LARGEST = 512 * 1024;

test.use({ replicas: 2, replicaEnv: { HUBBUB_LIMITS: "off" } });

/** Measures what a client is sent: the largest frame and the total, in bytes. */
class Scale {
  largest = 0;
  total = 0;
  interrupted = 0;

  constructor(
    readonly name: string,
    socket: Socket,
  ) {
    socket.io.engine.on("packet", ({ data }) => {
      const bytes = Buffer.byteLength(data ?? "");
      this.largest = Math.max(this.largest, bytes);
      this.total += bytes;
    });
    socket.on("disconnect", () => (this.interrupted += 1));
  }
}

/** Stores `MESSAGES` messages from several senders. Resolves to the latest receipt. */
async function fill(senders: ChatClient[]): Promise<Receipt> {
  let [left, latest] = [MESSAGES, { client_id: "", epoch: "", seq: 0 }];
  const say = async (sender: ChatClient): Promise<void> => {
    while (left > 0) {
      const count = Math.min(BATCH, left);
      left -= count;
      const messages = Array.from({ length: count }, () => ({ client_id: randomUUID(), text: TEXT }));
      const { receipts } = await sender.command<{ receipts: Receipt[] }>("send", { room: ROOM, messages });
      for (const receipt of receipts) if (receipt.seq > latest.seq) latest = receipt;
    }
  };
  await Promise.all(senders.map(say));
  return latest;
}

test(`a replica that missed ${counted(MESSAGES)} large messages sends no large frame, and every listener gets all of them`, async ({ cluster, programOn, close }) => {
  const scales: Scale[] = [];
  const listeners: Listener[] = [];
  for (const { name, transports } of TRANSPORTS) {
    const client = await programOn(1, name, { reconnection: false, ...(transports ? { transports } : {}) });
    if (!transports) await until("it is upgraded", 10_000, () => client.socket.io.engine.transport.name === "websocket");
    scales.push(new Scale(name, client.socket));
    listeners.push(await Listener.start(client, ROOM));
  }
  const guest = new DemoClient(cluster.replica(1).url, ["websocket"]);
  close.push(() => guest.close());
  await guest.addUser("Guest");
  scales.push(new Scale("a client of the example", guest.socket));
  const senders = await Promise.all(Array.from({ length: SENDERS }, (_, n) => programOn(0, `Sender ${n}`)));
  const [before] = await senders[0]!.send(ROOM, "before");
  await until("all listeners hear", 10_000, () => listeners.every(({ last }) => last === before?.seq));

  cluster.replica(1).pause();
  const began = performance.now();
  const latest = await fill(senders);
  const stored = performance.now();
  cluster.replica(1).resume();

  await until("all listeners have everything", 60_000, () => listeners.every(({ last }) => last === latest.seq));
  const told = (listener: Listener): number => listener.client.told.filter(({ event }) => event === "reset").length;
  const [said] = await senders[0]!.send(ROOM, "after");
  await until("all listeners hear again", 10_000, () => listeners.every(({ last }) => last === said?.seq));
  await guest.hears("new message", { message: "after" });
  const kilobytes = (bytes: number): number => Math.round(bytes / 1024);
  console.log(
    `${MESSAGES} messages stored in ${Math.round(stored - began)} ms, heard ${Math.round(performance.now() - stored)} ms later; largest frame: ` +
      scales.map(({ name, largest, total }) => `${name} ${kilobytes(largest)} KB of ${kilobytes(total)} KB`).join(", "),
  );
  for (const listener of listeners) {
    expect(listener.received.events.map(({ seq }) => seq), "every message, each once").toEqual(Array.from({ length: said!.seq }, (_, n) => n + 1));
    expect(told(listener), "the room is loaded again").toBeGreaterThan(0);
  }
  for (const { name, largest, interrupted } of scales) {
    expect(largest, name).toBeLessThanOrEqual(LARGEST);
    expect(interrupted, `${name} stayed connected`).toBe(0);
  }
});
