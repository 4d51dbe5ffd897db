// Many people join at once, for example after a restart: each is let in at a turn, without asking again and again, and
// people who are already in the room do not notice.

import { randomUUID } from "node:crypto";
import { io, type Socket } from "socket.io-client";

import { ANSWER_MS, ChatClient } from "../support/client.ts";
import { PROTOCOL_VERSION, type Joined, type Reply } from "../support/protocol.ts";
import { freshTitle } from "../support/seed.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";

const CLIENTS = 200;
/** How many joins the server begins per second. */
const RATE = 40;

test.use({ serverEnv: { HUBBUB_JOINS_PER_SECOND: `${RATE}` } });

/** Joins as a client should: again after the refusal's retry time. Returns all retry times, in milliseconds. */
async function joinInTurn(socket: Socket, room: string): Promise<number[]> {
  const hints: number[] = [];
  for (;;) {
    const reply = (await socket.timeout(ANSWER_MS).emitWithAck("join", { room })) as Reply<Joined>;
    // One refusal is expected. A second one is a fault, and stopping there keeps the test from waiting forever.
    if (!reply.error || hints.length > 1) return hints;
    expect(reply.error.code).toBe("busy");
    expect(reply.error.retry_after_ms, "a refusal says when to retry").toBeGreaterThan(0);
    hints.push(reply.error.retry_after_ms ?? 0);
    await new Promise((again) => setTimeout(again, hints.at(-1)));
  }
}

test(`${CLIENTS} clients join at once where ${RATE} joins per second are allowed`, async ({ ownServer }) => {
  const host = new ChatClient(ownServer.url, { transports: ["websocket"] });
  const sockets: Socket[] = [];
  try {
    await host.signIn("Host");
    const { room } = await host.createRoom(freshTitle("Returning"));
    await host.join(room);
    for (let n = 0; n < CLIENTS; n += 1) {
      const socket = io(`${ownServer.url}/chat`, { transports: ["websocket"], forceNew: true, auth: { protocol: PROTOCOL_VERSION } });
      sockets.push(socket);
      await socket.timeout(ANSWER_MS).emitWithAck("sign_in", { name: `Person ${n}` });
    }

    let all = false;
    const waits: number[] = [];
    const talking = (async () => {
      while (!all) {
        const asked = performance.now();
        await host.command("send", { room, messages: [{ client_id: randomUUID(), text: "meanwhile" }] });
        waits.push(performance.now() - asked);
        await new Promise((go) => setTimeout(go, 20));
      }
    })();
    const began = performance.now();
    const hints = await Promise.all(sockets.map((socket) => joinInTurn(socket, room)));
    const seconds = (performance.now() - began) / 1_000;
    all = true;
    await talking;

    const told = hints.flat().sort((one, other) => one - other);
    console.log(
      `${CLIENTS} in after ${seconds.toFixed(1)} s, ${told.length} refusals with ${told[0]} to ${told.at(-1)} ms; ` +
        `${waits.length} sends meanwhile, the longest ${Math.max(...waits).toFixed(0)} ms`,
    );
    expect(seconds, "the rate is kept").toBeGreaterThan((CLIENTS / RATE) * 0.9);
    expect(seconds, "and used up").toBeLessThan((CLIENTS / RATE) * 3);
    expect(Math.max(...hints.map(({ length }) => length)), "a client that keeps to the time is let in then").toBe(1);
    expect(new Set(told).size, "each has its own time").toBe(told.length);
    expect(Math.max(...waits), "people in the room do not notice").toBeLessThan(1_000);
    expect((await host.roster(room)).here).toBe(CLIENTS + 1);
    expect(await ownServer.figure("hubbub_joins_deferred_total")).toBe(told.length);
  } finally {
    host.close();
    for (const socket of sockets) socket.disconnect();
  }
});
