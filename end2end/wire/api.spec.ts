// The commands over HTTP. One table answers both HTTP and Socket.IO, so any difference is a fault.

import { randomUUID } from "node:crypto";

import { bearer, post } from "../support/api.ts";
import { ChatClient } from "../support/client.ts";
import type { HistoryAnswer, Receipt, Refusal } from "../support/protocol.ts";
import { freshTitle, roomWithLines } from "../support/seed.ts";
import { Server } from "../support/server.ts";
import { expect, test } from "../support/test.ts";
import { COMMANDS, HUGE, MACHINE, message, NONE, wrong } from "../support/wrong.ts";

const CONNECTED = ["join", "leave", "typing"];
const ANYWHERE = COMMANDS.filter((command) => !CONNECTED.includes(command));

const STATUS: Record<string, number[]> = {
  bad_request: [400],
  not_signed_in: [401],
  unknown_command: [404],
  room_not_found: [404],
  not_found: [404],
  forbidden: [403],
  gone: [410],
  room_exists: [409],
  too_large: [413],
  rate_limited: [429],
};

/** Masks what differs between two answers to the same command. */
function settled(value: unknown): unknown {
  const text = JSON.stringify(value, (key, inner: unknown) => (["token", "id", "retry_after_ms"].includes(key) ? "…" : inner));
  return JSON.parse(text);
}

test("the description names the commands that need no connection", async ({ server }) => {
  const description = await (await fetch(`${server.url}/api/v1/openapi.json`)).json();
  expect(Object.keys(description.paths).sort()).toEqual(ANYWHERE.map((command) => `/${command}`).sort());
  for (const command of CONNECTED) {
    const { status, reply } = await post(server.url, command, {});
    expect([status, reply.error?.code], command).toEqual([404, "unknown_command"]);
  }
});

for (const role of ["nobody", "signed in"] as const) {
  test(`every command is refused in the same words over HTTP and Socket.IO: ${role}`, async ({ server, program }) => {
    const host = await program("Host");
    const room = await roomWithLines(host, 3);
    const client = await program(role === "nobody" ? undefined : "Clumsy");
    for (const [command, payload, codes] of wrong(room)) {
      // Cannot be expressed over HTTP: Socket.IO also has binary data and several arguments.
      if (CONNECTED.includes(command) || Buffer.isBuffer(payload) || Array.isArray(payload)) continue;
      const what = `${command} ${String(JSON.stringify(payload)).slice(0, 80)}`;
      const over = payload === NONE ? await client.ask(command) : await client.ask(command, payload);
      const { status, reply } = await post(server.url, command, payload === NONE ? undefined : payload, bearer(client.token));
      if (over.error === undefined) throw new Error(`${what} was not refused`);
      const code = reply.error?.code ?? "";
      // An unknown command may be noticed before or after a length over the limit.
      if (command === "no_such_command") expect.soft(codes, what).toContain(code);
      else expect.soft(code, `${what}: ${JSON.stringify(reply)}`).toBe(over.error.code);
      expect.soft(STATUS[code], `${what}: status of ${code}`).toContain(status);
      expect.soft(reply.error?.message, what).not.toMatch(MACHINE);
      // Over HTTP an empty body is invalid JSON; over Socket.IO an argument is missing.
      const shaped = typeof payload === "object" && payload !== null && code === over.error.code && code !== "too_large";
      if (shaped) expect.soft(reply.error?.message, what).toBe(over.error.message);
    }
    expect((await host.log(room)).length, "nothing changed").toBe(3);
  });
}

