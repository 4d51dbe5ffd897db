// Pictures for the documentation: `npx playwright test --project=screenshots` writes docs/images/*.png from a real
// conversation on a real server. Messages of earlier days are moved there in the stopped server's database, with
// python3; without it, all messages are from today.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { BrowserContext } from "@playwright/test";

import { ChatClient } from "../support/client.ts";
import { WHILE_AWAY } from "../support/console.ts";
import type { Server } from "../support/server.ts";
import { FrontPage, RoomPage, expect, testWithOwnServer as test } from "../support/test.ts";
import { type Author, LINES, type Line, ROOM, ROOMS, TEAM, YOU } from "./conversation.ts";

const IMAGES = "../docs/images";
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const now = new Date();
// In the pictures it is mid-afternoon, whatever the time is.
const ahead = Math.max(-12, Math.min(14, 15 - now.getUTCHours()));
const timezoneId = `Etc/GMT${ahead > 0 ? `-${ahead}` : `+${-ahead}`}`;

/** When a line was written, in milliseconds since 1970. */
function moment({ day, at }: Line): number {
  if (typeof at === "number") return now.getTime() - at * MINUTE;
  const [hours = 0, minutes = 0] = at.split(":").map(Number);
  const wall = now.getTime() + ahead * 60 * MINUTE;
  return wall - (wall % DAY) - day * DAY + (hours * 60 + minutes) * MINUTE - ahead * 60 * MINUTE;
}

/** Clients in the team's names; the browser's person has the browser's session. */
async function team(server: Server, context: BrowserContext): Promise<Map<Author, ChatClient>> {
  const clients = new Map<Author, ChatClient>();
  for (const name of TEAM) {
    if (name === YOU) {
      const cookie = (await context.cookies(server.url)).map((one) => `${one.name}=${one.value}`).join("; ");
      clients.set(name, new ChatClient(server.url, { extraHeaders: { cookie } }));
    } else {
      const client = new ChatClient(server.url);
      await client.signIn(name);
      clients.set(name, client);
    }
  }
  return clients;
}

function redate(server: Server, room: string): void {
  const script = `
import json, sqlite3, sys
path, room, times = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
database = sqlite3.connect(path)
(key,) = database.execute("SELECT id FROM rooms WHERE slug = ?", (room,)).fetchone()
for seq, at in enumerate(times, 1):
    database.execute("UPDATE events SET at = ? WHERE room_id = ? AND seq = ?", (at, key, seq))
database.execute("UPDATE rooms SET last_at = ? WHERE id = ?", (times[-1], key))
database.commit()
database.close()`;
  try {
    execFileSync("python3", ["-c", script, join(server.dataDir, "hubbub.db"), room, JSON.stringify(LINES.map(moment))]);
  } catch (error) {
    console.log(`all messages are from today: ${String(error)}`);
  }
}

test("pictures for the documentation", async ({ ownServer, browser, complaints }) => {
  const context = await browser.newContext({ baseURL: ownServer.url, timezoneId });
  complaints.watch(context);
  // The page is open while the server is down.
  complaints.allow(WHILE_AWAY);
  const page = await context.newPage();
  await new FrontPage(page).open();
  await new FrontPage(page).signIn(YOU);
  await expect(new FrontPage(page).createButton).toBeVisible();

  const clients = await team(ownServer, context);
  const as = (name: Author): ChatClient => {
    const client = clients.get(name);
    if (!client) throw new Error(`${name} is not there`);
    return client;
  };
  const addresses = new Map<string, string>();
  for (const { title, last } of [...ROOMS].reverse()) {
    const { room } = await as("Jonas Weber").createRoom(title);
    addresses.set(title, room);
    await as("Tomás Rivera").send(room, last);
  }
  const { room } = await as(YOU).createRoom(ROOM);
  for (const line of LINES) await as(line.by).send(room, line.text);
  await ownServer.down();
  redate(ownServer, room);
  await ownServer.up();
  for (const [name, client] of clients) {
    await expect.poll(() => client.socket.connected, { timeout: 20_000 }).toBe(true);
    if (name !== YOU) await client.join(room);
  }
  for (const { title, here } of ROOMS) for (const name of here) await as(name).join(addresses.get(title) ?? "");
  await as("Priya Nair").join("lobby");
  as(YOU).close();

  for (const [size, viewport] of [["desktop", { width: 1280, height: 800 }], ["phone", { width: 390, height: 844 }]] as const) {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const front = new FrontPage(page);
      await front.open();
      await expect(front.room(ROOM)).toContainText("3 here");
      await page.waitForLoadState("networkidle");
      await page.screenshot({ path: `${IMAGES}/front-${size}-${colorScheme}.png` });
      const shown = new RoomPage(page);
      await shown.open(room);
      await shown.live(YOU);
      await expect(shown.messages.last()).toBeInViewport();
      await as("Jonas Weber").typing(room, true);
      await expect(page.getByText("Jonas Weber is typing")).toBeVisible();
      await page.screenshot({ path: `${IMAGES}/room-${size}-${colorScheme}.png` });
      await as("Jonas Weber").typing(room, false);
    }
  }
  for (const client of clients.values()) client.close();
  await context.close();
});
