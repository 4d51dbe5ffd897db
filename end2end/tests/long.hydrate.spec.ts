// A long room (10,000 messages; 100,000 in `make soak`) opens at once, the page holds few messages, and the line being
// read stays in place while thousands are added and removed above and below.

import { readUp } from "../support/scroll.ts";
import { freshTitle } from "../support/seed.ts";
import { SOAK, counted, sized } from "../support/size.ts";
import { RoomPage, expect, testWithOwnServer as test } from "../support/test.ts";

const MESSAGES = sized(10_000, 100_000);
/** How far up the reader scrolls: several times what the page holds. */
const UP = sized(1_200, 5_000);
/** The author changes every thousand messages. */
const AUTHORS = 3;

test.use({ serverEnv: { HUBBUB_LIMITS: "off" } });

test(`a room with ${counted(MESSAGES)} messages`, SOAK, async ({ person, program, visitor }) => {
  test.setTimeout(180_000);
  const authors = await Promise.all(Array.from({ length: AUTHORS }, (_, n) => program(`Author ${n}`)));
  const host = authors[0] ?? (await program("Host"));
  const { room } = await host.createRoom(freshTitle("Long"));
  for (let n = 0; n < MESSAGES; n += 1_000) {
    const author = authors[(n / 1_000) % AUTHORS] ?? host;
    const batches = Array.from({ length: 10 }, (_, batch) =>
      Array.from({ length: 100 }, (_, i) => {
        const line = n + batch * 100 + i + 1;
        return `line ${line}${line % 7 === 0 ? "\nand more of it" : ""}${line % 11 === 0 ? ` ${"word ".repeat(60)}` : ""}`;
      }),
    );
    await Promise.all(batches.map((texts) => author.send(room, ...texts)));
  }

  const short = (await host.createRoom(freshTitle("Short"))).room;
  await host.send(short, "the only line");
  const [newest, only] = [`line ${MESSAGES}`, "the only line"];

  // Signed in before, so that the room is measured and not signing in or the first download.
  const ada = await person("Ada", room);
  const live = async (at: string, line: string): Promise<number> => {
    await ada.page.goto("about:blank");
    const start = performance.now();
    await ada.open(at);
    await ada.live("Ada");
    await expect(ada.said(line)).toBeInViewport();
    return performance.now() - start;
  };
  const read = async (at: string, line: string): Promise<number> => {
    const stranger = new RoomPage(await visitor());
    const start = performance.now();
    await stranger.open(at);
    await expect(stranger.said(line)).toBeInViewport();
    const took = performance.now() - start;
    await stranger.page.close();
    return took;
  };
  for (const [what, opens] of [
    ["live", live],
    ["readable for a stranger", read],
  ] as const) {
    const [long, least]: [number[], number[]] = [[], []];
    // In turns, and the best of each counts, because other tests run at the same time.
    for (let n = 0; n < 3; n += 1) {
      least.push(await opens(short, only));
      long.push(await opens(room, newest));
    }
    const said = (times: number[]): string => times.map(Math.round).join(", ");
    console.log(`a room with ${MESSAGES} messages: ${what} after ${said(long)} ms; with one message after ${said(least)} ms`);
    // A page of fifty messages takes a little longer than one message, however many come before them.
    expect(Math.min(...long), what).toBeLessThan(2 * Math.min(...least) + 500);
  }

  await ada.open(room);
  await ada.live("Ada");
  const up = await readUp(ada.page, 600, MESSAGES - UP);
  console.log(`scrolled up to message ${up.reached} in ${up.steps} steps, ${up.frames} frames: moved by ${up.moved.toFixed(3)} px at most, ${up.most} messages in the page at most`);
  expect(up.reached).toBeLessThanOrEqual(MESSAGES - UP);
  expect(up.moved, "pixels by which the line being read moved").toBeLessThan(1);
  expect(up.most, "messages in the page").toBeLessThanOrEqual(400);

  // Far up, a new message moves nothing, and there is a way back.
  const before = await readUp(ada.page, 0, up.reached);
  await host.send(room, "the newest");
  await expect(ada.pill).toHaveText(/1 new message\b/);
  expect((await readUp(ada.page, 0, up.reached)).top).toBeCloseTo(before.top, 0);
  const down = await readUp(ada.page, -600, MESSAGES - UP * 0.8);
  expect(down.moved, "pixels, downwards").toBeLessThan(1);
  expect(down.most).toBeLessThanOrEqual(400);
  await ada.pill.click();
  await expect(ada.said("the newest")).toBeInViewport();
  // Messages loaded before come back without the network.
  const again = await readUp(ada.page, 600, MESSAGES - UP * 0.4);
  expect(again.moved, "pixels, the second time").toBeLessThan(1);
  expect(again.most).toBeLessThanOrEqual(400);
  await ada.page.getByRole("button", { name: "Newest messages" }).click();
  await expect(ada.said("the newest")).toBeInViewport();
  await ada.send("an answer");
  await expect(ada.said("an answer")).toBeInViewport();
});
