// A Redis with the settings of deploy/redis.conf, on its own port and folder.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { freePort } from "./port.ts";
import { Process, Service } from "./process.ts";
import { root } from "./server.ts";

const run = promisify(execFile);

export class Redis extends Service {
  readonly url: string;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    options: string[],
  ) {
    super(
      new Process(`Redis on port ${port}`, {
        program: "redis-server",
        args: [join(root, "deploy/redis.conf"), "--port", `${port}`, "--dir", folder, ...options],
      }),
    );
    this.url = `redis://127.0.0.1:${port}`;
  }

  /** Starts one with more options, such as `--replicaof 127.0.0.1 6379`. */
  static async start(...options: string[]): Promise<Redis> {
    const redis = new Redis(await freePort(), await mkdtemp(join(tmpdir(), "hubbub-redis-")), options);
    await redis.up();
    return redis;
  }

  /** Starts it on its port and folder. Returns the time of its first answer. */
  async up(): Promise<number> {
    await this.process.up(() => this.#answers());
    return performance.now();
  }

  async dispose(): Promise<void> {
    await this.down();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs a command. Returns what redis-cli prints. */
  async ask(...command: string[]): Promise<string> {
    return (await run("redis-cli", ["-p", `${this.port}`, ...command])).stdout.trimEnd();
  }

  /** A number in `INFO`, such as `total_net_output_bytes`. */
  async figure(name: string): Promise<number> {
    return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(await this.ask("INFO"))?.[1] ?? Number.NaN);
  }

  async #answers(): Promise<boolean> {
    return new Promise((answer) => {
      const socket = connect(this.port, "127.0.0.1", () => socket.write("PING\r\n"));
      socket.once("data", (data) => {
        answer(data.toString().startsWith("+PONG"));
        socket.destroy();
      });
      socket.once("error", () => answer(false));
    });
  }
}
