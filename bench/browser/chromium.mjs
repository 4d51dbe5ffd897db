// Debian's Chromium, headless, without background work.

import { existsSync } from "node:fs";

import { chromium } from "playwright-core";

const installed = process.env.HUBBUB_CHROMIUM ?? "/usr/bin/chromium";
export const executablePath = existsSync(installed) ? installed : undefined;

export const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A mid-range phone and its network, as in Lighthouse. */
export const SLOW_CPU = 4;
const SLOW_NETWORK = { offline: false, latency: 150, downloadThroughput: (1.6 * 1_000_000) / 8, uploadThroughput: (750 * 1_000) / 8 };

export async function launch(...more) {
  return chromium.launch({ executablePath, args: [...FLAGS, ...more] });
}

export async function version() {
  const browser = await launch();
  const number = browser.version();
  await browser.close();
  return `Chromium ${number}`;
}

/** A browser in which a person is signed in, with an empty page. */
export async function signedIn(url, name, ...more) {
  const browser = await launch(...more);
  const context = await browser.newContext({ viewport: { width: 412, height: 823 }, locale: "en-GB" });
  const answer = await context.request.post(`${url}/session`, { form: { name }, headers: { origin: url }, maxRedirects: 0 });
  if (answer.status() !== 303) throw new Error(`signing in was answered with ${answer.status()}`);
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  return { browser, context, page, cdp };
}

export async function slowDown(cdp, { cpu = true, network = true } = {}) {
  if (cpu) await cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOW_CPU });
  if (network) {
    await cdp.send("Network.enable");
    await cdp.send("Network.emulateNetworkConditions", SLOW_NETWORK);
  }
}

/** Megabytes in use after garbage collection: JavaScript's heap, and WebAssembly's memory if the page exposed it. */
export async function heap(page, cdp) {
  await cdp.send("HeapProfiler.enable");
  for (let n = 0; n < 3; n += 1) await cdp.send("HeapProfiler.collectGarbage");
  const { usedSize } = await cdp.send("Runtime.getHeapUsage");
  const wasm = await page.evaluate(() => globalThis.bench?.memory?.buffer.byteLength ?? 0);
  const { nodes } = await cdp.send("Memory.getDOMCounters");
  return { js: usedSize / 1e6, wasm: wasm / 1e6, nodes };
}
