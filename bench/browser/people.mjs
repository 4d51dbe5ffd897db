// People who write, with the official Socket.IO client.

import { randomUUID } from "node:crypto";

import { io } from "socket.io-client";

const ANSWER_MS = 20_000;
const NAMES = ["Ada", "Bob", "Cleo", "Dan"];
const WORDS = "the room is a log and whoever was away reads on from where they were so nothing is lost on the way here".split(" ");

/** A message: mostly one line, sometimes two or a URL. */
export function text(n) {
  const words = Array.from({ length: 4 + ((n * 7) % 17) }, (_, i) => WORDS[(n * 5 + i) % WORDS.length]).join(" ");
  if (n % 17 === 0) return `${n}: ${words}\n${words}`;
  return n % 13 === 0 ? `${n}: ${words} https://example.org/${n}` : `${n}: ${words}`;
}

export class Talker {
  constructor(url) {
    this.socket = io(`${url}/chat`, { forceNew: true, transports: ["websocket"], auth: { protocol: 2 } });
  }

  async command(command, payload) {
    const reply = await this.socket.timeout(ANSWER_MS).emitWithAck(command, payload);
    if (reply.error) throw new Error(`${command}: ${reply.error.code}: ${reply.error.message}`);
    return reply.ok;
  }

  send(room, ...texts) {
    return this.command("send", { room, messages: texts.map((text) => ({ client_id: randomUUID(), text })) });
  }
}

/** Four people, signed in and in the room. */
export async function talkers(url, room) {
  const all = NAMES.map(() => new Talker(url));
  for (const [n, talker] of all.entries()) await talker.command("sign_in", { name: NAMES[n] });
  for (const talker of all) await talker.command("join", { room });
  return all;
}

/** Sends messages 1 to `count`, three in a row by the same person. */
export async function fill(all, room, count) {
  for (let n = 1; n <= count; n += 1) await all[Math.floor(n / 3) % all.length].send(room, text(n));
}

/** Sends this many messages a second, each on time whatever happened to earlier ones. Returns how many were sent. */
export async function talk(all, room, perSecond, seconds, first = 1) {
  const failures = [];
  const answers = [];
  const total = perSecond * seconds;
  const start = performance.now();
  let n = 0;
  await new Promise((done) => {
    const timer = setInterval(() => {
      const due = Math.min(total, ((performance.now() - start) / 1_000) * perSecond);
      for (; n < due; n += 1) {
        answers.push(all[Math.floor(n / 3) % all.length].send(room, text(first + n)).catch((error) => failures.push(error)));
      }
      if (n >= total) {
        clearInterval(timer);
        done();
      }
    }, 5);
  });
  await Promise.all(answers);
  if (failures.length > 0) throw new Error(`${failures.length} of ${total} messages were refused: ${failures[0]}`);
  return n;
}

export function close(all) {
  for (const { socket } of all) socket.disconnect();
}
