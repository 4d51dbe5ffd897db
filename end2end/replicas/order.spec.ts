// 50 clients send bursts through three replicas: every client sees the same order, with each sender's messages in
// sequence. 20,000 messages; 100,000 in `make soak`.

import { createHash, type Hash } from "node:crypto";

import { ChatClient } from "../support/client.ts";
import type { Events, HistoryAnswer, Joined, Receipt, RoomEvent } from "../support/protocol.ts";
import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";
import { SOAK, counted, sized } from "../support/size.ts";
import { until } from "../support/until.ts";

const CLIENTS = 50;
const MESSAGES = sized(20_000, 100_000);
const BURST = 100;
/** A client sends more only after all clients have heard all but this many messages. The 50 share one core, and one
 * that lags 2 MB behind is disconnected. */
const BEHIND = 500;

test.use({ replicaEnv: { HUBBUB_LIMITS: "off" } });

/** What one client saw, as a running hash: five million messages would not fit in memory. */
class Seen {
  readonly hash: Hash = createHash("sha1");
  epoch = "";
  last = 0;
  holes = 0;
  inversions = 0;
  resets = 0;
  readonly #own = new Map<string, number>();
  /** It is catching up by reading the log. */
  reading = false;
  #again = false;
  /** Live events that arrived while reading. Those from before `join` are in the log, so they are dropped. */
  #held: RoomEvent[] = [];

  constructor(
    private readonly client: ChatClient,
    private readonly room: string,
  ) {
    client.socket.on("events", ({ events }: Events) => {
      if (this.reading) this.#held.push(...events);
      else this.take(events);
    });
    client.socket.on("reset", () => void this.#read());
  }

  /** After the server missed too much to send it live: reads the log up to its head, and continues from there. If that
   * happens again meanwhile, what came in between is missing again. */
  async #read(): Promise<void> {
    this.resets += 1;
    this.#again = true;
    if (this.reading) return;
    this.reading = true;
    while (this.#again) {
      this.#again = false;
      for (let more = true; more; ) {
        const { events, ...rest } = await this.client.command<HistoryAnswer>("history", { room: this.room, after: this.last });
        this.take(events);
        more = rest.more;
      }
      this.#held = [];
      const from = { epoch: this.epoch, seq: this.last };
      const { events, head, page } = await this.client.command<Joined>("join", { room: this.room, from });
      if (page || head.seq > (events.at(-1)?.seq ?? this.last)) this.#again = true;
      else this.take(events);
    }
    this.reading = false;
    this.take(this.#held);
  }

  take(events: RoomEvent[]): void {
    for (const { epoch, seq, client_id = "" } of events) {
      if (seq <= this.last) continue;
      this.epoch = epoch;
      if (seq !== this.last + 1) this.holes += 1;
      this.last = seq;
      this.hash.update(`${seq}:${client_id};`);
      const dash = client_id.indexOf("-");
      const [sender, n] = [client_id.slice(0, dash), Number(client_id.slice(dash + 1))];
      if (n <= (this.#own.get(sender) ?? 0)) this.inversions += 1;
      this.#own.set(sender, n);
    }
  }
}

test(`${counted(MESSAGES)} messages of ${CLIENTS} clients through three replicas`, SOAK, async ({ cluster, close }) => {
  test.setTimeout(300_000);
  const clients: ChatClient[] = [];
  const seen: Seen[] = [];
  for (let n = 0; n < CLIENTS; n += 1) {
    const client = new ChatClient(cluster.replica(n).url, { transports: ["websocket"] });
    close.push(() => client.close());
    // Keeping five million events would measure the test's memory, not the server's.
    client.socket.offAny();
    await client.signIn(`Client ${n}`);
    clients.push(client);
  }
  const { room } = await (clients[0] as ChatClient).createRoom(freshTitle("Order"));
  for (const client of clients) {
    seen.push(new Seen(client, room));
    await client.join(room);
  }
  const began = performance.now();
  await Promise.all(
    clients.map(async (client, c) => {
      for (let sent = 0; sent < MESSAGES / CLIENTS; sent += BURST) {
        const messages = Array.from({ length: BURST }, (_, i) => ({ client_id: `c${c}-${sent + i + 1}`, text: `message ${sent + i + 1}` }));
        const { receipts } = await client.command<{ receipts: Receipt[] }>("send", { room, messages });
        const stored = receipts.at(-1)?.seq ?? 0;
        await until("all clients have heard most of what is stored", 120_000, () => seen.every(({ last }) => last >= stored - BEHIND));
      }
    }),
  );
  const stored = performance.now() - began;
  await until("everything has arrived, or no more arrives", 120_000, () => seen.every(({ last, holes, reading }) => !reading && (last >= MESSAGES || holes > 0)));
  const delivered = performance.now() - began;
  expect(seen.map(({ holes }) => holes)).toEqual(seen.map(() => 0));
  expect(seen.map(({ last }) => last)).toEqual(seen.map(() => MESSAGES));
  expect(seen.map(({ inversions }) => inversions), "no inversion per sender").toEqual(seen.map(() => 0));
  expect(new Set(seen.map(({ hash }) => hash.digest("hex"))).size, "one order for all").toBe(1);
  const resets = seen.reduce((sum, { resets }) => sum + resets, 0);
  expect(resets, "a replica that is behind reads what it missed").toBe(0);
  console.log(
    `${MESSAGES} messages stored in ${(stored / 1_000).toFixed(1)} s (${Math.round(MESSAGES / (stored / 1_000))}/s), ` +
      `${CLIENTS * MESSAGES} deliveries in ${(delivered / 1_000).toFixed(1)} s (${Math.round((CLIENTS * MESSAGES) / (delivered / 1_000))}/s), one order, 0 inversions`,
  );
});
