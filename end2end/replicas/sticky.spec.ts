// What the proxies of deploy/ guarantee for any server: sessions stay on their replica, and leave one that is gone.
// This needs no shared storage.

import { io, type Socket } from "socket.io-client";

import { PROTOCOL_VERSION } from "../support/protocol.ts";
import { COOKIE, PROXIES } from "../support/proxy.ts";
import { expect, test } from "../support/replicas.ts";
import type { Cluster } from "../support/cluster.ts";
import { TRANSPORTS, type Transports } from "../support/demo.ts";
import { until } from "../support/until.ts";

const CLIENTS = 12;

test.use({ shared: false });

/** Connects and sends a few commands one after the other; over polling that makes several requests of one session. */
async function session(url: string, cookie: string | undefined, transports: Transports): Promise<Socket> {
  const socket = io(`${url}/chat`, {
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 250,
    auth: { protocol: PROTOCOL_VERSION },
    ...(transports ? { transports } : {}),
    ...(cookie === undefined ? {} : { extraHeaders: { cookie: `${COOKIE}=${cookie}` } }),
  });
  await socket.timeout(10_000).emitWithAck("sign_in", { name: "Ada" });
  for (let n = 0; n < 5; n += 1) await socket.timeout(10_000).emitWithAck("list_rooms", {});
  return socket;
}

async function sockets(cluster: Cluster): Promise<number[]> {
  return Promise.all(cluster.replicas.map((replica) => replica.figure("hubbub_sockets")));
}

for (const proxy of PROXIES) {
  test.describe(`through ${proxy}`, () => {
    test.use({ front: proxy });

    for (const { name, transports } of TRANSPORTS) {
      test(`sessions over ${name} are spread by their cookie, and none is interrupted`, async ({ cluster }) => {
        const cookies = await Promise.all(cluster.replicas.map((_, n) => cluster.proxy.cookie(n)));
        const open: Socket[] = [];
        let interrupted = 0;
        for (let n = 0; n < CLIENTS; n += 1) {
          const socket = await session(cluster.url, cookies[n % cookies.length], transports);
          socket.on("disconnect", () => (interrupted += 1));
          open.push(socket);
        }
        expect(await sockets(cluster)).toEqual(cluster.replicas.map(() => CLIENTS / cookies.length));
        for (const socket of open) await socket.timeout(10_000).emitWithAck("list_rooms", {});
        expect(interrupted).toBe(0);
        for (const socket of open) socket.disconnect();
      });
    }

    test("a polling program without cookies stays on one replica", async ({ cluster }) => {
      const open = [await session(cluster.url, undefined, ["polling"]), await session(cluster.url, undefined, ["polling"])];
      expect((await sockets(cluster)).filter((count) => count > 0)).toEqual([2]);
      for (const socket of open) socket.disconnect();
    });

    test("a page sets the cookie; Socket.IO and requests with a cookie do not", async ({ cluster }) => {
      const page = await fetch(cluster.url);
      const cookie = page.headers.get("set-cookie") ?? "";
      expect(cookie).toMatch(new RegExp(`^${COOKIE}=[^;]+;.*HttpOnly.*SameSite=Lax`, "i"));
      const again = await fetch(cluster.url, { headers: { cookie: cookie.split(";")[0] ?? "" } });
      expect(again.headers.get("set-cookie")).toBeNull();
      const polling = await fetch(`${cluster.url}/socket.io/?EIO=4&transport=polling`);
      expect(polling.status).toBe(200);
      expect(polling.headers.get("set-cookie")).toBeNull();
      expect((await fetch(`${cluster.url}/metrics`)).status, "metrics of an arbitrary replica").toBe(404);
    });

    for (const { name, transports } of TRANSPORTS) {
      test(`when a replica is killed, its sessions over ${name} move to another one at once`, async ({ cluster }) => {
        const cookie = await cluster.proxy.cookie(1);
        const socket = await session(cluster.url, cookie, transports);
        expect(await sockets(cluster)).toEqual([0, 1, 0]);
        const first = socket.id;
        const killed = performance.now();
        await cluster.replica(1).kill();
        await until("the client has another session", 10_000, () => socket.connected && socket.id !== first);
        const ms = Math.round(performance.now() - killed);
        console.log(`${proxy}, ${name}: on another replica ${ms} ms after the kill`);
        expect(ms).toBeLessThan(5_000);
        await socket.timeout(10_000).emitWithAck("list_rooms", {});
        expect(await cluster.replica(0).figure("hubbub_sockets") + (await cluster.replica(2).figure("hubbub_sockets"))).toBe(1);
        socket.disconnect();
      });
    }

    test("pages and new sessions avoid a replica that is gone or hangs", async ({ cluster }) => {
      const cookie = await cluster.proxy.cookie(2);
      const headers = { cookie: `${COOKIE}=${cookie}` };
      await cluster.replica(2).kill();
      for (let n = 0; n < 5; n += 1) expect((await fetch(cluster.url, { headers })).status).toBe(200);
      await cluster.replica(2).up();
      await until("its cookie reaches it again", 15_000, async () => {
        const socket = await session(cluster.url, cookie, ["websocket"]);
        const there = (await cluster.replica(2).figure("hubbub_sockets")) === 1;
        socket.disconnect();
        return there;
      });

      const living = await session(cluster.url, cookie, ["websocket"]);
      const first = living.id;
      cluster.replica(2).pause();
      const started = performance.now();
      let moved = 0;
      living.once("connect", () => (moved = performance.now() - started));
      expect((await fetch(cluster.url, { headers })).status).toBe(200);
      console.log(`${proxy}: a page ${Math.round(performance.now() - started)} ms after its replica hung`);
      expect(performance.now() - started).toBeLessThan(15_000);
      // nginx has no health checks: a client of that replica waits for it. See deploy/README.md.
      if (proxy === "haproxy") {
        await until("its client has another session", 10_000, () => living.connected && living.id !== first);
        console.log(`${proxy}: its client is on another replica ${Math.round(moved)} ms after the replica hung`);
        const socket = await session(cluster.url, cookie, ["polling"]);
        console.log(`${proxy}: a session ${Math.round(performance.now() - started)} ms after its replica hung`);
        expect(performance.now() - started).toBeLessThan(15_000);
        socket.disconnect();
      }
      living.disconnect();
      cluster.replica(2).resume();
    });

    test("a stopping replica releases its people, and no page fails meanwhile", async ({ cluster }) => {
      const cookies = await Promise.all(cluster.replicas.map((_, n) => cluster.proxy.cookie(n)));
      const statuses: number[] = [];
      let stop = false;
      const reading = cookies.map(async (cookie) => {
        while (!stop) {
          const response = await fetch(cluster.url, { headers: { cookie: `${COOKIE}=${cookie}` } });
          await response.text();
          statuses.push(response.status);
        }
      });
      for (const replica of cluster.replicas) await replica.restart();
      stop = true;
      await Promise.all(reading);
      console.log(`${proxy}: ${statuses.length} pages during a restart of every replica`);
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
      expect(statuses.length).toBeGreaterThan(20);
    });
  });
}
