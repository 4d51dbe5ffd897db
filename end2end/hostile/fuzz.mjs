// Thousands of malformed packets and requests, the same for the same seed: HUBBUB_SEED=7 make hostile HOSTILE=fuzz. The
// server must answer or close within a bound, and never panic.

import { Ws, frame, hello, raw, request, sleep } from "./wire.mjs";

const SEED = Number(process.env.HUBBUB_SEED ?? Date.now() % 1_000_000_007);
const PACKETS = Number(process.env.HOSTILE_PACKETS ?? 1_000_000);
const REQUESTS = Number(process.env.HOSTILE_REQUESTS ?? 100_000);
/** Longer than the server's longest deadline, which is ten seconds. */
const BOUND = 15_000;
const AT_ONCE = 32;
/** Packets per connection, and how many of them, at its end, may close it. */
const BATCH = 100;
const TAIL = 20;

/** Random numbers from a seed: mulberry32. */
function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (n) => Math.floor(next() * n);
  return { below, chance: (p) => next() < p, pick: (all) => all[below(all.length)] };
}

const SCRAPS = ["", "\0", "\x1e", "\ud800", "😀", "é", '"', "\\", "{", "}", "[", "]", ",", "-", "/", "9", "2", "4", "5", "6", "0", "null", "1e999", "__proto__", "\u200b"];
const NAMES = ["send", "edit", "delete", "react", "set_title", "join", "leave", "history", "roster", "typing", "sign_in", "create_room", "list_rooms", "new message", "add user", "disconnect", "connect", "error", ""];
const VALUES = ["null", "1", "-1", "9007199254740993", '"lobby"', '"x"', "[]", "{}", "true", '"\\ud800"', '{"room":"lobby"}', '{"room":"lobby","after":-1}', '{"room":"lobby","after":1e99}', '{"room":"LOBBY"}', '{"room":"lobby","messages":[]}', '{"room":"lobby","messages":[{"client_id":"a","text":""}]}', '{"name":"\\u0000"}', '{"title":"</title>"}', "[[[[[[[[]]]]]]]]"];
const NAMESPACES = ["", "/chat,", "/,", "/ops,", "/nothing,", "/chat?x=1,", "/ch\0at,"];

/** A packet that a connected client may send without being cut: an event, an unsolicited answer, a second CONNECT. */
function mild(dice) {
  const ack = dice.chance(0.5) ? String(dice.below(1_000_000)) : "";
  if (dice.chance(0.05)) return `43/chat,${ack || 1}[${dice.pick(VALUES)}]`;
  if (dice.chance(0.02)) return `40/chat,${dice.pick(VALUES)}`;
  return `42/chat,${ack}["${dice.pick(NAMES.slice(0, 9))}"${dice.chance(0.8) ? `,${dice.pick(VALUES)}` : ""}]`;
}

/** A packet that is almost valid. */
function almost(dice) {
  const ns = dice.pick(NAMESPACES);
  const ack = dice.chance(0.5) ? String(dice.below(1_000_000)) : "";
  switch (dice.below(8)) {
    case 0:
      return `40${ns}${dice.pick(VALUES)}`;
    case 1:
      return `43${ns}${ack}[${dice.pick(VALUES)}]`;
    case 2:
      return `41${ns}`;
    default:
      return `42${ns}${ack}["${dice.pick(NAMES)}"${dice.chance(0.8) ? `,${dice.pick(VALUES)}` : ""}]`;
  }
}

/** The same, damaged. */
function damaged(dice) {
  let text = dice.chance(0.9)
    ? almost(dice)
    : `45${dice.below(3)}-/chat,1["${dice.pick(NAMES)}",{"_placeholder":true,"num":0}]`;
  for (let n = dice.below(4); n >= 0; n -= 1) {
    const at = dice.below(text.length + 1);
    text = text.slice(0, at) + dice.pick(SCRAPS) + text.slice(at + dice.below(3));
  }
  return text;
}

/** WebSocket frames, some of which violate the protocol. */
function framed(dice, text) {
  if (dice.chance(0.8)) return frame(text);
  switch (dice.below(5)) {
    case 0:
      return frame(text, dice.below(16));
    case 1:
      return frame(text, 1, false);
    case 2:
      return frame(Buffer.from([0xff, 0xfe, dice.below(256)]), 1);
    case 3:
      return Buffer.from([dice.below(256), dice.below(256), dice.below(256)]);
    default:
      return frame(text, 2);
  }
}

async function inTurns(count, each) {
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < count) await each(next++);
    }),
  );
}

/** Sends a batch on one WebSocket. The connection must survive the first part and may be closed after the tail.
 * Resolves to the outcome. */
function batch(target, from, survived, tail) {
  return new Promise((resolve) => {
    const ws = new Ws(target, from);
    let answered = false;
    const timer = setTimeout(() => end("hung"), BOUND);
    const end = (how) => {
      clearTimeout(timer);
      ws.close();
      resolve(how);
    };
    ws.onClose = () => end(answered ? "answered" : "closed");
    ws.onText = (text) => {
      if (!text.startsWith("43/chat,777")) return;
      answered = true;
      ws.socket.end(Buffer.concat(tail));
    };
    ws.onOpen = () => {
      ws.send(hello());
      ws.socket.write(Buffer.concat(survived));
      // An earlier packet may have left the namespace.
      ws.send(hello());
      ws.send('42/chat,777["list_rooms",{}]');
    };
  });
}

