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
  author: Person;
  type: string;
  client_id?: string;
  text?: string;
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
  reset: boolean;
  events: RoomEvent[];
  more: boolean;
  roster: Roster;
}

export interface HistoryAnswer {
  epoch: string;
  events: RoomEvent[];
  more: boolean;
}

/** An event from the server: its name and its arguments. */
export interface Told {
  event: string;
  args: unknown[];
}

export const PROTOCOL_VERSION = 1;
