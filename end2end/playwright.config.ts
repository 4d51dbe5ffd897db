// Which tests run where. `npx playwright test` runs everything except the pictures for the documentation:
//   scripts-on, scripts-off   tests/*.spec.ts, the same tests with and without JavaScript
//   live                      tests/*.hydrate.spec.ts, what only a hydrated page can do
//   wire                      wire/*.spec.ts, other programs: the official Socket.IO client in Node
//   replicas                  replicas/*.spec.ts, several replicas behind nginx and HAProxy, and what is measured: one test at a time
//   faults                    faults/*.spec.ts, the fault matrix (make faults), only with --project=faults
//   measurements              measurements/*.ts, only with --project=measurements
//   soak                      soak/*.spec.ts, people who come and go for 20 minutes (make soak)
//   screenshots               only with --project=screenshots

import { existsSync } from "node:fs";
import { defineConfig, devices } from "@playwright/test";

// The headless shell needs half the time of a whole browser.
const executablePath =
  process.env["HUBBUB_CHROMIUM"] ?? ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find((path) => existsSync(path));

// Worker processes read this file too, but not the command line: the wish travels in the environment.
const wished = (project: string, variable: string): boolean => {
  if (process.argv.some((word) => word === project || word === `--project=${project}`)) process.env[variable] = "1";
  return process.env[variable] === "1";
};

const chromium = {
  ...devices["Desktop Chrome"],
  viewport: { width: 1280, height: 800 },
  locale: "en-GB",
  timezoneId: "Europe/Berlin",
  launchOptions: {
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  },
};

const screenshots = {
  name: "screenshots",
  testDir: "screenshots",
  testMatch: "screenshots.ts",
  use: chromium,
  timeout: 180_000,
};

// Each of these has a Redis, three replicas and a proxy to itself, and measures: nothing else may run beside it.
const replicas = {
  name: "replicas",
  testDir: "replicas",
  testMatch: "*.spec.ts",
  use: chromium,
  fullyParallel: false,
  workers: 1,
  timeout: 120_000,
};

// Figures for docs/scaling.md. Nothing is asserted but that they are figures.
const measurements = { ...replicas, name: "measurements", testDir: "measurements", testMatch: "*.ts", timeout: 300_000 };

// What a server holds while people come and go: the test sets its own time.
const soak = { ...replicas, name: "soak", testDir: "soak" };

// The fault matrix; every row writes what it found to faults/results.json and docs/reliability.md.
const faults = { ...replicas, name: "faults", testDir: "faults", timeout: 600_000 };

export default defineConfig({
  testDir: ".",
  outputDir: "test-results",
  fullyParallel: true,
  forbidOnly: !!process.env["CI"],
  // A test that passes the second time is reported as flaky; scripts/test.sh tolerates two of them in a run.
  retries: 1,
  // Many tests wait for a timeout of somebody else's most of the time: three keep two cores busy.
  workers: 3,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"], ["html", { open: "never", outputFolder: "playwright-report" }]],
  use: { trace: "on-first-retry", screenshot: "only-on-failure" },
  projects: [
    {
      name: "scripts-on",
      testDir: "tests",
      testMatch: "*.spec.ts",
      testIgnore: ["*.hydrate.spec.ts", "*.noscript.spec.ts"],
      use: chromium,
    },
    {
      name: "scripts-off",
      testDir: "tests",
      testMatch: "*.spec.ts",
      testIgnore: "*.hydrate.spec.ts",
      use: { ...chromium, javaScriptEnabled: false },
    },
    { name: "live", testDir: "tests", testMatch: "*.hydrate.spec.ts", use: chromium },
    { name: "wire", testDir: "wire", testMatch: "*.spec.ts", use: chromium },
    ...(wished("replicas", "HUBBUB_REPLICAS") ? [replicas] : []),
    ...(wished("faults", "HUBBUB_FAULTS") ? [faults] : []),
    ...(wished("measurements", "HUBBUB_MEASUREMENTS") ? [measurements] : []),
    ...(wished("soak", "HUBBUB_SOAK") ? [soak] : []),
    ...(wished("screenshots", "HUBBUB_SCREENSHOTS") ? [screenshots] : []),
  ],
});
