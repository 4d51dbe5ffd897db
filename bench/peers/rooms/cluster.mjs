// Several processes behind one port: node:cluster, sticky sessions and the Redis adapter. Separate from server.mjs, so
// that the single process does not load what it does not use.

import cluster from "node:cluster";
import { createServer } from "node:http";

import { createAdapter } from "@socket.io/redis-adapter";
import { setupMaster, setupWorker } from "@socket.io/sticky";
import { Redis } from "ioredis";
import { Server } from "socket.io";

import { listen, serve } from "./rooms.mjs";

export async function primary(port, workers) {
  // Sends requests to the workers as bytes, not as JSON.
  cluster.setupPrimary({ serialization: "advanced" });
  // Hands each connection to the worker that has its session, or to the one with the fewest sessions.
  const http = createServer();
  setupMaster(http, { loadBalancingMethod: "least-connection" });
  cluster.on("exit", (worker, code, signal) => {
    // Not replaced: a measurement with a worker missing for a while must not look valid.
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
  // Without a listener ioredis prints a stack for each attempt. It reconnects either way.
  for (const client of [pubClient, subClient]) client.on("error", (error) => console.error(`redis: ${error.message}`));

  const io = new Server({ adapter: createAdapter(pubClient, subClient) });
  // Its own port first: `setupWorker` passes the primary's connections to the server attached last.
  const [ownServer, sharedServer] = [createServer(), createServer()];
  io.attach(ownServer);
  io.attach(sharedServer);
  setupWorker(io);
  serve(io);

  // `exclusive`: otherwise the primary listens instead and distributes the connections.
  await listen(ownServer, { port: port + 1 + Number(process.env.PEER_WORKER), exclusive: true });
  // Redis answers in order, so the adapter is subscribed after this.
  await Promise.all([pubClient.ping(), subClient.ping()]);
  process.send({ type: "ready" });
}
