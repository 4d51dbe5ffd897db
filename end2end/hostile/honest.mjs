// Honest clients during an attack: one sends messages, others join and read a page.

import { Chat, ask, id, sleep } from "./wire.mjs";

const EVERY = 15;
/** A person who waited this long has given up. */
const PATIENCE = 10_000;

export class Honest {
  /** Milliseconds from `send` to its acknowledgement. */
  acks = [];
  /** Milliseconds until a newcomer is in the lobby, and until a page is loaded. */
  joins = [];
  pages = [];
  #stopped = false;
  #running = [];

  static async start(target, from) {
    const honest = new Honest();
    const chat = await Chat.open(target, from);
    const { ok } = await chat.ask("sign_in", { name: "Ada" });
    if (ok === undefined) throw new Error("the honest client cannot sign in");
    honest.#running.push(honest.#talk(chat), honest.#arrive(target, from, ok.token), honest.#read(target, from));
    return honest;
  }

  /** Returns what was measured since the last call. */
  take() {
    const taken = { acks: this.acks, joins: this.joins, pages: this.pages };
    this.acks = [];
    this.joins = [];
    this.pages = [];
    return taken;
  }

  async stop() {
    this.#stopped = true;
    await Promise.race([Promise.all(this.#running), sleep(PATIENCE)]);
  }

  async #talk(chat) {
    const waiting = new Set();
    while (!this.#stopped) {
      const began = performance.now();
      const message = { client_id: id(), text: "an honest message" };
      const answered = chat.ask("send", { room: "lobby", messages: [message] }).then((answer) => {
        waiting.delete(answered);
        // A refusal counts as no answer.
        this.acks.push(answer?.ok === undefined ? PATIENCE : performance.now() - began);
      });
      waiting.add(answered);
      await sleep(EVERY);
      if (chat.closed) return;
    }
    await Promise.race([Promise.all(waiting), sleep(2_000)]);
    chat.close();
  }

  async #arrive(target, from, token) {
    while (!this.#stopped) {
      const began = performance.now();
      await this.#join(target, from, token, began);
      this.joins.push(Math.min(PATIENCE, performance.now() - began));
      await sleep(500);
    }
  }

  async #join(target, from, token, began) {
    while (!this.#stopped && performance.now() - began < PATIENCE) {
      const opening = Chat.open(target, from, { token }).catch(() => undefined);
      const chat = await Promise.race([opening, sleep(PATIENCE)]);
      for (;;) {
        const answer = await Promise.race([chat?.ask("join", { room: "lobby" }), sleep(PATIENCE)]);
        if (answer?.ok !== undefined) {
          return chat.close();
        }
        if (answer?.error === undefined || performance.now() - began > PATIENCE) break;
        await sleep(answer.error.retry_after_ms ?? 200);
      }
      chat?.close();
      await sleep(100);
    }
  }

  async #read(target, from) {
    while (!this.#stopped) {
      const began = performance.now();
      const answer = await ask(target, from, "GET", "/rooms/lobby", {}, "", PATIENCE);
      this.pages.push(answer.status === 200 ? performance.now() - began : PATIENCE);
      await sleep(500);
    }
  }
}

/** The value below which this share of the values lies. */
export function percentile(values, part) {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
}
