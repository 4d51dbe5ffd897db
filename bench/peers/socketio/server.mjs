// The chat example of https://github.com/socketio/socket.io/tree/main/examples/chat: `node server.mjs PORT` for one
// process, `node server.mjs PORT REDIS_URL` with the Redis adapter, set up as its documentation shows. Prints `ready`
// once it listens. One addition: messages are acknowledged once they are emitted, so that a client with `retries` stops
// repeating them.

import { createServer } from "node:http";

import { Server } from "socket.io";

const [port, redis] = process.argv.slice(2);

async function redisAdapter() {
  const { createAdapter } = await import("@socket.io/redis-adapter");
  const { createClient } = await import("redis");
  const pubClient = createClient({ url: redis });
  const subClient = pubClient.duplicate();
  // Without a listener an error would end the process. The client reconnects by itself.
  for (const client of [pubClient, subClient]) client.on("error", (error) => console.error(`redis: ${error.message}`));
  await Promise.all([pubClient.connect(), subClient.connect()]);
  return createAdapter(pubClient, subClient);
}

const http = createServer((request, response) => {
  // Proxies and tests ask here whether the server is ready. The example serves its page instead.
  response.writeHead(request.url === "/readyz" ? 200 : 404).end();
});
const io = new Server(http, redis ? { adapter: await redisAdapter() } : {});

let numUsers = 0;

io.on("connection", (socket) => {
  let addedUser = false;

  socket.on("new message", (data, acknowledge) => {
    socket.broadcast.emit("new message", { username: socket.username, message: data });
    acknowledge?.();
  });

  socket.on("add user", (username, acknowledge) => {
    // A client with `retries` expects an answer to every event.
    acknowledge?.();
    if (addedUser) return;
    socket.username = username;
    numUsers += 1;
    addedUser = true;
    socket.emit("login", { numUsers });
    socket.broadcast.emit("user joined", { username: socket.username, numUsers });
  });

  socket.on("typing", () => socket.broadcast.emit("typing", { username: socket.username }));
  socket.on("stop typing", () => socket.broadcast.emit("stop typing", { username: socket.username }));

  socket.on("disconnect", () => {
    if (!addedUser) return;
    numUsers -= 1;
    socket.broadcast.emit("user left", { username: socket.username, numUsers });
  });
});

// Ends at once, even with clients connected.
process.on("SIGTERM", () => process.exit(0));

http.listen(Number(port), "127.0.0.1", () => console.log("ready"));
