// Every invalid command to `/chat` is answered with a code, changes nothing, and affects no other client.

import type { ChatClient } from "../support/client.ts";
import { TRANSPORTS } from "../support/demo.ts";
import { freshTitle, roomWithLines } from "../support/seed.ts";
import { expect, test } from "../support/test.ts";
import { type Case, COMMANDS, HUGE, MACHINE, message, NONE, wrong } from "../support/wrong.ts";

async function refused(client: ChatClient, [command, payload, codes]: Case): Promise<void> {
  const what = `${command} ${String(JSON.stringify(payload)).slice(0, 80)}`;
  const reply = await client.ask(command, ...(payload === NONE ? [] : [payload])).catch((error: unknown) => {
    throw new Error(`${what} was not answered: ${String(error)}`);
  });
  expect.soft(codes, `${what} got ${JSON.stringify(reply).slice(0, 200)}`).toContain(reply.error?.code);
  if (!reply.error) return;
  expect.soft(reply.error.message, `${what} has a sentence`).toMatch(/\w+ \w+/);
  expect.soft(reply.error.message, `${what} has plain words`).not.toMatch(MACHINE);
}

for (const { name, transports } of TRANSPORTS) {
  test(`everything wrong is refused and changes nothing, over ${name}`, async ({ program }) => {
    test.setTimeout(180_000);
    const options = transports ? { transports } : {};
    const witness = await program("Witness");
    const room = await roomWithLines(witness, 3);
    await witness.join(room);
    const [log, rooms] = [await witness.log(room), (await witness.rooms()).map((one) => one.room).sort()];

    const client = await program("Clumsy", options);
    for (const one of wrong(room)) await refused(client, one);
    expect(client.socket.connected, "its own connection survives").toBe(true);

    expect(await witness.log(room)).toEqual(log);
    expect((await witness.rooms()).map((one) => one.room).sort()).toEqual(rooms);
    expect((await witness.roster(room)).here).toBe(1);
    expect(witness.socket.connected).toBe(true);
    expect(witness.told.filter(({ event }) => event !== "welcome" && event !== "presence")).toEqual([]);
    await client.send(room, "now properly");
    await expect.poll(() => witness.received(room).map(({ text }) => text)).toEqual(["now properly"]);
  });
}

test("before signing in, nothing can be changed", async ({ program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const stranger = await program();
  const codes = ["not_signed_in"];
  for (const one of [
    ["create_room", { title: "Mine" }, codes],
    ["join", { room }, codes],
    ["leave", { room }, codes],
    ["send", { room, messages: [message("hello")] }, codes],
    ["typing", { room, typing: true }, codes],
  ] satisfies Case[])
    await refused(stranger, one);
  expect(await host.log(room)).toEqual([]);
  expect((await host.roster(room)).here).toBe(0);
});

test("an invalid token counts as none, or is refused", async ({ program }) => {
  for (const token of ["nonsense", null, "", 7, {}, "no token", HUGE.slice(0, 10_000)]) {
    const client = await program(undefined, { auth: { protocol: 2, token }, reconnection: false });
    const told = await Promise.race([client.ask("create_room", { title: freshTitle() }).then((reply) => reply.error?.code), handshakeRefused(client)]);
    expect(told, JSON.stringify(token).slice(0, 40)).toMatch(/^not_signed_in$|^bad_request: [`\w]+/);
  }
});

test("a malformed handshake is refused", async ({ program }) => {
  for (const protocol of ["one", -1, [1]]) {
    const client = await program(undefined, { auth: { protocol }, reconnection: false });
    expect(await handshakeRefused(client)).toBe("bad_request: `protocol` must be a whole number from 0 to 2^32 - 1");
  }
});

/** Resolves to the reason once a handshake is refused; never resolves otherwise. */
function handshakeRefused(client: ChatClient): Promise<string> {
  return new Promise((told) => {
    client.socket.on("connect_error", ({ message }) => told(message));
  });
}

test("a client of another version is told to reload", async ({ program }) => {
  const client = await program(undefined, { auth: { protocol: 999 }, reconnection: false });
  expect(await handshakeRefused(client)).toMatch(/^reload: \w+/);
});

test("commands over the rate are refused with a retry time", async ({ program }) => {
  const client = await program("Hasty");
  const replies = await Promise.all(Array.from({ length: 2_000 }, () => client.ask("list_rooms", {})));
  const late = replies.filter((reply) => reply.error?.code === "rate_limited");
  expect(late.length).toBeGreaterThan(0);
  expect(late.length).toBeLessThan(1_000);
  expect(late.every((reply) => (reply.error?.retry_after_ms ?? 0) > 0)).toBe(true);
  expect(client.socket.connected).toBe(true);
});

test("commands without an acknowledgement are carried out or ignored, and break nothing", async ({ program }) => {
  const client = await program("Silent");
  const { room } = await client.createRoom(freshTitle());
  await client.join(room);
  client.socket.emit("send", { room, messages: [message("no ack asked", "n1")] });
  for (const command of COMMANDS) client.socket.emit(command, { nonsense: true });
  client.socket.emit("no_such_command");
  await client.send(room, "still here");
  await expect.poll(() => client.received(room).map(({ text }) => text)).toEqual(["no ack asked", "still here"]);
});
