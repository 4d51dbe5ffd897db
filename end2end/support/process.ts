// A program that a test runs: started, signalled and stopped by its process id. Its output is kept.

import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";

import { until } from "./until.ts";

const START_MS = 20_000;
const STOP_MS = 10_000;
/** How many characters of the log to keep for the report. */
const LOG_CHARS = 200_000;

export interface Command {
  program: string;
  args?: string[];
  cwd?: string;
  env?: Record<string, string>;
  /** The signal that asks it to end, unless it is SIGTERM. */
  stop?: NodeJS.Signals;
}

/** Running children. None of them outlives this process, whatever happens to a test. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class Process {
  #child: ChildProcess | undefined;
  #log = "";

  constructor(
    readonly name: string,
    private readonly command: Command,
  ) {}

  /** Starts it and waits for `ready`; fails with its log if it ends first. `more` has variables for this start only. */
  async up(ready: () => Promise<boolean>, more: Record<string, string> = {}): Promise<void> {
    const { program, args = [], cwd, env } = this.command;
    // Without the caller's HUBBUB_… variables. Debian keeps servers in /usr/sbin.
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("HUBBUB_"));
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...Object.fromEntries(inherited), PATH: `${process.env["PATH"]}:/usr/sbin`, ...env, ...more },
    });
    let failed: Error | undefined;
    child.once("error", (error) => (failed = error));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#log = (this.#log + text).slice(-LOG_CHARS);
      });
    }
    this.#child = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    await until(`${this.name} is ready`, START_MS, async () => {
      if (failed) throw new Error(`${this.name} cannot be started: ${failed.message}; see scripts/setup.sh`);
      if (!this.running) throw new Error(`${this.name} exited with ${child.exitCode ?? child.signalCode}:\n${this.#log}`);
      return ready();
    });
  }

  get running(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Its process id. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.name} does not run`);
    return pid;
  }

  /** The CPU time that it has used, in seconds. */
  async cpuSeconds(): Promise<number> {
    const stat = await readFile(`/proc/${this.#child?.pid}/stat`, "utf8");
    // After the name in parentheses: utime and stime are fields 14 and 15, in hundredths of a second.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child?.kill(signal);
  }

  /** Asks the process to end and insists (SIGKILL) after 10 s. Returns the milliseconds it took. */
  async down(): Promise<number> {
    const asked = performance.now();
    if (!(await this.#end(this.command.stop ?? "SIGTERM"))) await this.#end("SIGKILL");
    return performance.now() - asked;
  }

  /** Ends the process at once, as a power cut would. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Stops it without ending it, as on an overloaded machine. */
  pause(): void {
    this.signal("SIGSTOP");
  }

  resume(): void {
    this.signal("SIGCONT");
  }

  /** Its output and error output. */
  log(): string {
    return this.#log;
  }

  async #end(signal: NodeJS.Signals): Promise<boolean> {
    const child = this.#child;
    if (!child || !this.running) return true;
    return new Promise((done) => {
      const late = setTimeout(() => done(false), STOP_MS);
      child.once("exit", () => {
        clearTimeout(late);
        done(true);
      });
      child.kill(signal);
      // A stopped process receives no other signal.
      if (signal !== "SIGKILL") child.kill("SIGCONT");
    });
  }
}

/** A process with an address, such as a server or a Redis. Each defines its own `up`. */
export abstract class Service {
  protected constructor(protected readonly process: Process) {}

  /** Asks the process to end and insists (SIGKILL) after 10 s. Returns the milliseconds it took. */
  async down(): Promise<number> {
    return this.process.down();
  }

  /** Ends the process at once, as a power cut would. */
  async kill(): Promise<void> {
    await this.process.kill();
  }

  /** Stops the process (SIGSTOP) until `resume`. */
  pause(): void {
    this.process.pause();
  }

  resume(): void {
    this.process.resume();
  }

  /** Its output and error output. */
  log(): string {
    return this.process.log();
  }
}
