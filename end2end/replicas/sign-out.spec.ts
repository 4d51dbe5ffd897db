// A session that ends on one replica is over on all of them within a second.

import { ChatClient } from "../support/client.ts";
import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";

test.use({ replicas: 2 });

test("signing out on one replica signs out a tab on another", async ({ cluster, programOn, close }) => {
  const one = cluster.replica(0).url;
  const witness = await programOn(0, "Witness");
  const { room } = await witness.createRoom(freshTitle("Signing out"));
  await witness.join(room);
  const form = (fields: Record<string, string>, cookie?: string): RequestInit => ({
    method: "POST",
    body: new URLSearchParams(fields),
    headers: cookie ? { cookie } : {},
    redirect: "manual",
  });
  const signedIn = await fetch(`${one}/session`, form({ name: "Ada", next: "/" }));
  const cookie = signedIn.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const tab = new ChatClient(cluster.replica(1).url, { extraHeaders: { cookie } });
  close.push(() => tab.close());
  await tab.join(room);
  await expect.poll(async () => (await witness.roster(room)).here).toBe(2);

  await fetch(`${one}/session/end`, form({ next: "/" }, cookie));
  const ended = performance.now();
  await expect.poll(() => tab.told.some(({ event }) => event === "signed_out"), { intervals: [20] }).toBe(true);
  console.log(`the other replica's tab was told ${Math.round(performance.now() - ended)} ms after the sign-out`);
  const reply = await tab.ask("send", { room, messages: [{ client_id: "late", text: "after the end" }] });
  expect(reply.error?.code).toBe("not_signed_in");
  await expect.poll(async () => (await witness.roster(room)).here).toBe(1);
});
