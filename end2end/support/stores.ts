// What the replicas of a cluster share: a database and a Redis.

import { FaultProxy } from "./fault-proxy.ts";
import { Postgres } from "./postgres.ts";
import { Redis } from "./redis.ts";
import { RedisCluster } from "./redis-cluster.ts";
import { until } from "./until.ts";

const SOON_MS = 20_000;

export interface Stores {
  readonly postgres: Postgres;
  /** The name of the replicas' database. */
  readonly database: string;
  /** The Redis, or the first node of its cluster. */
  readonly redis: Redis;
  /** For the replicas. */
  readonly env: { HUBBUB_DATABASE_URL: string; HUBBUB_REDIS_URL: string };
  readonly dispose: () => Promise<void>;
}

export interface PostgresWithStandby extends Stores {
  readonly standby: Postgres;
}

export interface RedisWithReplica extends Stores {
  readonly replica: Redis;
  /** The address that the replicas of Hubbub know. It leads to `redis` until it is pointed to another. */
  readonly address: FaultProxy;
}

export interface SharedCluster extends Stores {
  readonly cluster: RedisCluster;
}

/** A database of the shared server, and a Redis of its own. */
export async function stores(): Promise<Stores> {
  const redis = await Redis.start();
  return onShared(redis.url, { redis }, redis);
}

/** A server of its own with a synchronous standby, both in the URL. */
export async function withStandby(): Promise<PostgresWithStandby> {
  const postgres = await Postgres.start();
  const standby = await postgres.standby();
  const redis = await Redis.start();
  const database = await postgres.createDatabase();
  const env = { HUBBUB_DATABASE_URL: Postgres.url(database, postgres, standby), HUBBUB_REDIS_URL: redis.url };
  const dispose = async (): Promise<void> => void (await Promise.all([redis, standby, postgres].map((one) => one.dispose())));
  return { postgres, standby, database, redis, env, dispose };
}

/** A Redis with a replica, behind one address, as Sentinel or a cloud provides it. */
export async function withReplica(): Promise<RedisWithReplica> {
  const redis = await Redis.start("--repl-diskless-sync-delay", "0");
  const replica = await Redis.start("--replicaof", "127.0.0.1", `${redis.port}`);
  await until("the replica follows", SOON_MS, async () => (await replica.ask("INFO", "replication")).includes("master_link_status:up"));
  const address = await FaultProxy.start(redis.url);
  return onShared(`redis://127.0.0.1:${address.port}`, { redis, replica, address }, address, replica, redis);
}

/** A Redis cluster of three nodes. */
export async function withCluster(): Promise<SharedCluster> {
  const cluster = await RedisCluster.start();
  const [redis] = cluster.nodes;
  if (!redis) throw new Error("the cluster has no nodes");
  return onShared(cluster.url, { redis, cluster }, cluster);
}

async function onShared<T>(redisUrl: string, more: T, ...started: { dispose(): Promise<void> }[]): Promise<T & Omit<Stores, "redis">> {
  const postgres = await Postgres.shared();
  const database = await postgres.createDatabase();
  return {
    ...more,
    postgres,
    database,
    env: { HUBBUB_DATABASE_URL: Postgres.url(database, postgres), HUBBUB_REDIS_URL: redisUrl },
    dispose: async () => {
      for (const one of started) await one.dispose();
      await postgres.drop(database);
    },
  };
}
