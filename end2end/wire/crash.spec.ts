// The server is killed under load, three times: what was acknowledged is there afterwards, in order, once.

import { randomUUID } from "node:crypto";

import { ChatClient } from "../support/client.ts";
import type { Receipt, RoomEvent } from "../support/protocol.ts";
import { freshTitle } from "../support/seed.ts";
import type { Server } from "../support/server.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";
import { until } from "../support/until.ts";

const CLIENTS = 20;
const KILLS = 3;
/** Messages that a client has in flight. */
const WINDOW = 8;

test.use({ serverEnv: { HUBBUB_LIMITS: "off" } });

/** Keeps `WINDOW` messages in flight, and sends unacknowledged ones again, in order. */
class Writer {
  readonly receipts = new Map<string, Receipt>();
  readonly sent: string[] = [];
  /** Messages that got a different receipt when they were sent again. */
  readonly contradicted: string[] = [];
  #stopped = false;

  constructor(
    readonly client: ChatClient,
    readonly name: string,
    private readonly room: string,
  ) {}

  async run(): Promise<void> {
    while (!this.#stopped) {
      const batch = Array.from({ length: WINDOW }, () => {
        this.sent.push(`${this.name}_${this.sent.length + 1}`);
        return this.sent.at(-1) ?? "";
      });
      let open = batch;
      while (open.length > 0) {
        await until(`${this.name} is connected`, 30_000, () => this.client.socket.connected);
        // One command each, without waiting for one another.
        await Promise.allSettled(open.map((id) => this.#send(id)));
        // In order means from the first unacknowledged one; those after it are sent again, too.
        const first = open.findIndex((id) => !this.receipts.has(id));
        open = first < 0 ? [] : open.slice(first);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #send(id: string): Promise<void> {
    const command = { room: this.room, messages: [{ client_id: id, text: `text of ${id}` }] };
    const { receipts } = await this.client.command<{ receipts: Receipt[] }>("send", command);
    const [receipt] = receipts;
    if (!receipt) throw new Error("no receipt");
    const earlier = this.receipts.get(id);
    if (earlier && (earlier.seq !== receipt.seq || earlier.epoch !== receipt.epoch)) this.contradicted.push(id);
    this.receipts.set(id, receipt);
  }
}

/** Receipts that the log contradicts. */
function missing(log: RoomEvent[], receipts: [string, Receipt][]): string[] {
  const kept = ([id, { seq, epoch }]: [string, Receipt]): boolean => {
    const event = log[seq - 1];
    return event?.client_id === id && event.epoch === epoch && event.text === `text of ${id}`;
  };
  return receipts.filter((one) => !kept(one)).map(([id]) => id);
}

function check(log: RoomEvent[], writers: Writer[]): void {
  expect(log.map(({ seq }) => seq), "no holes").toEqual(log.map((_, i) => i + 1));
  expect(new Set(log.map(({ epoch }) => epoch)).size, "one epoch").toBe(1);
  const ids = log.map(({ client_id }) => client_id ?? "");
  expect(new Set(ids).size, "nothing twice").toBe(ids.length);
  for (const writer of writers) {
    expect(missing(log, [...writer.receipts]), "everything acknowledged is where its receipt says").toEqual([]);
    expect(writer.contradicted, "the same message, the same receipt").toEqual([]);
    const mine = ids.filter((id) => id.startsWith(`${writer.name}_`));
    expect(mine, "in the order sent, none left out").toEqual(writer.sent.slice(0, mine.length));
  }
}

test(`the server is killed ${KILLS} times under load of ${CLIENTS} clients`, async ({ ownServer }) => {
  test.setTimeout(240_000);
  const clients: ChatClient[] = [];
  const start = async (name: string): Promise<ChatClient> => {
    const client = new ChatClient(ownServer.url, { transports: ["websocket"], reconnectionDelayMax: 250 });
    clients.push(client);
    await client.signIn(name);
    return client;
  };
  try {
    const host = await start("Host");
    const { room } = await host.createRoom(freshTitle("Crash"));
    const writers: Writer[] = [];
    for (let i = 1; i <= CLIENTS; i += 1) writers.push(new Writer(await start(`Writer ${i}`), `w${i}-${randomUUID().slice(0, 4)}`, room));
    const running = writers.map((writer) => writer.run());
    for (let kill = 1; kill <= KILLS; kill += 1) await killUnderLoad(ownServer, host, room, writers, kill);
    for (const writer of writers) writer.stop();
    await Promise.all(running);
    const log = await host.log(room);
    check(log, writers);
    for (const writer of writers) expect(writer.receipts.size, "everything arrived in the end").toBe(writer.sent.length);
    expect(log).toHaveLength(writers.reduce((sum, { sent }) => sum + sent.length, 0));
    console.log(`${log.length} messages stored over ${KILLS} kills`);
  } finally {
    for (const client of clients) client.close();
  }
});

async function killUnderLoad(server: Server, host: ChatClient, room: string, writers: Writer[], kill: number): Promise<void> {
  const acknowledged = (): number => writers.reduce((sum, { receipts }) => sum + receipts.size, 0);
  const before = acknowledged();
  await until("the load flows", 60_000, () => acknowledged() > before + 1_000);
  await server.kill();
  // The clients' receipts at this point are promises.
  const promised = writers.flatMap((writer) => [...writer.receipts]);
  const open = writers.reduce((sum, { sent, receipts }) => sum + sent.length - receipts.size, 0);
  const restart = performance.now();
  await server.up();
  console.log(`kill ${kill}: ${promised.length} acknowledged, ${open} open; ready again after ${Math.round(performance.now() - restart)} ms`);
  await until("the host is connected", 30_000, () => host.socket.connected);
  const log = await host.log(room);
  expect(missing(log, promised), `everything acknowledged survived kill ${kill}`).toEqual([]);
}
