// Many people who read one room, in one process that a test can pause; forked by readers.ts. Each follows
// docs/protocol.md: drops what it has, fetches what is missing, and resumes at its position.

import { io } from "socket.io-client";

const [url, room, count, transport] = process.argv.slice(2);
/** How long to wait for an answer, in milliseconds. */
const ANSWER_MS = 20_000;

class Reader {
  last = { epoch: "", seq: 0 };
  joined = false;
  /** How often something was missing and had to be fetched. */
  filled = 0;
  /** Events shown that did not follow the one before. Must stay 0. */
  wrong = 0;
  refused = 0;
  connects = 0;
  #chain = Promise.resolve();
  #token;

  constructor(n) {
    this.name = `Reader ${n}`;
    this.socket = io(`${url}/chat`, {
      transports: [transport ?? "websocket"],
      forceNew: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 1_000,
      auth: (give) => give({ protocol: 2, ...(this.#token ? { token: this.#token } : {}) }),
    });
    this.socket.on("welcome", () => {
      this.connects += 1;
      this.#then(() => this.#join());
    });
    this.socket.on("reset", () => this.#then(() => this.#join()));
    this.socket.on("events", ({ events }) => this.#then(() => this.#take(events)));
    this.socket.on("disconnect", (reason) => {
      this.joined = false;
      // The server closed the connection, and then the library does not reconnect.
      if (reason === "io server disconnect") setTimeout(() => this.socket.connect(), 200 + Math.random() * 800);
    });
  }

  #then(work) {
    this.#chain = this.#chain.then(work).catch(() => undefined);
  }

  /** Sends a command, and again after a refusal's retry time. */
  async #ask(command, payload) {
    for (;;) {
      const { ok, error } = await this.socket.timeout(ANSWER_MS).emitWithAck(command, payload);
      if (ok) return ok;
      this.refused += 1;
      if (error.retry_after_ms === undefined) throw new Error(error.message);
      await new Promise((again) => setTimeout(again, error.retry_after_ms));
    }
  }

  async #join() {
    if (!this.#token) this.#token = (await this.#ask("sign_in", { name: this.name })).token;
    const joined = await this.#ask("join", { room, ...(this.last.seq > 0 ? { from: this.last } : {}) });
    this.joined = true;
    if (this.last.seq === 0) this.last = joined.head;
    else if (joined.page) await this.#fill();
    else await this.#take(joined.events);
  }

  async #take(events) {
    for (const { epoch, seq } of events) {
      if (epoch === this.last.epoch && seq <= this.last.seq) continue;
      if (seq !== this.last.seq + 1) return this.#fill();
      this.last = { epoch, seq };
    }
  }

  async #fill() {
    this.filled += 1;
    for (;;) {
      const { events, more } = await this.#ask("history", { room, after: this.last.seq });
      for (const { epoch, seq } of events) {
        if (seq <= this.last.seq) continue;
        if (seq !== this.last.seq + 1 || epoch !== this.last.epoch) this.wrong += 1;
        this.last = { epoch, seq };
      }
      if (!more) return;
    }
  }
}

const readers = Array.from({ length: Number(count) }, (_, n) => new Reader(n));

process.on("message", () => {
  const sum = (what) => readers.reduce((sum, reader) => sum + what(reader), 0);
  process.send({
    joined: sum(({ joined }) => Number(joined)),
    lowest: Math.min(...readers.map(({ last }) => last.seq)),
    filled: sum(({ filled }) => filled),
    wrong: sum(({ wrong }) => wrong),
    refused: sum(({ refused }) => refused),
    connects: sum(({ connects }) => connects),
  });
});
process.on("disconnect", () => process.exit(0));
