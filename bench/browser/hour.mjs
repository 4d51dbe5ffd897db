// Memory after an hour of a busy room. Sends as many messages as ten a second make in an hour, in less time: what a
// page holds depends on what it received, not on how long that took.

import { heap, signedIn } from "./chromium.mjs";
import { close, fill, talk, talkers } from "./people.mjs";
import { probe } from "./probe.mjs";
import { atMost, row, sleep } from "./rows.mjs";

const PER_SECOND = 400;
const HOUR = 36_000;
/** The page holds this many messages and forgets older ones (crates/client/src/timeline.rs); memory is constant from there
 * on. */
const HELD = 20_000;
const STEP = 4_000;
const BEFORE = 50;

export async function hour({ url }) {
  const room = "lobby";
  const all = await talkers(url, room);
  await fill(all, room, BEFORE);
  const { browser, page, cdp } = await signedIn(url, "Grace");
  try {
    await page.addInitScript(probe);
    await page.goto(`${url}/rooms/${room}`);
    await page.waitForFunction(() => globalThis.bench.live !== undefined);
    const seen = [{ at: 0, ...(await heap(page, cdp)) }];
    for (let at = STEP; at <= HOUR; at += STEP) {
      await talk(all, room, PER_SECOND, STEP / PER_SECOND, BEFORE + at - STEP + 1);
      await sleep(2_000);
      seen.push({ at, ...(await heap(page, cdp)) });
    }
    const total = ({ js, wasm }) => js + wasm;
    const full = seen.find(({ at }) => at > HELD);
    const end = seen.at(-1);
    const perHour = ((total(end) - total(full)) / (end.at - full.at)) * HOUR;
    const course = seen.map(({ at, js, wasm }) => `${at / 1_000}k: ${js.toFixed(1)}+${wasm.toFixed(1)}`).join(", ");
    return [
      atMost(`${HOUR} messages, an hour of ten a second: heap + WebAssembly`, total(end), "MB", 60, course),
      row(`growth past ${full.at} messages, for each further hour`, perHour, "MB"),
      row("nodes in the document and kept by scripts", end.nodes),
    ];
  } finally {
    close(all);
    await browser.close();
  }
}
