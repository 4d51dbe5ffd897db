// nginx or HAProxy with the configuration of deploy/, in front of replicas on this machine.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { freePort } from "./port.ts";
import { Process } from "./process.ts";
import { root } from "./server.ts";
import { until } from "./until.ts";

export type ProxyKind = "nginx" | "haproxy";
export const PROXIES: ProxyKind[] = ["nginx", "haproxy"];

/** The cookie that assigns a client to a replica. */
export const COOKIE = "hubbub_replica";

const run = promisify(execFile);

export class Proxy {
  readonly url: string;
  readonly #cookies: string[] = [];
  #probes = 0;

  private constructor(
    readonly kind: ProxyKind,
    port: number,
    private readonly replicas: number[],
    private readonly folder: string,
    private readonly running: Process,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts a proxy in front of the replicas on these ports. */
  static async start(kind: ProxyKind, replicas: number[]): Promise<Proxy> {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), `hubbub-${kind}-`));
    const config = join(folder, `${kind}.conf`);
    const addresses = replicas.map((replica) => `127.0.0.1:${replica}`);
    const { stdout } = await run(join(root, "deploy/render.sh"), [kind, `127.0.0.1:${port}`, folder, ...addresses]);
    await writeFile(config, stdout);
    const args = { nginx: ["-p", folder, "-c", config, "-g", "daemon off;"], haproxy: ["-db", "-f", config] };
    const proxy = new Proxy(kind, port, replicas, folder, new Process(kind, { program: kind, args: args[kind] }));
    await proxy.running.up(async () => (await fetch(`${proxy.url}/readyz`).catch(() => undefined))?.ok === true);
    return proxy;
  }

  async dispose(): Promise<void> {
    await this.running.down();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Reloads nginx and ends the old workers at once, so that every connection breaks. */
  async reload(): Promise<void> {
    const workers = async (): Promise<number[]> => {
      const pid = this.running.pid;
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
      return children.split(" ").filter(Boolean).map(Number);
    };
    const old = await workers();
    this.running.signal("SIGHUP");
    await until("nginx has new workers", 10_000, async () => (await workers()).some((pid) => !old.includes(pid)));
    for (const pid of old) process.kill(pid, "SIGTERM");
    await until("the old workers are gone", 10_000, async () => !(await workers()).some((pid) => old.includes(pid)));
  }

  /** A cookie value that belongs to this replica. */
  async cookie(replica: number): Promise<string> {
    // HAProxy's cookie is the server's name. nginx hashes any value: try some, and read its log.
    if (this.kind === "haproxy") return `r${replica + 1}`;
    while (this.#cookies[replica] === undefined) {
      this.#probes += 1;
      if (this.#probes > 200) throw new Error(`no cookie of 200 belongs to replica ${replica}`);
      const value = `probe${this.#probes}`;
      this.#cookies[await this.#answering(value)] ??= value;
    }
    return this.#cookies[replica];
  }

  async log(): Promise<string> {
    const files = this.kind === "nginx" ? ["error.log", "access.log"] : [];
    const texts = await Promise.all(files.map((file) => readFile(join(this.folder, file), "utf8").catch(() => "")));
    return [this.running.log(), ...texts].join("\n");
  }

  async #answering(cookie: string): Promise<number> {
    const path = `/healthz-${cookie}`;
    await fetch(`${this.url}${path}`, { headers: { cookie: `${COOKIE}=${cookie}` } });
    return until(`nginx logs ${path}`, 5_000, async () => {
      const line = (await this.log()).split("\n").find((one) => one.includes(` ${path} `));
      const upstream = /127\.0\.0\.1:(\d+)/.exec(line?.split(path)[1] ?? "")?.[1];
      return upstream === undefined ? undefined : this.replicas.indexOf(Number(upstream));
    });
  }
}
