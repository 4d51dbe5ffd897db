// Rooms on Socket.IO as its documentation shows how to run it:
//   node server.mjs PORT                      one process, no adapter
//   node server.mjs PORT WORKERS REDIS_URL    as many processes behind PORT, sticky sessions, the Redis adapter
// Both listen on 127.0.0.1 and print `ready` once everything does. Worker n (from 0) also listens by itself on
// PORT + 1 + n, so that whoever measures can choose the worker.

import cluster from "node:cluster";
import { createServer } from "node:http";

import { createAdapter } from "@socket.io/redis-adapter";
import { setupMaster, setupWorker } from "@socket.io/sticky";
import { Redis } from "ioredis";
import { Server } from "socket.io";

import { serve } from "./rooms.mjs";

const host = "127.0.0.1";
const [port, workers, redis] = [Number(process.argv[2]), Number(process.argv[3] ?? 0), process.argv[4]];

const listen = (http, options) => new Promise((done) => http.listen({ host, ...options }, done));

async function single() {
  const http = createServer();
  serve(new Server(http));
  await listen(http, { port });
  console.log("ready");
}

async function primary() {
  // The requests travel to the workers as bytes, not as JSON.
  cluster.setupPrimary({ serialization: "advanced" });
  // It hands each connection to the worker with the fewest sessions, or to the one that has the session already.
  const http = createServer();
  setupMaster(http, { loadBalancingMethod: "least-connection" });
  cluster.on("exit", (worker, code, signal) => {
    // Not forked again: what is measured with a worker missing for a while must not look whole.
    console.error(`worker ${worker.id} is gone (${signal ?? code})`);
    process.exit(1);
  });
  const started = [];
  for (let n = 0; n < workers; n += 1) {
    const worker = cluster.fork({ PEER_WORKER: n });
    started.push(new Promise((done) => worker.on("message", ({ type }) => type === "ready" && done())));
  }
  await Promise.all([listen(http, { port }), ...started]);
  console.log("ready");
}

async function worker() {
  const pubClient = new Redis(redis);
  const subClient = pubClient.duplicate();
  // Without a listener ioredis prints each attempt with its stack; it reconnects by itself either way.
  for (const client of [pubClient, subClient]) client.on("error", (error) => console.error(`redis: ${error.message}`));

  const io = new Server({ adapter: createAdapter(pubClient, subClient) });
  // The own door first: what is attached last is what `setupWorker` feeds with the primary's connections.
  const [ownDoor, sharedDoor] = [createServer(), createServer()];
  io.attach(ownDoor);
  io.attach(sharedDoor);
  setupWorker(io);
  serve(io);

  // `exclusive`: otherwise the primary listens in its worker's place and hands out what arrives.
  await listen(ownDoor, { port: port + 1 + Number(process.env.PEER_WORKER), exclusive: true });
  // Commands are answered in order: after this the adapter's subscription stands.
  await Promise.all([pubClient.ping(), subClient.ping()]);
  process.send({ type: "ready" });
}

// Workers end as soon as their primary is gone, whatever ended it: node:cluster sees to that.
process.on("SIGTERM", () => process.exit(0));

if (cluster.isWorker) await worker();
else if (workers > 0) await primary();
else await single();
