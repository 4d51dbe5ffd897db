// A program on the namespace `/chat`: the official JavaScript client, with the protocol's commands as methods.

import { randomUUID } from "node:crypto";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";

import {
  type Events,
  type HistoryAnswer,
  type Joined,
  PROTOCOL_VERSION,
  type Person,
  type Receipt,
  type Refusal,
  type Reply,
  type RoomEvent,
  type RoomSummary,
  type Roster,
  type Told,
} from "./protocol.ts";
import { until } from "./until.ts";

export type ChatOptions = Partial<ManagerOptions & SocketOptions>;

/** How long to wait for an answer before the test fails, in milliseconds. */
export const ANSWER_MS = 20_000;

export class Refused extends Error {
  constructor(
    command: string,
    readonly refusal: Refusal,
  ) {
    super(`${command} was refused: ${refusal.code}: ${refusal.message}`);
  }
}

export class ChatClient {
  readonly socket: Socket;
  /** Every event from the server, in order of arrival. */
  readonly told: Told[] = [];
  token: string | undefined;
  /** The person, after `signIn`. */
  you: Person | undefined;

  constructor(url: string, options: ChatOptions = {}) {
    this.socket = io(`${url}/chat`, {
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
      // Evaluated for each connection: after `signIn`, a reconnection is the same person.
      auth: (give) => give({ protocol: PROTOCOL_VERSION, ...(this.token ? { token: this.token } : {}) }),
      ...options,
    });
    this.socket.onAny((event: string, ...args: unknown[]) => this.told.push({ event, args }));
  }

  /** Sends a command with any payload and returns the raw answer. */
  async ask<T>(command: string, ...payload: unknown[]): Promise<Reply<T>> {
    return (await this.socket.timeout(ANSWER_MS).emitWithAck(command, ...payload)) as Reply<T>;
  }

  /** Sends a command that must succeed. */
  async command<T>(command: string, payload: unknown = {}): Promise<T> {
    const reply = await this.ask<T>(command, payload);
    if (reply.error) throw new Refused(command, reply.error);
    return reply.ok;
  }

  async signIn(name: string): Promise<Person> {
    const { you, token } = await this.command<{ you: Person; token: string }>("sign_in", { name });
    this.token = token;
    this.you = you;
    return you;
  }

  async createRoom(title: string): Promise<RoomSummary> {
    return this.command("create_room", { title });
  }

  async rooms(): Promise<RoomSummary[]> {
    return (await this.command<{ rooms: RoomSummary[] }>("list_rooms")).rooms;
  }

  async join(room: string, from?: { epoch: string; seq: number }): Promise<Joined> {
    return this.command("join", from ? { room, from } : { room });
  }

  async leave(room: string): Promise<void> {
    await this.command("leave", { room });
  }

  async roster(room: string): Promise<Roster> {
    return this.command("roster", { room });
  }

  async typing(room: string, typing: boolean): Promise<void> {
    await this.command("typing", { room, typing });
  }

  async send(room: string, ...texts: string[]): Promise<Receipt[]> {
    const messages = texts.map((text) => ({ client_id: randomUUID(), text }));
    return (await this.command<{ receipts: Receipt[] }>("send", { room, messages })).receipts;
  }

  /** Sends a command that changes a message or the room, such as `edit`. */
  async write(command: string, room: string, what: object): Promise<Receipt> {
    return this.command(command, { room, client_id: randomUUID(), ...what });
  }

  async reply(room: string, reply_to: number, text: string): Promise<Receipt[]> {
    const messages = [{ client_id: randomUUID(), text, reply_to }];
    return (await this.command<{ receipts: Receipt[] }>("send", { room, messages })).receipts;
  }

  /** The whole log of a room, oldest first, read stretch by stretch. */
  async log(room: string): Promise<RoomEvent[]> {
    const events: RoomEvent[] = [];
    for (;;) {
      const stretch: HistoryAnswer = await this.command("history", { room, after: events.at(-1)?.seq ?? 0 });
      events.push(...stretch.events);
      if (!stretch.more) return events;
    }
  }

  /** The room's live events, in order of arrival. */
  received(room: string): RoomEvent[] {
    return this.told
      .filter(({ event }) => event === "events")
      .flatMap(({ args }) => (args[0] as Events).events)
      .filter((event) => event.room === room);
  }

  /** Waits until the server has sent a matching event. */
  async hears<T>(event: string, fits: (payload: T) => boolean = () => true): Promise<T> {
    return until(`the client received a matching "${event}"; it received ${JSON.stringify(this.told).slice(-2_000)}`, ANSWER_MS, () => {
      const found = this.told.find((told) => told.event === event && fits(told.args[0] as T));
      return found === undefined ? undefined : ({ payload: found.args[0] as T } as const);
    }).then(({ payload }) => payload);
  }

  close(): void {
    this.socket.disconnect();
  }
}
