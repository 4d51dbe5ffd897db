// People who talk whatever happens. A talker repeats each message under its id until it is acknowledged, in order; a
// listener catches up after every interruption, as a client should.

import { randomUUID } from "node:crypto";

import { Received } from "./checker.ts";
import { ChatClient, type ChatOptions, Refused } from "./client.ts";
import { posted } from "./protocol.ts";
import type { Events, HistoryAnswer, Joined, Receipt, RoomEvent } from "./protocol.ts";
import type { Ear, Voice } from "./site.ts";
import { until } from "./until.ts";

/** How long to wait for the acknowledgement before sending again, in milliseconds. */
export const ANSWER_MS = 2_000;
/** How long a connection may be away, in milliseconds. */
const AWAY_MS = 180_000;

export class Talker implements Voice {
  readonly sent: string[] = [];
  /** When each message was first sent. */
  readonly sentAt = new Map<string, number>();
  readonly acknowledged = new Map<string, Receipt>();
  /** Refusals without a retry time: what a person would see as "not sent". */
  readonly refused: string[] = [];
  /** Milliseconds from the first try to the acknowledgement, for each message. */
  readonly waits: number[] = [];
  /** The time of the latest acknowledgement. */
  lastAt = 0;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(
    readonly client: ChatClient,
    readonly name: string,
    private readonly room: string,
    private readonly everyMs: number,
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  get promised(): Map<string, Receipt> {
    return this.acknowledged;
  }

  /** Sends no more, and waits until everything is acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  close(): void {
    this.client.close();
  }

  async #run(): Promise<void> {
    let next = performance.now();
    while (!this.#stopped) {
      const id = `${this.name}-${this.sent.length + 1}-${randomUUID().slice(0, 8)}`;
      this.sent.push(id);
      this.sentAt.set(id, performance.now());
      await this.#say(id);
      next = Math.max(next + this.everyMs, performance.now() - 10 * this.everyMs);
      const wait = next - performance.now();
      if (wait > 0) await new Promise((go) => setTimeout(go, wait));
    }
  }

  async #say(id: string): Promise<void> {
    const began = performance.now();
    const command = { room: this.room, messages: [{ client_id: id, text: `text of ${id}` }] };
    for (;;) {
      await until(`${this.name} is connected`, AWAY_MS, () => this.client.socket.connected);
      try {
        const reply = await this.client.socket.timeout(ANSWER_MS).emitWithAck("send", command);
        if (reply.error) throw new Refused("send", reply.error);
        this.acknowledged.set(id, reply.ok.receipts[0]);
        this.lastAt = performance.now();
        this.waits.push(this.lastAt - began);
        return;
      } catch (error) {
        // No answer, or a refusal with a retry time: send the same again.
        const hint = error instanceof Refused ? error.refusal.retry_after_ms : 50;
        if (hint === undefined) {
          this.refused.push(`${id}: ${String(error)}`);
          return;
        }
        await new Promise((go) => setTimeout(go, hint));
      }
    }
  }
}

export class Listener implements Ear {
  readonly received = new Received();
  /** When each message was received first. */
  readonly heardAt = new Map<string, number>();
  /** Epochs of the room after the first. */
  resets = 0;
  #chain = Promise.resolve();

  private constructor(
    readonly client: ChatClient,
    private readonly room: string,
  ) {}

  static async start(client: ChatClient, room: string): Promise<Listener> {
    const listener = new Listener(client, room);
    const { socket } = client;
    socket.on("events", ({ events }: Events) => {
      if (events[0]?.room === room) listener.#then(() => listener.#take(events));
    });
    for (const event of ["welcome", "reset"]) socket.on(event, () => listener.#then(() => listener.#join()));
    await listener.#join();
    return listener;
  }

  get last(): number {
    return this.received.events.at(-1)?.seq ?? 0;
  }

  get name(): string {
    return `the listener in ${this.room}`;
  }

  get shown(): Received["events"] {
    return [...this.received.earlier, ...this.received.events];
  }

  newest(count: number): string[] {
    return this.received.events.slice(-count).flatMap(({ client_id }) => client_id ?? []);
  }

  close(): void {
    this.client.close();
  }

  /** Runs work one after the other, even if it waits for an answer. */
  #then(work: () => Promise<void>): void {
    this.#chain = this.#chain.then(work).catch(() => undefined);
  }

  async #join(): Promise<void> {
    const last = this.received.events.at(-1);
    const from = last && { epoch: last.epoch, seq: last.seq };
    const joined = await this.#ask<Joined>("join", from ? { room: this.room, from } : { room: this.room });
    if (!joined.page) return this.#take(joined.events);
    if (!last) return this.#take(posted(joined.page, this.room));
    if (joined.head.epoch !== last.epoch) {
      this.resets += 1;
      this.received.begin();
    }
    // The answer has the latest messages only: fetch what comes before them.
    return this.#fill();
  }

