// Signing out ends the session everywhere: in other tabs, in other programs, and for waiting commands.

import { expect, test } from "../support/test.ts";
import { freshTitle } from "../support/seed.ts";

/** A browser's session cookie, from the sign-in form. */
async function signIn(url: string, name: string): Promise<string> {
  const answer = await fetch(`${url}/session`, { method: "POST", body: new URLSearchParams({ name, next: "/" }), redirect: "manual" });
  return answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

async function signOut(url: string, cookie: string): Promise<number> {
  const answer = await fetch(`${url}/session/end`, {
    method: "POST",
    body: new URLSearchParams({ next: "/" }),
    headers: { cookie },
    redirect: "manual",
  });
  return answer.status;
}

test("every connection of the session leaves its rooms, is told, and can do nothing more", async ({ program, server }) => {
  const witness = await program("Witness");
  const { room } = await witness.createRoom(freshTitle());
  await witness.join(room);
  const cookie = await signIn(server.url, "Ada");
  const tabs = [
    await program(undefined, { extraHeaders: { cookie } }),
    await program(undefined, { extraHeaders: { cookie }, transports: ["polling"] }),
  ];
  for (const tab of tabs) await tab.join(room);
  await expect.poll(async () => (await witness.roster(room)).here).toBe(2);

  // Forty commands are in flight while the session ends: each is answered, and refused ones are not stored.
  const answers = tabs.flatMap((tab, n) =>
    Array.from({ length: 20 }, (_, i) => tab.ask("send", { room, messages: [{ client_id: `t${n}-${i}`, text: `${n} ${i}` }] })),
  );
  expect(await signOut(server.url, cookie)).toBe(303);
  for (const tab of tabs) {
    const reply = await tab.ask("send", { room, messages: [{ client_id: "late", text: "after the end" }] });
    expect(reply.error?.code).toBe("not_signed_in");
  }
  const stored = (await Promise.all(answers)).filter((reply) => reply.ok).length;
  await expect.poll(async () => (await witness.log(room)).length).toBe(stored);
  await expect.poll(async () => (await witness.roster(room)).here).toBe(1);
  for (const tab of tabs) {
    await expect.poll(() => tab.told.filter(({ event }) => event === "signed_out").length).toBe(1);
    expect(tab.socket.connected, "the connection continues without a person").toBe(true);
    expect((await tab.ask("join", { room })).error?.code).toBe("not_signed_in");
    const heard = tab.received(room).length;
    await witness.send(room, "to whoever is here");
    await expect.poll(() => witness.received(room).at(-1)?.text).toBe("to whoever is here");
    expect(tab.received(room).length, "it hears nothing from the room").toBe(heard);
  }
  await tabs[0]?.command("sign_in", { name: "Grace" });
  await tabs[0]?.join(room);
});

test("a token is worthless once its session has ended, and other sessions continue", async ({ program, server }) => {
  const ada = await program("Ada");
  const other = await program("Ada");
  const { room } = await ada.createRoom(freshTitle());
  const cookie = await signIn(server.url, "Eve");
  await signOut(server.url, cookie);
  await signOut(server.url, cookie);
  const nobody = await program(undefined, { extraHeaders: { cookie } });
  expect((await nobody.ask("join", { room })).error?.code).toBe("not_signed_in");
  await ada.send(room, "still here");
  await other.send(room, "me too");
});
