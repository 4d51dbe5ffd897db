// People and rooms stay for long, so an address may bring only so many, through whichever door.

import { freshTitle } from "../support/seed.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";

test.use({ serverEnv: { HUBBUB_SIGN_INS_PER_ADDRESS: "6", HUBBUB_NEW_ROOMS_PER_ADDRESS: "3" } });

const form = (fields: Record<string, string>, cookie = ""): RequestInit => ({
  method: "POST",
  body: new URLSearchParams(fields),
  headers: { cookie },
  redirect: "manual",
});

test("the rate is one for all doors, and says when to come back", async ({ program, demo, ownServer }) => {
  const host = await program("One");
  await program("Two");
  await demo().addUser("Three");
  const cookies: string[] = [];
  for (const name of ["Four", "Five", "Six"]) {
    const answer = await fetch(`${ownServer.url}/session`, form({ name, next: "/" }));
    cookies.push(answer.headers.getSetCookie()[0]?.split(";")[0] ?? "");
  }
  const seventh = await (await program()).ask("sign_in", { name: "Seven" });
  expect(seventh.error?.code).toBe("rate_limited");
  expect(seventh.error?.retry_after_ms).toBeGreaterThan(1_000);
  const late = demo();
  late.emit("add user", "Eight");
  await late.hears("refused", { event: "add user", code: "rate_limited" });
  const answer = await fetch(`${ownServer.url}/session`, form({ name: "Nine", next: "/rooms/lobby" }));
  expect(answer.headers.get("location")).toBe("/rooms/lobby?problem=rate_limited");
  expect(answer.headers.getSetCookie()).toEqual([]);

  for (let n = 0; n < 2; n += 1) await host.createRoom(freshTitle());
  const third = await fetch(`${ownServer.url}/rooms`, form({ title: freshTitle("Third") }, cookies[0]));
  expect(third.headers.get("location")).toMatch(/^\/rooms\/third-/);
  const fourth = await host.ask("create_room", { title: freshTitle() });
  expect(fourth.error?.code).toBe("rate_limited");
  const fifth = await fetch(`${ownServer.url}/rooms`, form({ title: freshTitle() }, cookies[0]));
  expect(fifth.headers.get("location")).toBe("/?problem=rate_limited");
});
