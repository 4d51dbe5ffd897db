// Invalid commands, with the codes that may refuse them.

/** Every command of `/chat`. */
export const COMMANDS = ["sign_in", "list_rooms", "create_room", "join", "leave", "roster", "send", "edit", "delete", "react", "set_title", "history", "typing"] as const;
export const HUGE = "x".repeat(100_000);
/** Stands for a missing payload. */
export const NONE = Symbol("no payload at all");
/** An address that no room has. */
export const UNKNOWN = "no-such-room";
export const message = (text: unknown, client_id: unknown = "c1"): object => ({ client_id, text });

/** Words of the parser, which no refusal contains. */
export const MACHINE = /at line|[ui]\d\d\b|EOF|struct |sequence,|surrogate in|invalid (type|value|length)/;

export type Case = [command: string, payload: unknown, codes: string[]];
const BAD = ["bad_request"];
const BIG = ["too_large", "bad_request"];

/** Commands that are invalid even for a person who is signed in. `ROOM` is the address of a room that exists. */
export function wrong(ROOM: string): Case[] {
  const shapes: unknown[] = [NONE, null, 7, "text", true, [], ["a", { b: 1 }]];
  const cases: Case[] = [];
  for (const command of COMMANDS) {
    if (command === "list_rooms") continue;
    for (const shape of [...shapes, {}]) cases.push([command, shape, BAD]);
  }
  const values: Case[] = [
    ["sign_in", { name: 7 }, BAD],
    ["sign_in", { name: "" }, BAD],
    ["sign_in", { name: " \u200b " }, BAD],
    ["sign_in", { name: "\u{e0041}\u034f\u2800" }, BAD],
    ["sign_in", { name: "\udc00" }, BAD],
    ["sign_in", { name: "x".repeat(33) }, BAD],
    ["sign_in", { name: "a\nb" }, BAD],
    ["sign_in", { name: HUGE }, BIG],
    ["create_room", { title: "" }, BAD],
    ["create_room", { title: "x".repeat(61) }, BAD],
    ["create_room", { title: HUGE }, BIG],
    ["create_room", { title: "Lobby" }, ["room_exists"]],
    ["join", { room: "Not A Slug" }, BAD],
    ["join", { room: ROOM, from: 7 }, BAD],
    ["join", { room: ROOM, from: ["e", 1] }, BAD],
    ["join", { room: ROOM, from: { epoch: "e" } }, BAD],
    ["join", { room: ROOM, from: { epoch: "e", seq: -1 } }, BAD],
    ["join", { room: ROOM, from: { epoch: "e", seq: 2 ** 53 } }, BAD],
    ["join", { room: HUGE }, BIG],
    ["leave", { room: HUGE }, BIG],
    ["roster", { room: "../etc" }, BAD],
    ["history", { room: ROOM, before: "1" }, BAD],
    ["history", { room: ROOM, before: 1.5 }, BAD],
    ["history", { room: ROOM, before: 5, after: 1 }, BAD],
    ["history", { room: HUGE }, BIG],
    ["typing", { room: ROOM }, BAD],
    ["typing", { room: ROOM, typing: "yes" }, BAD],
    ["typing", { room: ROOM, typing: true }, ["not_in_room"]],
    ["send", { room: ROOM, messages: [] }, BAD],
    ["send", { room: ROOM, messages: "hello" }, BAD],
    ["send", { room: ROOM, messages: [["c1", "fields in an array"]] }, BAD],
    ["send", { room: ROOM, messages: [{ text: "no id" }] }, BAD],
    ["send", { room: ROOM, messages: [{ client_id: "c1" }] }, BAD],
    ["send", { room: ROOM, messages: [message("bad id", "a b")] }, BAD],
    ["send", { room: ROOM, messages: [message("long id", "i".repeat(65))] }, BAD],
    ["send", { room: ROOM, messages: [message("")] }, BAD],
    ["send", { room: ROOM, messages: [message(" \n\t ")] }, BAD],
    ["send", { room: ROOM, messages: [message("bell\u0007")] }, BAD],
    ["send", { room: ROOM, messages: [message("half a pair \ud83d")] }, BAD],
    ["send", { room: ROOM, messages: [message("\u{e0041}\u2063")] }, BAD],
    ["send", { room: ROOM, messages: [message("x".repeat(8_001))] }, BAD],
    ["send", { room: ROOM, messages: [message("fine", "f1"), message("")] }, BAD],
    ["send", { room: ROOM, messages: [message(HUGE)] }, BIG],
    ["send", { room: ROOM, messages: Array.from({ length: 101 }, (_, i) => message("x", `c${i}`)) }, BAD],
    ["send", Buffer.from("binary"), BAD],
    ["send", { room: ROOM, messages: [{ ...message("a reply"), reply_to: 999_999 }] }, ["not_found"]],
    ["send", { room: ROOM, messages: [{ ...message("a reply"), reply_to: "1" }] }, BAD],
    ["send", { room: ROOM, messages: [{ ...message("a reply"), reply_to: 1, epoch: "another" }] }, ["gone"]],
    ["edit", { room: ROOM, client_id: "e1", of: 999_999, text: "new" }, ["not_found"]],
    ["edit", { room: ROOM, client_id: "e1", of: 0, text: "new" }, ["not_found"]],
    ["edit", { room: ROOM, client_id: "e1", of: -1, text: "new" }, BAD],
    ["edit", { room: ROOM, client_id: "e1", of: 1, text: " " }, BAD],
    ["edit", { room: ROOM, client_id: "e1", of: 1, text: HUGE }, BIG],
    ["edit", { room: ROOM, client_id: "bad id", of: 1, text: "new" }, BAD],
    ["edit", { room: ROOM, client_id: "e1", of: 1, text: "new", epoch: 7 }, BAD],
    ["edit", { room: ROOM, client_id: "e1", of: 1, text: "new", epoch: "another" }, ["gone"]],
    ["delete", { room: ROOM, client_id: "d1", of: 999_999 }, ["not_found"]],
    ["delete", { room: ROOM, client_id: "d1", of: 2 ** 53 }, BAD],
    ["delete", { room: ROOM, of: 1 }, BAD],
    ["delete", { room: ROOM, client_id: "d1", of: 1, epoch: "another" }, ["gone"]],
    ["react", { room: ROOM, client_id: "r1", to: 999_999, emoji: "👍", on: true }, ["not_found"]],
    ["react", { room: ROOM, client_id: "r1", to: 1, emoji: "👍", on: true, epoch: "another" }, ["gone"]],
    ["react", { room: ROOM, client_id: "r1", to: 1, emoji: "👍👍", on: true }, BAD],
    ["react", { room: ROOM, client_id: "r1", to: 1, emoji: "<b>", on: true }, BAD],
    ["react", { room: ROOM, client_id: "r1", to: 1, emoji: HUGE, on: true }, BIG],
    ["react", { room: ROOM, client_id: "r1", to: 1, emoji: "👍" }, BAD],
    ["set_title", { room: ROOM, client_id: "t1", title: "" }, BAD],
    ["set_title", { room: ROOM, client_id: "t1", title: "x".repeat(61) }, BAD],
    ["set_title", { room: ROOM, client_id: "t1", title: "Lobby" }, ["room_exists"]],
    ["set_title", { room: UNKNOWN, client_id: "t1", title: "Fresh" }, ["room_not_found"]],
    ["edit", { room: UNKNOWN, client_id: "e1", of: 1, text: "new" }, ["room_not_found"]],
    ["delete", { room: UNKNOWN, client_id: "d1", of: 1 }, ["room_not_found"]],
    ["react", { room: UNKNOWN, client_id: "r1", to: 1, emoji: "👍", on: true }, ["room_not_found"]],
    ["no_such_command", {}, ["unknown_command"]],
    ["no_such_command", HUGE, ["unknown_command", "too_large"]],
    ["join", { room: UNKNOWN }, ["room_not_found"]],
    ["history", { room: UNKNOWN }, ["room_not_found"]],
    ["roster", { room: UNKNOWN }, ["room_not_found"]],
    ["leave", { room: UNKNOWN }, ["room_not_found", "not_in_room"]],
    ["send", { room: UNKNOWN, messages: [message("hello")] }, ["room_not_found"]],
    ["typing", { room: UNKNOWN, typing: true }, ["not_in_room", "room_not_found"]],
  ];
  return [...cases, ...values];
}
