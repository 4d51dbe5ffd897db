// Checks that the peers behave alike. `node check.mjs PORT [PORT …]` speaks to a running peer, with its clients spread
// over the ports (for example of its workers). Fails at the first answer that differs. `check-all.mjs` starts each peer
// and calls this.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const { io } = createRequire(new URL("./rooms/", import.meta.url))("socket.io-client");

const PATIENCE = 5000;
const COUNT = 100;
const HISTORY = 50;

async function connect(port, name, { patience = PATIENCE, ...options } = {}) {
  const socket = io(`http://127.0.0.1:${port}`, {
    transports: ["websocket"],
    auth: name === undefined ? undefined : { name },
    forceNew: true,
    reconnection: false,
    ...options,
  });
  const heard = [];
  socket.onAny((event, ...values) => heard.push([event, ...values]));
  await new Promise((connected, refused) => {
    const refuse = (why) => {
      socket.disconnect();
      refused(new Error(`no connection on ${port} over ${options.transports ?? "websocket"}: ${why}`));
    };
    const tooLate = setTimeout(refuse, patience, "no answer");
    socket.once("connect_error", (error) => (clearTimeout(tooLate), refuse(error.message)));
    socket.once("connect", () => (clearTimeout(tooLate), connected()));
  });
  const ask = (event, value) => socket.timeout(PATIENCE).emitWithAck(event, value);
  return { socket, heard, ask, messages: () => heard.filter(([event]) => event === "message").map(([, message]) => message) };
}

async function until(what, holds) {
  for (const end = Date.now() + PATIENCE; !holds(); ) {
    assert(Date.now() < end, `timed out: ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

const upTo = (count, from = 1) => Array.from({ length: count }, (_, index) => index + from);

/** One client speaks on the first port; others listen on every port. */
async function conversation(ports, room, options) {
  const speaker = await connect(ports[0], "Ada", options);
  const listeners = await Promise.all(ports.map((port) => connect(port, undefined, options)));
  const elsewhere = await connect(ports.at(-1), "Eve", options);
  const inRoom = [speaker, ...listeners];
  for (const each of inRoom) assert.deepEqual(await each.ask("join", room), { events: [] });
  await elsewhere.ask("join", `${room} elsewhere`);
  for (const each of inRoom) assert.deepEqual(each.heard, [], "nothing is emitted on connect or join");

  const before = Date.now();
  const post = { room, client_id: "c-0", text: "first" };
  assert.deepEqual(await speaker.ask("message", post), { seq: 1 });
  await until("the first message reaches all clients in the room", () => inRoom.every((each) => each.messages().length === 1));
  for (const each of inRoom) {
    const { at, ...rest } = each.messages()[0];
    assert(at >= before && at <= Date.now(), `at is the time in ms: ${at}`);
    assert.deepEqual(rest, { ...post, seq: 1, author: { id: speaker.socket.id, name: "Ada" } });
  }

  const acks = await Promise.all(
    upTo(COUNT).map((n) => speaker.ask("message", { room, client_id: `c-${n}`, text: `number ${n}` })),
  );
  assert.deepEqual(acks.map(({ seq }) => seq), upTo(COUNT, 2), "a sender's messages are numbered as they were sent");
  await until("all have heard everything", () => inRoom.every((each) => each.messages().length >= COUNT + 1));
  for (const each of inRoom) {
    assert.deepEqual(each.messages().map(({ seq }) => seq), upTo(COUNT + 1), "once each, in order");
    assert.deepEqual(each.messages().map(({ client_id }) => client_id), [0, ...upTo(COUNT)].map((n) => `c-${n}`));
  }
  assert.deepEqual(elsewhere.heard, [], "a client outside the room hears nothing");

  const late = await connect(ports[0], "Bea", options);
  const { events } = await late.ask("join", room);
  assert.deepEqual(events, speaker.messages().slice(-HISTORY), "history is the latest 50, as they were emitted");

  // Concurrent messages are numbered once, and every client of this process hears them in that order.
  const crowd = await Promise.all(upTo(20).map(() => connect(ports[0], undefined, options)));
  for (const each of crowd) await each.ask("join", `${room} crowd`);
  await Promise.all(crowd.flatMap((each, who) => upTo(10).map((n) => each.ask("message", { room: `${room} crowd`, client_id: `${who}-${n}`, text: "" }))));
  await until("the crowd has heard everything", () => crowd.every((each) => each.messages().length >= 200));
  for (const each of crowd) assert.deepEqual(each.messages().map(({ seq }) => seq), upTo(200), "the crowd hears one order");
  assert.equal(crowd[0].messages()[0].author.name, "anonymous");

  for (const each of [...inRoom, ...crowd, elsewhere, late]) each.socket.disconnect();
}

/** Clients that send as soon as they are connected: none of their events gets lost. */
async function rush(ports, room) {
  const answers = upTo(100).map(async (n) => {
    const socket = io(`http://127.0.0.1:${ports[n % ports.length]}`, { transports: ["websocket"], forceNew: true, reconnection: false });
    // Buffered until connected, then sent first.
    const { events } = await socket.timeout(PATIENCE).emitWithAck("join", room);
    socket.disconnect();
    return events;
  });
  assert.deepEqual((await Promise.all(answers)).flat(), []);
}

/**
 * The port that several workers share: its clients are spread over the workers, and all are in one room. Returns how
 * many connection attempts got no answer; README.md says why.
 */
export async function checkShared(port, transports) {
  const room = `shared ${Date.now()} ${Math.random()}`;
  const people = [];
  let unanswered = 0;
  // One after the other, so that the primary knows how many sessions each worker has.
  while (people.length < 4) {
    try {
      people.push(await connect(port, undefined, { transports, patience: 1000 }));
    } catch (error) {
      if ((unanswered += 1) > 4) throw error;
    }
  }
  for (const each of people) await each.ask("join", room);
  const numbers = [];
  for (const each of people) numbers.push((await each.ask("message", { room, client_id: "c", text: "" })).seq);
  assert.equal(numbers.filter((seq) => seq === 1).length, 2, `two workers number what they hear: ${numbers}`);
  await until("all have heard one another", () => people.every((each) => each.messages().length === 4));
  await Promise.all(upTo(COUNT).map((n) => people[0].ask("message", { room, client_id: `c-${n}`, text: "" })));
  await until("all have heard everything", () => people.every((each) => each.messages().length >= COUNT + 4));
  const mine = people[0].messages().slice(4).map(({ seq }) => seq);
  assert.deepEqual(mine, upTo(COUNT, mine[0]));
  for (const each of people) assert.deepEqual(each.messages().slice(4).map(({ seq }) => seq), mine);
  for (const each of people) each.socket.disconnect();
  return unanswered;
}

export async function check(ports, { transports = [["websocket"]] } = {}) {
  const run = `${Date.now()} ${Math.random()}`;
  for (const each of transports) await conversation(ports, `${run} ${each}`, { transports: each });
  await rush(ports, `${run} rush`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const ports = process.argv.slice(2).map(Number);
  assert(ports.length > 0, "usage: node check.mjs PORT [PORT …]");
  await check(ports);
  console.log(`${ports.join(", ")}: as agreed`);
}
