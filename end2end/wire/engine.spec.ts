// Edge cases of Engine.IO, with the official client and with bare sockets: failed upgrades, escaped names, reconnected
// namespaces, cancelled polls, and refusals.

import { connect } from "node:net";
import { WebSocket } from "ws";

import type { ChatClient } from "../support/client.ts";
import { resident } from "../support/memory.ts";
import { CONNECT } from "../support/protocol.ts";
import type { Server } from "../support/server.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";
import { until } from "../support/until.ts";

const POLLING = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET = "/socket.io/?EIO=4&transport=websocket";

/** A WebSocket that records what it hears. */
class Raw {
  readonly heard: string[] = [];
  readonly socket: WebSocket;
  open = false;
  closed: number | undefined;
  refused: number | undefined;

  constructor(server: Server, path = WEBSOCKET, protocols: string[] = []) {
    this.socket = new WebSocket(server.url.replace("http", "ws") + path, protocols);
    this.socket.on("open", () => (this.open = true));
    this.socket.on("message", (data: Buffer) => this.heard.push(data.toString()));
    this.socket.on("close", (code: number) => (this.closed = code));
    this.socket.on("unexpected-response", (_, answer) => {
      this.refused = answer.statusCode;
      this.socket.terminate();
    });
    this.socket.on("error", () => undefined);
  }

  async opened(): Promise<this> {
    await until("the WebSocket is open", 20_000, () => this.open);
    return this;
  }

  send(packet: string): void {
    this.socket.send(packet);
  }

  async hears(beginning: string): Promise<string> {
    return until(`${beginning} is heard; heard: ${JSON.stringify(this.heard).slice(0, 500)}`, 20_000, () =>
      this.heard.find((packet) => packet.startsWith(beginning)),
    );
  }

  async ends(): Promise<number> {
    return until("the WebSocket is closed", 20_000, () => this.closed);
  }
}

/** Opens a polling session by hand. */
async function poll(server: Server): Promise<{ sid: string; path: string }> {
  const opened = await (await fetch(server.url + POLLING)).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  return { sid, path: `${POLLING}&sid=${sid}` };
}

async function post(server: Server, path: string, body: string): Promise<Response> {
  return fetch(server.url + path, { method: "POST", body });
}

function welcomes(client: ChatClient): number {
  return client.told.filter(({ event }) => event === "welcome").length;
}

async function megabytes(server: Server): Promise<number> {
  return (await resident(server.pid, "RssAnon")) / 1_000_000;
}

/** The Engine.IO session id of a client. */
function sidOf(client: ChatClient): string {
  return client.socket.io.engine.id;
}

const WAYS: Record<string, (raw: Raw) => Promise<void>> = {
  "opened and silent": async () => undefined,
  "cut after the handshake": async (raw) => raw.socket.terminate(),
  "closed without a probe": async (raw) => raw.socket.close(),
  "a wrong first packet": async (raw) => {
    raw.send("4hello");
    await raw.ends();
  },
  "a probe that is nothing": async (raw) => {
    raw.send("5");
    await raw.ends();
  },
  "closed after the probe": async (raw) => {
    raw.send("2probe");
    await raw.hears("3probe");
    raw.socket.close();
  },
  "cut after the probe": async (raw) => {
    raw.send("2probe");
    await raw.hears("3probe");
    raw.socket.terminate();
  },
};

for (const [name, fail] of Object.entries(WAYS)) {
  test(`an upgrade that fails leaves the session alone: ${name}`, async ({ ownServer, program }) => {
    const polling = await program("Polling", { transports: ["polling"] });
    const witness = await program("Witness");
    await polling.join("lobby");
    const raw = await new Raw(ownServer, `${WEBSOCKET}&sid=${sidOf(polling)}`).opened();
    await fail(raw);
    for (let n = 0; n < 5; n += 1) {
      await witness.send("lobby", `line ${n}`);
      await polling.roster("lobby");
    }
    await expect.poll(() => polling.received("lobby").length).toBe(5);
    expect(welcomes(polling), "the session is the same").toBe(1);
    // It can still upgrade.
    if (name === "opened and silent") return;
    const second = await new Raw(ownServer, `${WEBSOCKET}&sid=${sidOf(polling)}`).opened();
    second.send("2probe");
    await second.hears("3probe");
  });
}

