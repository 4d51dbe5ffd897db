// Several processes behind one port: node:cluster, sticky sessions and the Redis adapter. Apart from server.mjs, so that
// the single process does not carry what it does not use.

import cluster from "node:cluster";
import { createServer } from "node:http";

import { createAdapter } from "@socket.io/redis-adapter";
import { setupMaster, setupWorker } from "@socket.io/sticky";
import { Redis } from "ioredis";
import { Server } from "socket.io";

import { listen, serve } from "./rooms.mjs";

export async function primary(port, workers) {
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

export async function worker(port, redis) {
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
