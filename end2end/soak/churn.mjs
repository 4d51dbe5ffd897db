// Run by soak.spec.ts: people who join, do what people do, and leave, until this process is told to stop or is killed.
// Their number is constant, so that what the server holds can be.

import { randomUUID } from "node:crypto";
import { io } from "socket.io-client";

const { url, people, room: main } = JSON.parse(process.argv[2]);
const ANSWER_MS = 20_000;
/** How long a person stays, in seconds: minimum and maximum. */
const STAY = [2, 15];
/** How many rooms this process remembers. It never returns to one that it forgot. */
const ROOMS = 20;

const TRANSPORTS = [["websocket"], ["websocket"], ["polling"], ["polling", "websocket"]];
const rooms = [main];
const done = { visits: 0, cut: 0, rooms: 0, messages: 0, pages: 0, refused: 0, failed: 0 };
let stopping = false;

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const pause = (ms) => new Promise((over) => setTimeout(over, ms));

class Visitor {
  /** Its own cookie: the proxy directs it to the same replica each time. */
  headers = { cookie: `hubbub_replica=${randomUUID()}` };

  constructor(token, transports) {
    this.socket = io(`${url}/chat`, {
      transports,
      forceNew: true,
      extraHeaders: this.headers,
      reconnectionDelay: 100,
      auth: (give) => give({ protocol: 2, ...(this.token ? { token: this.token } : {}) }),
    });
    this.token = token;
  }

  async ask(command, payload = {}) {
    for (;;) {
      const { ok, error } = await this.socket.timeout(ANSWER_MS).emitWithAck(command, payload);
      if (ok) return ok;
      done.refused += 1;
      if (error.retry_after_ms === undefined) return undefined;
      await pause(error.retry_after_ms);
    }
  }

  /** Does one of the things that people do. */
  async act(room) {
    const chance = Math.random();
    if (chance < 0.55) {
      await this.ask("typing", { room, typing: true });
      await this.ask("send", { room, messages: [{ client_id: randomUUID(), text: "said ".repeat(1 + Math.floor(Math.random() * 60)) }] });
      done.messages += 1;
    } else if (chance < 0.7) {
      const before = 1 + Math.floor(Math.random() * 200);
      await this.ask("history", Math.random() < 0.5 ? { room } : { room, before });
    } else if (chance < 0.8) {
      await (await fetch(`${url}${pick(["/", `/rooms/${room}`])}`, { headers: this.headers })).text();
      done.pages += 1;
    } else if (chance < 0.9) {
      await this.ask("roster", { room });
    } else {
      await this.ask("list_rooms");
    }
  }

  /** Disconnects, a quarter of the time without closing the connection. */
  go() {
    const socket = this.socket.io.engine?.transport?.ws;
    if (Math.random() < 0.25 && socket?.terminate) {
      done.cut += 1;
      this.socket.io.reconnection(false);
      socket.terminate();
    }
    this.socket.disconnect();
  }
}

async function visit(token) {
  const visitor = new Visitor(token, pick(TRANSPORTS));
  const until = performance.now() + 1_000 * (STAY[0] + Math.random() * (STAY[1] - STAY[0]));
  try {
    if (!token) visitor.token = (await visitor.ask("sign_in", { name: `Visitor ${Math.floor(Math.random() * 1e6)}` })).token;
    if (Math.random() < 0.1) {
      const created = await visitor.ask("create_room", { title: `Soak ${randomUUID()}` });
      if (created) {
        done.rooms += 1;
        rooms.push(created.room);
        if (rooms.length > ROOMS) rooms.splice(1, 1);
      }
    }
    const room = pick(rooms);
    await visitor.ask("join", { room });
    while (performance.now() < until && !stopping) {
      await visitor.act(room);
      await pause(300 + Math.random() * 900);
    }
    if (Math.random() < 0.5) await visitor.ask("leave", { room });
  } catch {
    done.failed += 1;
  } finally {
    visitor.go();
    done.visits += 1;
  }
  return visitor.token;
}

async function live() {
  let token;
  while (!stopping) {
    // Half of them return as the same person.
    token = await visit(Math.random() < 0.5 ? token : undefined);
    await pause(Math.random() * 500);
  }
}

const everyone = Promise.all(Array.from({ length: people }, () => live()));
process.on("message", async (what) => {
  if (what === "stop") {
    stopping = true;
    await everyone;
  }
  process.send(done, () => {
    if (stopping) process.exit(0);
  });
});
process.on("disconnect", () => process.exit(0));
