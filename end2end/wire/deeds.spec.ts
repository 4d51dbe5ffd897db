// Edits, deletions, reactions, replies and titles: live, in pages, over both doors, and once.

import { randomUUID } from "node:crypto";

import type { MessagePage, Receipt } from "../support/protocol.ts";
import { freshTitle, roomWithLines } from "../support/seed.ts";
import { expect, test } from "../support/test.ts";

test("what people do to messages reaches everybody, and pages show it", async ({ program }) => {
  const [ada, bob] = [await program("Ada"), await program("Bob")];
  const { room } = await ada.createRoom(freshTitle("Deeds"));
  await bob.join(room);
  await ada.send(room, "one", "two", "three");
  expect((await ada.write("edit", room, { of: 1, text: "one, edited" })).seq).toBe(4);
  expect((await bob.write("react", room, { to: 1, emoji: "👍", on: true })).seq).toBe(5);
  expect((await ada.write("delete", room, { of: 2 })).seq).toBe(6);
  const title = freshTitle("Renamed");
  expect((await bob.write("set_title", room, { title })).seq).toBe(7);
  await bob.reply(room, 1, "a reply");
  expect((await bob.write("react", room, { to: 3, emoji: "❤️", on: true })).seq).toBe(9);
  expect((await bob.write("react", room, { to: 3, emoji: "❤️", on: false })).seq).toBe(10);

  await expect.poll(() => bob.received(room).map(({ type }) => type)).toEqual([
    "posted", "posted", "posted", "edited", "reacted", "deleted", "titled", "posted", "reacted", "reacted",
  ]);
  const page = await bob.command<MessagePage>("history", { room });
  expect(page.covers).toMatchObject({ first: 1, last: 10 });
  expect(page.messages).toMatchObject([
    { seq: 1, rev: 5, by: ada.you?.id, text: "one, edited", reactions: [{ emoji: "👍", by: [bob.you?.id] }] },
    { seq: 2, rev: 6, text: "", deleted: true },
    { seq: 3, rev: 10, text: "three" },
    { seq: 8, rev: 8, by: bob.you?.id, text: "a reply", reply_to: 1 },
  ]);
  expect(page.messages[0]?.edited_at).toBeGreaterThan(0);
  expect(page.messages[2]?.reactions).toBeUndefined();
  expect(page.people.map(({ name }) => name).sort()).toEqual(["Ada", "Bob"]);
  expect(await ada.join(room)).toMatchObject({ title, page: { head: 10 } });
});

test("each deed counts once, and only one's own messages can be changed", async ({ program }) => {
  const [ada, bob] = [await program("Ada"), await program("Bob")];
  const room = await roomWithLines(ada, 2);
  const edit = { room, client_id: "edit-1", of: 1, text: "edited" };
  const first = await ada.command<Receipt>("edit", edit);
  expect(await ada.command("edit", { ...edit, text: "said differently" })).toEqual(first);
  const code = async (who: typeof ada, command: string, payload: object): Promise<string | undefined> =>
    (await who.ask(command, { room, client_id: randomUUID(), ...payload })).error?.code;
  expect(await code(bob, "edit", { of: 1, text: "mine" })).toBe("forbidden");
  expect(await code(bob, "delete", { of: 1 })).toBe("forbidden");
  expect(await code(ada, "delete", { of: 2 })).toBeUndefined();
  expect(await code(ada, "edit", { of: 2, text: "back" })).toBe("gone");
  expect(await code(bob, "react", { to: 2, emoji: "👍", on: true })).toBe("gone");
  expect(await code(bob, "react", { to: 3, emoji: "👍", on: true })).toBe("not_found");
  expect(await ada.command("edit", edit), "whatever happened since").toEqual(first);
  // Of several sends at once, only the one that does not fit is refused.
  const send = (text: string, reply_to?: number): Promise<{ error?: { code: string } | undefined }> =>
    bob.ask("send", { room, messages: [{ client_id: randomUUID(), text, ...(reply_to ? { reply_to } : {}) }] });
  const answers = await Promise.all([send("a"), send("b", 999), send("c", 1), send("d", 2)]);
  expect(answers.map(({ error }) => error?.code)).toEqual([undefined, "not_found", undefined, undefined]);
});
