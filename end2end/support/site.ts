// A chat of several processes, Hubbub or the peer, and the people in it, as a fault sees them.

import { type Said, type Showed, type Verdict, judge } from "./checker.ts";
import type { Proxy } from "./proxy.ts";
import type { Redis } from "./redis.ts";
import { until } from "./until.ts";

export interface Replica {
  readonly port: number;
  readonly url: string;
  up(): Promise<void>;
  down(): Promise<number>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  log(): string;
}

export interface Site {
  readonly redis: Redis;
  readonly replicas: Replica[];
  readonly proxy: Proxy;
  dispose(): Promise<void>;
}

/** Sends one message after the other, each until it is acknowledged. */
export interface Voice {
  readonly name: string;
  readonly sent: string[];
  readonly sentAt: Map<string, number>;
  readonly refused: string[];
  /** Milliseconds from the first try to the acknowledgement, for each message. */
  readonly waits: number[];
  readonly lastAt: number;
  /** What was acknowledged, with its position if there is one. */
  readonly promised: Said["acknowledged"];
  start(): void;
  stop(): Promise<void>;
  close(): void;
}

/** Hears all messages, from the first on. */
export interface Ear {
  readonly name: string;
  readonly shown: Showed["shown"];
  /** When each message was heard first. */
  readonly heardAt: ReadonlyMap<string, number>;
  /** The latest messages that it heard. */
  newest(count: number): string[];
  close(): void;
}

/** How long recovery may take, in milliseconds. */
const RECOVER_MS = 90_000;
/** After this many silent milliseconds nothing more is expected. */
const SILENCE_MS = 3_000;

/** The people at one replica. */
export interface Group {
  readonly voices: Voice[];
  readonly ear: Ear;
}

export class People {
  readonly voices: Voice[];
  readonly ears: Ear[];

  constructor(
    readonly groups: Group[],
    /** Their room, if the chat has rooms. */
    readonly room?: string,
  ) {
    this.voices = groups.flatMap(({ voices }) => voices);
    this.ears = groups.map(({ ear }) => ear);
  }

  /** Joined with other people in the same room. */
  and(others: People): People {
    return new People([...this.groups, ...others.groups], this.room);
  }

  start(): void {
    for (const voice of this.voices) voice.start();
  }

  acknowledged(): number {
    return this.voices.reduce((sum, { waits }) => sum + waits.length, 0);
  }

  /** Waits until this many more messages are acknowledged. */
  async flow(more = 10 * this.voices.length): Promise<void> {
    const before = this.acknowledged();
    await until(`${more} more messages are acknowledged`, RECOVER_MS, () => this.acknowledged() >= before + more);
  }

  /**
   * Waits until every voice had an acknowledgement after `since`, and every ear heard a message sent after it.
   * Returns the milliseconds from `since` until then.
   */
  async recovered(since: number): Promise<number> {
    await until("all messages are acknowledged and heard again", RECOVER_MS, () => {
      const fresh = (id: string): boolean => this.voices.some(({ sentAt }) => (sentAt.get(id) ?? 0) > since);
      return this.voices.every(({ lastAt }) => lastAt > since) && this.ears.every((ear) => ear.newest(100).some(fresh));
    });
    return performance.now() - since;
  }

  /** Waits until everybody has heard everything that is acknowledged by now. Returns the milliseconds from `since`. */
  async caughtUp(since: number): Promise<number> {
    const all = this.voices.flatMap(({ promised }) => [...promised].map(([id]) => id));
    await until("everything acknowledged is heard", RECOVER_MS, () => this.ears.every(({ heardAt }) => all.every((id) => heardAt.has(id))));
    return performance.now() - since;
  }

  /** How long the voices waited for acknowledgements since they had received `counts` of them: the 99th percentile. */
  p99(counts: number[] = []): number {
    const waits = this.voices.flatMap((voice, n) => voice.waits.slice(counts[n] ?? 0)).sort((a, b) => a - b);
    return waits[Math.floor(0.99 * (waits.length - 1))] ?? Number.NaN;
  }

  /** How long the messages sent in this stretch of time took to the ear at the same replica: the longest. */
  nearby(from: number, to: number): number {
    const took = this.groups.flatMap(({ voices, ear: { heardAt } }) => {
      const sent = voices.flatMap(({ sentAt }) => [...sentAt]).filter(([, at]) => at > from && at < to);
      return sent.map(([id, at]) => (heardAt.get(id) ?? Infinity) - at);
    });
    return took.reduce((longest, one) => Math.max(longest, one), 0);
  }

  /** Stops talking, waits until everything acknowledged is heard or no more arrives, and has the checker judge,
   * including `others` in the room. */
  async settle(others: () => Promise<Showed[]> = async () => []): Promise<Verdict> {
    const stopped = Promise.all(this.voices.map((voice) => voice.stop()));
    let done = false;
    void stopped.then(() => (done = true));
    await until("everything that was sent is acknowledged", RECOVER_MS, () => done);
    const sent = new Set(this.voices.flatMap((voice) => voice.sent));
    const heard = (ear: Ear): string[] => [...ear.shown].flatMap(({ client_id }) => (client_id !== undefined && sent.has(client_id) ? [client_id] : []));
    let [count, since] = [-1, performance.now()];
    await until("everything is heard, or no more arrives", RECOVER_MS, () => {
      const all = this.ears.map(heard);
      const now = all.reduce((sum, { length }) => sum + length, 0);
      if (now !== count) [count, since] = [now, performance.now()];
      return all.every((ids) => new Set(ids).size === sent.size) || performance.now() - since > SILENCE_MS;
    });
    return judge(
      this.voices.map(({ name, sent: messages, promised }) => ({ name, sent: messages, acknowledged: promised })),
      // Without rooms and numbers, messages of other people may appear; they are not judged here.
      [...this.ears, ...(await others())].map(({ name, shown }, n) => ({
        name: `${name}, ${n}`,
        shown: [...shown].filter(({ client_id, epoch }) => epoch !== undefined || sent.has(client_id ?? "")),
      })),
    );
  }

  close(): void {
    for (const one of [...this.voices, ...this.ears]) one.close();
  }
}