test("HTTP and Socket.IO see each other's changes", async ({ server, program }) => {
  const ada = await program("Ada");
  const http = async <T>(command: string, payload?: unknown): Promise<T> => {
    const { reply } = await post<T>(server.url, command, payload, bearer(ada.token));
    if (reply.error) throw new Error(`${command}: ${JSON.stringify(reply)}`);
    return reply.ok;
  };
  const title = freshTitle();
  const { room } = await http<{ room: string }>("create_room", { title });
  expect((await ada.ask("create_room", { title })).error).toEqual(
    (await post(server.url, "create_room", { title }, bearer(ada.token))).reply.error,
  );
  await ada.join(room);
  const send = { room, messages: [message("once", randomUUID())] };
  const first = await http<{ receipts: Receipt[] }>("send", send);
  expect(await ada.command("send", send), "the same message is stored once").toEqual(first);
  await expect.poll(() => ada.received(room).map(({ text }) => text)).toEqual(["once"]);
  expect(await http<HistoryAnswer>("history", { room })).toEqual(await ada.command("history", { room }));
  expect(await http("roster", { room })).toEqual(await ada.roster(room));
  const rooms = async (list: Promise<{ rooms: { room: string }[] }>): Promise<unknown> =>
    (await list).rooms.find((one) => one.room === room);
  expect(await rooms(http("list_rooms"))).toEqual(await rooms(ada.command("list_rooms")));

  const name = "Bo";
  const fresh = await program();
  const [over, post_] = [await fresh.command("sign_in", { name }), (await post(server.url, "sign_in", { name })).reply.ok];
  expect(settled(post_)).toEqual(settled(over));
  const again = (await post(server.url, "sign_in", { name }, bearer(ada.token))).reply.error;
  expect(again, "a signed-in person cannot become another").toEqual((await ada.ask("sign_in", { name })).error);
});

test("people who are not signed in can read over both, and change nothing", async ({ server, program }) => {
  const host = await program("Host");
  const room = await roomWithLines(host, 2);
  const stranger = await program();
  for (const [command, payload, may] of [
    ["list_rooms", {}, true],
    ["history", { room }, true],
    ["roster", { room }, true],
    ["create_room", { title: freshTitle() }, false],
    ["send", { room, messages: [message("hello", "c1")] }, false],
    ["edit", { room, client_id: "c2", of: 1, text: "changed" }, false],
    ["delete", { room, client_id: "c3", of: 1 }, false],
    ["react", { room, client_id: "c4", to: 1, emoji: "👍", on: true }, false],
    ["set_title", { room, client_id: "c5", title: freshTitle() }, false],
  ] as const) {
    for (const reply of [await stranger.ask(command, payload), (await post(server.url, command, payload)).reply])
      expect(reply.error?.code, command).toBe(may ? undefined : "not_signed_in");
  }
  expect((await host.log(room)).length).toBe(2);
});

test("HTTP and Socket.IO share one rate", async () => {
  const server = await Server.start({ HUBBUB_NEW_ROOMS_PER_ADDRESS: "4", HUBBUB_SIGN_INS_PER_ADDRESS: "3" });
  const client = new ChatClient(server.url);
  try {
    await client.signIn("Ada");
    const over = async (command: string, payload: object): Promise<Refusal | undefined> => (await client.ask(command, payload)).error;
    const http = async (command: string, payload: object, token = client.token): Promise<Refusal | undefined> =>
      (await post(server.url, command, payload, bearer(token))).reply.error;
    for (const ask of [over, http, over, http]) expect(await ask("create_room", { title: freshTitle() })).toBeUndefined();
    const said = [await over("create_room", { title: freshTitle() }), await http("create_room", { title: freshTitle() })];
    for (const refusal of said) expect(refusal).toMatchObject({ code: "rate_limited", retry_after_ms: expect.any(Number) });
    // Each refusal has a time of its own.
    const [first, second] = said.map((refusal) => refusal?.message.replace(/\d+ (seconds|minutes)$/, "…"));
    expect(first).toBe(second);

    for (const name of ["Bo", "Cy"]) expect((await post(server.url, "sign_in", { name })).status).toBe(200);
    const late = await post(server.url, "sign_in", { name: "Di" });
    expect(late.status).toBe(429);
    expect(Number(late.headers.get("retry-after"))).toBeGreaterThan(0);
    const other = new ChatClient(server.url);
    expect((await other.ask("sign_in", { name: "Ed" })).error?.code).toBe("rate_limited");
    other.close();
  } finally {
    client.close();
    await server.dispose();
  }
});

