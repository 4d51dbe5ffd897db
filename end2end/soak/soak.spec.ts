// `make soak`: people join and leave for SOAK_MINUTES (20) at one process with its own storage, and at two replicas
// behind nginx, while the simulation runs. What the servers hold must be flat after the first quarter, and gone once
// everybody left.

import { expect, test } from "@playwright/test";

import { ChatClient } from "../support/client.ts";
import { Cluster } from "../support/cluster.ts";
import { freshTitle } from "../support/seed.ts";
import { Server } from "../support/server.ts";
import { until } from "../support/until.ts";
import { Churn, type Done } from "./churn.ts";
import { type Result, record, table } from "./results.ts";
import { type Sample, flat, quarters, sample } from "./samples.ts";
import { Simulation } from "./simulation.ts";

const MINUTES = Number(process.env["SOAK_MINUTES"] || 20);
const EVERY_MS = 10_000;
/** Creates this many rooms first: the list of rooms, and so the front page, has its full length from the beginning. */
const ROOMS = 200;
/** Sessions end after the ping window, presence and rooms a little later. */
const GONE_MS = 90_000;

/** Noise allowed beyond 5 %: the allocator keeps some memory, and tasks and files follow the number of connections. */
const NOISE = { anon: 3, files: 15, tasks: 40 };
/** What may remain once everybody left: idle HTTP connections of this test and of nginx. */
const REMAINS = { files: 12, tasks: 24 };

interface Site {
  name: string;
  url: string;
  servers: Server[];
}

/** Uses everything once, so that what opens on first use is open. */
async function warmUp({ url, servers }: Site): Promise<string> {
  const client = new ChatClient(url);
  await client.signIn("First");
  const { room } = await client.createRoom(freshTitle("Soak"));
  await client.join(room);
  await client.send(room, "first");
  for (let n = 1; n < ROOMS; n += 1) await client.createRoom(freshTitle("Soak"));
  client.close();
  for (const server of servers) {
    const own = new ChatClient(server.url, { transports: ["websocket"] });
    await own.signIn("First");
    await own.join(room);
    own.close();
    await (await fetch(`${server.url}/rooms/${room}`)).text();
    await empty(server);
  }
  return room;
}

/** Waits until no connection is open and no room is followed. */
async function empty(server: Server): Promise<void> {
  await until(`${server.url} has no connections`, GONE_MS, async () => {
    const figure = await server.figures();
    return figure("hubbub_sockets") === 0 && figure("hubbub_rooms_followed") === 0;
  });
}

test(`${MINUTES} minutes of people joining and leaving`, async () => {
  test.setTimeout((MINUTES + 10) * 60_000);
  const began = performance.now();
  const [single, cluster, simulation] = [await Server.start(), await Cluster.start({ replicas: 2, proxy: "nginx" }), new Simulation()];
  const sites: Site[] = [
    { name: "one process", url: single.url, servers: [single] },
    { name: "two replicas", url: cluster.url, servers: cluster.replicas },
  ];
  const churns: Churn[] = [];
  try {
    const rooms = await Promise.all(sites.map(warmUp));
    const servers = sites.flatMap((site) => site.servers.map((server, n) => ({ name: site.servers.length > 1 ? `${site.name}: ${n + 1}` : site.name, server })));
    const before = await Promise.all(servers.map(({ server }) => sample(server, began)));
    const samples: Sample[][] = servers.map(() => []);
    for (const [n, { url }] of sites.entries()) churns.push(new Churn(url, rooms[n] ?? "lobby"));
    simulation.start();
    const end = performance.now() + MINUTES * 60_000;
    while (performance.now() < end) {
      await new Promise((over) => setTimeout(over, EVERY_MS));
      for (const [n, { server }] of servers.entries()) samples[n]?.push(await sample(server, began));
    }
    const done: Done[] = await Promise.all(churns.map((churn) => churn.stop()));
    const simulated = await simulation.stop();
    await Promise.all(servers.map(({ server }) => empty(server)));
    const after = await Promise.all(servers.map(({ server }) => sample(server, began)));

    const result: Result = {
      date: new Date().toISOString().slice(0, 10),
      minutes: MINUTES,
      simulated,
      sites: sites.map(({ name }, n) => ({ name, killed: churns[n]?.killed ?? 0, done: done[n] as Done })),
      servers: servers.map(({ name }, n) => ({ name, before: before[n] as Sample, after: after[n] as Sample, samples: samples[n] ?? [] })),
    };
    record(result);
    console.log(table(result));
    for (const { name, before: first, after: last, samples: all } of result.servers) {
      for (const what of ["anon", "files", "tasks"] as const) {
        const [earlier, later] = quarters(all, what);
        expect.soft(flat([earlier, later], NOISE[what]), `${name}: ${what} is flat, ${earlier} to ${later}`).toBe(true);
      }
      for (const what of ["files", "tasks"] as const) {
        expect.soft(last[what] - first[what], `${name}: ${what} go when people leave`).toBeLessThanOrEqual(REMAINS[what]);
      }
    }
    for (const { name, server } of servers) {
      const log = server.log();
      const panic = log.indexOf("panicked at");
      expect.soft(panic < 0 ? "" : log.slice(Math.max(0, panic - 500), panic + 4_000), `${name}: no panic`).toBe("");
    }
    for (const { name, done: { visits, failed } } of result.sites) {
      expect.soft(failed, `${name}: of ${visits} visits few fail`).toBeLessThan(visits / 50);
    }
    expect.soft(simulated.failed, "no simulated story fails").toBe(0);
  } finally {
    for (const server of [single, ...cluster.replicas]) await test.info().attach(`port ${server.port}.log`, { body: server.log(), contentType: "text/plain" });
    for (const churn of churns) churn.dispose();
    await simulation.stop();
    await single.dispose();
    await cluster.dispose();
  }
});