test("a second upgrade does not disturb the first", async ({ ownServer }) => {
  const { sid } = await poll(ownServer);
  const first = await new Raw(ownServer, `${WEBSOCKET}&sid=${sid}`).opened();
  first.send("2probe");
  await first.hears("3probe");
  const second = await new Raw(ownServer, `${WEBSOCKET}&sid=${sid}`).opened();
  await second.ends();
  first.send("5");
  first.send(CONNECT);
  await first.hears("40/chat,");
  const third = await new Raw(ownServer, `${WEBSOCKET}&sid=${sid}`).opened();
  await third.ends();
  first.send('42/chat,1["list_rooms",{}]');
  await first.hears("43/chat,1");
  expect((await fetch(`${ownServer.url}${POLLING}&sid=${sid}`)).status).toBe(400);
});

test("an upgrade loses nothing and keeps the order, while a room talks", async ({ program }) => {
  const speaker = await program("Speaker", { transports: ["websocket"] });
  const listeners: ChatClient[] = [];
  let said = 0;
  let stop = false;
  const talking = (async () => {
    for (; !stop; said += 1) await speaker.send("lobby", `line ${said}`);
  })();
  for (let n = 0; n < 20; n += 1) {
    const listener = await program(`Listener ${n}`);
    await listener.join("lobby");
    listeners.push(listener);
  }
  const upgraded = (one: ChatClient): boolean => one.socket.io.engine.transport.name === "websocket";
  await expect.poll(() => listeners.every(upgraded), { timeout: 30_000 }).toBe(true);
  stop = true;
  await talking;
  const last = (await speaker.send("lobby", "the last"))[0]?.seq ?? 0;
  for (const listener of listeners) {
    await expect.poll(() => listener.received("lobby").at(-1)?.seq).toBe(last);
    const seqs = listener.received("lobby").map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, n) => last - seqs.length + 1 + n));
    expect(welcomes(listener)).toBe(1);
  }
});

test("an event may have any name", async ({ ownServer, program }) => {
  const client = await program("Names");
  for (const name of ['say "hi"', "grüße", "a\\b", "\u{1f44b}", "x".repeat(10_000)]) {
    expect((await client.ask(name, {})).error?.code, name).toBe("unknown_command");
  }
  const raw = await new Raw(ownServer).opened();
  raw.send(CONNECT);
  await raw.hears("40/chat,");
  for (const [id, name] of ["gr\\u00fc\\u00dfe", "half \\ud800", "\\u0000", 'say \\"hi\\"'].entries()) {
    raw.send(`42/chat,${id}["${name}",{}]`);
    expect(await raw.hears(`43/chat,${id}[`)).toContain("unknown_command");
  }
  raw.send('42/chat,9["\\u0073ign_in",{"name":"Escaped"}]');
  expect(await raw.hears("43/chat,9["), "an escape means its character").toContain("token");
});

test("reconnecting to a namespace makes a new connection", async ({ program, demo }) => {
  test.setTimeout(180_000);
  const other = demo();
  await expect.poll(() => other.socket.connected).toBe(true);
  const client = await program("Coming", { transports: ["websocket"] });
  // Another namespace of the same session keeps it open.
  const second = client.socket.io.socket("/");
  await expect.poll(() => second.connected).toBe(true);
  const witness = await program("Witness");
  await client.join("lobby");
  for (let n = 0; n < 200; n += 1) {
    client.socket.disconnect().connect();
    await client.join("lobby");
    if (n % 10 > 0) continue;
    expect((await client.roster("lobby")).people.map(({ name }) => name)).toContain("Coming");
    await witness.send("lobby", `line ${n}`);
    await expect.poll(() => client.received("lobby").at(-1)?.text).toBe(`line ${n}`);
  }
  expect(second.connected, "on the same session").toBe(true);
});

test("a cancelled poll ends the session within a second", async ({ ownServer }) => {
  const { path } = await poll(ownServer);
  await post(ownServer, path, CONNECT);
  const figure = (): Promise<number> => ownServer.figure("hubbub_sockets");
  expect(await (await fetch(ownServer.url + path)).text()).toContain("40/chat,");
  await expect.poll(figure).toBe(1);
  const cancelled = new AbortController();
  const polls = (async () => {
    // The first poll returns the welcome.
    for (;;) await (await fetch(ownServer.url + path, { signal: cancelled.signal })).text();
  })().catch(() => undefined);
  await new Promise((done) => setTimeout(done, 300));
  cancelled.abort();
  await polls;
  await expect.poll(figure, { timeout: 1_000 }).toBe(0);
  expect((await fetch(ownServer.url + path)).status).toBe(400);
});

