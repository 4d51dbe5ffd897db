// The `test` for several replicas: a cluster, people and programs on chosen replicas.

import type { Page } from "@playwright/test";

import { RoomPage } from "../pages/room.ts";
import { ChatClient, type ChatOptions } from "./client.ts";
import { Cluster } from "./cluster.ts";
import { COOKIE, type ProxyKind } from "./proxy.ts";
import { test as base } from "./test.ts";

export { expect } from "./test.ts";

interface Fixtures {
  /** The cluster's setup, set with `test.use`. */
  replicas: number;
  front: ProxyKind | undefined;
  replicaEnv: Record<string, string>;
  /** Whether the replicas share a database and a Redis. */
  shared: boolean;
  cluster: Cluster;
  /** Called at the end, whatever the test's result. */
  close: (() => void)[];
  /** A browser page whose cookie belongs to this replica. */
  visitorOf: (replica: number) => Promise<Page>;
  /** A new person, signed in and live in a room, on this replica, through the proxy. */
  personOn: (replica: number, name: string, room: string) => Promise<RoomPage>;
  /** A program on `/chat`, connected directly to this replica and signed in. */
  programOn: (replica: number, name: string, options?: ChatOptions) => Promise<ChatClient>;
}

export const test = base.extend<Fixtures>({
  replicas: [3, { option: true }],
  front: [undefined, { option: true }],
  replicaEnv: [{}, { option: true }],
  shared: [true, { option: true }],

  cluster: async ({ replicas, front, replicaEnv, shared }, use, info) => {
    const cluster = await Cluster.start({ replicas, proxy: front, env: replicaEnv, ...(shared ? {} : { share: undefined }) });
    await use(cluster);
    await cluster.attachLogs(info);
    await cluster.dispose();
  },

  close: async ({}, use) => {
    const close: (() => void)[] = [];
    await use(close);
    for (const one of close) one();
  },

  baseURL: async ({ cluster }, use) => use(cluster.url),

  visitorOf: async ({ visitor, cluster }, use) => {
    await use(async (replica) => {
      const page = await visitor();
      const value = await cluster.proxy.cookie(replica);
      await page.context().addCookies([{ name: COOKIE, value, url: cluster.url }]);
      return page;
    });
  },

  personOn: async ({ visitorOf }, use) => {
    await use(async (replica, name, room) => {
      const page = new RoomPage(await visitorOf(replica));
      await page.open(room);
      await page.signIn(name);
      await page.live(name);
      return page;
    });
  },

  programOn: async ({ cluster }, use) => {
    const programs: ChatClient[] = [];
    await use(async (replica, name, options) => {
      const program = new ChatClient(cluster.replica(replica).url, options);
      programs.push(program);
      await program.signIn(name);
      return program;
    });
    for (const program of programs) program.close();
  },
});
