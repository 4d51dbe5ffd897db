// 200 messages a second into an open room whose reader is at the bottom: frames and memory.

import { SLOW_CPU, heap, signedIn, slowDown } from "./chromium.mjs";
import { close, fill, talk, talkers, text } from "./people.mjs";
import { probe } from "./probe.mjs";
import { atLeast, atMost, quantile, row, sleep } from "./rows.mjs";

const PER_SECOND = 200;
const SECONDS = Number(process.env.HUBBUB_SECONDS ?? 60);
const BEFORE = 50;
const SETTLE_MS = 30_000;

/** At this machine's speed, and with a CPU a quarter as fast. */
export async function flood({ url }) {
  const all = await talkers(url, "lobby");
  const rows = [];
  for (const slow of [false, true]) {
    const { room } = await all[0].command("create_room", { title: slow ? "Slow" : "Fast" });
    await fill(all, room, BEFORE);
    rows.push(...(await once(url, all, room, slow)));
  }
  close(all);
  return rows;
}

async function once(url, all, room, slow) {
  const name = (what) => (slow ? `CPU / ${SLOW_CPU}: ${what}` : what);
  const { browser, page, cdp } = await signedIn(url, "Grace");
  try {
    await page.addInitScript(probe);
    await page.goto(`${url}/rooms/${room}`);
    await page.waitForFunction(() => globalThis.bench.live !== undefined);
    const before = await heap(page, cdp);
    const idle = rate(await frames(page, 3_000));
    if (slow) await slowDown(cdp, { network: false });
    if (process.env.HUBBUB_PROFILE) await startProfile(cdp);
    const from = await page.evaluate(() => {
      globalThis.bench.longTasks.length = 0;
      globalThis.bench.frames.length = 0;
      return performance.now();
    });
    await talk(all, room, PER_SECOND, SECONDS, BEFORE + 1);
    const { seen, longTasks, now } = await page.evaluate(() => ({ seen: globalThis.bench.frames, longTasks: globalThis.bench.longTasks, now: performance.now() }));
    if (process.env.HUBBUB_PROFILE) await stopProfile(cdp, `${process.env.HUBBUB_PROFILE}-${slow ? "slow" : "fast"}.cpuprofile`);
    const behind = await settled(page, BEFORE + PER_SECOND * SECONDS);
    const after = await heap(page, cdp);
    const gaps = seen.slice(1).map((at, n) => at - seen[n]);
    const blocked = longTasks.map(({ duration }) => duration);
    return [
      atLeast(name(`${PER_SECOND} messages/s for ${SECONDS} s: frames/s`), (seen.length * 1_000) / (now - from), "", 50, `${idle.toFixed(0)} when idle`),
      row(name("99 of 100 frames within"), quantile(gaps, 0.99), "ms"),
      row(name("the longest frame"), Math.max(...gaps), "ms"),
      row(name("long tasks"), blocked.length, "", blocked.length > 0 ? `longest ${Math.round(Math.max(...blocked))} ms` : ""),
      row(name("the last message shown after"), behind, "ms"),
      atMost(name("JavaScript heap + WebAssembly memory"), after.js + after.wasm, "MB", 60, `${after.js.toFixed(1)} + ${after.wasm.toFixed(1)}; before ${before.js.toFixed(1)} + ${before.wasm.toFixed(1)}; ${after.nodes} nodes`),
    ];
  } finally {
    await browser.close();
  }
}

const rate = (seen) => ((seen.length - 1) * 1_000) / (seen.at(-1) - seen[0]);

async function frames(page, ms) {
  const from = await page.evaluate(() => globalThis.bench.frames.length);
  await sleep(ms);
  return page.evaluate((from) => globalThis.bench.frames.slice(from), from);
}

/** Waits until the last message is in the page and in view. Returns how long that took, in milliseconds. */
async function settled(page, last) {
  const began = performance.now();
  await page.waitForFunction(
    (last) => {
      const line = document.querySelector("[role=log] > :last-child");
      const end = line?.getBoundingClientRect().bottom ?? Infinity;
      return line?.querySelector(".text")?.textContent === last && end <= innerHeight;
    },
    text(last),
    { timeout: SETTLE_MS },
  );
  return performance.now() - began;
}

async function startProfile(cdp) {
  await cdp.send("Profiler.enable");
  await cdp.send("Profiler.setSamplingInterval", { interval: 500 });
  await cdp.send("Profiler.start");
}

async function stopProfile(cdp, path) {
  const { profile } = await cdp.send("Profiler.stop");
  const { writeFile } = await import("node:fs/promises");
  await writeFile(path, JSON.stringify(profile));
}
