// The namespace `/` keeps the event contract of the public Socket.IO chat example, on the room `lobby`.

import { DemoClient, TRANSPORTS } from "../support/demo.ts";
import { freshTitle } from "../support/seed.ts";
import { Server } from "../support/server.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";
import { MACHINE } from "../support/wrong.ts";

interface Said {
  username: string;
  message: string;
}
interface Came {
  username: string;
  numUsers: number;
}

for (const { name, transports } of TRANSPORTS) {
  test.describe(`over ${name}`, () => {
    test("two people see each other's messages, typing, joins, leaves and the right count", async ({ demo }) => {
      const ada = demo(transports);
      expect(await ada.addUser("Ada")).toBe(1);
      const grace = demo(transports);
      expect(await grace.addUser("Grace")).toBe(2);
      expect(await ada.hears<Came>("user joined")).toEqual({ username: "Grace", numUsers: 2 });

      grace.emit("typing");
      expect(await ada.hears("typing")).toEqual({ username: "Grace" });
      grace.emit("stop typing");
      expect(await ada.hears("stop typing")).toEqual({ username: "Grace" });

      grace.emit("new message", "hello");
      expect(await ada.hears<Said>("new message")).toEqual({ username: "Grace", message: "hello" });
      ada.emit("new message", "hello yourself");
      expect(await grace.hears<Said>("new message")).toEqual({ username: "Ada", message: "hello yourself" });

      // Neither hears of their own actions.
      expect(ada.told.filter(({ args }) => (args[0] as Said).username === "Ada")).toEqual([]);
      expect(grace.told.filter(({ args }) => (args[0] as Said).username === "Grace")).toEqual([]);

      grace.close();
      expect(await ada.hears<Came>("user left")).toEqual({ username: "Grace", numUsers: 1 });
      expect(ada.count("user left")).toBe(1);
    });

    test("events emitted right after connecting are answered, in order", async ({ demo }) => {
      const listener = demo(transports);
      await listener.addUser("Listener");
      const burst = Array.from({ length: 10 }, (_, i) => `Burst ${i}`);
      const clients = burst.map((username) => {
        const client = demo(transports);
        // Not connected yet: the client library buffers these.
        client.emit("add user", username);
        for (let i = 0; i < 5; i += 1) client.emit("new message", `${username}, line ${i}`);
        return client;
      });
      for (const client of clients) await client.hears("login");
      for (const username of burst) await listener.hears<Said>("new message", { message: `${username}, line 4` });
      for (const username of burst) {
        const lines = listener.told
          .filter(({ event, args }) => event === "new message" && (args[0] as Said).username === username)
          .map(({ args }) => (args[0] as Said).message);
        expect(lines).toEqual([0, 1, 2, 3, 4].map((i) => `${username}, line ${i}`));
      }
    });
  });
}

test("the count includes people who were added, and two with the same name are two", async ({ demo }) => {
  const silent = demo();
  await expect.poll(() => silent.socket.connected).toBe(true);
  const one = demo();
  expect(await one.addUser("Twin")).toBe(1);
  const two = demo();
  expect(await two.addUser("Twin")).toBe(2);
  silent.close();
  two.close();
  expect(await one.hears<Came>("user left")).toEqual({ username: "Twin", numUsers: 1 });
});

test("adding the same user twice changes nothing", async ({ demo }) => {
  const ada = demo();
  await ada.addUser("Ada");
  ada.emit("add user", "Ada again");
  const grace = demo();
  expect(await grace.addUser("Grace")).toBe(2);
  grace.emit("new message", "who is there?");
  await ada.hears<Said>("new message", { username: "Grace" });
  ada.emit("new message", "me");
  expect(await grace.hears<Said>("new message")).toEqual({ username: "Ada", message: "me" });
});

