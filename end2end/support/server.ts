// A Hubbub server: the built binary on a free port of this machine, with its own data folder. It can be stopped,
// killed, paused, and restarted on the same port and folder.

import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { freePort } from "./port.ts";
import { Process, Service } from "./process.ts";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const binary = resolve(root, process.env["HUBBUB_BIN"] ?? "target/release/hubbub");
const site = resolve(root, process.env["HUBBUB_SITE_DIR"] ?? "target/site");

export class Server extends Service {
  readonly url: string;

  private constructor(
    readonly port: number,
    readonly dataDir: string,
    env: Record<string, string>,
    cores: string | undefined,
  ) {
    super(
      new Process(`the server on port ${port}`, {
        ...(cores === undefined ? { program: binary } : { program: "taskset", args: ["-c", cores, binary] }),
        cwd: root,
        env: {
          HUBBUB_ADDR: `127.0.0.1:${port}`,
          HUBBUB_DATA_DIR: dataDir,
          HUBBUB_SITE_DIR: site,
          // All people and rooms of a worker's tests share one address.
          HUBBUB_SIGN_INS_PER_ADDRESS: "1000000",
          HUBBUB_NEW_ROOMS_PER_ADDRESS: "1000000",
          ...env,
        },
      }),
    );
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts a server. `env` adds to the address and the data folder; `cores` such as "0" or "0,1" pins it. */
  static async start(env: Record<string, string> = {}, cores?: string): Promise<Server> {
    if (!existsSync(binary)) throw new Error(`no server at ${binary}: run \`make build\`, or set HUBBUB_BIN`);
    const dataDir = await mkdtemp(join(tmpdir(), "hubbub-end2end-"));
    const server = new Server(await freePort(), dataDir, env, cores);
    await server.up();
    return server;
  }

  /** Starts the process again on its port and folder, with additional variables for this run. */
  async up(env: Record<string, string> = {}): Promise<void> {
    await this.process.up(async () => (await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok === true, env);
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

  /** The server's process id. */
  get pid(): number {
    return this.process.pid;
  }

  /** CPU time that the process used, in seconds. */
  async cpuSeconds(): Promise<number> {
    return this.process.cpuSeconds();
  }

  /** A figure of `/metrics` such as `hubbub_sockets`, summed over its labels. */
  async figure(name: string): Promise<number> {
    return (await this.figures())(name);
  }

  /** A snapshot of all figures, by name. */
  async figures(): Promise<(name: string) => number> {
    const lines = (await (await fetch(`${this.url}/metrics`)).text()).split("\n");
    return (name) =>
      lines
        .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  }
}
