// An IPv6 network of 64 bits counts as one address, because its owner has all of its addresses.

import type { Server } from "../support/server.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";
import { freshTitle } from "../support/seed.ts";

const MANY = 4;

test.use({
  serverEnv: {
    HUBBUB_TRUSTED_PROXIES: "127.0.0.1",
    HUBBUB_SIGN_INS_PER_ADDRESS: `${MANY}`,
    HUBBUB_NEW_ROOMS_PER_ADDRESS: `${MANY}`,
    HUBBUB_CONNECTIONS_PER_ADDRESS: `${MANY}`,
    HUBBUB_ADDRESS_COMMAND_BURST: "100",
    HUBBUB_ADDRESS_COMMANDS_PER_SECOND: "1",
  },
});

/** A request from the n-th address of a network, as a proxy in front would forward it. */
async function from(server: Server, network: string, n: number, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...(init.headers as Record<string, string>), "x-forwarded-for": `${network}${n.toString(16)}` };
  return fetch(`${server.url}${path}`, { ...init, headers, redirect: "manual" });
}

/** How many attempts succeed, each from its own address. */
async function succeed(attempts: number, attempt: (n: number) => Promise<boolean>): Promise<number> {
  let succeeded = 0;
  for (let n = 1; n <= attempts; n += 1) if (await attempt(n)) succeeded += 1;
  return succeeded;
}

const form = (fields: Record<string, string>, cookie = ""): RequestInit => ({
  method: "POST",
  body: new URLSearchParams(fields),
  headers: { cookie },
});

test("people, rooms and sessions of one network are counted together", async ({ ownServer }) => {
  const [one, other] = ["2001:db8:1:2::", "2001:db8:1:3::"];
  let cookie = "";
  const signIn = async (network: string, n: number): Promise<boolean> => {
    const answer = await from(ownServer, network, n, "/session", form({ name: "Ada", next: "/" }));
    cookie ||= answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    return answer.headers.getSetCookie().join().includes("hubbub_session=");
  };
  const createRoom = async (network: string, n: number): Promise<boolean> => {
    const answer = await from(ownServer, network, n, "/rooms", form({ title: freshTitle() }, cookie));
    return answer.headers.get("location")?.startsWith("/rooms/") ?? false;
  };
  const open = async (network: string, n: number): Promise<boolean> =>
    (await from(ownServer, network, n, "/socket.io/?EIO=4&transport=polling")).ok;
  for (const attempt of [signIn, createRoom, open]) {
    expect(await succeed(3 * MANY, (n) => attempt(one, n)), attempt.name).toBe(MANY);
    expect(await attempt(other, 1), attempt.name).toBe(true);
  }
});
