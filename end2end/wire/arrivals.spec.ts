// People and rooms are stored for long, so each address may create only a limited number, on whichever path.

import { connect } from "node:net";

import { CONNECT } from "../support/protocol.ts";
import { freshTitle } from "../support/seed.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";

test.use({ serverEnv: { HUBBUB_SIGN_INS_PER_ADDRESS: "6", HUBBUB_NEW_ROOMS_PER_ADDRESS: "3" } });

const form = (fields: Record<string, string>, cookie = ""): RequestInit => ({
  method: "POST",
  body: new URLSearchParams(fields),
  headers: { cookie },
  redirect: "manual",
});

test("forms and Socket.IO share one rate, and refusals say when to retry", async ({ program, ownServer }) => {
  const host = await program("One");
  await program("Two");
  const cookies: string[] = [];
  for (const name of ["Three", "Four", "Five", "Six"]) {
    const answer = await fetch(`${ownServer.url}/session`, form({ name, next: "/" }));
    cookies.push(answer.headers.getSetCookie()[0]?.split(";")[0] ?? "");
  }
  const seventh = await (await program()).ask("sign_in", { name: "Seven" });
  expect(seventh.error?.code).toBe("rate_limited");
  expect(seventh.error?.retry_after_ms).toBeGreaterThan(1_000);
  const answer = await fetch(`${ownServer.url}/session`, form({ name: "Eight", next: "/rooms/lobby" }));
  expect(answer.headers.get("location")).toBe("/rooms/lobby?problem=rate_limited");
  expect(answer.headers.getSetCookie().join(), "no session").not.toContain("hubbub_session=");

  for (let n = 0; n < 2; n += 1) await host.createRoom(freshTitle());
  const third = await fetch(`${ownServer.url}/rooms`, form({ title: freshTitle("Third") }, cookies[0]));
  expect(third.headers.get("location")).toMatch(/^\/rooms\/third-/);
  const fourth = await host.ask("create_room", { title: freshTitle() });
  expect(fourth.error?.code).toBe("rate_limited");
  const fifth = await fetch(`${ownServer.url}/rooms`, form({ title: freshTitle() }, cookies[0]));
  expect(fifth.headers.get("location")).toBe("/?problem=rate_limited");
});

test("guests may return as often as their network fails, because nothing of them is stored", async ({ demo }) => {
  for (let failure = 0; failure < 4; failure += 1) {
    const guests = ["Ada", "Grace", "Edsger", "Barbara"].map((name) => ({ name, client: demo() }));
    // What the public example does on every connect. It never asks a second time.
    for (const { name, client } of guests) client.emit("add user", name);
    for (const { client } of guests) await client.hears("login");
    for (const { client } of guests) expect(client.count("refused")).toBe(0);
    guests[0]?.client.emit("new message", `after failure ${failure}`);
    await guests[1]?.client.hears("new message", { username: "Ada", message: `after failure ${failure}` });
    for (const { client } of guests) client.socket.io.engine.close();
  }
});

test.describe("with a rate of one a minute", () => {
  test.use({ serverEnv: { HUBBUB_SIGN_INS_PER_ADDRESS: "30" } });

  test("each refused client gets its own retry time", async ({ program, ownServer }) => {
    for (let n = 0; n < 30; n += 1) {
      const answer = await fetch(`${ownServer.url}/session`, form({ name: `One of 30`, next: "/" }));
      expect(answer.headers.getSetCookie()).not.toEqual([]);
    }
    const people = await Promise.all([program(), program(), program()]);
    const waits: number[] = [];
    for (const person of people) {
      const { error } = await person.ask("sign_in", { name: "Late" });
      expect(error?.code).toBe("rate_limited");
      waits.push(error?.retry_after_ms ?? 0);
    }
    const [first = 0, second = 0, third = 0] = waits;
    expect(second - first, `${waits}`).toBeGreaterThan(40_000);
    expect(third - second, `${waits}`).toBeGreaterThan(40_000);
  });
});

test.describe("with a rate of fifty", () => {
  const PEOPLE = 50;
  /** How often another person may sign in: this many again over half an hour. */
  const NEXT_MS = 36_000;
  const SESSIONS = 8_000;
  /** Requests in flight. */
  const WINDOW = 100;

  test.use({ serverEnv: { HUBBUB_SIGN_INS_PER_ADDRESS: `${PEOPLE}`, HUBBUB_JOINS_PER_SECOND: "100000" } });

  test("all sessions of an address bring no more people into a room than may sign in", async ({ program, ownServer }) => {
    const began = performance.now();
    const host = await program("Host");
    await host.join("lobby");
    const socket = connect(ownServer.port, "127.0.0.1");
    socket.on("error", () => undefined);
    const request = (method: string, sid = "", body = ""): void => {
      socket.write(
        `${method} /socket.io/?EIO=4&transport=polling${sid} HTTP/1.1\r\nHost: 127.0.0.1:${ownServer.port}\r\n` +
          `Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    };
    const sids = new Set<string>();
    let [rest, asked, answered, refused] = ["", 0, 0, 0];
    const ask = (): void => {
      for (; asked < SESSIONS && asked + sids.size - answered < WINDOW; asked += 1) request("GET");
    };
    socket.on("data", (data) => {
      // The last answer may be incomplete.
      const answers = `${rest}${data.toString("latin1")}`.split(/(?=HTTP\/1\.1 )/);
      rest = answers.pop() ?? "";
      answered += answers.length;
      for (const answer of answers) {
        const sid = /"sid":"([^"]+)"/.exec(answer)?.[1];
        if (answer.startsWith("HTTP/1.1 429")) refused += 1;
        if (!sid) continue;
        sids.add(sid);
        const signIn = `42/chat,1["sign_in",{"name":"Eve ${sids.size}"}]`;
        request("POST", `&sid=${sid}`, [CONNECT, signIn, '42/chat,2["join",{"room":"lobby"}]'].join("\x1e"));
      }
      ask();
    });
    ask();
    await expect.poll(() => refused, { message: "it has all sessions it can get", timeout: 40_000 }).toBeGreaterThan(0);
    expect(sids.size).toBeGreaterThan(10 * PEOPLE);
    const here = async (): Promise<number> => (await host.roster("lobby")).here;
    await expect.poll(here).toBeGreaterThanOrEqual(PEOPLE);
    const people = await here();
    const ms = performance.now() - began;
    console.log(`${sids.size} sessions: ${people} people are here after ${Math.round(ms)} ms`);
    expect(people).toBeLessThanOrEqual(PEOPLE + ms / NEXT_MS);
    socket.destroy();
  });
});
