// 200 people stop reading at once in a busy room: the cost for the server, and the effect on others.

import { randomUUID } from "node:crypto";

import { ChatClient } from "./client.ts";
import { resident, tcpBuffers } from "./memory.ts";
import { Readers } from "./readers.ts";
import { freshTitle } from "./seed.ts";
import type { Server } from "./server.ts";
import { until } from "./until.ts";

/** How many people stop. */
export const STOPPED = 200;
/** Characters in a message, and messages per second in the room. */
const CHARS = 600;
const RATE = 400;
/** Messages per command. */
const BATCH = 10;
const MB = 1_048_576;

export interface Slow {
  /** The peak growth of the server's memory and the machine's TCP buffers together, and each at that time, in MB. */
  grown: { both: number; process: number; kernel: number };
  /** Seconds from the stop until the server removed all of them, and until their TCP connections were closed. */
  out: { sockets: number; tcp: number };
  /** The longest wait of a sender in the same room for an acknowledgement, in milliseconds. */
  longestAck: number;
  /** How many messages the stopped people missed, and how many seconds it took them to catch up. */
  missed: number;
  caughtUp: number;
  /** Events shown out of order. */
  wrong: number;
}

/** Sends all the time, and records how long the answers take. */
class Speaker {
  sent = 0;
  head = 0;
  longest = 0;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(
    private readonly client: ChatClient,
    private readonly room: string,
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const began = performance.now();
    while (!this.#stopped) {
      const messages = Array.from({ length: BATCH }, () => ({ client_id: randomUUID(), text: "x".repeat(CHARS) }));
      const asked = performance.now();
      const { receipts } = await this.client.command<{ receipts: { seq: number }[] }>("send", { room: this.room, messages });
      this.longest = Math.max(this.longest, performance.now() - asked);
      this.head = receipts.at(-1)?.seq ?? this.head;
      this.sent += BATCH;
      const wait = began + (this.sent / RATE) * 1_000 - performance.now();
      if (wait > 0) await new Promise((go) => setTimeout(go, wait));
    }
  }
}

/** Pauses the readers until the server removes them, then resumes them. */
export async function stopReading(server: Server, windowMs: number): Promise<Slow> {
  const client = new ChatClient(server.url, { transports: ["websocket"] });
  let readers: Readers | undefined;
  try {
    await client.signIn("Speaker");
    const { room } = await client.createRoom(freshTitle("Slow"));
    await client.join(room);
    const all = (readers = new Readers(server.url, room, STOPPED));
    await until("all readers are in", 30_000, async () => (await all.report()).joined === STOPPED);
    const before = { process: await resident(server.pid), kernel: await tcpBuffers(), tcp: await server.figure("hubbub_tcp_connections") };
    const speaker = new Speaker(client, room);
    speaker.start();
    await until("the room is busy and all readers hear it", 20_000, async () => (await all.report()).lowest > 2 * RATE);

    const grown = { both: 0, process: 0, kernel: 0 };
    const sample = async (): Promise<void> => {
      const process = ((await resident(server.pid)) - before.process) / MB;
      const kernel = ((await tcpBuffers()) - before.kernel) / MB;
      if (process + kernel > grown.both) Object.assign(grown, { both: process + kernel, process, kernel });
    };
    all.pause();
    const [stopped, from] = [performance.now(), speaker.head];
    const since = async (what: string, figure: string, most: number): Promise<number> => {
      await until(what, windowMs + 60_000, async () => {
        await sample();
        return (await server.figure(figure)) <= most;
      });
      return (performance.now() - stopped) / 1_000;
    };
    const sockets = await since("the server has removed all who do not read", "hubbub_sockets", 1);
    const tcp = await since("their connections are closed", "hubbub_tcp_connections", before.tcp - STOPPED);
    const missed = speaker.head - from;
    // The request for the figures uses a connection, too, so only the speaker is measured.
    const longestAck = speaker.longest;

    all.resume();
    const back = performance.now();
    await until("all readers are back", 60_000, async () => (await all.report()).joined === STOPPED);
    await speaker.stop();
    await until("all readers have everything", 120_000, async () => (await all.report()).lowest >= speaker.head);
    const { wrong } = await all.report();
    return { grown, out: { sockets, tcp }, longestAck, missed, caughtUp: (performance.now() - back) / 1_000, wrong };
  } finally {
    readers?.dispose();
    client.close();
  }
}

/** The result as a sentence. */
export function sentence({ grown, out, longestAck, missed, caughtUp }: Slow): string {
  return (
    `${STOPPED} stopped clients cost ${grown.both.toFixed(0)} MB at most (process ${grown.process.toFixed(0)}, kernel ${grown.kernel.toFixed(0)}); ` +
    `out after ${out.sockets.toFixed(1)} s, their connections closed after ${out.tcp.toFixed(1)} s; longest acknowledgement beside them ${longestAck.toFixed(0)} ms; ` +
    `${missed} messages missed by each, had after ${caughtUp.toFixed(1)} s`
  );
}
