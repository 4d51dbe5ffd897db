// Rooms with messages.

import type { ChatClient } from "./client.ts";

let rooms = 0;

/** A title that no other test uses. */
export function freshTitle(what = "Room"): string {
  rooms += 1;
  return `${what} ${process.pid.toString(36)} ${Date.now().toString(36)} ${rooms}`;
}

/** Creates a room with `count` messages "line 1", "line 2" … and returns its address. */
export async function roomWithLines(author: ChatClient, count: number, title = freshTitle()): Promise<string> {
  const { room } = await author.createRoom(title);
  const lines = Array.from({ length: count }, (_, i) => `line ${i + 1}`);
  for (let i = 0; i < lines.length; i += 100) await author.send(room, ...lines.slice(i, i + 100));
  return room;
}
