// What must be true of a room whatever happened. Senders report what was acknowledged, receivers what they were told,
// and the checker of crates/testkit (src/bin/check.rs) judges.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

import type { Receipt, RoomEvent } from "./protocol.ts";
import { root } from "./server.ts";

type Entry = Pick<RoomEvent, "epoch" | "seq" | "client_id">;

/** What one receiver was told, in order of arrival, without duplicates. */
export class Received {
  /** Events of the room's present epoch. */
  events: Entry[] = [];
  /** Events of earlier epochs. */
  readonly earlier: Entry[] = [];

  /** Takes an event as a client should: drops one that it has. Returns false if something is missing before it. */
  take(event: RoomEvent): boolean {
    const last = this.events.at(-1);
    if (last && event.epoch === last.epoch && event.seq <= last.seq) return true;
    if (last && (event.epoch !== last.epoch || event.seq !== last.seq + 1)) return false;
    this.events.push({ epoch: event.epoch, seq: event.seq, ...(event.client_id ? { client_id: event.client_id } : {}) });
    return true;
  }

  /** The room has a new epoch. */
  begin(): void {
    this.earlier.push(...this.events);
    this.events = [];
  }
}

/** What a person sent, in that order, and what was acknowledged: with its position, if the chat has positions. */
export interface Said {
  name: string;
  sent: Iterable<string>;
  acknowledged: Iterable<[client_id: string, position: { epoch: string; seq: number } | undefined]>;
}

/** What a receiver showed, from the first to the last message. */
export interface Showed {
  name: string;
  shown: Iterable<{ client_id?: string | undefined; epoch?: string; seq?: number }>;
  /** Not there from the room's first message: may begin anywhere. */
  late?: boolean;
}

/** The messages that something is wrong with, and sentences about them. */
export interface Verdict {
  lost: string[];
  doubled: string[];
  out_of_order: string[];
  /** Only without numbers: before others for one receiver and after them for another. */
  disagreed: string[];
  sentences: string[];
}

export const FINE: Verdict = { lost: [], doubled: [], out_of_order: [], disagreed: [], sentences: [] };

const program = resolve(root, process.env["HUBBUB_CHECK"] ?? "target/debug/check");
/** A story is about one room, whichever. */
const room = "lobby";

/** Has the checker judge one room. */
export async function judge(senders: Said[], receivers: Showed[]): Promise<Verdict> {
  if (!existsSync(program)) throw new Error(`no checker at ${program}: run \`cargo build -p testkit\`, or set HUBBUB_CHECK`);
  const lines: string[] = [];
  for (const { name: by, sent, acknowledged } of senders) {
    for (const client_id of sent) lines.push(JSON.stringify({ sent: { by, client_id } }));
    for (const [client_id, position] of acknowledged) {
      lines.push(JSON.stringify({ acknowledged: { by, client_id, ...(position ? { room, epoch: position.epoch, seq: position.seq } : {}) } }));
    }
  }
  for (const { name, shown, late = false } of receivers) {
    lines.push(JSON.stringify({ receiver: { name, from_start: !late, to_end: true } }));
    for (const { client_id, epoch, seq } of shown) {
      lines.push(JSON.stringify({ shown: { to: name, client_id, ...(epoch === undefined ? {} : { room, epoch, seq }) } }));
    }
  }
  return new Promise((verdict, failed) => {
    const child = execFile(program, { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error) failed(new Error(`the checker could not read the story: ${stderr || error.message}`));
      else verdict(JSON.parse(stdout) as Verdict);
    });
    // The checker may end before it has read everything, and reports why.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(lines.join("\n"));
  });
}

/** Compares what receivers saw with what senders were promised. `sent` has each sender's messages in order. */
export async function verdict(sent: string[][], acknowledged: Map<string, Receipt>, receivers: Received[]): Promise<Verdict> {
  const senders = sent.map((messages, n) => ({
    name: `sender ${n}`,
    sent: messages,
    acknowledged: messages.flatMap((id): [string, Receipt][] => {
      const receipt = acknowledged.get(id);
      return receipt ? [[id, receipt]] : [];
    }),
  }));
  return judge(senders, receivers.map(({ earlier, events }, n) => ({ name: `receiver ${n}`, shown: [...earlier, ...events] })));
}