  async #take(events: RoomEvent[]): Promise<void> {
    for (const event of events) if (!this.#hears(event)) return this.#fill();
  }

  #hears(event: RoomEvent): boolean {
    const taken = this.received.take(event);
    if (taken && event.client_id && !this.heardAt.has(event.client_id)) this.heardAt.set(event.client_id, performance.now());
    return taken;
  }

  async #fill(): Promise<void> {
    for (;;) {
      const stretch = await this.#ask<HistoryAnswer>("history", { room: this.room, after: this.last });
      for (const event of stretch.events) this.#hears(event);
      if (!stretch.more) return;
    }
  }

  /** Repeats a command without an answer, or after the refusal's retry time, for as long as the connection lasts. */
  async #ask<T>(command: string, payload: unknown): Promise<T> {
    for (;;) {
      try {
        return await this.client.command<T>(command, payload);
      } catch (error) {
        const hint = error instanceof Refused ? error.refusal.retry_after_ms : 0;
        if (hint === undefined || !this.client.socket.connected) throw error;
        await new Promise((go) => setTimeout(go, hint));
      }
    }
  }
}

export interface Crowd {
  talkers: Talker[];
  listeners: Listener[];
}

/** `perReplica` talkers and one listener at each of these addresses, in one room. */
export async function crowd(urls: string[], room: string, perReplica: number, everyMs: number, options: ChatOptions = {}): Promise<Crowd> {
  const talkers: Talker[] = [];
  const listeners: Listener[] = [];
  for (const [replica, url] of urls.entries()) {
    const open = async (name: string): Promise<ChatClient> => {
      const client = new ChatClient(url, { transports: ["websocket"], reconnectionDelay: 20, reconnectionDelayMax: 200, ...options });
      await client.signIn(name);
      return client;
    };
    listeners.push(await Listener.start(await open(`Listener ${replica}`), room));
    for (let n = 0; n < perReplica; n += 1) {
      const name = `t${replica}-${n}`;
      talkers.push(new Talker(await open(name), name, room, everyMs));
    }
  }
  return { talkers, listeners };
}

/** Stops the talkers and waits until every listener has heard everything that was acknowledged. */
export async function settle({ talkers, listeners }: Crowd): Promise<Map<string, Receipt>> {
  await Promise.all(talkers.map((talker) => talker.stop()));
  const all = new Map(talkers.flatMap((talker) => [...talker.acknowledged]));
  // The room may have a new epoch meanwhile: the one in the latest receipt counts.
  const latest = talkers.reduce((one, other) => (one.lastAt > other.lastAt ? one : other));
  const epoch = [...latest.acknowledged.values()].at(-1)?.epoch;
  const end = Math.max(0, ...[...all.values()].filter((receipt) => receipt.epoch === epoch).map(({ seq }) => seq));
  const done = ({ received }: Listener): boolean => {
    const last = received.events.at(-1);
    return last !== undefined && last.epoch === epoch && last.seq >= end;
  };
  await until("every listener has heard everything", 30_000, () => listeners.every(done));
  return all;
}

export function closeAll({ talkers, listeners }: Crowd): void {
  for (const { client } of [...talkers, ...listeners]) client.close();
}
