// From the first byte of a room's page to the live room, on a slow phone with a slow network and an empty cache.

import { SLOW_CPU, signedIn, slowDown } from "./chromium.mjs";
import { close, fill, talkers } from "./people.mjs";
import { probe } from "./probe.mjs";
import { median, row } from "./rows.mjs";

const RUNS = 5;
const MESSAGES = 50;
const LIVE_MS = 30_000;

export async function live({ url }) {
  const all = await talkers(url, "lobby");
  await fill(all, "lobby", MESSAGES);
  const runs = [];
  for (let n = 0; n < RUNS; n += 1) runs.push(await once(url));
  close(all);
  const of = (what) => median(runs.map(what));
  const slow = `CPU / ${SLOW_CPU}, 1.6 Mbit/s, 150 ms`;
  return [
    row("first byte after", of(({ firstByte }) => firstByte), "ms", slow),
    row("first paint after the first byte", of(({ paint, firstByte }) => paint - firstByte), "ms"),
    row("live after the first byte", of(({ live, firstByte }) => live - firstByte), "ms", runs.map(({ live, firstByte }) => Math.round(live - firstByte)).join(" ")),
    row("long tasks until live", of(({ tasks }) => tasks.length), ""),
    row("the longest of them", of(({ tasks }) => Math.max(0, ...tasks)), "ms", runs.map(({ tasks }) => tasks.map(Math.round).join("+") || "none").join(", ")),
  ];
}

async function once(url) {
  const { browser, page, cdp } = await signedIn(url, "Grace");
  try {
    await page.addInitScript(probe);
    await slowDown(cdp);
    await page.goto(`${url}/rooms/lobby`, { waitUntil: "commit" });
    await page.waitForFunction(() => globalThis.bench.live !== undefined, undefined, { timeout: LIVE_MS });
    return await page.evaluate(() => ({
      firstByte: performance.getEntriesByType("navigation")[0].responseStart,
      paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
      live: globalThis.bench.live,
      tasks: globalThis.bench.longTasks.map(({ duration }) => duration),
    }));
  } finally {
    await browser.close();
  }
}
