// Several replicas on one database and one Redis, behind a proxy. Each of them can be stopped, killed and restarted
// separately.

import type { TestInfo } from "@playwright/test";

import type { Postgres } from "./postgres.ts";
import { Proxy, type ProxyKind } from "./proxy.ts";
import type { Redis } from "./redis.ts";
import { Server } from "./server.ts";
import { type Stores, stores } from "./stores.ts";

export interface ClusterOptions {
  replicas?: number;
  proxy?: ProxyKind | undefined;
  /** For all replicas. */
  env?: Record<string, string>;
  /** For one replica, in addition. */
  envOf?: ((replica: number) => Record<string, string>) | undefined;
  /** Opens what they share: by default a database and a Redis. `undefined` gives every replica its own storage, which is
   * enough to test a proxy. */
  share?: (() => Promise<Stores>) | undefined;
}

export class Cluster {
  private constructor(
    private readonly stores: Stores | undefined,
    readonly replicas: Server[],
    private readonly maybeProxy: Proxy | undefined,
  ) {}

  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const { replicas = 3, proxy, env = {}, envOf = () => ({}), share } = { share: stores, ...options };
    const started: { dispose(): Promise<void> }[] = [];
    try {
      const shared = await share?.();
      if (shared) started.push(shared);
      const all = { HUBBUB_TRUSTED_PROXIES: "127.0.0.1", ...shared?.env, ...env };
      const servers: Server[] = [];
      for (let n = 0; n < replicas; n += 1) {
        const server = await Server.start({ ...all, ...envOf(n) });
        servers.push(server);
        started.push(server);
      }
      const front = proxy ? await Proxy.start(proxy, servers.map(({ port }) => port)) : undefined;
      return new Cluster(shared, servers, front);
    } catch (error) {
      for (const one of started.reverse()) await one.dispose();
      throw error;
    }
  }

  get redis(): Redis {
    return this.#shared.redis;
  }

  get postgres(): Postgres {
    return this.#shared.postgres;
  }

  /** Runs statements in the replicas' database. Returns what psql prints. */
  async sql(statements: string): Promise<string> {
    const { postgres, database } = this.#shared;
    return postgres.ask(statements, database);
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
    await this.stores?.dispose();
  }

  /** Attaches all logs if the test failed. */
  async attachLogs(info: TestInfo): Promise<void> {
    if (info.status === info.expectedStatus) return;
    const logs: [string, string][] = this.replicas.map((server, n) => [`replica-${n}.log`, server.log()]);
    if (this.stores) logs.push(["redis.log", this.stores.redis.log()], ["postgres.log", this.stores.postgres.log()]);
    if (this.maybeProxy) logs.push([`${this.maybeProxy.kind}.log`, await this.maybeProxy.log()]);
    for (const [name, body] of logs) await info.attach(name, { body, contentType: "text/plain" });
  }

  get #shared(): Stores {
    if (!this.stores) throw new Error("these replicas share nothing");
    return this.stores;
  }
}
