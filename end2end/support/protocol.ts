// The messages on `/chat`, as far as the tests use them. See docs/protocol.md.

export interface Person {
  id: string;
  name: string;
}

export interface RoomEvent {
  room: string;
  epoch: string;
  seq: number;
  at: number;
  by: string;
  type: string;
  client_id?: string;
  text?: string;
  reply_to?: number;
  of?: number;
  to?: number;
  emoji?: string;
  on?: boolean;
  title?: string;
}

/** A packet of events. */
export interface Events {
  events: RoomEvent[];
  people: Person[];
}

export interface Message {
  seq: number;
  rev: number;
  at: number;
  by: string;
  client_id: string;
  text: string;
  reply_to?: number;
  edited_at?: number;
  deleted?: boolean;
  reactions?: { emoji: string; by: string[] }[];
}

export interface MessagePage {
  covers: { epoch: string; first: number; last: number };
  head: number;
  messages: Message[];
  people: Person[];
  more: boolean;
}

/** The events that posted the messages of a page. */
export function posted(page: MessagePage, room: string): RoomEvent[] {
  const { epoch } = page.covers;
  return page.messages.map(({ seq, at, by, client_id, text }) => ({ room, epoch, seq, at, by, type: "posted", client_id, text }));
}

export interface Refusal {
  code: string;
  message: string;
  retry_after_ms?: number;
}

export type Reply<T> = { ok: T; error?: undefined } | { ok?: undefined; error: Refusal };

export interface Receipt {
  client_id: string;
  epoch: string;
  seq: number;
}

export interface RoomSummary {
  room: string;
  title: string;
  here: number;
  last_at: number | null;
}

export interface Position {
  epoch: string;
  seq: number;
}

export interface Roster {
  people: Person[];
  here: number;
}

export interface Joined {
  room: string;
  title: string;
  head: Position;
  page?: MessagePage;
  events: RoomEvent[];
  people: Person[];
  more: boolean;
  roster: Roster;
}

/** The answer to `history` with `after`. Without it, the answer is a page. */
export interface HistoryAnswer {
  epoch: string;
  events: RoomEvent[];
  people: Person[];
  more: boolean;
}

/** An event from the server: its name and its arguments. */
export interface Told {
  event: string;
  args: unknown[];
}

export const PROTOCOL_VERSION = 2;

/** The packet that connects to `/chat`. */
export const CONNECT = `40/chat,{"protocol":${PROTOCOL_VERSION}}`;
