// The `test` of all specs: a server, people in browser contexts, programs over Socket.IO, and the rule that the console
// has no complaints.

import { type BrowserContextOptions, type Page, type TestInfo, test as base } from "@playwright/test";

import { FrontPage } from "../pages/front.ts";
import { RoomPage } from "../pages/room.ts";
import { ChatClient, type ChatOptions } from "./client.ts";
import { Complaints } from "./console.ts";
import { DemoClient, type Transports } from "./demo.ts";
import { Server } from "./server.ts";

export { expect } from "@playwright/test";

interface Fixtures {
  complaints: Complaints;
  /** A page in a new browser context, which shares nothing with others. */
  visitor: (options?: BrowserContextOptions) => Promise<Page>;
  /** A new person, signed in and live in a room. */
  person: (name: string, room: string, options?: BrowserContextOptions) => Promise<RoomPage>;
  /** A program on `/chat`, signed in if it has a name. */
  program: (name?: string, options?: ChatOptions) => Promise<ChatClient>;
  /** A program on `/` that follows the public chat example's contract. */
  demo: (transports?: Transports) => DemoClient;
}

interface WorkerFixtures {
  /** Shared by the tests of a worker: use separate rooms. */
  server: Server;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  server: [
    // Playwright requires this empty pattern to see that no fixture is needed.
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.dispose();
    },
    { scope: "worker" },
  ],

  baseURL: async ({ server }, use, info) => {
    await use(server.url);
    await attachLog(server, info);
  },

  complaints: [
    async ({}, use) => {
      const complaints = new Complaints();
      await use(complaints);
      base.expect(complaints.unexpected(), "complaints in the browser's console").toEqual([]);
    },
    { auto: true },
  ],

  context: async ({ context, complaints }, use) => {
    complaints.watch(context);
    await use(context);
  },

  visitor: async ({ browser, baseURL, complaints, contextOptions }, use) => {
    const contexts: { close(): Promise<void> }[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ ...contextOptions, ...(baseURL ? { baseURL } : {}), ...options });
      contexts.push(context);
      complaints.watch(context);
      return context.newPage();
    });
    for (const context of contexts) await context.close();
  },

  person: async ({ visitor }, use) => {
    await use(async (name, room, options) => {
      const page = new RoomPage(await visitor(options));
      await page.open(room);
      await page.signIn(name);
      await page.live(name);
      return page;
    });
  },

  program: async ({ baseURL }, use) => {
    const programs: ChatClient[] = [];
    await use(async (name, options) => {
      const program = new ChatClient(baseURL ?? "", options);
      programs.push(program);
      if (name !== undefined) await program.signIn(name);
      return program;
    });
    for (const program of programs) program.close();
  },

  demo: async ({ baseURL }, use) => {
    const clients: DemoClient[] = [];
    await use((transports) => {
      const client = new DemoClient(baseURL ?? "", transports);
      clients.push(client);
      return client;
    });
    for (const client of clients) client.close();
  },
});

/** For tests that stop, kill or configure their server: each has its own. */
export const testWithOwnServer = test.extend<{ serverEnv: Record<string, string>; ownServer: Server }>({
  serverEnv: [{}, { option: true }],
  ownServer: async ({ serverEnv }, use) => {
    const server = await Server.start(serverEnv);
    await use(server);
    await server.dispose();
  },
  baseURL: async ({ ownServer }, use, info) => {
    await use(ownServer.url);
    await attachLog(ownServer, info);
  },
});

export { FrontPage, RoomPage };

async function attachLog(server: Server, info: TestInfo): Promise<void> {
  if (info.status === info.expectedStatus) return;
  await info.attach("server.log", { body: server.log(), contentType: "text/plain" });
}
