// What must be true of a room whatever happened: senders say what was acknowledged, receivers what they were told.

import type { Receipt, RoomEvent } from "./protocol.ts";

/** What one receiver was told, in the order in which it came, without what it had already. */
export class Received {
  readonly events: Pick<RoomEvent, "epoch" | "seq" | "client_id">[] = [];

  /** Takes an event as a client should: one that it has is dropped. False: something is missing before it. */
  take(event: RoomEvent): boolean {
    const last = this.events.at(-1);
    if (last && event.epoch === last.epoch && event.seq <= last.seq) return true;
    if (last && (event.epoch !== last.epoch || event.seq !== last.seq + 1)) return false;
    this.events.push({ epoch: event.epoch, seq: event.seq, ...(event.client_id ? { client_id: event.client_id } : {}) });
    return true;
  }
}

export interface Verdict {
  lost: string[];
  doubled: string[];
  swapped: string[];
}

/** Holds what receivers saw against what senders were promised. `sent` is each sender's messages in their order. */
export function verdict(sent: string[][], acknowledged: Map<string, Receipt>, receivers: Received[]): Verdict {
  const [lost, doubled, swapped] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const { events } of receivers) {
    const places = new Map<string, number>();
    for (const { client_id, seq } of events) {
      if (client_id === undefined) continue;
      if (places.has(client_id)) doubled.add(client_id);
      places.set(client_id, seq);
    }
    for (const [id, receipt] of acknowledged) {
      const place = places.get(id);
      if (place === undefined) lost.add(id);
      else if (place !== receipt.seq) swapped.add(id);
    }
    for (const messages of sent) {
      let before = 0;
      for (const id of messages) {
        const place = places.get(id);
        if (place === undefined) continue;
        if (place < before) swapped.add(id);
        before = place;
      }
    }
    events.forEach(({ seq, client_id }, n) => {
      const previous = events[n - 1];
      if (previous && seq <= previous.seq) swapped.add(client_id ?? `${seq}`);
    });
  }
  return { lost: [...lost], doubled: [...doubled], swapped: [...swapped] };
}

export const FINE: Verdict = { lost: [], doubled: [], swapped: [] };
