// Bytes that no well-behaved client sends: HTTP requests and WebSocket frames over bare TCP.

import { connect } from "node:net";

/** The packet that connects to `/chat`. */
export const hello = (auth = {}) => `40/chat,${JSON.stringify({ protocol: 2, ...auth })}`;

/** A TCP connection from one of this machine's addresses. Errors end it without an exception. */
export function tcp(target, from) {
  const socket = connect({ host: target.host, port: target.port, localAddress: from, noDelay: true });
  socket.on("error", () => socket.destroy());
  return socket;
}

/** An HTTP request as text. */
export function request(target, method, path, headers = {}, body = "") {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${target.host}:${target.port}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== "" || method === "POST") lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** Sends one request on its own connection. Resolves to the whole answer as text, or as much as arrived. */
export function ask(target, from, method, path, headers = {}, body = "", patience = 10_000) {
  return raw(target, from, request(target, method, path, { ...headers, Connection: "close" }, body), patience);
}

/** The same with any bytes. `hung` is true if neither an answer nor the end came. */
export function raw(target, from, bytes, patience = 10_000) {
  return new Promise((resolve) => {
    const socket = tcp(target, from);
    let text = "";
    const timer = setTimeout(() => finish(true), patience);
    const finish = (hung) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, hung, status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0) });
    };
    socket.on("connect", () => socket.write(bytes));
    socket.on("data", (data) => (text += data.toString("latin1")));
    socket.on("close", () => finish(false));
  });
}

/** The body of an answer, still chunked if it came so. */
export function body(text) {
  const at = text.indexOf("\r\n\r\n");
  return at < 0 ? "" : text.slice(at + 4);
}

/** A client's frame. Its mask is zero, which leaves the payload unchanged. */
export function frame(payload, opcode = 1, fin = true) {
  const bytes = Buffer.from(payload);
  let head;
  if (bytes.length < 126) head = Buffer.from([0, 0x80 | bytes.length]);
  else if (bytes.length < 65_536) {
    head = Buffer.from([0, 0x80 | 126, 0, 0]);
    head.writeUInt16BE(bytes.length, 2);
  } else {
    head = Buffer.from([0, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(bytes.length, 6);
  }
  head[0] = (fin ? 0x80 : 0) | opcode;
  return Buffer.concat([head, Buffer.alloc(4), bytes]);
}

/** A WebSocket that reports text frames, unless it stops reading. */
export class Ws {
  #rest = Buffer.alloc(0);
  #head = false;
  open = false;
  closed = false;
  status = 0;
  onText = () => {};
  onOpen = () => {};
  onClose = () => {};

  constructor(target, from, { path = "/socket.io/?EIO=4&transport=websocket", headers = {} } = {}) {
    this.socket = tcp(target, from);
    this.socket.on("connect", () => {
      this.socket.write(
        request(target, "GET", path, {
          Connection: "Upgrade",
          Upgrade: "websocket",
          "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
          ...headers,
        }),
      );
    });
    this.socket.on("data", (data) => this.#take(data));
    this.socket.on("close", () => {
      this.closed = true;
      this.open = false;
      this.onClose();
    });
  }

  #take(data) {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    if (!this.#head) {
      const at = this.#rest.indexOf("\r\n\r\n");
      if (at < 0) return;
      this.status = Number(this.#rest.toString("latin1", 9, 12));
      this.#head = true;
      this.#rest = this.#rest.subarray(at + 4);
      if (this.status !== 101) return void this.socket.destroy();
      this.open = true;
      this.onOpen();
    }
    for (;;) {
      const bytes = this.#rest;
      if (bytes.length < 2) return;
      let length = bytes[1] & 0x7f;
      let at = 2;
      if (length === 126) {
        if (bytes.length < 4) return;
        length = bytes.readUInt16BE(2);
        at = 4;
      } else if (length === 127) {
        if (bytes.length < 10) return;
        length = bytes.readUInt32BE(6);
        at = 10;
      }
      if (bytes.length < at + length) return;
      const payload = bytes.subarray(at, at + length);
      this.#rest = bytes.subarray(at + length);
      const opcode = bytes[0] & 0x0f;
      if (opcode === 1) {
        const text = payload.toString();
        if (text === "2") this.send("3");
        else this.onText(text);
      } else if (opcode === 8) this.socket.destroy();
    }
  }

  send(text) {
    return this.socket.write(frame(text));
  }

  /** Stops reading. */
  deaf() {
    this.socket.pause();
  }

  close() {
    this.socket.destroy();
  }
}

/** A client on `/chat` whose commands are answered. */
export class Chat {
  #answers = new Map();
  #last = 0;
  closed = false;

  static open(target, from, auth = {}) {
    return new Promise((resolve, reject) => {
      const chat = new Chat();
      chat.ws = new Ws(target, from);
      chat.ws.onOpen = () => chat.ws.send(hello(auth));
      chat.ws.onClose = () => {
        chat.closed = true;
        for (const answer of chat.#answers.values()) answer(undefined);
        reject(new Error("closed before it was connected"));
      };
      chat.ws.onText = (text) => {
        if (text.startsWith("40/chat")) resolve(chat);
        else if (text.startsWith("44/chat")) reject(new Error(text));
        else if (text.startsWith("43/chat,")) {
          const at = text.indexOf("[");
          const id = Number(text.slice(8, at));
          const answer = chat.#answers.get(id);
          chat.#answers.delete(id);
          answer?.(JSON.parse(text.slice(at))[0]);
        }
      };
    });
  }

  /** The answer to a command; undefined if the connection ends first. */
  ask(name, data) {
    if (this.closed) return Promise.resolve(undefined);
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.ws.send(`42/chat,${id}${JSON.stringify([name, data])}`);
    });
  }

  close() {
    this.ws.close();
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let counter = 0;
/** An id that was never used before. */
export function id() {
  counter += 1;
  return `h${process.pid}-${Date.now().toString(36)}-${counter}`;
}
