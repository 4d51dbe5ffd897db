// A Hubbub server of one's own: the built binary on a free port of this machine, with a data folder that nobody
// else has. It can be stopped, killed and started again on the same port and folder.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { until } from "./until.ts";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const binary = resolve(root, process.env["HUBBUB_BIN"] ?? "target/release/hubbub");
const site = resolve(root, process.env["HUBBUB_SITE_DIR"] ?? "target/site");

const START_MS = 20_000;
const STOP_MS = 10_000;
/** Characters of the server's log that are kept for the report. */
const LOG_CHARS = 200_000;

export class Server {
  readonly url: string;
  #child: ChildProcess | undefined;
  #log = "";

  private constructor(
    private readonly port: number,
    readonly dataDir: string,
    private readonly env: Record<string, string>,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts one. `env` comes on top of the address and the data folder. */
  static async start(env: Record<string, string> = {}): Promise<Server> {
    if (!existsSync(binary)) throw new Error(`no server at ${binary}: run \`make build\`, or set HUBBUB_BIN`);
    const dataDir = await mkdtemp(join(tmpdir(), "hubbub-end2end-"));
    const server = new Server(await freePort(), dataDir, env);
    await server.up();
    return server;
  }

  /** Starts the process on the port and folder that this server has. */
  async up(): Promise<void> {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("HUBBUB_"));
    const child = spawn(binary, [], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...Object.fromEntries(inherited),
        HUBBUB_ADDR: `127.0.0.1:${this.port}`,
        HUBBUB_DATA_DIR: this.dataDir,
        HUBBUB_SITE_DIR: site,
        ...this.env,
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#log = (this.#log + text).slice(-LOG_CHARS);
      });
    }
    this.#child = child;
    await until("the server is ready", START_MS, async () => {
      if (child.exitCode !== null) throw new Error(`the server exited with ${child.exitCode}:\n${this.#log}`);
      const response = await fetch(`${this.url}/readyz`).catch(() => undefined);
      return response?.ok === true;
    });
  }

  /** Asks the process to end (SIGTERM) and insists (SIGKILL) after 10 s. Returns the milliseconds it took. */
  async down(): Promise<number> {
    const asked = performance.now();
    if (!(await this.#end("SIGTERM", STOP_MS))) await this.#end("SIGKILL", STOP_MS);
    return performance.now() - asked;
  }

  /** Ends the process at once, as a power cut would. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL", STOP_MS);
  }

  async restart(): Promise<void> {
    await this.down();
    await this.up();
  }

  /** Stops the process and removes the data folder. */
  async dispose(): Promise<void> {
    await this.down();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** What the server has written to standard output and standard error. */
  log(): string {
    return this.#log;
  }

  async #end(signal: NodeJS.Signals, patienceMs: number): Promise<boolean> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return true;
    return new Promise((done) => {
      const late = setTimeout(() => done(false), patienceMs);
      child.once("exit", () => {
        clearTimeout(late);
        done(true);
      });
      child.kill(signal);
    });
  }
}

async function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === "object" ? found(address.port) : failed(new Error("no port"))));
    });
  });
}
