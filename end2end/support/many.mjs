// Run by many.ts: thousands of people in one process, who connect, join a room, and reconnect whatever happens. The
// official client is too heavy for this many, so this speaks just enough Engine.IO and Socket.IO over WebSocket, and
// reconnects with the same random delays.

import WebSocket from "ws";

const { url, kind, room, count, cookies, addresses, first } = JSON.parse(process.argv[2]);
const hubbub = kind === "hubbub";
const space = hubbub ? "/chat," : "";

/** As in the web app, in milliseconds. */
const DELAY = { first: 500, longest: 5_000 };
const ANSWER_MS = 20_000;
/** Without a ping for this long the connection is dead: the server's interval plus its timeout. */
const PING_MS = 45_000;
/** Concurrent handshakes at the start. The return, which is measured, has no such limit. */
const AT_ONCE = 400;

/** One object per message, shared by everyone who shows it. */
const entries = new Map();
function entry(epoch, seq, id) {
  const key = `${epoch}/${seq}/${id}`;
  if (!entries.has(key)) entries.set(key, { n: entries.size, epoch, seq, id });
  return entries.get(key);
}

class Client {
  shown = [];
  joined = false;
  refused = [];
  admitted = undefined;
  #attempts = 0;
  #asked = new Map();
  #ids = 0;
  #chain = Promise.resolve();

  constructor(n) {
    this.n = n;
    this.options = {
      headers: { cookie: cookies[n % cookies.length] },
      localAddress: addresses[n % addresses.length],
      perMessageDeflate: false,
      handshakeTimeout: ANSWER_MS,
    };
  }

  connect() {
    const socket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, this.options);
    this.socket = socket;
    socket.on("message", (data) => this.#packet(data.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(this.alive);
      this.joined = false;
      for (const { fail } of this.#asked.values()) fail(new Error("gone"));
      this.#asked.clear();
      const delay = Math.min(DELAY.first * 2 ** this.#attempts, DELAY.longest) * (0.5 + Math.random());
      this.#attempts += 1;
      if (!closing) setTimeout(() => this.connect(), delay);
    });
    this.#watch();
  }

  #watch() {
    clearTimeout(this.alive);
    this.alive = setTimeout(() => this.socket.terminate(), PING_MS);
  }

  #packet(text) {
    if (text[0] === "2") {
      this.#watch();
      return this.socket.send("3");
    }
    if (text[0] === "0") return this.socket.send(`40${space}${hubbub ? JSON.stringify({ protocol: 2, token: this.token }) : ""}`);
    const body = text.slice(2 + space.length);
    if (text.startsWith("40")) {
      if (hubbub) return this.#then(() => this.#enter());
      this.#arrived();
    } else if (text.startsWith("42")) {
      const [event, payload] = JSON.parse(body);
      this.#told(event, payload);
    } else if (text.startsWith("43")) {
      const start = body.indexOf("[");
      this.#asked.get(body.slice(0, start))?.answer(JSON.parse(body.slice(start))[0]);
      this.#asked.delete(body.slice(0, start));
    } else if (text.startsWith("44")) {
      this.socket.terminate();
    }
  }

  #told(event, payload) {
    if (event === "new message") this.shown.push(entry("", 0, payload.message));
    if (event === "events" && payload.events[0]?.room === room) this.#then(() => this.#take(payload.events));
    if (event === "reset") this.#then(() => this.#enter());
  }

  #arrived() {
    this.#attempts = 0;
    this.joined = true;
    this.admitted?.();
  }

  /** Runs work one after the other. What fails is repeated after a reconnection. */
  #then(work) {
    this.#chain = this.#chain.then(work).catch((error) => {
      if (error.message !== "gone") this.socket.terminate();
    });
  }

  async #enter() {
    if (this.token === undefined) this.token = (await this.#ask("sign_in", { name: `Guest ${first + this.n}` })).token;
    const last = this.shown.at(-1);
    const joined = await this.#ask("join", last ? { room, from: { epoch: last.epoch, seq: last.seq } } : { room });
    this.#arrived();
    if (!joined.page) await this.#take(joined.events);
    else if (last) await this.#fill();
    else await this.#take(joined.page.messages.map((message) => ({ epoch: joined.head.epoch, ...message })));
  }

  async #take(events) {
    for (const event of events) if (!this.#fits(event)) return this.#fill();
  }

  #fits({ epoch, seq, client_id }) {
    const last = this.shown.at(-1);
    if (last && (epoch !== last.epoch || seq > last.seq + 1)) return false;
    if (!last || seq > last.seq) this.shown.push(entry(epoch, seq, client_id));
    return true;
  }

  async #fill() {
    for (let more = true; more; ) {
      const stretch = await this.#ask("history", { room, after: this.shown.at(-1)?.seq ?? 0 });
      for (const event of stretch.events) this.#fits(event);
      more = stretch.more;
    }
  }

  /** Repeats the command after the refusal's retry time. */
  async #ask(command, payload) {
    for (;;) {
      const reply = await new Promise((answer, fail) => {
        const id = `${(this.#ids += 1)}`;
        const late = setTimeout(() => fail(new Error("no answer")), ANSWER_MS);
        const over = (go) => (value) => {
          clearTimeout(late);
          go(value);
        };
        this.#asked.set(id, { answer: over(answer), fail: over(fail) });
        this.socket.send(`42${space}${id}${JSON.stringify([command, payload])}`);
      });
      if (reply.ok) return reply.ok;
      refusals[reply.error.code] = (refusals[reply.error.code] ?? 0) + 1;
      if (reply.error.retry_after_ms === undefined) {
        this.refused.push(reply.error.code);
        throw new Error(reply.error.code);
      }
      await new Promise((go) => setTimeout(go, reply.error.retry_after_ms));
    }
  }
}

let closing = false;
/** How often each code was answered. */
const refusals = {};
const clients = Array.from({ length: count }, (_, n) => new Client(n));

function status() {
  let [joined, shown] = [0, 0];
  for (const client of clients) {
    joined += client.joined ? 1 : 0;
    shown += client.shown.length;
  }
  return { joined, shown, refusals, refused: clients.flatMap(({ refused }) => refused).slice(0, 10) };
}

/** What was shown, grouped by people who showed the same. */
function logs() {
  const groups = new Map();
  for (const { shown } of clients) {
    const key = shown.map(({ n }) => n).join();
    const group = groups.get(key) ?? { people: 0, shown: shown.map(({ epoch, seq, id }) => [epoch, seq, id]) };
    group.people += 1;
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** How many clients have recently shown one of these. */
function heard(ids) {
  const wanted = new Set(ids);
  return clients.filter(({ shown }) => shown.slice(-50).some(({ id }) => wanted.has(id))).length;
}

process.on("message", (what) => {
  if (Array.isArray(what)) process.send({ heard: heard(what) });
  if (what === "logs") process.send({ logs: logs() });
  if (what === "close") {
    closing = true;
    for (const { socket } of clients) socket?.terminate();
    process.exit(0);
  }
});
// Ends with the parent process.
process.on("disconnect", () => process.exit(0));

setInterval(() => process.send({ status: status() }), 50);
let next = 0;
async function admit() {
  while (next < clients.length) {
    const client = clients[next];
    next += 1;
    await new Promise((done) => {
      client.admitted = done;
      client.connect();
    });
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, admit));