async function packets(server) {
  const dice = random(SEED);
  const ends = { answered: 0, closed: 0, hung: 0 };
  const count = Math.ceil(PACKETS / BATCH);
  await inTurns(count, async (n) => {
    const survived = Array.from({ length: BATCH - TAIL }, () => frame(mild(dice)));
    const tail = Array.from({ length: TAIL }, () => framed(dice, dice.chance(0.5) ? almost(dice) : damaged(dice)));
    ends[await batch(server.target, `127.0.0.${3 + (n % 32)}`, survived, tail)] += 1;
  });
  // Over polling: many packets in one request.
  const polls = Math.ceil(count / 10);
  await inTurns(polls, async (n) => {
    const from = `127.0.0.${3 + (n % 32)}`;
    const at = "/socket.io/?EIO=4&transport=polling";
    const opened = await raw(server.target, from, request(server.target, "GET", at, { Connection: "close" }), BOUND);
    const sid = /"sid":"([^"]+)"/.exec(opened.text)?.[1] ?? "none";
    const text = Array.from({ length: BATCH }, () => damaged(dice)).join("\x1e");
    const post = request(server.target, "POST", `${at}&sid=${sid}`, { Connection: "close" }, text);
    const answer = await raw(server.target, from, post, BOUND);
    ends[answer.hung ? "hung" : answer.status > 0 ? "answered" : "closed"] += 1;
  });
  return verdict(server, ends, `${(count + polls) * BATCH} packets`);
}

const METHODS = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "TRACE", "get", "G\0T", "PRI", ""];
const TARGETS = ["/", "*", "x", "example.org:80", "http://evil.example/", "//", "/%", "/%00", "/%ff", "/\u{7f}", "/rooms/lobby", "/rooms/%2e%2e", "/rooms/lobby?before=-1", "/rooms/lobby?before=99999999999999999999", "/session", "/rooms", "/socket.io/", "/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=polling&sid=x", "/socket.io/?EIO=4&transport=websocket", "/socket.io/?EIO=3&transport=polling", "/pkg/", "/pkg/../../etc/passwd", "/metrics", "/readyz", "/theme", `/${"a".repeat(300)}`, "/?next=/%09/evil.example"];
const VERSIONS = ["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTTP", ""];
const HEADERS = ["Host: x", "Host: 127.0.0.1", "Host:", "Host: x\r\nHost: y", "Content-Length: 5", "Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 1\r\nContent-Length: 2", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked, chunked", "Connection: upgrade\r\nUpgrade: websocket", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 12", "Expect: 100-continue", "Cookie: hubbub_session=\u00ff", "Cookie: =;=;=", "Accept-Encoding: br;q=nope", "Range: bytes=5-1", "If-Modified-Since: yesterday", "Origin: null", "Origin: http://[", "X-Forwarded-For: ,,,", "X-Forwarded-Proto: https,http", "Content-Type: multipart/form-data; boundary=", "Content-Type: application/x-www-form-urlencoded", "no colon", ": no name", `X: ${"x".repeat(5_000)}`];
const BODIES = ["", "name=%", "name=%ff%fe", "text=x&text=y", "client_id=&text=", "5\r\nhello\r\n0\r\n\r\n", "ffffffffffffffffff\r\n", "zz\r\n", "\0\0\0\0"];

function malformed(dice) {
  const lines = [`${dice.pick(METHODS)} ${dice.pick(TARGETS)} ${dice.pick(VERSIONS)}`];
  for (let n = dice.below(6); n > 0; n -= 1) lines.push(dice.pick(HEADERS));
  let text = `${lines.join(dice.chance(0.97) ? "\r\n" : "\n")}\r\n\r\n${dice.pick(BODIES)}`;
  if (dice.chance(0.3)) {
    const at = dice.below(text.length);
    text = text.slice(0, at) + dice.pick(SCRAPS) + text.slice(at + dice.below(4));
  }
  return Buffer.from(text, dice.chance(0.5) ? "latin1" : "utf8");
}

async function requests(server) {
  const dice = random(SEED + 1);
  const ends = { answered: 0, closed: 0, hung: 0 };
  await inTurns(REQUESTS, async (n) => {
    const answer = await once(server.target, `127.0.0.${3 + (n % 64)}`, malformed(dice));
    ends[answer] += 1;
  });
  return verdict(server, ends, `${REQUESTS} requests`);
}

/** Sends bytes, closes its side, and waits for the end. */
async function once(target, from, bytes) {
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    const socket = connect({ ...target, localAddress: from, noDelay: true, allowHalfOpen: true });
    let answered = false;
    const timer = setTimeout(() => end("hung"), BOUND);
    const end = (how) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(how);
    };
    socket.on("error", () => end(answered ? "answered" : "closed"));
    socket.on("connect", () => socket.end(bytes));
    socket.on("data", () => {
      // An answer is enough: the server may keep the connection open for another request.
      answered = true;
      end("answered");
    });
    socket.on("close", () => end(answered ? "answered" : "closed"));
    socket.on("end", () => end(answered ? "answered" : "closed"));
  });
}

async function verdict(server, ends, what) {
  await sleep(200);
  const alive = server.child.exitCode === null;
  const panics = alive ? await server.panics() : Number.NaN;
  const says = `seed ${SEED}: ${what}; ${ends.answered} answered, ${ends.closed} closed, ${ends.hung} hung; ${panics} panics`;
  return { ok: alive && panics === 0 && ends.hung === 0, says: alive ? says : `${says}; the server is gone` };
}

export const fuzzers = {
  "fuzz packets": { what: "malformed Engine.IO and Socket.IO packets, over WebSocket and polling", run: packets },
  "fuzz requests": { what: "malformed requests, each on its own connection", run: requests },
};
