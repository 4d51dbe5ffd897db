// Several replicas on one Redis, behind a proxy. Each of them can be stopped, killed and restarted separately.

import type { TestInfo } from "@playwright/test";

import { Proxy, type ProxyKind } from "./proxy.ts";
import { Redis } from "./redis.ts";
import { Server } from "./server.ts";

export interface ClusterOptions {
  replicas?: number;
  proxy?: ProxyKind | undefined;
  /** For all replicas. */
  env?: Record<string, string>;
  /** For one replica, in addition. */
  envOf?: ((replica: number) => Record<string, string>) | undefined;
  /** False gives every replica its own storage, which is enough to test a proxy. */
  redis?: boolean;
}

export class Cluster {
  private constructor(
    private readonly maybeRedis: Redis | undefined,
    readonly replicas: Server[],
    private readonly maybeProxy: Proxy | undefined,
  ) {}

  static async start({ replicas = 3, proxy, env = {}, envOf = () => ({}), redis = true }: ClusterOptions = {}): Promise<Cluster> {
    const started: { dispose(): Promise<void> }[] = [];
    try {
      const storage = redis ? await Redis.start() : undefined;
      if (storage) started.push(storage);
      const shared = {
        HUBBUB_TRUSTED_PROXIES: "127.0.0.1",
        ...(storage ? { HUBBUB_REDIS_URL: storage.url } : {}),
        ...env,
      };
      const servers: Server[] = [];
      for (let n = 0; n < replicas; n += 1) {
        const server = await Server.start({ ...shared, ...envOf(n) });
        servers.push(server);
        started.push(server);
      }
      const front = proxy ? await Proxy.start(proxy, servers.map(({ port }) => port)) : undefined;
      return new Cluster(storage, servers, front);
    } catch (error) {
      for (const one of started.reverse()) await one.dispose();
      throw error;
    }
  }

  get redis(): Redis {
    if (!this.maybeRedis) throw new Error("this cluster has no Redis");
    return this.maybeRedis;
  }

  get proxy(): Proxy {
    if (!this.maybeProxy) throw new Error("this cluster has no proxy");
    return this.maybeProxy;
  }

  /** The address for people: the proxy, or the first replica if there is none. */
  get url(): string {
    return this.maybeProxy?.url ?? this.replica(0).url;
  }

  replica(n: number): Server {
    const server = this.replicas[n % this.replicas.length];
    if (!server) throw new Error(`there is no replica ${n}`);
    return server;
  }

  async dispose(): Promise<void> {
    await this.maybeProxy?.dispose();
    await Promise.all(this.replicas.map((server) => server.dispose()));
    await this.maybeRedis?.dispose();
  }

  /** Attaches all logs if the test failed. */
  async attachLogs(info: TestInfo): Promise<void> {
    if (info.status === info.expectedStatus) return;
    const logs: [string, string][] = this.replicas.map((server, n) => [`replica-${n}.log`, server.log()]);
    if (this.maybeRedis) logs.push(["redis.log", this.maybeRedis.log()]);
    if (this.maybeProxy) logs.push([`${this.maybeProxy.kind}.log`, await this.maybeProxy.log()]);
    for (const [name, body] of logs) await info.attach(name, { body, contentType: "text/plain" });
  }
}
