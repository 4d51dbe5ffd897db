// Rooms on Socket.IO, run as its documentation shows:
//   node server.mjs PORT                      one process, no adapter
//   node server.mjs PORT WORKERS REDIS_URL    as many processes behind PORT, sticky sessions, the Redis adapter
// Both listen on 127.0.0.1 and print `ready` once everything does. Worker n (from 0) also listens on PORT + 1 + n, so
// that the load generator can choose a worker.

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

// node:cluster ends the workers as soon as their primary is gone.
process.on("SIGTERM", () => process.exit(0));

await (workers > 0 ? several() : single());
