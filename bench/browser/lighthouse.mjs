// The room page in Lighthouse, as on a phone: the median of five runs, each in a fresh browser.

import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import run from "lighthouse";

import { signedIn } from "./chromium.mjs";
import { close, fill, talkers } from "./people.mjs";
import { atLeast, atMost, median, row } from "./rows.mjs";
import { freePort } from "./server.mjs";

const RUNS = 5;
const MESSAGES = 50;

/** For a visitor without a session, and for a person who is signed in, whose page becomes live. */
export async function lighthouse({ url }) {
  const all = await talkers(url, "lobby");
  await fill(all, "lobby", MESSAGES);
  const rows = [];
  for (const who of ["stranger", "signed in"]) rows.push(...(await medians(`${url}/rooms/lobby`, url, who)));
  close(all);
  return rows;
}

async function medians(page, url, who) {
  const results = [];
  for (let n = 0; n < RUNS; n += 1) results.push(await once(page, url, who));
  const of = (audit) => median(results.map(({ audits }) => audits[audit].numericValue));
  const scores = results.map(({ categories }) => categories.performance.score * 100);
  const others = Object.entries(results[0].categories).filter(([name]) => name !== "performance");
  const name = (what) => `${who}: ${what}`;
  return [
    atLeast(name("performance"), median(scores), "", 95, scores.map(Math.round).join(" ")),
    atMost(name("largest contentful paint"), of("largest-contentful-paint") / 1_000, "s", 1.8),
    atMost(name("total blocking time"), of("total-blocking-time"), "ms", 100),
    atMost(name("cumulative layout shift"), of("cumulative-layout-shift"), "", 0.02),
    row(name("first contentful paint"), of("first-contentful-paint") / 1_000, "s"),
    row(name("speed index"), of("speed-index") / 1_000, "s"),
    ...others.map(([, { title, score }]) => row(name(title.toLowerCase()), score * 100)),
    row(name("what could be better"), 0, "", complaints(results[0]).join(", ") || "nothing"),
  ];
}

async function once(page, url, who) {
  const port = await freePort();
  const { browser, context } = await signedIn(url, "Grace", `--remote-debugging-port=${port}`);
  try {
    // Lighthouse opens a tab in the browser's own context, not in Playwright's.
    const cookies = who === "stranger" ? [] : await context.cookies();
    const cdp = await browser.newBrowserCDPSession();
    await cdp.send("Storage.setCookies", { cookies: cookies.map(({ name, value, domain, path }) => ({ name, value, domain, path })) });
    await context.close();
    // The browser is fresh, and resetting its storage would sign out.
    const result = await run(page, { port, logLevel: "error", output: "json", disableStorageReset: true });
    await writeFile(join(tmpdir(), `hubbub-lighthouse-${who.replace(" ", "-")}.json`), result.report);
    return result.lhr;
  } finally {
    await browser.close();
  }
}

/** The audits that did not pass. */
function complaints({ audits }) {
  return Object.values(audits)
    .filter(({ score, scoreDisplayMode }) => score !== null && score < 0.9 && scoreDisplayMode !== "informative")
    .map(({ id, displayValue }) => (displayValue ? `${id} (${displayValue})` : id));
}