test("two polls at once end the session", async ({ ownServer }) => {
  const { path } = await poll(ownServer);
  const first = fetch(ownServer.url + path);
  await new Promise((done) => setTimeout(done, 200));
  expect((await fetch(ownServer.url + path)).status).toBe(400);
  expect(await (await first).text()).toBe("1");
});

test("refusals have the codes of Node.js and repeat nothing that was sent", async ({ ownServer }) => {
  for (const [path, method, code] of [
    ["/socket.io/?EIO=4&transport=smoke", "GET", 0],
    [`${POLLING}&sid=nobody`, "GET", 1],
    [`${POLLING}&sid=nobody`, "POST", 1],
    [POLLING, "POST", 2],
    ["/socket.io/?EIO=3&transport=polling", "GET", 5],
  ] as const) {
    const answer = await fetch(ownServer.url + path, { method });
    expect(answer.status, path).toBe(400);
    expect(((await answer.json()) as { code: number }).code, path).toBe(code);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  }
  const unknown = new Raw(ownServer, `${WEBSOCKET}&sid=nobody`);
  expect(await until("it is refused", 20_000, () => unknown.refused), "before the upgrade").toBe(400);

  const { path } = await poll(ownServer);
  await post(ownServer, path, "40/(window.x=1),");
  const answer = await fetch(ownServer.url + path);
  expect(await answer.text()).not.toContain("window");

  const known = await poll(ownServer);
  await post(ownServer, known.path, "40/random,");
  expect(await (await fetch(ownServer.url + known.path)).text()).toBe('44/random,{"message":"Invalid namespace"}');
});

test("a requested subprotocol is answered", async ({ ownServer }) => {
  const raw = await new Raw(ownServer, WEBSOCKET, ["chat", "other"]).opened();
  expect(raw.socket.protocol).toBe("chat");
});

test("violations of the WebSocket protocol are closed with their code", async ({ ownServer }) => {
  const long = await new Raw(ownServer).opened();
  long.send("4".repeat(1_000_000));
  expect(await long.ends()).toBe(1009);
  const binary = await new Raw(ownServer).opened();
  binary.socket.send(Buffer.from([1, 2, 3]));
  expect(await binary.ends()).toBe(1002);
  const pinged = await new Raw(ownServer).opened();
  const pong = new Promise((done) => pinged.socket.once("pong", (data) => done(data.toString())));
  pinged.socket.ping("are you there");
  expect(await pong).toBe("are you there");
});

test.describe("with a ping each second", () => {
  test.use({ serverEnv: { HUBBUB_PING_INTERVAL: "1", HUBBUB_PING_TIMEOUT: "1" } });

  test("the first ping comes after the interval, and a client that does not answer is disconnected", async ({ ownServer }) => {
    const began = performance.now();
    const raw = new Raw(ownServer);
    await raw.hears("0{");
    await raw.hears("2");
    expect(performance.now() - began).toBeGreaterThan(950);
    await raw.ends();
    const { path } = await poll(ownServer);
    const polled = performance.now();
    expect(await (await fetch(ownServer.url + path)).text()).toBe("2");
    expect(performance.now() - polled).toBeGreaterThan(900);
    await expect.poll(async () => (await fetch(ownServer.url + path)).status).toBe(400);
  });
});