test("guests and people in the web app's lobby see one another", async ({ demo, person }) => {
  const grace = await person("Grace", "lobby");
  const ada = demo();
  expect(await ada.addUser("Ada")).toBe(2);
  await expect(grace.people).toContainText("Ada");
  await expect(grace.count(2).first()).toBeVisible();
  await expect(grace.page.getByText(/Ada.*joined/).first()).toBeVisible();

  const typing = grace.page.getByText(/Ada is typing/i).filter({ visible: true });
  ada.emit("typing");
  await expect(typing.first()).toBeVisible();
  ada.emit("stop typing");
  await expect(typing).toHaveCount(0);

  const text = freshTitle("from the example");
  ada.emit("new message", text);
  await expect(grace.said(text)).toHaveCount(1);
  await expect(grace.messages.last()).toContainText("Ada");

  await grace.message.pressSequentially("from the browser");
  expect(await ada.hears("typing")).toEqual({ username: "Grace" });
  await grace.message.press("Enter");
  expect(await ada.hears<Said>("new message")).toEqual({ username: "Grace", message: "from the browser" });

  const bob = demo();
  expect(await bob.addUser("Bob")).toBe(3);
  await expect(grace.count(3).first()).toBeVisible();
  await expect(grace.page.getByText(/Bob.*joined/).first()).toBeVisible();
  bob.emit("new message", "I cannot stay");
  await expect(grace.said("I cannot stay")).toHaveCount(1);
  bob.close();
  await expect(grace.count(2).first()).toBeVisible();
  await expect(grace.page.getByText(/Bob.*left/).first()).toBeVisible();

  await grace.page.close();
  expect(await ada.hears<Came>("user left", { username: "Grace" })).toEqual({ username: "Grace", numUsers: 1 });
});

test("bad input is refused and disturbs no one", async ({ demo, program }) => {
  const listener = demo();
  await listener.addUser("Listener");
  const reader = await program("Reader");
  const before = (await reader.log("lobby")).length;

  const early = demo();
  early.emit("new message", "before add user");
  await early.hears("refused", { event: "new message", code: "not_signed_in" });
  early.emit("add user", "x".repeat(100));
  await early.hears("refused", { event: "add user", code: "bad_request" });
  for (const name of [undefined, null, 7, {}, [], "", "   "]) {
    const ack = await refusal(early, "add user", name);
    expect(ack.code, JSON.stringify(name)).toBe("bad_request");
    expect(ack.message, JSON.stringify(name)).not.toMatch(MACHINE);
  }
  expect(await early.addUser("Late")).toBe(2);
  early.emit("new message", "y".repeat(100_000));
  const tooLong = await early.hears<{ event: string; code: string; message: string }>("refused", { event: "new message", code: "too_large" }).catch(() =>
    early.hears<{ event: string; code: string; message: string }>("refused", { event: "new message", code: "bad_request" }),
  );
  expect(tooLong.message.length).toBeGreaterThan(10);
  for (const text of [undefined, null, 7, {}, ["a"], "", " \n ", "bell\u0007"]) {
    const ack = await refusal(early, "new message", text);
    expect(ack.code, JSON.stringify(text)).toBe("bad_request");
  }
  early.emit("no such event", 1);
  early.emit("typing", { unexpected: true });

  // The listener is still connected, heard nothing of it, and hears the next message.
  early.emit("new message", "all is well");
  expect(await listener.hears<Said>("new message")).toEqual({ username: "Late", message: "all is well" });
  expect(listener.socket.connected).toBe(true);
  expect(early.socket.connected).toBe(true);
  expect((await reader.log("lobby")).length).toBe(before + 1);
});

/** The refusal in an event's acknowledgement. */
async function refusal(client: DemoClient, event: string, payload: unknown): Promise<{ code: string; message: string }> {
  const answer: unknown = await client.socket.timeout(10_000).emitWithAck(event, ...(payload === undefined ? [] : [payload]));
  expect(answer, `${event} ${JSON.stringify(payload)}`).toMatchObject({ error: { code: expect.any(String) } });
  return (answer as { error: { code: string; message: string } }).error;
}

test("a message longer than the server allows is refused here as well", async () => {
  const server = await Server.start({ HUBBUB_MESSAGE_CHARS: "10" });
  const [ada, grace] = [new DemoClient(server.url), new DemoClient(server.url)];
  try {
    await ada.addUser("Ada");
    await grace.addUser("Grace");
    ada.emit("new message", "eleven char");
    const refused = await ada.hears<{ event: string; code: string; message: string }>("refused");
    expect(refused).toMatchObject({ event: "new message", code: "bad_request" });
    expect(refused.message).toContain("the limit is 10");
    ada.emit("new message", "ten charac");
    expect(await grace.hears<Said>("new message")).toEqual({ username: "Ada", message: "ten charac" });
    expect(grace.count("new message")).toBe(1);
  } finally {
    ada.close();
    grace.close();
    await server.dispose();
  }
});
