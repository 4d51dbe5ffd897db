// Runs the simulation (crates/simulation) on the last core, ten thousand stories at a time, as long as there is time.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";

import { root } from "../support/server.ts";

const SEEDS = 10_000;

export interface Simulated {
  seeds: number;
  failed: number;
  messages: number;
  /** The output about seeds that failed. */
  said: string[];
}

export class Simulation {
  readonly #binary = resolve(root, process.env["HUBBUB_SIMULATION"] ?? "target/release/simulation");
  readonly #sum: Simulated = { seeds: 0, failed: 0, messages: 0, said: [] };
  #stopped = false;
  #child: ChildProcess | undefined;
  #running: Promise<void> | undefined;

  start(): void {
    if (!existsSync(this.#binary)) throw new Error(`no simulation at ${this.#binary}: run \`make soak\`, or set HUBBUB_SIMULATION`);
    this.#running = this.#run();
  }

  /** Stops after the stories in progress; the first ten thousand always finish. Returns the totals. */
  async stop(): Promise<Simulated> {
    this.#stopped = true;
    if (this.#sum.seeds >= SEEDS) this.#child?.kill("SIGTERM");
    await this.#running;
    return this.#sum;
  }

  async #run(): Promise<void> {
    do await this.#batch(this.#sum.seeds);
    while (!this.#stopped);
  }

  async #batch(from: number): Promise<void> {
    const core = `${availableParallelism() - 1}`;
    const words = ["-c", core, "nice", "-n", "10", this.#binary, "--seeds", `${SEEDS}`, "--from", `${from}`];
    const child = (this.#child = spawn("taskset", words, { stdio: ["ignore", "pipe", "inherit"] }));
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (more: string) => (text += more));
    await new Promise((ended) => child.once("close", ended));
    const [, seeds, failed, messages] = /(\d+) seeds, (\d+) failed; (\d+) messages/.exec(text) ?? [];
    if (seeds === undefined) {
      if (!this.#stopped) throw new Error(`the simulation ended early: ${text}`);
      return;
    }
    this.#sum.seeds += Number(seeds);
    this.#sum.failed += Number(failed);
    this.#sum.messages += Number(messages);
    if (failed !== "0") this.#sum.said.push(text);
  }
}