/** Floods a bare WebSocket for `ms` milliseconds, without reading answers unless `read`. Returns the bytes accepted. */
async function flood(server: Server, bytes: Buffer, ms: number, read: boolean): Promise<number> {
  return new Promise((done) => {
    // From a separate address: limits per address are not tested here.
    const socket = connect({ port: server.port, host: "127.0.0.1", localAddress: "127.0.0.9" });
    const until = Date.now() + ms;
    socket.on("error", () => undefined);
    socket.on("close", () => done(socket.bytesWritten));
    setTimeout(() => socket.destroy(), ms + 200);
    socket.write(
      `GET ${WEBSOCKET} HTTP/1.1\r\nHost: ${server.url.slice(7)}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    socket.once("data", () => {
      if (!read) socket.pause();
      const more = (): void => {
        while (Date.now() < until && !socket.destroyed) if (!socket.write(bytes)) return void socket.once("drain", more);
      };
      more();
    });
  });
}

/** How long a client waits for answers to commands sent one after the other, in milliseconds. */
async function latencies(client: ChatClient, ms: number): Promise<{ p50: string; p99: string }> {
  const waits: number[] = [];
  for (const until = Date.now() + ms; Date.now() < until; ) {
    const asked = performance.now();
    await client.roster("lobby");
    waits.push(performance.now() - asked);
    // An honest client stays within its rate.
    await new Promise((next) => setTimeout(next, 10));
  }
  waits.sort((a, b) => a - b);
  const at = (part: number): string => (waits[Math.floor(waits.length * part)] ?? 0).toFixed(1);
  return { p50: at(0.5), p99: at(0.99) };
}

/** A client's frame with a mask of zeros. */
function frame(first: number, payload: string): Buffer {
  const length = Buffer.byteLength(payload);
  return Buffer.concat([Buffer.from([first, 0x80 | length, 0, 0, 0, 0]), Buffer.from(payload)]);
}

const FLOODS: Record<string, [frame: Buffer, read: boolean]> = {
  "CONNECT again and again": [frame(0x81, "40/chat,"), true],
  "pings whose pongs are not read": [frame(0x89, "x".repeat(125)), false],
  "pings whose pongs are read": [frame(0x89, "x".repeat(125)), true],
  "pongs without end": [frame(0x8a, ""), true],
  "empty fragments": [frame(0x01, ""), true],
  "pongs of Engine.IO": [frame(0x81, "3"), true],
  "events over the rate": [frame(0x81, '42/chat,7["list_rooms",{}]'), true],
};

for (const [name, [one, read]] of Object.entries(FLOODS)) {
  test(`a flood is slowed down and costs no memory: ${name}`, async ({ ownServer, program }) => {
    const honest = await program("Honest");
    await honest.join("lobby");
    const before = await megabytes(ownServer);
    const calm = await latencies(honest, 500);
    const first = frame(0x81, CONNECT);
    const rest = name === "empty fragments" ? frame(0x00, "") : one;
    const chunk = Buffer.concat([first, one, ...Array.from({ length: 2_000 }, () => rest)]);
    const floods = Array.from({ length: 4 }, () => flood(ownServer, chunk, 3_000, read));
    const during = await latencies(honest, 3_000);
    await Promise.all(floods);
    const grown = (await megabytes(ownServer)) - before;
    console.log(`${name}: p50 ${calm.p50} → ${during.p50} ms, p99 ${calm.p99} → ${during.p99} ms, ${grown.toFixed(0)} MB more`);
    expect(grown).toBeLessThan(150);
    expect(honest.socket.connected).toBe(true);
  });
}

test.describe("with few connections per address", () => {
  test.use({ serverEnv: { HUBBUB_CONNECTIONS_PER_ADDRESS: "50" } });

  test("sessions count against their address on any transport, and end if they join nothing", async ({ ownServer }) => {
    test.setTimeout(120_000);
    const request = `GET ${POLLING} HTTP/1.1\r\nHost: ${ownServer.url.slice(7)}\r\n\r\n`;
    let heard = "";
    const socket = connect(ownServer.port, "127.0.0.1");
    socket.on("data", (data) => (heard += data.toString()));
    socket.write(request.repeat(60));
    await until("one is refused", 20_000, () => heard.includes("HTTP/1.1 429") || undefined);
    expect(heard.split("\"sid\"").length - 1).toBe(50);
    socket.destroy();
    // They joined nothing, so after a while they end.
    await expect.poll(async () => (await fetch(ownServer.url + POLLING)).status, { timeout: 60_000 }).toBe(200);
  });
});

test("answers that a polling session never reads are bounded", async ({ ownServer, program }) => {
  test.setTimeout(120_000);
  const host = await program("Host");
  const { room } = await host.createRoom("Large");
  for (let n = 0; n < 60; n += 1) await host.send(room, "\u{1f980}".repeat(8_000));
  const before = await megabytes(ownServer);
  const sessions = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const { path } = await poll(ownServer);
      await post(ownServer, path, CONNECT);
      await (await fetch(ownServer.url + path)).text();
      const asks = Array.from({ length: 40 }, (_, n) => `42/chat,${n}["history",{"room":"${room}","after":0}]`);
      // The server may cut the connection meanwhile.
      await post(ownServer, path, ['42/chat,99["sign_in",{"name":"Lazy"}]', ...asks].join("\x1e")).catch(() => undefined);
      return path;
    }),
  );
  await new Promise((done) => setTimeout(done, 2_000));
  const grown = (await megabytes(ownServer)) - before;
  console.log(`10 polling sessions with 40 histories each: ${grown.toFixed(0)} MB more`);
  expect(sessions.length).toBe(10);
  expect(grown).toBeLessThan(150);
  await host.roster(room);
});

test("messages that never become complete are bounded in total, and end", async ({ ownServer, program }) => {
  test.setTimeout(120_000);
  const honest = await program("Honest");
  const before = await megabytes(ownServer);
  // 250 KB of a message of 256 KB, from a separate address.
  const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 3, 0xff, 0xf0, 0, 0, 0, 0]);
  const part = Buffer.concat([head, Buffer.alloc(250_000, "4")]);
  let open = 0;
  const ended: Promise<void>[] = [];
  for (let n = 0; n < 400; n += 1) {
    const socket = connect({ port: ownServer.port, host: "127.0.0.1", localAddress: "127.0.0.9" });
    open += 1;
    ended.push(
      new Promise((done) =>
        socket
          .on("error", () => undefined)
          .on("data", () => undefined)
          .on("close", () => {
            open -= 1;
            done();
          }),
      ),
    );
    socket.write(
      `GET ${WEBSOCKET} HTTP/1.1\r\nHost: ${ownServer.url.slice(7)}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    socket.write(part);
    if (n % 20 === 0) await new Promise((next) => setTimeout(next, 20));
  }
  let grown = 0;
  await until("all are closed", 60_000, async () => {
    grown = Math.max(grown, (await megabytes(ownServer)) - before);
    return open === 0;
  });
  await Promise.all(ended);
  console.log(`400 messages that are never complete: ${grown.toFixed(0)} MB more at most`);
  expect(grown).toBeLessThan(150);
  await honest.roster("lobby");
});

test("a client that floods the namespace / is slowed down, and its address is not locked out", async ({ ownServer }) => {
  test.setTimeout(120_000);
  // Several times the most that may wait, in events and in bytes.
  const floods = [
    ['42["typing"]', 6_000],
    [`42["new message","${"x".repeat(60_000)}"]`, 100],
  ] as const;
  const all = await Promise.all(
    floods.map(async ([event, count]) => {
      const raw = await new Raw(ownServer).opened();
      raw.send("40");
      await raw.hears("40");
      for (let n = 0; n < count; n += 1) raw.send(event);
      return raw;
    }),
  );
  for (let second = 0; second < 14; second += 1) {
    const { path } = await poll(ownServer);
    await post(ownServer, path, "40");
    expect(await (await fetch(ownServer.url + path)).text(), "a new connection from the address").toContain("40{");
    for (const { socket } of all) expect([second, socket.readyState], "it is not cut").toEqual([second, socket.OPEN]);
    await new Promise((next) => setTimeout(next, 1_000));
  }
  for (const { socket } of all) socket.terminate();
});

test("a message must be complete within ten seconds, whatever comes between its parts", async ({ ownServer }) => {
  test.setTimeout(120_000);
  const began = performance.now();
  const ends = await Promise.all(
    ["ping", "pong", "part"].map(async (between) => {
      const raw = await new Raw(ownServer).opened();
      raw.send("40");
      await raw.hears("40");
      raw.socket.send("4", { fin: false });
      const more = setInterval(() => {
        if (between === "part") raw.socket.send("2", { fin: false });
        else raw.socket[between as "ping" | "pong"]();
      }, 1_000);
      raw.socket.once("close", () => clearInterval(more));
      return raw.ends();
    }),
  );
  expect(ends).toEqual([1008, 1008, 1008]);
  const took = performance.now() - began;
  expect(took).toBeGreaterThan(9_000);
  // Allows four times as long for slow machines. Without the limit, a missing pong would end them after 45 s.
  expect(took).toBeLessThan(40_000);
});
