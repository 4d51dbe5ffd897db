// Rooms on Socket.IO as its documentation shows how to run it:
//   node server.mjs PORT                      one process, no adapter
//   node server.mjs PORT WORKERS REDIS_URL    as many processes behind PORT, sticky sessions, the Redis adapter
// Both listen on 127.0.0.1 and print `ready` once everything does. Worker n (from 0) also listens by itself on
// PORT + 1 + n, so that whoever measures can choose the worker.

import cluster from "node:cluster";
import { createServer } from "node:http";

import { Server } from "socket.io";

import { listen, serve } from "./rooms.mjs";

const [port, workers, redis] = [Number(process.argv[2]), Number(process.argv[3] ?? 0), process.argv[4]];

async function single() {
  const http = createServer();
  serve(new Server(http));
  await listen(http, { port });
  console.log("ready");
}

async function several() {
  const { primary, worker } = await import("./cluster.mjs");
  await (cluster.isPrimary ? primary(port, workers) : worker(port, redis));
}

// Workers end as soon as their primary is gone, whatever ended it: node:cluster sees to that.
process.on("SIGTERM", () => process.exit(0));

await (workers > 0 ? several() : single());
