// The page's weight is a promise: readable after 40 KB, live after 200 KB.

import { roomWithLines } from "../support/seed.ts";
import { Weight } from "../support/weight.ts";
import { RoomPage, expect, test } from "../support/test.ts";

const KB = 1024;

test("a room is light", async ({ person, program }) => {
  const host = await program("Host");
  const room = await roomWithLines(host, 60);
  const known = await person("Ada", room);
  // The same person in a new tab, with an empty cache.
  const page = await known.page.context().newPage();
  await known.page.close();
  await (await page.context().newCDPSession(page)).send("Network.clearBrowserCache");
  const weight = await Weight.of(page);
  const ada = new RoomPage(page);
  await ada.open(room);
  await ada.live("Ada");
  await page.waitForLoadState("networkidle").catch(() => undefined);

  const readable = weight.bytes(({ kind }) => kind === "Document" || kind === "Stylesheet");
  const live = weight.bytes() + weight.socketBytes;
  for (const { url, kind, encoding, bytes } of weight.transfers) {
    console.log(`${(bytes / KB).toFixed(1).padStart(7)} KB  ${encoding.padEnd(5)} ${kind.padEnd(11)} ${new URL(url).pathname}`);
  }
  console.log(`readable ${(readable / KB).toFixed(1)} KB`);
  console.log(`until live ${(live / KB).toFixed(1)} KB`);
  const heavy = weight.transfers.filter(({ kind }) => ["Document", "Script", "Fetch", "Wasm"].includes(kind));
  expect(heavy.filter(({ encoding }) => encoding !== "br").map(({ url }) => url), "everything is compressed").toEqual([]);
  expect(heavy.some(({ url }) => url.endsWith(".wasm"))).toBe(true);
  expect(weight.transfers.filter(({ kind }) => kind === "Stylesheet"), "the style sheet is in the page").toEqual([]);
  expect(readable / KB).toBeLessThanOrEqual(40);
  expect(live / KB).toBeLessThanOrEqual(200);
});

test("files with a hash in their name are cached forever, pages are not", async ({ page, program }) => {
  const room = await roomWithLines(await program("Host"), 1);
  const cached = new Map<string, string>();
  page.on("response", async (response) => {
    cached.set(new URL(response.url()).pathname, response.headers()["cache-control"] ?? "");
  });
  const reader = new RoomPage(page);
  await reader.open(room);
  const hashed = () => [...cached].filter(([path]) => path.startsWith("/pkg/"));
  await expect.poll(() => hashed().length, { message: "the program and its glue" }).toBeGreaterThan(1);
  expect(cached.get(`/rooms/${room}`)).toMatch(/no-cache|no-store/);
  for (const [path, control] of hashed()) expect(control, path).toMatch(/immutable|max-age=31536000/);
});