test("neither HTTP nor Socket.IO repeats a long unknown command", async ({ server, program }) => {
  const name = "n".repeat(10_000);
  const [over, http] = [(await (await program()).ask(name)).error, (await post(server.url, name)).reply.error];
  expect(http).toEqual(over);
  expect(http?.message.length).toBeLessThan(200);
});

test("invalid requests are refused as JSON, with what to do", async ({ server }) => {
  const ask = async (path: string, init: RequestInit): Promise<[number, string | undefined]> => {
    const response = await fetch(`${server.url}/api/v1${path}`, init);
    expect(response.headers.get("content-type"), path).toBe("application/json");
    const { error } = (await response.json()) as { error?: Refusal };
    expect(error?.message, path).toMatch(/\w+ \w+/);
    expect(error?.message, path).not.toMatch(MACHINE);
    if (response.status === 405) expect(error?.message).toContain(`use ${response.headers.get("allow")?.includes("POST") ? "POST" : "GET"}`);
    return [response.status, error?.code];
  };
  const json = { "content-type": "application/json" };
  const body = JSON.stringify({ name: "Ada" });
  expect(await ask("/nothing", { method: "POST" })).toEqual([404, "unknown_command"]);
  expect(await ask("/", { method: "POST" })).toEqual([404, "unknown_command"]);
  expect(await ask("/rooms/lobby", {})).toEqual([404, "unknown_command"]);
  for (const path of ["", "/sign_in/", "/%ff"]) expect(await ask(path, { method: "POST" }), path).toEqual([404, "unknown_command"]);
  for (const path of ["", "/sign_in/"]) expect(await ask(path, {}), path).toEqual([404, "unknown_command"]);
  expect(await ask("/sign_in", { method: "PUT", headers: json, body })).toEqual([405, "bad_request"]);
  expect(await ask("/sign_in", {})).toEqual([405, "bad_request"]);
  expect(await ask("/openapi.json", { method: "POST" })).toEqual([405, "bad_request"]);
  expect(await ask("/sign_in", { method: "POST", headers: json, body: "{" })).toEqual([400, "bad_request"]);
  expect(await ask("/sign_in", { method: "POST", body: new URLSearchParams({ name: "Ada" }) })).toEqual([415, "bad_request"]);
  expect(await ask("/send", { method: "POST", headers: json, body: JSON.stringify({ text: HUGE }) })).toEqual([413, "too_large"]);
  for (const authorization of ["Bearer nobody", "Bearer", "Basic YTpi", "Bearer a b"])
    expect(await ask("/list_rooms", { method: "POST", headers: { authorization } })).toEqual([401, "not_signed_in"]);
  expect(await ask("/sign_in", { method: "POST", headers: { ...json, origin: "https://evil.example" }, body })).toEqual([403, "bad_request"]);
});

test("a token in another form is told the right one", async ({ server, program }) => {
  const { token } = await program("Ada");
  for (const authorization of [token ?? "", `Token ${token}`, "Bearer", "Basic YTpi"]) {
    const { status, reply } = await post(server.url, "list_rooms", {}, { authorization });
    expect([status, reply.error?.message], authorization.slice(0, 8)).toEqual([401, expect.stringContaining("Authorization: Bearer TOKEN")]);
  }
});

test("a page of an allowed origin may send commands after a preflight; another may not", async () => {
  const server = await Server.start({ HUBBUB_ORIGINS: "https://friend.example" });
  try {
    for (const [origin, may] of [
      ["https://friend.example", true],
      ["https://evil.example", false],
    ] as const) {
      const asked = { "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" };
      const preflight = await fetch(`${server.url}/api/v1/sign_in`, { method: "OPTIONS", headers: { origin, ...asked } });
      expect(preflight.headers.get("access-control-allow-origin"), origin).toBe(may ? origin : null);
      expect(preflight.ok, origin).toBe(may);
      const { status, headers } = await post(server.url, "sign_in", { name: "Ada" }, { origin });
      expect([status, headers.get("access-control-allow-origin")], origin).toEqual(may ? [200, origin] : [403, null]);
    }
  } finally {
    await server.dispose();
  }
});
