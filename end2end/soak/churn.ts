// Processes that use a server during the soak: visitors who stay until the end, others that are killed again and again,
// and readers that stop reading.

import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

import { Readers } from "../support/readers.ts";
import { root } from "../support/server.ts";

/** People at a time: in the process that stays, in the one that is killed, and readers that stop. */
const STAYING = 40;
const KILLED = 10;
const STANDING = 10;
/** After this many seconds a process is killed, and another one starts. */
const KILL_EVERY = 15;

export interface Done {
  visits: number;
  cut: number;
  rooms: number;
  messages: number;
  pages: number;
  refused: number;
  failed: number;
}

export class Churn {
  killed = 0;
  #stopped = false;
  readonly #staying: ChildProcess;
  readonly #killing: Promise<void>;

  constructor(
    private readonly url: string,
    private readonly room: string,
  ) {
    this.#staying = this.#visitors(STAYING);
    this.#killing = this.#kill();
  }

  /** Waits until everybody left. Returns the counts of the process that was not killed. */
  async stop(): Promise<Done> {
    this.#stopped = true;
    const done = new Promise<Done>((told, failed) => {
      this.#staying.once("message", (message) => told(message as Done));
      this.#staying.once("exit", (code) => failed(new Error(`the visitors' process ended with ${code}`)));
    });
    this.#staying.send("stop");
    const [what] = await Promise.all([done, this.#killing]);
    return what;
  }

  /** Kills its processes. */
  dispose(): void {
    this.#stopped = true;
    this.#staying.kill("SIGKILL");
  }

  #visitors(people: number): ChildProcess {
    return fork(join(root, "end2end/soak/churn.mjs"), [JSON.stringify({ url: this.url, people, room: this.room })]);
  }

  async #kill(): Promise<void> {
    while (!this.#stopped) {
      const [visitors, readers] = [this.#visitors(KILLED), new Readers(this.url, this.room, STANDING)];
      for (let second = 0; second < KILL_EVERY && !this.#stopped; second += 1) {
        await new Promise((over) => setTimeout(over, 1_000));
        if (second === 3) readers.pause();
      }
      visitors.kill("SIGKILL");
      readers.dispose();
      this.killed += 1;
    }
  }
}
