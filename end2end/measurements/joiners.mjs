// Run by joins.ts: many clients in rooms of a hundred, who all join or return at the same time.

import { io } from "socket.io-client";

const [url, people, ...rooms] = process.argv.slice(2);
const tokens = [];
const sockets = Array.from({ length: Number(people) }, (_, n) =>
  io(`${url}/chat`, {
    transports: ["websocket"],
    forceNew: true,
    autoConnect: false,
    reconnectionDelay: 200,
    reconnectionDelayMax: 1_000,
    auth: (give) => give({ protocol: 2, token: tokens[n] }),
  }),
);

/** Joins a room, and returns how often it was told to wait. */
async function join(socket, room) {
  for (let refusals = 0; ; refusals += 1) {
    const { ok, error } = await socket.timeout(60_000).emitWithAck("join", { room });
    if (ok) return refusals;
    await new Promise((again) => setTimeout(again, error.retry_after_ms));
  }
}

const everyone = (work) => Promise.all(sockets.map(work));
const enter = (socket, n) => join(socket, rooms[n % rooms.length]);
const connect = (socket) =>
  new Promise((done) => {
    socket.once("connect", done);
    socket.connect();
  });

const work = {
  /** Connects and signs in, 50 at a time. */
  async arrive() {
    for (let n = 0; n < sockets.length; n += 50) {
      await Promise.all(
        sockets.slice(n, n + 50).map(async (socket, i) => {
          await connect(socket);
          const { ok } = await socket.emitWithAck("sign_in", { name: `Person ${n + i}` });
          tokens[n + i] = ok.token;
        }),
      );
    }
  },
  join: () => everyone(enter),
  async leave() {
    for (const socket of sockets) socket.disconnect();
  },
  async return() {
    return everyone(async (socket, n) => {
      await connect(socket);
      return enter(socket, n);
    });
  },
};

process.on("message", async (what) => {
  const began = performance.now();
  const refusals = (await work[what]()) ?? [];
  process.send({ what, seconds: (performance.now() - began) / 1_000, refusals: Math.max(0, ...refusals) });
});
process.on("disconnect", () => process.exit(0));
