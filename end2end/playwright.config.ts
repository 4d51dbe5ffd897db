// The projects. `npx playwright test` runs the first four; the others run only with --project=NAME:
//   scripts-on, scripts-off   tests/*.spec.ts, the same tests with and without JavaScript
//   live                      tests/*.hydrate.spec.ts, what only a hydrated page can do
//   wire                      wire/*.spec.ts, other programs: the official Socket.IO client in Node
//   replicas                  replicas/*.spec.ts, several replicas behind nginx and HAProxy
//   faults                    faults/*.spec.ts, the fault matrix (make faults)
//   measurements              measurements/*.ts, figures for docs/scaling.md
//   soak                      soak/*.spec.ts, people joining and leaving for 20 minutes (make soak)
//   screenshots               screenshots/screenshots.ts, the pictures of the documentation

import { existsSync } from "node:fs";
import { defineConfig, devices } from "@playwright/test";

// The headless shell takes half the time of a full browser.
const executablePath =
  process.env["HUBBUB_CHROMIUM"] ?? ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find((path) => existsSync(path));

// Worker processes read this file, too, but not the command line, so the choice is passed in the environment.
const chosen = (project: string, variable: string): boolean => {
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

// Each of these tests uses its own database, Redis, replicas and proxy, and mostly waits for them: two run side by side.
const replicas = {
  name: "replicas",
  testDir: "replicas",
  testMatch: "*.spec.ts",
  use: chromium,
  fullyParallel: false,
  workers: 2,
  timeout: 120_000,
};

// What measures time or memory runs one test at a time.
const alone = { ...replicas, workers: 1 };

// Figures for docs/scaling.md. The tests only check that figures were measured.
const measurements = { ...alone, name: "measurements", testDir: "measurements", testMatch: "*.ts", timeout: 300_000 };

// What a server holds while people join and leave. The test sets its own timeout.
const soak = { ...alone, name: "soak", testDir: "soak" };

// The fault matrix. Every row writes its result to faults/results.json and docs/reliability.md.
const faults = { ...alone, name: "faults", testDir: "faults", timeout: 600_000 };

export default defineConfig({
  testDir: ".",
  outputDir: "test-results",
  fullyParallel: true,
  forbidOnly: !!process.env["CI"],
  // A test that passes the second time is reported as flaky; scripts/test.sh tolerates two of them in a run.
  retries: 1,
  // Most tests wait for timeouts most of the time, so three workers keep two cores busy.
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
    ...(chosen("replicas", "HUBBUB_REPLICAS") ? [replicas] : []),
    ...(chosen("faults", "HUBBUB_FAULTS") ? [faults] : []),
    ...(chosen("measurements", "HUBBUB_MEASUREMENTS") ? [measurements] : []),
    ...(chosen("soak", "HUBBUB_SOAK") ? [soak] : []),
    ...(chosen("screenshots", "HUBBUB_SCREENSHOTS") ? [screenshots] : []),
  ],
});
