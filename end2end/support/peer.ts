// What Hubbub is compared with: the public Socket.IO chat example with its Redis adapter (bench/peers/socketio), as
// several processes behind the same nginx. Also people who talk there, using the official client's `retries`.

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Socket, io } from "socket.io-client";

import type { ChatOptions } from "./client.ts";
import { ANSWER_MS } from "./load.ts";
import { freePort } from "./port.ts";
import { Process, Service } from "./process.ts";
import { Proxy } from "./proxy.ts";
import { Redis } from "./redis.ts";
import { root } from "./server.ts";
import type { Ear, Replica, Site, Voice } from "./site.ts";
import { until } from "./until.ts";

const folder = join(root, "bench/peers/socketio");

class PeerServer extends Service implements Replica {
  readonly url: string;

  constructor(
    readonly port: number,
    redis: string,
    env: Record<string, string>,
  ) {
    super(new Process(`the peer on port ${port}`, { program: process.execPath, args: ["server.mjs", `${port}`, redis], cwd: folder, env }));
    this.url = `http://127.0.0.1:${port}`;
  }

  async up(): Promise<void> {
    await this.process.up(async () => (await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok === true);
  }
}

export class PeerSite implements Site {
  private constructor(
    readonly redis: Redis,
    readonly replicas: PeerServer[],
    readonly proxy: Proxy,
  ) {}

  static async start(replicas = 3, envOf: (replica: number) => Record<string, string> = () => ({})): Promise<PeerSite> {
    if (!existsSync(join(folder, "node_modules"))) throw new Error(`nothing is installed in ${folder}: run scripts/setup.sh faults`);
    const redis = await Redis.start();
    const servers: PeerServer[] = [];
    try {
      for (let n = 0; n < replicas; n += 1) {
        const server = new PeerServer(await freePort(), redis.url, envOf(n));
        servers.push(server);
        await server.up();
      }
      return new PeerSite(redis, servers, await Proxy.start("nginx", servers.map(({ port }) => port)));
    } catch (error) {
      for (const server of servers) await server.kill();
      await redis.dispose();
      throw error;
    }
  }

  async dispose(): Promise<void> {
    await this.proxy.dispose();
    await Promise.all(this.replicas.map((replica) => replica.down()));
    await this.redis.dispose();
  }
}

async function open(url: string, name: string, options: ChatOptions): Promise<Socket> {
  // More retries than any fault lasts, so no message is given up.
  const socket = io(url, { forceNew: true, retries: 1_000, ackTimeout: ANSWER_MS, ...options });
  // Messages unanswered when the connection broke are sent first; the name follows.
  socket.on("connect", () => socket.emit("add user", name));
  await until(`${name} is connected`, 20_000, () => socket.connected);
  return socket;
}

export class PeerVoice implements Voice {
  readonly sent: string[] = [];
  readonly sentAt = new Map<string, number>();
  readonly refused: string[] = [];
  readonly waits: number[] = [];
  lastAt = 0;
  readonly #acknowledged: string[] = [];
  #stopped = false;
  #running: Promise<void> | undefined;

  private constructor(
    readonly name: string,
    private readonly socket: Socket,
    private readonly everyMs: number,
  ) {}

  static async open(url: string, name: string, everyMs: number, options: ChatOptions): Promise<PeerVoice> {
    return new PeerVoice(name, await open(url, name, options), everyMs);
  }

  get promised(): [string, undefined][] {
    return this.#acknowledged.map((id) => [id, undefined]);
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  close(): void {
    this.socket.disconnect();
  }

  async #run(): Promise<void> {
    let next = performance.now();
    while (!this.#stopped) {
      const id = `${this.name}-${this.sent.length + 1}-${randomUUID().slice(0, 8)}`;
      const began = performance.now();
      this.sent.push(id);
      this.sentAt.set(id, began);
      await this.socket.emitWithAck("new message", id);
      this.#acknowledged.push(id);
      this.lastAt = performance.now();
      this.waits.push(this.lastAt - began);
      next = Math.max(next + this.everyMs, performance.now() - 10 * this.everyMs);
      const wait = next - performance.now();
      if (wait > 0) await new Promise((go) => setTimeout(go, wait));
    }
  }
}

export class PeerEar implements Ear {
  readonly ids: string[] = [];
  readonly heardAt = new Map<string, number>();

  private constructor(
    readonly name: string,
    private readonly socket: Socket,
  ) {
    socket.on("new message", ({ message }: { message: string }) => {
      this.ids.push(message);
      if (!this.heardAt.has(message)) this.heardAt.set(message, performance.now());
    });
  }

  static async open(url: string, name: string, options: ChatOptions): Promise<PeerEar> {
    return new PeerEar(name, await open(url, name, options));
  }

  get shown(): { client_id: string }[] {
    return this.ids.map((client_id) => ({ client_id }));
  }

  newest(count: number): string[] {
    return this.ids.slice(-count);
  }

  close(): void {
    this.socket.disconnect();
  }
}
